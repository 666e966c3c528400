"""reactor-matrix: does ``abortConnection()`` work on a connection that is not writeable?

A map of the package, from the ground up:

``wire``        names of events and fields; the one thing that agent and manager share
``agent``       runs inside the interpreter under test and records; alone in importing Twisted
``model``       frozen values that everything else speaks: cell, transcript, verdict, report
``errors``      every error that a user can see
``plan``        axes × selection × shard → the cells to run
``evidence``    fields of events, taken for what they must be
``proof``       was the connection really not writeable? from the samples alone
``checks``      what each rule looks for in a transcript
``rules``       the contract as a table of rules
``judge``       transcript → verdict
``expectations`` known defects, with reason, link, condition and expiry
``surprises``   where a report does not bear out what was expected
``statistics``  attempts → rate and interval
``merge``       reports of shards and hosts → one report
``resume``      may a run go on with what another one has left?
``compare``     report × report → what changed
``trend``       a cell over time
``traits``      what tells the attempts on one release from those on another
``course``      a cell over releases
``bisection``   with which of many releases did it change?
``stacks``      which releases go together
``history``     trends in an SQLite file
``manager``     starts agents, hands them cells, keeps the clock, kills
``structure``   values ↔ JSON
``skim``        a line of a results file, without building its events
``lines``       report ↔ the lines of a results file
``store``       results files and pages on disk
``environments`` releases installed, each in a cached environment of its own
``candidates``  the releases or revisions that may be tried
``render``      report → HTML, JUnit, CTRF, Markdown, badge, terminal; a cell → a script of its own
``workflow``    what the commands do, step by step
``trying``      some cells on a release: installed, run and judged
``over_releases`` what ``versions`` and ``bisect`` do, step by step
``wine``        a private Windows Python under Wine; ``wine_install`` makes it,
                ``wine_libraries`` so that processes share its libraries
``doctor``      what can run on a host, what cannot, and what to install
``generate``    cells → ``unittest.TestCase`` classes
``suite``       those classes for this interpreter, for trial, pytest and unittest
``cli``         the commands; those for several runs are in ``cli_over_time``, those for several
                releases in ``cli_over_releases``, those for Wine in ``cli_wine``

The agent records, the manager judges; nothing outside ``agent`` imports Twisted.
"""

__version__ = "0.1.0"
