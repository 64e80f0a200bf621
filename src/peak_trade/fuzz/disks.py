"""Disks that fail: at one operation, once, by dying, by saying so, or by lying. All else goes to the real disk.

The operations that count are those by which a journal becomes durable: a write, an fsync, and the replacement of its
checkpoint. A dying disk stands for a process that is killed there: it writes half of what it was given, or all of it,
or nothing, by the number of the operation. A lying one takes a write, says that it is durable, and loses, cuts,
misplaces or doubles it. Every disk remembers what it acknowledged, for whoever looks afterwards.

Limits: which file an operation is about is told by how it was opened: only a journal is opened to append.
"""

import fcntl
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from peak_trade.journal.disk import POSIX

T = TypeVar("T")

NEVER: Final = 0
SHARES: Final = (0, 500, 1000)
"""How much of its data a write leaves when the process dies there, per mille, by the number of the operation."""
APPEND, DRAFT, FSYNC, REPLACE = "append", "draft", "fsync", "replace"
"""The operations: a write to the journal, one to any other file, an fsync, the replacement of a checkpoint."""


class Died(BaseException):
    """The process dies here. No error of a program: nothing may catch it but who started the process."""

    def __init__(self, operation: int) -> None:
        super().__init__(operation)
        self.operation = operation

    def __str__(self) -> str:
        return f"the process was killed at operation {self.operation} of its journal"


@dataclass(slots=True)
class Acknowledged:
    """What an fsync of the journal returned for: its bytes in order, as their number and SHA-256."""

    size_bytes: int = 0
    sha256: str = field(default_factory=lambda: hashlib.sha256().hexdigest())

    def stands(self, path: Path, before_bytes: int = 0) -> bool:
        """Return true iff the file has these bytes, after the first `before_bytes`."""
        with path.open("rb") as file:
            file.seek(before_bytes)
            return hashlib.sha256(file.read(self.size_bytes)).hexdigest() == self.sha256


class Dying:
    """A disk at whose operation number `at` (from 1) the process dies; `count` is how many there were so far.

    `log` names each of them. While it is not `armed`, operations are neither counted nor struck. `permille` is how
    much of a write is left; by default it goes by the number of the operation.
    """

    def __init__(self, at: int = NEVER, permille: int | None = None) -> None:
        self.at, self.count = at, 0
        self.armed = True
        self.log: list[str] = []
        self.acknowledged = Acknowledged()
        self._permille = SHARES[at % 3] if permille is None else permille
        self._digest = hashlib.sha256()
        self._bytes = 0

    def write(self, handle: int, data: bytes) -> None:
        """Write the data; the last time only a part of it."""
        appends = is_journal(handle)
        if self.strikes(APPEND if appends else DRAFT):
            POSIX.write(handle, data[: len(data) * self._permille // 1000])
            raise Died(self.count)
        self.put(handle, data)
        if appends:
            self._digest.update(data)
            self._bytes += len(data)

    def put(self, handle: int, data: bytes) -> None:
        """Bring to the device what is not struck by death."""
        POSIX.write(handle, data)

    def fsync(self, handle: int) -> None:
        """Wait for the device."""
        if self.strikes(FSYNC):
            raise Died(self.count)
        POSIX.fsync(handle)
        if is_journal(handle):
            self.acknowledged = Acknowledged(self._bytes, self._digest.hexdigest())

    def truncate(self, handle: int, size_bytes: int) -> None:
        """Cut the file to the size."""
        POSIX.truncate(handle, size_bytes)

    def replace(self, source: Path, target: Path) -> None:
        """Put source in target's place."""
        if self.strikes(REPLACE):
            if self.at % 2:
                POSIX.replace(source, target)
            raise Died(self.count)
        POSIX.replace(source, target)

    def around(self, name: str, perform: Callable[[], T]) -> T:
        """Count what is done elsewhere as an operation too; the process dies just before it, or just after it."""
        struck = self.strikes(name)
        if struck and self.at % 2:
            raise Died(self.count)
        try:
            return perform()
        finally:
            if struck:
                raise Died(self.count)

    def strikes(self, name: str) -> bool:
        """Count an operation; return true iff it is the one at which something happens."""
        if not self.armed:
            return False
        self.count += 1
        self.log.append(name)
        return self.count == self.at


class Failing(Dying):
    """A disk that refuses operation number `at` with the error `number`; a write takes half of the data first."""

    def __init__(self, at: int, number: int) -> None:
        super().__init__(at, 500)
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

    def replace(self, source: Path, target: Path) -> None:
        """Put source in target's place, or refuse; a refused one may have been done all the same."""
        try:
            super().replace(source, target)
        except Died:
            raise self._error() from None

    @property
    def retried(self) -> int:
        """How many operations were asked for after the one that was refused."""
        return max(0, self.count - self.at)

    def _error(self) -> OSError:
        return OSError(self.number, os.strerror(self.number))


class Lie(StrEnum):
    """What becomes of a write that is acknowledged."""

    LOST = "lost"
    SHORT = "short"
    MISDIRECTED = "misdirected"
    DOUBLED = "doubled"
    FORGOTTEN = "forgotten"
    """It and all later ones never reach the device: the fsync lies."""
    ALL_FORGOTTEN = "all forgotten"
    """Nor does any later checkpoint."""


FORGETS: Final = frozenset({Lie.FORGOTTEN, Lie.ALL_FORGOTTEN})


class Lying(Dying):
    """A disk that acknowledges its append number `told` (from 1), and does `lie` with it; it dies at operation `at`.

    `place` is a number from which is drawn how much of a short write is left, or where a misdirected one goes to.
    """

    def __init__(self, at: int, lie: Lie, told: int, place: int) -> None:
        super().__init__(at)
        self.lie, self.told, self.place = lie, told, place
        self.lied = 0
        self._appends = 0

    def put(self, handle: int, data: bytes) -> None:
        """Write the data, or lie."""
        self._appends += is_journal(handle)
        due = self._appends == self.told or (self._appends > self.told and self.lie in FORGETS)
        if not is_journal(handle) or not due:
            POSIX.write(handle, data)
            return
        self.lied += 1
        if self.lie is Lie.SHORT:
            POSIX.write(handle, data[: self.place % len(data)])
        elif self.lie is Lie.MISDIRECTED:
            _elsewhere(handle, data, self.place)
        elif self.lie is Lie.DOUBLED:
            POSIX.write(handle, data + data)

    def replace(self, source: Path, target: Path) -> None:
        """Put source in target's place, or lie."""
        if self.lied and self.lie is Lie.ALL_FORGOTTEN:
            self.strikes(REPLACE)
        else:
            super().replace(source, target)


def _elsewhere(handle: int, data: bytes, place: int) -> None:
    """Write the data over earlier ones; through a handle of its own, as one that appends cannot be aimed."""
    size = os.fstat(handle).st_size
    aimed = os.open(f"/proc/self/fd/{handle}", os.O_WRONLY)
    try:
        os.pwrite(aimed, data, place % size)
    finally:
        os.close(aimed)


def is_journal(handle: int) -> bool:
    """Return true iff the file was opened to append."""
    return bool(fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_APPEND)
