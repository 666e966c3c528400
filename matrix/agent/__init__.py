"""What runs inside the interpreter under test, and records what it sees. It judges nothing.

Standard library and Twisted only, Python 3.8 or newer; of the rest of the
package it imports `matrix.wire` alone. It travels as a zip, over the standard
input of a Python anywhere, and leaves nothing behind; from then on it speaks
JSON Lines on its standard streams.

``carried``    imports the agent from the zip that it came in
``guard``      outlives the agent, and clears up after it
``serve``      the process that has Twisted imported and forks one child per job
``hello``      what an interpreter says of itself; ``settings`` what it is told
``cell``       one child's life: the reactor is installed, runs one scenario, stops
``reactors``   which reactors there are, and how one gets installed
``transports`` how the two ends get connected
``tls``        contexts for both ends, made once, before the first fork
``clockwork``  resumes a scenario from the reactor under test, and counts its turns
``stage``      what scenarios are made of: connect, fill, prove, abort, watch both ends
``wiring``     how a cell's two ends are built and joined
``scenarios``  the cases, each a short list of steps
``ends``       the protocols on the reactor: aborter and peer
``bystander``  another connection, which must be served all the while
``crowd``      many more connections, full and aborted together
``faults``     deliberately broken transports, one or more for every rule
``witness``    the peer outside Twisted and off the reactor's thread
``sessions``   what the witness speaks: plain bytes, or TLS
``control``    the case with no reactor in it
``probes``     what the kernel says of a socket, and when that is a proof
``stream``     the bytes that are written, known by position
``streams``    the standard streams, taken over from whatever prints by mistake
``leftovers``  what is still there at the end
``recorder``   events, one JSON line each
``forkless``   stands in for ``serve`` where nothing can be forked: processes started ahead
``scout``      imports everything once for them, leaves the image, and ends
``oneshot``    one of those: does one job, and ends
``image``      what such a process imports from, to be there sooner
``outpost``    a witness that a native process plays, for agents under Wine
``sendqueue``  what Linux has of a connection that belongs to another process
``windows``    what only Windows has, or Wine
"""
