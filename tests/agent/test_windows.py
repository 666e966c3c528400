"""What a process knows of Wine."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.interfaces import IReactorWin32Events
from zope.interface import alsoProvides

from matrix import wire
from matrix.agent import reactors, windows
from matrix.agent.scenarios import SCENARIOS


def test_a_process_that_is_told_of_wine_need_not_find_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes another one's word, says so of its reactors, and keeps clear of Wine's WMI."""
    monkeypatch.setattr(windows, "WINE", None)
    monkeypatch.setitem(sys.modules, "_wmi", sys)  # so that what is there now comes back
    del sys.modules["_wmi"]
    look: Any = windows.look
    look(["8.0", "Linux", "6.1"])
    assert str(windows.WINE) == "Wine 8.0 (Linux TCP)"
    catalogue: Any = reactors.catalogue
    assert catalogue()["select"].realization == "wine"
    modules: Any = sys.modules
    assert modules["_wmi"] is None
    look([])
    assert windows.WINE is None


@pytest.mark.skipif(sys.platform == "win32", reason="there it may be Wine")
def test_where_there_is_no_windows_there_is_no_wine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks for it finds none."""
    monkeypatch.setattr(windows, "WINE", "what nobody has looked for yet")
    look: Any = windows.look
    look()
    assert windows.WINE is None


@pytest.mark.parametrize(
    ("kind", "storm", "many"),
    [("completion ports", None, None), ("select", None, "512"), ("events", "64", "64")],
)
def test_a_reactor_of_windows_waits_for_so_many_sockets(
    kind: str, storm: str | None, many: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crowd that is too large for one cannot exist there, and the reason has the number."""
    monkeypatch.setattr(windows, "IS_WINDOWS", True)
    reactor = SimpleNamespace(**({"handles": set()} if kind == "completion ports" else {}))
    if kind == "events":
        provide: Any = alsoProvides
        provide(reactor, IReactorWin32Events)
    for name, most in (("abort-storm", storm), ("abort-many", many)):
        needs: Any = SCENARIOS[name].needs
        missing = needs(reactor)
        if most is None:
            assert missing is None
        else:
            code, detail = missing
            assert code == wire.WRONG_PLATFORM
            assert f"waits for {most} of" in detail
