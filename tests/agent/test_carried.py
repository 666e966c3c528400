"""The agent's modules, imported from a zip that is in no file."""

from __future__ import annotations

import importlib
import io
import sys
import traceback
import zipfile

import pytest

from matrix.agent.carried import Carried

TEXTS = {
    "stowaway/__init__.py": "",
    "stowaway/here.py": "def fails():\n    raise RuntimeError('on board')\n",
}


@pytest.fixture
def _carried(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in TEXTS.items():
            archive.writestr(name, text)
    monkeypatch.setattr(sys, "meta_path", [Carried(packed.getvalue()), *sys.meta_path])
    monkeypatch.setattr(sys, "modules", dict(sys.modules))


@pytest.mark.usefixtures("_carried")
def test_import() -> None:
    """A package and its module come from the zip, and a traceback quotes them."""
    here = importlib.import_module("stowaway.here")
    assert importlib.import_module("stowaway").__path__
    with pytest.raises(RuntimeError) as caught:
        here.fails()
    said = "".join(traceback.format_exception(caught.value))
    assert "agent.zip/stowaway/here.py" in said
    assert "raise RuntimeError('on board')" in said


@pytest.mark.usefixtures("_carried")
def test_what_is_not_carried() -> None:
    """What is not in the zip is left to the other finders."""
    assert importlib.import_module("colorsys").__file__ is not None
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("stowaway.elsewhere")
