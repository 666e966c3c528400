"""reactor-matrix: does ``abortConnection()`` work on a connection that is not writeable?

A map of the package, from the ground up:

``wire``        names of events and fields; the one thing that agent and manager share
``agent``       runs inside the interpreter under test and records; alone in importing Twisted
``model``       frozen values that everything else speaks: cell, transcript, verdict, report
``errors``      every error that a user can see
``plan``        axes × selection × shard → the cells to run
``rules``       transcript → verdict: the contract as a table of rules
``statistics``  attempts → rate and interval
``manager``     starts agents, hands them cells, keeps the clock, kills
``store``       report ↔ JSON Lines
``render``      report → HTML, JUnit, Markdown, terminal
``generate``    cells → ``unittest.TestCase`` classes
``suite``       those classes for this interpreter, for trial, pytest and unittest
``cli``         the commands

The agent records, the manager judges; nothing outside ``agent`` imports Twisted.
"""

__version__ = "0.1.0"
