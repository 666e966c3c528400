"""Frozen values that everything speaks: cells, transcripts, verdicts, hosts, plans, reports."""
