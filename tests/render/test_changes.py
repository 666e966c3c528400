"""What changed since an earlier report, as the page has it."""

from __future__ import annotations

from attrs import evolve

from matrix.compare import Change, Comparison, Kind, compare
from matrix.model.result import Outcome
from matrix.render.html import render
from matrix.render.html.changes import FIRST, Changes, since
from tests.synthetic import cells, report


def test_all_that_changed_at_a_cell_is_told() -> None:
    """A cell that fails now, and is slower too, has both in its words, the graver one first."""
    (cell,) = cells(1)
    found = Comparison(
        (),
        1,
        (
            Change(Kind.NEW_FAILURE, "linux", cell, "it was pass, and now it is fail"),
            Change(Kind.SLOWER, "linux", cell, "it took 1 ms, and now 9 ms"),
        ),
    )
    made = since("v1", found)
    assert made.cells == {
        ("linux", cell): "new failure: it was pass, and now it is fail; "
        "slower: it took 1 ms, and now 9 ms"
    }
    assert made.failing == {("linux", cell)}
    assert made.sentence == "Regression: 1 new failure, 1 slower; 1 cell compared."


def test_only_what_fails_anew_is_failing() -> None:
    """What was fixed, and what fails as before, is no new failure."""
    old, new = report(40, {Outcome.FAIL: 3}), report(40, {Outcome.FAIL: 3}, seed=2)
    made = since("v1", compare(old, new))
    bad = {(c.host, c.cell) for c in new.cells() if not c.is_accepted}
    before = {(c.host, c.cell) for c in old.cells() if not c.is_accepted}
    assert made.failing == bad - before
    assert set(made.cells) == bad ^ before
    assert since("v1", compare(new, new)) == Changes(
        "v1", "No regression: nothing changed; 40 cells compared."
    )


def test_the_gravest_are_named_on_the_first_screen() -> None:
    """Some changes are named with a link to their cell, and the others counted."""
    good, bad = report(40), report(40, {Outcome.CRASH: FIRST + 2})
    made = since("v1", compare(good, bad))
    assert [change.cell for change in made.first] == [c for _, c in list(made.cells)[:FIRST]]
    assert made.more == 2
    page = render(bad, made)
    assert all(f'<a class="id" href="#{change.key}">' in page for change in made.first)
    assert "and 2 more cells; “Changed”" in page
    few = evolve(made, cells=dict(list(made.cells.items())[:1]))
    assert few.more == 0
    assert "“Changed”, below" not in render(bad, few)
