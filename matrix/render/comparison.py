"""What changed between two reports, for the terminal and for a comment on a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen
from rich.console import Group, RenderableType
from rich.text import Text

from matrix.compare import Change, Comparison, Kind, Pair
from matrix.render.markdown import escape
from matrix.render.plain import clip, one_line

LIMIT = 65_536
"""Characters that GitHub takes in a comment; counted here in bytes, of which there are no fewer."""
LINES = 20
"""Changes of a kind that the terminal shows one by one."""
_ANSWER_LIMIT = 100
_HOST_LIMIT = 1000


def sentence(comparison: Comparison) -> str:
    """What changed, in one line."""
    counts = comparison.counts
    cells = f"{comparison.cells:,} cell{'' if comparison.cells == 1 else 's'} compared"
    changed = ", ".join(_counted(kind, counts[kind]) for kind in Kind if counts[kind])
    verdict = "Regression" if comparison.has_regressed else "No regression"
    return f"{verdict}: {changed or 'nothing changed'}; {cells}."


def _counted(kind: Kind, number: int) -> str:
    is_noun = kind is Kind.NEW_FAILURE and number > 1
    return f"{number:,} {kind.value}{'s' if is_noun else ''}"


def terminal(comparison: Comparison) -> RenderableType:
    """The changes, the gravest first, and at last the sentence that sums them up."""
    return Group(*_terminal_lines(comparison), Text(sentence(comparison), "bold"))


def _terminal_lines(comparison: Comparison) -> Iterator[Text]:
    for section in _sections(comparison):
        yield Text(section.title, "bold")
        for line in section.lines[:LINES]:
            yield Text(f"  {one_line(line)}")
        if len(section.lines) > LINES:
            yield Text(f"  … and {len(section.lines) - LINES:,} more")
        yield Text()


def markdown(comparison: Comparison, limit: int = LIMIT) -> str:
    """The same for a comment, in at most ``limit`` bytes.

    Where there are too many changes, the gravest are shown, and of the others how many there are.
    """
    head = f"## reactor-matrix: what changed\n\n**{escape(sentence(comparison))}**\n"
    sections = [
        Section(s.title, tuple(f"- {escape(line)}\n" for line in s.lines))
        for s in _sections(comparison)
    ]
    room = limit - _size(head) - sum(_size(_section(s, 0)) for s in sections)
    parts = [head]
    for section in sections:
        shown = 0
        for line in section.lines:
            room -= _size(line)
            if room < 0:
                break
            shown += 1
        parts.append(_section(section, shown))
    return "".join(parts)


@frozen
class Section:
    """Changes of a kind, one on a line."""

    title: str
    lines: tuple[str, ...]


def _sections(comparison: Comparison) -> Iterator[Section]:
    hosts = tuple(_host(pair) for pair in comparison.hosts if _is_worth_a_word(pair))
    if hosts:
        yield Section("Hosts", hosts)
    for kind in Kind:
        found = [change for change in comparison.changes if change.kind is kind]
        if found:
            yield Section(f"{kind.value.capitalize()} ({len(found):,})", tuple(map(_line, found)))


def _section(section: Section, shown: int) -> str:
    """A section of which so many lines are shown; never longer than without and with all lines."""
    left = len(section.lines) - shown
    more = f"- … and {left:,} more\n" if left else ""
    return f"\n### {section.title}\n\n{''.join(section.lines[:shown])}{more}"


def _line(change: Change) -> str:
    more = "" if change.more is None else f"; about {change.more:,} more attempts would tell"
    return f"{change.cell.id} on {change.host}: {clip(change.what, 300)}{more}"


def _is_worth_a_word(pair: Pair) -> bool:
    return pair.old != pair.new or bool(pair.differences)


def _host(pair: Pair) -> str:
    if pair.new is None:
        return f"{pair.old} is not in the new report"
    if pair.old is None:
        return f"{pair.new} is not in the old report"
    name = pair.new if pair.old == pair.new else f"{pair.old} → {pair.new}"
    said = (
        f"{asked} {clip(old, _ANSWER_LIMIT) or 'unknown'} → {clip(new, _ANSWER_LIMIT) or 'unknown'}"
        for asked, old, new in pair.differences
    )
    return clip(f"{name}: {', '.join(said)}", _HOST_LIMIT)


def _size(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))
