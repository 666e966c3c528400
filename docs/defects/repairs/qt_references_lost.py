"""Import this, and ../qt_references_lost.py exits 0: there are references to spare.

That it does shows the cause. It is no proposal of how PySide6 should be changed.
"""

import ctypes
import sys

if sys.version_info < (3, 12):  # from there on they are immortal
    for value in (None, True, False):
        ctypes.c_ssize_t.from_address(id(value)).value += 1 << 40
