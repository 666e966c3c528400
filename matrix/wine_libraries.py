"""Lays Windows's libraries out so that Wine can map them.

Wine maps a section of a library that begins at a page's boundary in its file, and all processes
share it. Any other, and most linkers make such, it reads into each process that loads the library.
So the sections are moved apart to such boundaries.
What is in them, and where it is in memory, stays as it is; the signature goes.

The offsets are those of Microsoft's "PE Format", of 64-bit images.
"""

from __future__ import annotations

import struct
from pathlib import Path

_PAGE = 4096
_SUFFIXES = (".dll", ".exe", ".pyd")

_PE_OFFSET = 0x3C
_SECTION_COUNT, _OPTIONAL_SIZE, _OPTIONAL = 6, 20, 24
"""From the PE signature."""

_PE32_PLUS = 0x20B
_FILE_ALIGNMENT, _HEADERS_SIZE, _CERTIFICATES = 36, 60, 144
"""From the optional header, which begins with its magic number."""

_SECTION_SIZE, _RAW = 40, 16
"""A section's header, and where in it the size and the place of its bytes in the file are."""


def share(folder: Path) -> None:
    """Move the sections of all libraries and programs in the folder to the boundaries of pages."""
    for path in sorted(folder.rglob("*")):
        if path.suffix in _SUFFIXES and path.is_file():
            aligned = align(path.read_bytes())
            if aligned is not None:
                path.write_bytes(aligned)


def align(image: bytes) -> bytes | None:
    """The same image with every section at a page's boundary; None where there is nothing to do."""
    try:
        return _align(bytearray(image))
    except struct.error:
        return None  # it ends too soon: whatever it is, it is nobody's library


def _align(image: bytearray) -> bytes | None:
    (signature,) = struct.unpack_from("<I", image, _PE_OFFSET)
    optional = signature + _OPTIONAL
    (magic,) = struct.unpack_from("<H", image, optional)
    (alignment,) = struct.unpack_from("<I", image, optional + _FILE_ALIGNMENT)
    if image[signature : signature + 4] != b"PE\0\0" or magic != _PE32_PLUS or alignment >= _PAGE:
        return None
    (count,) = struct.unpack_from("<H", image, signature + _SECTION_COUNT)
    (size,) = struct.unpack_from("<H", image, signature + _OPTIONAL_SIZE)
    (headers,) = struct.unpack_from("<I", image, optional + _HEADERS_SIZE)
    moved = _padded(image[:headers])
    struct.pack_into("<I", moved, optional + _FILE_ALIGNMENT, _PAGE)
    struct.pack_into("<II", moved, optional + _HEADERS_SIZE, len(moved), 0)  # and no checksum
    struct.pack_into("<II", moved, optional + _CERTIFICATES, 0, 0)
    for section in range(optional + size, optional + size + count * _SECTION_SIZE, _SECTION_SIZE):
        length, begin = struct.unpack_from("<II", image, section + _RAW)
        if length:
            body = _padded(image[begin : begin + length])
            struct.pack_into("<II", moved, section + _RAW, len(body), len(moved))
            moved += body
    return bytes(moved)


def _padded(part: bytearray) -> bytearray:
    return part + bytes(-len(part) % _PAGE)
