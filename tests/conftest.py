"""What holds for all tests."""

from __future__ import annotations

from hypothesis import settings

# Timings are never asserted: not those of examples either.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
