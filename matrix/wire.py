"""The words that the agent and the manager share: names of events, fields, sides and codes.

Standard library only, Python 3.8 or newer: this module travels to every
interpreter under test together with :mod:`matrix.agent`, and it is the only
one that both ends import.

An *event* is one JSON object on a line of its own::

    {"t": 0.0312, "side": "aborter", "event": "producer-paused", ...}

``t`` is in seconds on the monotonic clock of the cell's process, counted from
that process's start.
"""

REFUSAL = "the agent: "
"""How the last words begin of an agent that knows why it cannot play; they say what to do."""

PROTOCOL = 1
"""Version of the conversation between manager and agent."""

MAX_OUTPUT = 8 * 1024 * 1024
"""Bytes of events, and of captured stderr, that are kept of one process."""

PROOF_LIMIT = 20.0
"""Seconds in which the not-writeable state must be proved, or the cell is inconclusive."""

EX_SOFTWARE = 70
"""Exit status of an agent's process that cannot go on (``sysexits.h``, which Windows has not)."""

SETTLING_TIME = 0.25
"""Seconds without any change that the fallback proof asks for."""

PROMPT_TURNS = 100
"""Turns of the reactor after which an abort that is still open is not prompt."""

SLEEP_CPU = 10_000
"""Microseconds of CPU in a tenth of a second's sleep, after which it was none. Reactors that sleep
were seen to use up to 1,600, those that turn without end as much as the machine gives them.
"""

SMALL_BUFFER = 4096
"""SO_SNDBUF and SO_RCVBUF, in bytes, of connections with small buffers."""

# Axes -----------------------------------------------------------------------------------------

TRANSPORTS = ("tcp4", "tcp6", "unix", "tls1.2", "tls1.3", "tls-unix")
SIDES = ("client", "server")
PEERS = ("reactor", "socket")

# How a connection is brought to its end -----------------------------------------------------------

ABORT = "abort"
"""By an abort of the full connection."""
ABORT_DELIVERED = "abort-delivered"
"""By an abort, when all that was written waits in the peer's kernel."""
CLOSE = "close"
"""By the aborter's ``loseConnection()``, once the peer has read everything."""
FINISH, RESET_IT, VANISH, RUBBISH = "finish", "reset", "vanish", "rubbish"
"""By the peer, while the connection is full: in good order, by a reset, by the death of its
process, or with bytes that are no TLS record."""
TRUNCATE = "truncate"
"""By the peer, with a FIN, although TLS has not said goodbye."""
SAY = "say"
"""By an exception of the aborter's own callback, over a byte that the peer sends."""
CONTROLLED = (ABORT, ABORT_DELIVERED, FINISH, RESET_IT, VANISH)
"""What a control plays: whatever a kernel might fail to tell the other end.

What comes of rubbish is up to TLS, what comes of an exception is up to the reactor, and an orderly
close has a rule of its own for what arrives.
"""

# What the manager asks of an agent (field ``do``) and the agent answers (field ``type``) --------

CONFIGURE = "configure"
"""``tls`` (PEM texts ``ca``, ``certificate``, ``key``), ``preload`` (module names), ``outpost``
(``port`` and ``token`` of the process that plays the witness, where the agent needs one)."""
PROBE = "probe"
"""In a process of its own: can ``reactor`` exist here?"""
PLAY = "play"
"""In a process of its own: play ``cell``, with the deliberate defect ``fault`` or none."""
CONTROL = "control"
"""In a process of its own, so many ``attempts`` one after the other: the case with no reactor, over
``transport``.

``side`` aborts, or would; ``kind`` is how the connection ends, one of `CONTROLLED`. With an outpost
the witness is there for ``peer`` ``socket``, and in the same process for ``reactor``.
"""
BEAT = "beat"
"""Asked for, and answered: both ends are there, and so is the link between them.

An agent that is not asked again for ``patience`` seconds ends by itself.
"""

HELLO = "hello"
"""First line of an agent: ``protocol``, ``provenance``, ``reactors``, ``scenarios``, ``faults``,
and ``needs``: `OUTPOST` where its own sockets are no good witnesses."""
ENDED = "ended"
"""Job ``job`` is over: ``status`` (negative: a signal), ``events`` and ``stderr`` as text.

``expired``: its process was still there at its ``deadline`` (seconds), and was killed for it.
"""

# What a reactor runs on ---------------------------------------------------------------------------

