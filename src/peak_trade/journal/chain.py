"""A line is right iff it is the very line that this chain would seal for its text at its place.

Line: `{"crc":"<8 hex>","hash":"<64 hex>","record":<text>}` and a line feed. hash = SHA-256(previous hash ‖ text), the
first previous hash is that of a fixed word; crc = CRC-32(hash as written ‖ text). The CRC tells a damaged line from a
moved one, the hash binds each line to all before it.

Limits: whoever can write the folder can forge a whole new chain; an anchor kept elsewhere answers that.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, TypeVar
from zlib import crc32

from peak_trade.journal.errors import BadRecord

PREFIX: Final = b'{"crc":"'
_HASH_AT: Final = len(PREFIX) + 8 + len(b'","hash":"')
_TEXT_AT: Final = _HASH_AT + 64 + len(b'","record":')
_TEXT_END: Final = -len(b"}\n")
_GENESIS: Final = hashlib.sha256(b"peak-trade journal, form 1").digest()
_T = TypeVar("_T")

Flaw: TypeAlias = Literal["unfinished", "form", "crc", "hash", "seq", "record"]


@dataclass(frozen=True, slots=True)
class Head:
    """How far a chain reaches: records, bytes, and the hash (hex) that binds them all."""

    records: int
    size_bytes: int
    root: str


@dataclass(frozen=True, slots=True)
class Break:
    """Why a line is not the next one; only the first three flaws can come from a torn write."""

    flaw: Flaw
    expected: str
    was: str


START: Final = Head(0, 0, _GENESIS.hex())


class Chain:
    """The running hash of a journal: seals the next line, or accepts it from disk."""

    __slots__ = ("_root", "records", "size_bytes")

    def __init__(self, head: Head = START) -> None:
        self.records = head.records
        self.size_bytes = head.size_bytes
        self._root = bytes.fromhex(head.root)

    @property
    def head(self) -> Head:
        """Give how far the chain reaches."""
        return Head(self.records, self.size_bytes, self._root.hex())

    def seal(self, text: bytes) -> bytes:
        """Give the line for the record text, and move past it."""
        root = hashlib.sha256(self._root + text).digest()
        line = _line(root.hex().encode(), text)
        self.records += 1  # first, so that the writer sees an interrupted call by its count
        self._root = root
        self.size_bytes += len(line)
        return line

    def accept(self, line: bytes, into: Callable[[bytes], _T]) -> _T | Break:
        """Move past the line and give what `into` makes of its text, iff it is right; else stay and say why not.

        `into` may refuse the text by `BadRecord`.
        """
        text = line[_TEXT_AT:_TEXT_END]
        root = hashlib.sha256(self._root + text).digest()
        if line != _line(root.hex().encode(), text):
            return _flaw(line, root.hex())
        if not text.endswith(b',"seq":%d}' % self.records):
            return Break("seq", f"seq {self.records}", "another seq")
        try:
            result = into(text)
        except BadRecord as error:
            return Break("record", error.expected, error.was)
        self._root = root
        self.records += 1
        self.size_bytes += len(line)
        return result


def intact(line: bytes) -> bool:
    """True iff the line has the form and its own CRC, wherever it stands."""
    return line == _line(line[_HASH_AT : _HASH_AT + 64], line[_TEXT_AT:_TEXT_END])


def _line(root: bytes, text: bytes) -> bytes:
    return b'{"crc":"%08x","hash":"%b","record":%b}\n' % (crc32(root + text), root, text)


def _flaw(line: bytes, root: str) -> Break:
    if not line.endswith(b"\n"):
        return Break("unfinished", "a line that ends in a line feed", f"{len(line)} bytes without one")
    was = line[_HASH_AT : _HASH_AT + 64]
    right = _line(was, line[_TEXT_AT:_TEXT_END])
    if line == right:
        return Break("hash", f"hash {root}", f"hash {_shown(was)}")
    if line[len(PREFIX) + 8 :] == right[len(PREFIX) + 8 :] and line.startswith(PREFIX):
        crc = slice(len(PREFIX), len(PREFIX) + 8)
        return Break("crc", f"crc {_shown(right[crc])}", f"crc {_shown(line[crc])}")
    return Break("form", "the form of a line", f"{len(line)} bytes of another form")


def _shown(data: bytes) -> str:
    """Spell foreign bytes so that a terminal does not obey them."""
    return repr(data)[2:-1]
