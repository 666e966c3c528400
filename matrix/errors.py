"""Every error that a user can see: what happened, to what, and what to do next."""

from __future__ import annotations


class MatrixError(Exception):
    """Something that the user can do something about.

    The message is shown as it is, without a traceback; commands end with status 2.
    """


class SelectionError(MatrixError):
    """A selection names something unknown, or selects nothing."""


class ResultsError(MatrixError):
    """A results file cannot be read, or does not say what a results file says."""


class ResumeError(MatrixError):
    """A run cannot go on with what is in its folder: that is of another run."""


class MergeError(MatrixError):
    """Reports are not parts of one whole, or say the same thing twice."""


class HistoryError(MatrixError):
    """A file with a history cannot be used, or a run cannot become a part of one."""


class OutputError(MatrixError):
    """A file or folder cannot be written."""


class AgentError(MatrixError):
    """An interpreter could not be started, has no Twisted, or did not speak as an agent does."""


class ExpectationsError(MatrixError):
    """A file of expectations cannot be read, or one of its entries does not say what it has to."""


class SettingsError(MatrixError):
    """A project's own settings cannot be read, or do not say what they have to."""


class EnvironmentsError(MatrixError):
    """Environments cannot be made here at all, or nothing can be learned of what there is to make.

    One set of requirements that cannot be installed is no error, but a finding.
    """


class SearchError(MatrixError):
    """There is nothing to bisect: the ends are alike, or the wrong way round, or not known."""
