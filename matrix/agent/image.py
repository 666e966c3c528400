"""The modules that one process has imported, in one file, for others to import from.

Where every process imports everything anew, most of the time goes into looking for files. An image
has the very code objects that the import system itself gave, the places of extension modules, and
names for which there is none; where a module comes from, what it is called and what is in it
stays the same, and what is not in the image is imported as ever.

The file begins with the code of this module, which needs nothing that is in a file itself.
"""

import marshal
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import ExtensionFileLoader

_ELSEWHERE = ("fcntl", "grp", "posix", "pwd", "resource", "termios")
"""What the standard library looks for, again and again, and does without where it is not; also
before anybody watches.
"""

BOOT = (
    "import gc, marshal, mmap, os, sys; gc.disable(); "
    "image = mmap.mmap(os.open(sys.argv[1], os.O_RDONLY), 0, access=mmap.ACCESS_READ); "
    "code, *table = marshal.loads(image); exec(code); use(image, *table); "
)
"""What a process runs first to import from the image at that path.

It is mapped: what is not imported is not read.
"""


class _Misses:
    """The last finder of all, which hears of what nobody has found."""

    def __init__(self):
        self.names = set()

    def find_spec(self, name, path=None, target=None):
        """Note the name, and find nothing either."""
        self.names.add(name)


_misses = _Misses()


def watch():
    """Take note of what is looked for in vain from now on, for the image."""
    sys.meta_path.append(_misses)


def make(path):
    """Write the code of all modules imported so far, and where those are that have none."""
    from importlib.util import find_spec  # which an image itself can do without

    found = {name: _entry(name, module) for name, module in list(sys.modules.items())}
    absent = _misses.names | {name for name in _ELSEWHERE if find_spec(name) is None}
    codes, entries, after = [], {}, 0
    for name, entry in reversed(found.items()):
        if entry:
            places, origin, code = entry
            codes.append(code)
            after += len(code)
            entries[name] = places, origin, after, len(code)
    own = sys.modules[__name__].__spec__.loader.get_code(__name__)  # type: ignore[union-attr]
    table = marshal.dumps((own, entries, absent.difference(entries), sys.path))
    with open(path, "wb") as file:
        file.writelines([table, *reversed(codes)])


def _entry(name, module):
    """``(a package's places or None, where it comes from, code)``, or None.

    An extension module has no code, and a package that is but a few folders comes from nowhere.
    """
    spec = _spec(name, module)
    if spec is None or spec.name != name:
        return None
    places = spec.submodule_search_locations
    if not spec.has_location:
        return (list(places), None, b"") if places else None
    get_code = getattr(spec.loader, "get_code", None)
    code = get_code(name) if get_code else None
    if code is None and not isinstance(spec.loader, ExtensionFileLoader):
        return None
    return places and list(places), spec.origin, marshal.dumps(code) if code else b""


def _spec(name, module):
    """A module's spec; it is looked for again where the module has put another into its place."""
    from importlib.machinery import PathFinder

    spec = getattr(module, "__spec__", None)
    if getattr(spec, "has_location", False) or getattr(spec, "origin", None) in _INSIDE:
        return spec
    package = name.rpartition(".")[0]
    places = getattr(sys.modules.get(package), "__path__", None)
    return None if package and places is None else PathFinder.find_spec(name, places)


_INSIDE = ("built-in", "frozen")
"""Where a module is that is in no file."""


def use(image, entries, absent, places):
    """Import from that image from now on, which has this table."""
    sys.meta_path.insert(0, _Image(memoryview(image), entries, absent, places))


class _Image:
    """Finds modules in an image, and loads them.

    It is no `importlib.abc.Loader`, whose module alone imports a dozen others.
    """

    def __init__(self, image, entries, absent, places):
        self._image = image
        self._entries = entries
        self._absent = absent
        self._places = places

    def find_spec(self, name, path=None, target=None):
        """The spec of a module, or None where it is not in the image."""
        if name not in self._entries:
            if name in self._absent and sys.path == self._places:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            return None
        places, origin, _, length = self._entries[name]
        loader = self if length else origin and ExtensionFileLoader(name, origin)
        spec = ModuleSpec(name, loader, origin=origin)  # type: ignore[arg-type]
        spec.has_location = origin is not None
        spec.submodule_search_locations = places
        return spec

    def create_module(self, spec):
        """Python's own way to make a module will do."""

    def exec_module(self, module):
        """Run the module's code."""
        exec(self.get_code(module.__spec__.name), module.__dict__)

    def get_code(self, name):
        """The code object of a module."""
        _, _, before_end, length = self._entries[name]
        begin = len(self._image) - before_end
        return marshal.loads(self._image[begin : begin + length])
