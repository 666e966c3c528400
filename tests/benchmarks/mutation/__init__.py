"""Mutants of the installed Twisted, and who notices them.

``targets`` says which functions are mutated and why, ``making`` makes the mutants, ``applying``
runs programs in which one is in force (by the hook in ``hook``), ``judging`` lets the matrix and
Twisted's own abort tests look for it, ``reaching`` tells which lines either of them executes,
``records`` keeps and counts what came of it.
"""
