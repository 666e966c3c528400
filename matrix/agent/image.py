"""The modules that one process has imported, in one file, for others to import from.

Where every process imports everything anew, most of the time goes into looking for files. An image
has the very code objects that the import system itself gave, the places of extension modules, and
names for which there is none; where a module comes from, what it is called and what is in it
stays the same, and what is not in the image is imported as ever.
"""

from __future__ import annotations

import marshal
import os
import sys
from importlib.machinery import ExtensionFileLoader, ModuleSpec

_ELSEWHERE = ("fcntl", "grp", "posix", "pwd", "resource", "termios")
"""What the standard library looks for, again and again, and does without where it is not."""


def make(path):
    """Write the code of all modules imported so far, and where those are that have none."""
    from importlib.util import find_spec  # which an image itself can do without

    found = {name: _entry(name, module) for name, module in list(sys.modules.items())}
    absent = [name for name in _ELSEWHERE if find_spec(name) is None]
    entries = {name: entry for name, entry in found.items() if entry}
    with open(path, "wb") as file:
        marshal.dump((entries, absent, sys.path), file)


def _entry(name, module):
    """``(whether it is a package, where it comes from, code)``, or None.

    The code of an extension module is None.
    """
    spec = getattr(module, "__spec__", None)
    if spec is None or spec.name != name or not spec.has_location:
        return None
    get_code = getattr(spec.loader, "get_code", None)
    code = get_code(name) if get_code else None
    if code is None and not isinstance(spec.loader, ExtensionFileLoader):
        return None
    is_package = spec.submodule_search_locations is not None
    return is_package, spec.origin, code and marshal.dumps(code)


def text():
    """The text of this module, for who has nothing to import it from."""
    loader = sys.modules[__name__].__loader__
    return loader.get_source(__name__)  # type: ignore[union-attr]


def use(path):
    """Import from that image from now on."""
    with open(path, "rb") as file:
        entries, absent, places = marshal.loads(file.read())  # far sooner than from the file itself
    sys.meta_path.insert(0, _Image(entries, absent, places))


class _Image:
    """Finds modules in an image, and loads them.

    It is no `importlib.abc.Loader`, whose module alone imports a dozen others.
    """

    def __init__(self, entries, absent, places):
        self._entries = entries
        self._absent = frozenset(absent)
        self._places = places

    def find_spec(self, name, path=None, target=None):
        """The spec of a module, or None where it is not in the image."""
        if name not in self._entries:
            if name in self._absent and sys.path == self._places:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            return None
        is_package, origin, code = self._entries[name]
        loader = self if code else ExtensionFileLoader(name, origin)
        spec = ModuleSpec(name, loader, origin=origin, is_package=is_package)  # type: ignore[arg-type]
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
