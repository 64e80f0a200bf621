"""At most one process writes a journal: the kernel's lock on `journal.lock`, which dies with its holder.

The file holds the holder's process id, for the message only; the file itself stays, because removing it would let two
writers lock two files.
"""

import fcntl
import os
from pathlib import Path
from typing import Final

from peak_trade.journal.disk import open_file
from peak_trade.journal.errors import JournalLocked

LOCK: Final = "journal.lock"
_PID_BYTES_MAX: Final = 20


def take(folder: Path) -> int:
    """Give the handle that holds the lock; closing it gives the lock back.

    Raises:
        JournalLocked: another writer, in this process or not, holds it.
    """
    handle = open_file(folder / LOCK, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(handle, _PID_BYTES_MAX, 0).strip()
        os.close(handle)
        raise JournalLocked(folder, int(holder) if holder.isdigit() else None) from None
    os.ftruncate(handle, 0)
    os.pwrite(handle, b"%d\n" % os.getpid(), 0)
    return handle
