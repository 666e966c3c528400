"""What is different since an earlier report, as far as the page shows it."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from matrix.model.cell import Cell


@frozen
class Changes:
    """What changed since ``baseline``: in one sentence, and in words for each changed cell.

    ``cells`` maps (host, cell) of the report that is shown; ``failing`` has those that fail and
    did not, or for a reason that they did not have.
    """

    baseline: str
    sentence: str
    cells: Mapping[tuple[str, Cell], str] = field(factory=dict)
    failing: frozenset[tuple[str, Cell]] = frozenset()