NATIVE = "native"
EMULATED = "emulated"
"""Its own code, unmodified, over an emulation of what the system does not have."""
WINE = "wine"
"""Windows's code, under Wine."""

# Why a reactor or a transport cannot exist on a host --------------------------------------------

WRONG_PLATFORM = "wrong-platform"
NOT_INSTALLED = "not-installed"
IMPORT_FAILED = "import-failed"
INTERFACE_MISSING = "interface-missing"
UNSUPPORTED_CODES = (WRONG_PLATFORM, NOT_INSTALLED, IMPORT_FAILED, INTERFACE_MISSING)

# Who an event is about --------------------------------------------------------------------------

ABORTER = "aborter"
PEER = "peer"
BYSTANDER = "bystander"
PROCESS = "process"

# Events -----------------------------------------------------------------------------------------

STARTED = "started"
"""First line of a process: ``cell``, ``pid``."""
REACTOR_UNSUPPORTED = "reactor-unsupported"
"""``code`` and ``detail``: this reactor cannot exist here."""
TRANSPORT_UNSUPPORTED = "transport-unsupported"
"""``code`` and ``detail``: this transport cannot exist on this reactor and host."""
SCENARIO_UNSUPPORTED = "scenario-unsupported"
"""``code`` and ``detail``: this reactor cannot have this scenario here, on whatever transport."""
REACTOR_INSTALLED = "reactor-installed"
"""``class``, ``module``, ``realization`` and, for reactors over another loop, ``loop``.

``realization`` is `NATIVE`, `EMULATED` or `WINE`.
"""
REACTOR_RAISED = "reactor-raised"
"""A call into the code under test raised: ``call`` and ``exception``."""
HARNESS_RAISED = "harness-raised"
"""The harness's own code raised: ``exception``."""
BASELINE = "baseline"
"""What the running reactor holds before the first connection: the fields of `LEFTOVERS`."""
CONNECTED = "connected"
"""``local`` and ``remote`` address."""
OUTPOST = "outpost"
"""The witness is a process on the machine itself, on ``platform``: ``clock`` is what its clock
showed at that moment, give or take ``within`` seconds.

Its events have its own time in ``outpost_t``; their ``t`` is when the cell's process heard of them.
"""
HANDSHAKE = "handshake"
"""TLS is up on this side: ``version``, ``cipher``, ``verified`` (by what, or null)."""
EXCHANGED = "exchanged"
"""Bytes have crossed both ways: ``sent``, ``received``."""
READING_STOPPED = "reading-stopped"
PRODUCER_REGISTERED = "producer-registered"
PRODUCER_PAUSED = "producer-paused"
"""``written``: bytes given to the transport so far."""
PRODUCER_RESUMED = "producer-resumed"
PRODUCER_STOPPED = "producer-stopped"
SAMPLE = "sample"
"""One look at the connection, from the aborter's side.

``written`` bytes given to the transport, ``read`` bytes read by the peer's
application, ``sendq`` what is in the aborter's send queue, ``recvq`` what waits
in the peer's receive queue, ``kernel`` the bytes between the two programs (on
TCP their sum; on UNIX sockets the receive queue, since ``sendq`` counts the same
bytes with their overhead), ``held`` the bytes that the transport must still
hold, at least, ``writeable`` what the kernel says of the descriptor, ``tcp`` the
kernel's own word (``unacked``, ``notsent``, ``snd_wnd``) or null. A value that
cannot be had is null. Over I/O completion ports there is ``pending`` as well: the
bytes of the overlapped send that is under way, of which the kernel may have some.
Samples that show what the last one showed are left out, except the last before the
abort.
"""
PROVED = "proved"
"""The not-writeable state is proved: ``proof``, by name (below)."""
PROOF_MISSED = "proof-missed"
"""The state was not proved: ``waited`` seconds, ``missing`` in words."""
GAVE_UP = "gave-up"
"""A step did not come about: ``waiting_for``, and ``waited`` seconds or the ``exception``."""
ABORT_CALLED = "abort-called"
"""About to call ``abortConnection()``: ``written`` bytes so far."""
ABORT_RETURNED = "abort-returned"
"""The call is over: ``raised`` (an exception or null)."""
CALLED = "called"
"""A method of the aborter's transport was called: ``call``, ``raised`` (an exception or null)."""
CLOSE_CALLED = "close-called"
"""About to close the connection, or its write side, for good: ``written`` bytes so far."""
PEER_ACTED = "peer-acted"
"""The peer is told to do what ends the connection: ``act``, `FINISH` or what follows it."""
DATA_AFTER_ABORT = "data-after-abort"
"""The aborter's ``dataReceived`` was called although it had aborted: ``bytes``."""
READ_LOST = "read-lost"
"""The aborter's ``readConnectionLost`` was called: the peer's FIN has come."""
DELIVERED = "delivered"
"""Everything that was written waits in the peer's kernel: ``bytes``."""
STOPPING = "stopping"
"""The reactor was told to stop, and calls what is to be done before."""
ASLEEP = "asleep"
"""From here on nothing but the scenario's own cause wakes the reactor up.

It comes after ``time`` microseconds.
"""
AWAKE = "awake"
"""The sleep is over: its ``time`` and the ``cpu`` of the reactor's thread, in microseconds.

``tick`` is what the system's count of ``cpu`` may be wrong by.
"""
CONNECTION_LOST = "connection-lost"
"""``connectionLost`` was called: ``reason`` (an exception), ``turns`` since the abort, or null."""
FACTORY_TOLD = "factory-told"
"""The ``clientConnectionLost`` of that side's factory was called."""
HOLD_ENDED = "hold-ended"
"""The peer stops holding still and reads: ``turns`` of the reactor since the abort."""
SCENARIO_OVER = "scenario-over"
"""``written`` bytes in all.

Whatever the connection does from here on, the harness may have caused: it takes all down.
"""
LATE_WRITE = "late-write"
"""A write after the loss: ``raised``."""
LATE_ABORT = "late-abort"
"""An abort after the loss: ``raised``."""
LATE_CALL = "late-call"
"""Another method of the transport, called after the loss: ``call``, ``raised``."""
TOLD = "told"
"""The kernel told a peer that does not read that the connection is over: ``poll`` flags."""
RECEIVED = "received"
"""All that the peer read: ``bytes``, ``matches`` the written stream, ``first_difference``."""
WIRE = "wire"
"""What a raw socket saw the connection end with: ``signal``, one of `SIGNALS`; ``errno``.

In a cell that is the witness; in a control it is whichever end does not bring the end about.
"""
CROWD = "crowd"
"""How other connections that were proved full and aborted came out.

``size`` of them, ``lost`` and ``peers_lost`` calls to ``connectionLost``, ``producers_stopped``
calls to ``stopProducing``, ``reasons`` of the aborters with their number, ``kept`` transports or
protocols that could not be collected.
"""
SERVED = "served"
"""The bystander's traffic: ``asked``, ``answered``; ``answered_since_abort``, which leaves out what
was under way then; and, where calls came too late, ``answered_after_late_calls``: whether it was.
"""
DESCRIPTOR = "descriptor"
"""Whether the aborter's descriptor is ``closed`` at the end."""
LEFTOVERS = "leftovers"
"""What is left at the end: ``readers``, ``writers``, ``delayed_calls``, ``threads`` and
``descriptors``.

Each is a list of texts, or null where this reactor cannot tell.
"""
RELEASED = "released"
"""Whether ``transport`` and ``protocol`` could be collected, and ``held_by`` what if not."""
LOGGED = "logged"
"""Something was logged as an error, warned about or could not be raised: ``kind``, ``text``."""
FINISHED = "finished"
"""Last line of a process: without it, the process died."""

# Proofs of the not-writeable state ----------------------------------------------------------------

TCP_INFO = "tcp-info"
"""Linux TCP: nothing unacknowledged, unsent bytes waiting, a window of zero; then POLLOUT off."""
UNIX_QUEUE = "unix-queue"
"""Linux UNIX sockets: POLLOUT off with bytes queued, which only the peer's reading can undo."""
SETTLED = "settled"
"""Elsewhere: not writeable and the send queue not empty, both unchanged for `SETTLING_TIME`."""
OVERLAPPED = "overlapped"
"""I/O completion ports: the same, with an overlapped send under way that does not complete."""

# How a connection ended, as the wire showed it --------------------------------------------------

RESET = "reset"
CUT = "cut"
"""TLS only: end of file without close_notify."""
FIN = "fin"
CLOSE_NOTIFY = "close-notify"
SILENCE = "silence"
SIGNALS = (RESET, CUT, FIN, CLOSE_NOTIFY, SILENCE)
