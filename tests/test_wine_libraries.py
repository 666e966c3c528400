"""Libraries whose sections are moved to where they can be mapped."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from matrix import wine_libraries

SIGNATURE, OPTIONAL, OPTIONAL_SIZE = 0x80, 0x98, 240
HEADERS = 0x200


def image(sections: dict[bytes, bytes], alignment: int = 0x200, magic: int = 0x20B) -> bytes:
    """A 64-bit image with these sections, and a certificate after them."""
    made = bytearray(HEADERS)
    struct.pack_into("<I", made, 0x3C, SIGNATURE)
    made[SIGNATURE : SIGNATURE + 4] = b"PE\0\0"
    struct.pack_into("<H", made, SIGNATURE + 6, len(sections))
    struct.pack_into("<H", made, SIGNATURE + 20, OPTIONAL_SIZE)
    struct.pack_into("<H", made, OPTIONAL, magic)
    struct.pack_into("<I", made, OPTIONAL + 36, alignment)
    struct.pack_into("<II", made, OPTIONAL + 60, HEADERS, 0xBAD)
    at = OPTIONAL + OPTIONAL_SIZE
    for number, (name, body) in enumerate(sections.items(), 1):
        place = len(made) if body else 0
        header = struct.pack("<8sIIII", name, len(body), number * 0x1000, len(body), place)
        made[at : at + len(header)] = header
        at += 40
        made += body
    struct.pack_into("<II", made, OPTIONAL + 144, len(made), 8)
    return bytes(made) + b"trusted!"


def sections(made: bytes) -> dict[bytes, tuple[int, bytes]]:
    """Name → address in memory and bytes in the file of each section."""
    (count,) = struct.unpack_from("<H", made, SIGNATURE + 6)
    found = {}
    for at in range(OPTIONAL + OPTIONAL_SIZE, OPTIONAL + OPTIONAL_SIZE + 40 * count, 40):
        name, size, address, length, place = struct.unpack_from("<8sIIII", made, at)
        assert length >= size or not length
        assert place % 4096 == 0
        found[name.rstrip(b"\0")] = address, made[place : place + size] if length else b""
    return found


def test_every_section_begins_at_a_page() -> None:
    """What is in it and where it is in memory stay the same; signature and checksum go."""
    aligned = wine_libraries.align(image({b".text": b"code" * 300, b".bss": b"", b".data": b"d"}))
    assert aligned is not None
    assert sections(aligned) == {
        b".text": (0x1000, b"code" * 300),
        b".bss": (0x2000, b""),
        b".data": (0x3000, b"d"),
    }
    assert struct.unpack_from("<II", aligned, OPTIONAL + 60) == (4096, 0)
    assert struct.unpack_from("<II", aligned, OPTIONAL + 144) == (0, 0)
    assert b"trusted!" not in aligned


@pytest.mark.parametrize(
    "other",
    [b"", b"MZ", b"no library, and long enough " * 20, image({}, magic=0x10B), image({}, 4096)],
    ids=["empty", "short", "text", "32-bit", "aligned"],
)
def test_what_is_no_such_library_stays(other: bytes, tmp_path: Path) -> None:
    """Of what cannot be moved, or need not be, nothing is changed."""
    path = tmp_path / "other.dll"
    path.write_bytes(other)
    wine_libraries.share(tmp_path)
    assert path.read_bytes() == other


def test_libraries_are_found_by_their_names(tmp_path: Path) -> None:
    """In all folders: what Python imports, what Windows loads, and programs; nothing else."""
    made = image({b".text": b"code"})
    names = ["python.exe", "site/_ssl.pyd", "site/deeper/libssl-3.dll", "site/data.bin"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(made)
    wine_libraries.share(tmp_path)
    assert [(tmp_path / name).read_bytes() != made for name in names] == [True, True, True, False]
