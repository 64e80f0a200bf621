"""One schema, one way to grow a journal, and disks that fail."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from peak_trade.journal.disk import POSIX
from peak_trade.journal.redact import Schema, Text, Truth, Whole, Words
from peak_trade.journal.store import Journal

SCHEMA: Schema = {
    "order.sent": {"order_id": Text(), "price_ticks": Whole(0, 10**6), "side": Words(frozenset({"buy", "sell"}))},
    "venue.said": {"order_id": Text(), "lots": Whole(), "final": Truth()},
    "recovered": {"tail_bytes": Whole(0)},
}


class Quick:
    """A disk that does not wait for the device: for tests that are not about durability."""

    def write(self, handle: int, data: bytes) -> None:
        """Write as the real disk does."""
        POSIX.write(handle, data)

    def fsync(self, handle: int) -> None:
        """Wait for nothing."""

    def truncate(self, handle: int, size_bytes: int) -> None:
        """Cut as the real disk does."""
        POSIX.truncate(handle, size_bytes)

    def replace(self, source: Path, target: Path) -> None:
        """Rename as the real disk does."""
        POSIX.replace(source, target)


class Mortal:
    """A disk that loses power at its n-th operation, forgets what was not synced, and keeps half of a write in flight.

    What is written is held back until its fsync, so a promise made without one is found out.
    """

    def __init__(self, operations: int, kept_eighths: int) -> None:
        """Live for so many operations; of the data in flight at death keep this share."""
        self.operations = operations
        self.spent = 0
        self._eighths = kept_eighths
        self._held: dict[int, bytes] = {}

    def write(self, handle: int, data: bytes) -> None:
        """Hold the data back."""
        self._held[handle] = self._held.get(handle, b"") + data
        self._spend(handle)

    def fsync(self, handle: int) -> None:
        """Let the data through."""
        self._spend(handle)
        POSIX.write(handle, self._held.pop(handle, b""))

    def truncate(self, handle: int, size_bytes: int) -> None:
        """Cut at once, if alive."""
        self._spend(handle)
        POSIX.truncate(handle, size_bytes)

    def replace(self, source: Path, target: Path) -> None:
        """Rename at once, if alive."""
        self._spend(-1)
        POSIX.replace(source, target)

    def _spend(self, handle: int) -> None:
        if self.spent == self.operations:
            self.operations = -1
            held = self._held.pop(handle, b"")
            POSIX.write(handle, held[: len(held) * self._eighths // 8])
        if self.operations < 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self.spent += 1


@pytest.fixture(scope="session")
def schema() -> Schema:
    """Give the schema of the tests."""
    return SCHEMA


@pytest.fixture(scope="session")
def quick() -> Quick:
    """Give a disk that does not wait."""
    return Quick()


@pytest.fixture(scope="session")
def mortal() -> Callable[[int, int], Mortal]:
    """Give the maker of disks that die."""
    return Mortal


@pytest.fixture(scope="session")
def grow(tmp_path_factory: pytest.TempPathFactory, quick: Quick) -> Callable[[int], Path]:
    """Give a maker of folders with n records, whose checkpoint stands at 0 as after a crash."""

    def make(records: int) -> Path:
        folder = tmp_path_factory.mktemp("journal")
        journal = Journal.open(folder, SCHEMA, disk=quick)
        for n in range(records):
            journal.append("order.sent", {"order_id": f"S-{n}", "price_ticks": 100 + n, "side": "buy"})
        journal.commit()
        journal.abandon()
        return folder

    return make
