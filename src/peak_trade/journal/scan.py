"""A scan finds the longest valid prefix and says how it ends: clean, torn, or corrupt.

Torn: after the prefix no whole line with a right CRC stands, as when a write was cut off. Corrupt: such a line does
stand there, or the first bad line has itself a right CRC; a cut-off write does not leave that, so it is never cut.

The file is read line by line, at most `LINE_BYTES_MAX` at a time (a window of `WINDOW_BYTES` after a bad line).

Limits: a file system that keeps later blocks of one unsynced group and loses earlier ones leaves what looks
corrupt; that is then left for a person. A bad last line is torn whatever made it so; the checkpoint tells.
"""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Literal, TypeVar

from peak_trade.journal.chain import PREFIX, Break, Chain, Head, intact
from peak_trade.journal.errors import JournalCorrupt
from peak_trade.journal.record import LINE_BYTES_MAX, Record, decode

WINDOW_BYTES: Final = 1 << 20
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Fault:
    """Where and how bytes stop being valid: line from 1, byte from 0, and the bytes from there to the end."""

    end: Literal["torn", "corrupt"]
    line: int
    offset_bytes: int
    tail_bytes: int
    difference: Break


@dataclass(frozen=True, slots=True)
class Scan:
    """The longest valid prefix, the file's size, and the fault that ends it, if any.

    `marked` is True iff the prefix passes through the head that was given as the mark.
    """

    head: Head
    size_bytes: int
    fault: Fault | None
    marked: bool


def scan(path: Path, mark: Head | None = None) -> Scan:
    """Verify every line of the file: chain, CRC, seq and canonical text."""
    with path.open("rb") as file:
        return scan_stream(file, mark)


def scan_stream(file: BinaryIO, mark: Head | None = None) -> Scan:
    """Verify as `scan` does, from a stream at its start."""
    chain = Chain()
    at_bytes = -1 if mark is None else mark.size_bytes
    marked = at_bytes == 0 and chain.head == mark
    lines = _walk(file, chain, decode)
    while True:
        try:
            next(lines)
        except StopIteration as stop:
            fault: Fault | None = stop.value
            break
        if chain.size_bytes == at_bytes:
            marked = chain.head == mark
    tail_bytes = 0 if fault is None else fault.tail_bytes
    return Scan(chain.head, chain.size_bytes + tail_bytes, fault, marked)


def read(path: Path, chain: Chain | None = None) -> Iterator[Record]:
    """Give the records of the longest valid prefix, one by one, after the place where `chain` stands.

    Safe beside an active writer: a line that is not finished yet ends the reading quietly, and the caller's chain
    then stands where the next reading goes on.

    Raises:
        JournalCorrupt: the prefix ends, and not as an unfinished write would end it.
    """
    return follow(path, Chain() if chain is None else chain, decode)


def follow(path: Path, chain: Chain, into: Callable[[bytes], _T]) -> Iterator[_T]:
    """Give what `into` makes of each record text, under the law of `read`."""
    with path.open("rb") as file:
        file.seek(chain.size_bytes)
        fault = yield from _walk(file, chain, into)
    if fault is not None and fault.end == "corrupt":
        why = fault.difference
        raise JournalCorrupt(path, fault.line, fault.offset_bytes, (why.expected, why.was))


def _walk(file: BinaryIO, chain: Chain, into: Callable[[bytes], _T]) -> Generator[_T, None, Fault | None]:
    while line := file.readline(LINE_BYTES_MAX + 1):
        result = chain.accept(line, into)
        if isinstance(result, Break):
            return _fault(file, chain, result)
        yield result
    return None


def _fault(file: BinaryIO, chain: Chain, difference: Break) -> Fault:
    whole = difference.flaw in ("hash", "seq", "record")
    corrupt = whole or _survivor(file, chain.size_bytes + 1)
    tail_bytes = file.seek(0, 2) - chain.size_bytes
    end: Literal["torn", "corrupt"] = "corrupt" if corrupt else "torn"
    return Fault(end, chain.records + 1, chain.size_bytes, tail_bytes, difference)


def _survivor(file: BinaryIO, start_bytes: int) -> bool:
    """True iff a whole line with a right CRC begins at or after the offset, in the middle of a line or not."""
    file.seek(start_bytes)
    window = b""
    while chunk := file.read(WINDOW_BYTES):
        window += chunk
        at = window.find(PREFIX)
        while at >= 0:
            end = window.find(b"\n", at, at + LINE_BYTES_MAX)
            if end >= 0 and intact(window[at : end + 1]):
                return True
            at = window.find(PREFIX, at + 1)
        window = window[-LINE_BYTES_MAX:]  # a line cut by the window's edge begins in here
    return False
