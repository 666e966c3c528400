"""Deliberately broken transports and reactors: one or more for every rule, each named by its rule.

A fault is a function that is given the aborter's end once its connection is set
up, and breaks one thing about it. They are the negative controls of a run: a
rule that does not catch its fault catches nothing.
"""

from __future__ import annotations

FAULTS = {}
