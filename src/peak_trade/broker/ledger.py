"""The venue's own file: one line for each operation that was answered. It outlives the session's process.

A line is written whole, by one write, before the venue answers; so a process that dies loses only operations that
nobody was told of. Opening drops a torn last line for the same reason. Each line ends with a CRC-32 of itself and of
all lines before it: a line that is changed, lost or moved is seen at the first line that no longer fits.

Limits: survives the death of the process, not of the machine: there is no fsync, as with a venue that is elsewhere. A
CRC finds accidents, not forgeries, and not whole lines missing at the end. Whose file it is says the session's journal,
whose lock also makes it the only writer. Opening is linear in the lines.
"""

import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

Entry: TypeAlias = list[Any]
"""An operation: its name, then its facts."""

LINE_BYTES_MAX: Final = 64 * 1024 * 1024
_CRC_CHARS: Final = len(',"00000000"]\n')
_encode = json.JSONEncoder(separators=(",", ":")).encode


class LedgerDamaged(Exception):  # noqa: N818 - named by what happened
    """A whole line is not what the venue wrote; nothing was changed."""

    def __init__(self, path: Path, line: int, found: str) -> None:
        super().__init__(path, line, found)
        self.path, self.line, self.found = path, line, found

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: expected an operation of the venue, was {self.found!r:.60}; restore the file"


class Ledger:
    """The file at `path`, opened to append; `entries` are the operations that it held.

    Raises:
        LedgerDamaged: a whole line is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: list[Entry] = []
        self.torn_bytes = 0
        self._crc = whole = 0
        if path.exists():
            for line, crc, entry in _lines(path):
                self._crc, whole = crc, whole + len(line)
                self.entries.append(entry)
            self.torn_bytes = path.stat().st_size - whole
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        os.ftruncate(self._file, whole)

    def write(self, entry: Entry) -> None:
        """Append one operation; it is with the operating system when this returns.

        Raises:
            OSError: the disk refused it, or took only a part; a part is cut off again.
        """
        body = _encode(entry)[:-1].encode()
        crc = zlib.crc32(body, self._crc)
        data = b'%b,"%08x"]\n' % (body, crc)
        written = os.write(self._file, data)
        if written != len(data):
            os.ftruncate(self._file, os.fstat(self._file).st_size - written)
            raise OSError(f"{self.path}: expected to write {len(data)} bytes, wrote {written}; free some space")
        self._crc = crc

    def close(self) -> None:
        """Close the file; closing again does nothing."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _lines(path: Path) -> Iterator[tuple[bytes, int, Entry]]:
    """The whole lines of the file, each with the CRC up to it and what it says."""
    crc = 0
    with path.open("rb") as file:
        for number, line in enumerate(iter(lambda: file.readline(LINE_BYTES_MAX), b""), 1):
            if not line.endswith(b"\n") and len(line) < LINE_BYTES_MAX:
                return  # torn: never answered
            body = line[:-_CRC_CHARS]
            crc = zlib.crc32(body, crc)
            if line[-_CRC_CHARS:] != b',"%08x"]\n' % crc:
                raise LedgerDamaged(path, number, _text(line))
            entry = json.loads(line)
            entry.pop()
            yield line, crc, entry


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").strip()
