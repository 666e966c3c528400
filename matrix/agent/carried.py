"""Imports the agent out of a zip that came over standard input, and begins: no file is written.

The text of this module comes first, and runs by itself: nothing of the agent
can be imported before `begin` is called, with the zip.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import io
import sys
import zipfile


class Carried(importlib.abc.MetaPathFinder, importlib.abc.ExecutionLoader):
    """Finds and loads the modules in a zip."""

    def __init__(self, archive):
        self._archive = archive
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            self._texts = {name: opened.read(name).decode() for name in opened.namelist()}

    def find_spec(self, fullname, path=None, target=None):
        """What the import system asks: None for a module that is not in the zip."""
        if self._place(fullname) not in self._texts:
            return None
        return importlib.util.spec_from_loader(fullname, self)

    def get_source(self, fullname):
        """The module's text; tracebacks quote it."""
        return self._texts[self._place(fullname)]

    def get_filename(self, fullname):
        """A name for tracebacks; there is no such file."""
        return "agent.zip/" + self._place(fullname)

    def is_package(self, fullname):
        """Whether it has modules of its own."""
        return self._place(fullname).endswith("/__init__.py")

    def line(self, module):
        """The line of Python that begins another process of the agent: runs its ``main()``."""
        text = self.get_source("matrix.agent.carried")
        return f"exec({text!a}); begin({self._archive!r}, {module!r})\n"

    def _place(self, fullname):
        package = fullname.replace(".", "/") + "/__init__.py"
        return package if package in self._texts else fullname.replace(".", "/") + ".py"


def begin(archive, module="matrix.agent.__main__"):
    """Run that module's ``main()``.

    The agent is imported from the zip alone, and nothing from the folder that this was started in.
    """
    sys.path[:] = [place for place in sys.path if place]
    sys.meta_path.insert(0, Carried(archive))
    importlib.import_module(module).main()
