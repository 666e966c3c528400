"""Starts agents, hands them jobs, keeps the clock, kills. It runs no code under test."""
