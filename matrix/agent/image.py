"""The modules that one process has imported, in one file, for others to import from.

Where every process imports everything anew, most of the time goes into looking for files. An image
has the very code objects that the import system itself gave; where a module comes from, what it is
called and what is in it stays the same, and what is not in the image is imported as ever.
"""

from __future__ import annotations

import marshal
import os
import sys
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from typing import Any


def make(path):
    """Write the code of all modules imported so far that come from source files."""
    found = {name: _entry(name, module) for name, module in list(sys.modules.items())}
    with open(path, "wb") as file:
        marshal.dump({name: entry for name, entry in found.items() if entry}, file)


def _entry(name, module):
    """``(whether it is a package, where it comes from, code)``, or None."""
    spec = getattr(module, "__spec__", None)
    if spec is None or spec.name != name or not spec.has_location:
        return None
    get_code = getattr(spec.loader, "get_code", None)
    code = get_code(name) if get_code else None
    if code is None:  # an extension module
        return None
    return spec.submodule_search_locations is not None, spec.origin, marshal.dumps(code)


def text():
    """The text of this module, for who has nothing to import it from."""
    loader: Any = sys.modules[__name__].__loader__
    return loader.get_source(__name__)


def use(path):
    """Import from that image from now on."""
    with open(path, "rb") as file:
        sys.meta_path.insert(0, _Image(marshal.load(file)))


class _Image(Loader):
    """Finds modules in an image, and loads them."""

    def __init__(self, entries):
        self._entries = entries

    def find_spec(self, name, path=None, target=None):
        """The spec of a module, or None where it is not in the image."""
        if name not in self._entries:
            return None
        is_package, origin, _ = self._entries[name]
        spec = ModuleSpec(name, self, origin=origin, is_package=is_package)
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [os.path.dirname(origin)]
        return spec

    def create_module(self, spec):
        """Python's own way to make a module will do."""

    def exec_module(self, module):
        """Run the module's code."""
        exec(self.get_code(module.__spec__.name), module.__dict__)

    def get_code(self, name):
        """The code object of a module."""
        return marshal.loads(self._entries[name][2])
