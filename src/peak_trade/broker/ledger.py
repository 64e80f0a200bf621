"""The venue's own file: one line for each operation that was answered. It outlives the session's process.

A line is written whole, by one write, before the venue answers; so a process that dies loses only operations that
nobody was told of. Opening drops a torn last line for the same reason.

Limits: survives the death of the process, not of the machine: there is no fsync, as with a venue that is elsewhere.
"""

import json
import os
from pathlib import Path
from typing import Any, Final, TypeAlias

Entry: TypeAlias = list[Any]
"""An operation: its name, then its facts."""

LINE_BYTES_MAX: Final = 64 * 1024 * 1024
VERSION: Final = 1


class LedgerDamaged(Exception):  # noqa: N818 - named by what happened
    """A line before the last one cannot be read; nothing was changed."""

    def __init__(self, path: Path, line: int, found: str) -> None:
        self.path, self.line = path, line
        super().__init__(f"{path}:{line}: expected an operation of the venue, was {found!r:.60}; restore the file")


class Ledger:
    """The file at `path`, opened to append; `entries` are the operations that it held."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries, whole = _read(path)
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        os.ftruncate(self._file, whole)

    def write(self, entry: Entry) -> None:
        """Append one operation; it is with the operating system when this returns.

        Raises:
            OSError: the disk refused it, or took only a part; a part is cut off again.
        """
        data = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        written = os.write(self._file, data)
        if written != len(data):
            os.ftruncate(self._file, os.fstat(self._file).st_size - written)
            raise OSError(f"{self.path}: expected to write {len(data)} bytes, wrote {written}; free some space")

    def close(self) -> None:
        """Close the file; closing again does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _read(path: Path) -> tuple[list[Entry], int]:
    """Return the operations in the file and how many of its bytes are whole lines."""
    if not path.exists():
        return [], 0
    entries: list[Entry] = []
    whole = 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if not line.endswith(b"\n"):
                break
            entries.append(_entry(path, number, line))
            whole += len(line)
    return entries, whole


def _entry(path: Path, number: int, line: bytes) -> Entry:
    try:
        entry = json.loads(line)
    except ValueError as error:
        raise LedgerDamaged(path, number, line.decode("utf-8", "replace").strip()) from error
    if not isinstance(entry, list) or not entry or not isinstance(entry[0], str):
        raise LedgerDamaged(path, number, line.decode("utf-8", "replace").strip())
    return entry
