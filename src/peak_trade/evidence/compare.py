"""A replayed journal is the same iff it begins with the packed one's longest valid prefix, byte for byte.

A run that was killed leaves a shorter journal than its replay: then the packed one must be a prefix. A run that was
killed *and resumed* holds notes of the recovery (kind `recovered`), and the resumed process may have asked where the
killed one had heard a time-out (`time_out`, `not_found`: how an answer was got, not what it was), so that its circuit
breaker counts otherwise (kind `breaker`). Only such a journal is compared record by record, kind and body, with those
left out on both sides; `how` says which of both it was.

Limits: bytes of a write that was torn off at the end are counted and not compared; corrupt bytes are a difference.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from peak_trade.evidence.collect import ASIDE, DOUBTS, RECOVERED
from peak_trade.journal.chain import Chain
from peak_trade.journal.errors import JournalCorrupt
from peak_trade.journal.record import Record
from peak_trade.journal.scan import read, scan

END: Final = "the end of the journal"


How: TypeAlias = Literal["bytes", "records"]


@dataclass(frozen=True, slots=True)
class Same:
    """The replay wrote what was packed: `records` of it, in bytes or record by record, and more after it or not."""

    records: int
    how: How
    torn_bytes: int


@dataclass(frozen=True, slots=True)
class Differs:
    """The first record that is not the same, by its seq in the packed journal."""

    seq: int
    expected: str
    was: str


Comparison: TypeAlias = Same | Differs


def compare(packed: Path, replayed: Path) -> Comparison:
    """Return whether `replayed` begins with `packed`, or the first record that differs."""
    chain = Chain()
    interrupted = any(record.kind == RECOVERED for record in valid(packed, chain))
    ours, theirs = _kept(packed, interrupted), _kept(replayed, interrupted)
    for mine, other in zip_longest(ours, theirs):
        if mine is None:
            break
        if other is None or (mine.kind, mine.body) != (other.kind, other.body):
            return Differs(mine.seq, said(mine), END if other is None else said(other))
    if not interrupted:
        with packed.open("rb") as one, replayed.open("rb") as two:
            assert one.read(chain.size_bytes) == two.read(chain.size_bytes), "equal records are equal bytes"
    return reached(packed, "records" if interrupted else "bytes")


def reached(packed: Path, how: How) -> Comparison:
    """Return that the longest valid prefix was the same; where that ends in corruption, what follows it differs."""
    found = scan(packed)
    fault = found.fault
    if fault is not None and fault.end == "corrupt":
        why = fault.difference
        was = f"{fault.tail_bytes} bytes that do not verify: expected {why.expected}, was {why.was}"
        return Differs(found.head.records, was, "what the packed journal does not show")
    return Same(found.head.records, how, found.size_bytes - found.head.size_bytes)


def valid(path: Path, chain: Chain | None = None) -> Iterator[Record]:
    """Yield the records of the longest valid prefix, whatever follows it."""
    try:
        yield from read(path, chain)
    except JournalCorrupt:
        return


def said(record: Record) -> str:
    """Return one line that shows a record to a person."""
    return f"{record.kind} {' '.join(f'{name}={value}' for name, value in sorted(record.body.items()))}"


def verdict(found: Comparison, mode: str) -> dict[str, Any]:
    """Return the comparison as plain data, as a pack keeps it."""
    match found:
        case Same(records, how, torn):
            facts: dict[str, Any] = {"verdict": "PASS", "records": records, "compared": how, "torn_bytes": torn}
        case Differs(seq, expected, was):
            facts = {"verdict": "FAIL", "seq": seq, "expected": expected, "was": was}
    return {"schema_version": 1, "mode": mode, **facts}


def _kept(path: Path, interrupted: bool) -> Iterator[Record]:
    for record in valid(path):
        if not interrupted or (record.kind not in ASIDE and record.body.get("event") not in DOUBTS):
            yield record
