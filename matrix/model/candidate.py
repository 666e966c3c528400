"""What a cell may be run on to see when it changed, and what came of it there."""

from __future__ import annotations

from attrs import frozen

from matrix.model.report import Report
from matrix.model.result import Result


@frozen
class Candidate:
    """A release or a revision of a package: how people call it, and how an installer does.

    ``release`` is the version of a release, ``subject`` the first line of a revision's message.
    """

    package: str
    name: str
    requirement: str
    release: str | None = None
    subject: str = ""

    @property
    def host(self) -> str:
        """What the host is called that has it installed."""
        return f"{self.package}-{self.name}"

    def __str__(self) -> str:
        return f"{self.name} ({self.subject})" if self.subject else self.name


@frozen
class Tried:
    """What came of a candidate: the reports of its runs, or ``why`` there is nothing to be learned.

    ``installed`` has the versions of all packages that were there. ``is_invalid``: there was a run,
    and it proves nothing, since a fault went uncaught.
    """

    candidate: Candidate
    reports: tuple[Report, ...] = ()
    why: str = ""
    installed: tuple[tuple[str, str], ...] = ()
    is_invalid: bool = False

    def attempts(self) -> tuple[Result, ...]:
        """All attempts at all cells."""
        return tuple(each for report in self.reports for each in report.results if not each.fault)
