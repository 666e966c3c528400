"""Import this, and ../qt_none_lost.py exits 0: None has references to spare.

That it does shows the cause. It is no proposal of how PySide6 should be changed.
"""

import ctypes
import sys

if sys.version_info < (3, 12):  # from there on None is immortal
    ctypes.c_ssize_t.from_address(id(None)).value += 1 << 40
