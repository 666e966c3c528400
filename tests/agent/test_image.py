"""Modules out of an image: what was imported comes from it, as it is."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

MAKE = """
import json, matrix.agent.image as image
image.make(sys.argv[1])
print(image.BOOT)
"""

EXTENSION = "_testcapi" if find_spec("_testcapi") else "_ssl"
"""A module of the standard library that is in a file of its own."""


def python(text: str, *arguments: object) -> str:
    """What a Python that runs the text prints; it is not measured, which would import more."""
    command = [sys.executable, "-I", "-c", text, *map(str, arguments)]
    plain = {key: value for key, value in os.environ.items() if not key.startswith("COVERAGE_")}
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False, env=plain
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def used(folder: Path, made_by: str, text: str) -> str:
    """What a text prints in a Python that imports from an image that another one made."""
    package = str(Path(__file__).parents[2])
    image = folder / "image"
    boot = python(f"import sys\nsys.path.insert(0, {package!r})\n{made_by}", image)
    return python(boot + text, image)


def test_a_module_comes_from_the_image_as_it_is(tmp_path: Path) -> None:
    """It has its file and its package, and its code is the image's."""
    text = "import json.decoder as d; print(type(d.__loader__).__name__, d.__spec__.parent)"
    assert used(tmp_path, MAKE, text).split() == ["_Image", "json"]


def test_an_extension_module_is_loaded_from_its_place(tmp_path: Path) -> None:
    """Nobody looks for its file: no place to look in is left."""
    text = f"import {EXTENSION}; print({EXTENSION}.__file__)"
    there = python(text)
    make = MAKE.replace("json", EXTENSION)
    assert used(tmp_path, make, "sys.path.clear()\n" + text) == there


def test_what_nobody_has_is_not_looked_for(tmp_path: Path) -> None:
    """A module of another system is missing at once, and found where there is another path."""
    hidden = "import importlib.util as u; u.find_spec = lambda name: None\n"
    text = """
sys.path[:] = next(f for f in sys.meta_path if hasattr(f, "_places"))._places
try:
    import termios
except ModuleNotFoundError as error:
    print(error.name)
sys.path.append("elsewhere")
import termios
print(termios.__name__)
"""
    assert used(tmp_path, hidden + MAKE, text).split() == ["termios", "termios"]


def test_what_was_missed_is_not_looked_for_either(tmp_path: Path) -> None:
    """A name that was looked for in vain while the image was made is missing without a look."""
    missing = """
import matrix.agent.image as image
image.watch()
try:
    import json.nowhere
except ModuleNotFoundError:
    pass
"""
    text = """
finder = next(f for f in sys.meta_path if hasattr(f, "_places"))
sys.path[:] = finder._places
import json
sys.meta_path[:] = [finder]
try:
    import json.nowhere
except ModuleNotFoundError as error:
    print(error)
"""
    assert used(tmp_path, missing + MAKE, text) == "No module named 'json.nowhere'\n"


def test_a_module_that_stands_in_for_itself_is_in_the_image(tmp_path: Path) -> None:
    """What replaces itself as it is imported has no spec; its own code is kept, and replaces it."""
    place = tmp_path / "site"
    place.mkdir()
    (place / "shy.py").write_text(
        "import sys, types\nsys.modules[__name__] = types.ModuleType(__name__, 'another')\n"
    )
    make = f"sys.path.append({str(place)!r})\n" + MAKE.replace("json", "shy")
    text = "import shy; print(shy.__doc__, hasattr(shy, 'types'))"
    assert used(tmp_path, make, text).split() == ["another", "False"]


def test_a_package_that_is_but_folders_is_in_the_image(tmp_path: Path) -> None:
    """Nobody looks for its folders, and what is in it is imported."""
    package = tmp_path / "site" / "spread"
    package.mkdir(parents=True)
    (package / "part.py").write_text("name = __spec__.parent\n")
    make = f"sys.path.append({str(package.parent)!r})\n" + MAKE.replace("json", "spread.part")
    text = "import spread.part as p; import spread; print(p.name, *spread.__path__)"
    assert used(tmp_path, make, text).split() == ["spread", str(package)]
