"""Disks that fail: at one operation, once, by dying or by saying so. All else goes to the real disk.

The operations that count are those by which a journal becomes durable: a write, an fsync, and the replacement of its
checkpoint. A dying disk stands for a process that is killed there: it writes half of what it was given, or all of it,
or nothing, by the number of the operation.
"""

import os
from pathlib import Path
from typing import Final

from peak_trade.journal.disk import POSIX
from peak_trade.session.assembly import Session

NEVER: Final = 0


class Died(BaseException):
    """The process dies here. No error of a program: nothing may catch it but who started the process."""

    def __init__(self, operation: int) -> None:
        super().__init__(operation)
        self.operation = operation

    def __str__(self) -> str:
        return f"the process was killed at operation {self.operation} of its journal"


class Dying:
    """A disk at whose operation number `at` (from 1) the process dies; `count` is how many there were so far."""

    def __init__(self, at: int = NEVER) -> None:
        self.at, self.count = at, 0

    def write(self, handle: int, data: bytes) -> None:
        """Write the data; the last time only a part of it."""
        if self._dies():
            POSIX.write(handle, data[: len(data) * (self.at % 3) // 2])
            raise Died(self.count)
        POSIX.write(handle, data)

    def fsync(self, handle: int) -> None:
        """Wait for the device."""
        if self._dies():
            raise Died(self.count)
        POSIX.fsync(handle)

    def truncate(self, handle: int, size_bytes: int) -> None:
        """Cut the file to the size."""
        POSIX.truncate(handle, size_bytes)

    def replace(self, source: Path, target: Path) -> None:
        """Put source in target's place."""
        if self._dies():
            if self.at % 2:
                POSIX.replace(source, target)
            raise Died(self.count)
        POSIX.replace(source, target)

    def _dies(self) -> bool:
        self.count += 1
        return self.count == self.at


class Failing(Dying):
    """A disk that refuses operation number `at` with the error `number`; a write takes half of the data first."""

    def __init__(self, at: int, number: int) -> None:
        super().__init__(at)
        self.number = number

    def write(self, handle: int, data: bytes) -> None:
        """Write the data, or half of it and refuse the rest."""
        try:
            super().write(handle, data)
        except Died:
            raise self._error() from None

    def fsync(self, handle: int) -> None:
        """Wait for the device, or refuse."""
        try:
            super().fsync(handle)
        except Died:
            raise self._error() from None

    def _error(self) -> OSError:
        return OSError(self.number, os.strerror(self.number))


def insert(session: Session, disk: Dying) -> None:
    """Let the journal of an opened session write to `disk` from here on."""
    if session.journal is not None:
        session.journal._disk = disk  # noqa: SLF001 - a run opens its journal on the real disk, which cannot be made fail
