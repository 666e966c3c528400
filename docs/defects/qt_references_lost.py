"""PySide6 6.12 on Python 3.11 or older: the interpreter aborts after a few thousand turns of Qt.

No rule: the cell crashes. Sentence: Python's C API, of a function that returns None, “create a new
strong reference to None and return it”. Suspected: the glue that shiboken6 6.12 generates. A call
of a method that returns nothing takes a reference to None away, to disconnect a signal takes one to
True away, and a program begins with some thousands of them. Since Python 3.12 they are immortal.
qt-reactor stops a QTimer in every turn. This runs in a child, since it ends with “Fatal Python
error: none_dealloc”.

    python qt_references_lost.py                exits 1 where the defect is there
"""

import os
import sys

from PySide6.QtCore import QTimer

timer = QTimer()
child = os.fork()
if not child:
    os.close(2)  # for the fatal error
    for _ in range(100_000):
        timer.stop()
    os._exit(0)
ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
print(f"100,000 calls of QTimer.stop() end with: expected 0, seen {ended}")
sys.exit(ended != 0)
