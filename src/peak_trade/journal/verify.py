"""A journal is intact iff every line verifies and it reaches, unchanged, at least as far as its checkpoint says.

Verdicts, worst first: `Corrupt`, `RolledBack`, `Torn`, `Unanchored`, `Intact`; only `Intact` is a pass. Nothing is
changed and nothing is printed. Beside an active writer a write in flight reads as `Torn`: ask again.

Limits: records after the checkpoint are bound to each other but not to the end: cutting some of them off at a line's
end is not seen (`Intact.anchored_records` says how many are safe from that).
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from peak_trade.journal.anchor import CHECKPOINT, load
from peak_trade.journal.chain import START, Head
from peak_trade.journal.scan import Fault, Scan, scan

JOURNAL: Final = "journal.jsonl"


@dataclass(frozen=True, slots=True)
class Intact:
    """Every line verifies; the first `anchored_records` of them are held by the checkpoint."""

    head: Head
    anchored_records: int


@dataclass(frozen=True, slots=True)
class Unanchored:
    """Every line verifies, but there is no checkpoint to say how far the journal reached."""

    head: Head


@dataclass(frozen=True, slots=True)
class Torn:
    """The prefix verifies, and what follows is a write that was cut off; `anchored` iff a checkpoint holds."""

    head: Head
    fault: Fault
    anchored: bool


@dataclass(frozen=True, slots=True)
class RolledBack:
    """The journal does not pass through its checkpoint; head and size are what stands there now."""

    head: Head
    size_bytes: int
    checkpoint: Head


@dataclass(frozen=True, slots=True)
class Corrupt:
    """The named file does not verify and a torn write does not explain it."""

    head: Head
    file: Path
    fault: Fault


Verdict: TypeAlias = Intact | Unanchored | Torn | RolledBack | Corrupt


def verify(folder: Path) -> Verdict:
    """Judge the journal in the folder.

    Raises:
        FileNotFoundError: there is neither journal nor checkpoint.
    """
    # the checkpoint first: beside an active writer it is never ahead of what is read after it
    checkpoint = load(folder)
    if isinstance(checkpoint, Fault):
        return Corrupt(START, folder / CHECKPOINT, checkpoint)
    try:
        found = scan(folder / JOURNAL, checkpoint)
    except FileNotFoundError:
        if checkpoint is None:
            raise
        found = Scan(START, 0, None, marked=checkpoint == START)
    return judge(folder / JOURNAL, found, checkpoint)


def judge(file: Path, found: Scan, checkpoint: Head | None) -> Verdict:
    """Give the worst verdict that the scan and the checkpoint support."""
    fault = found.fault
    if fault is not None and fault.end == "corrupt":
        return Corrupt(found.head, file, fault)
    if checkpoint is not None and not found.marked:
        # bytes that the checkpoint covers were durable: if they stand and do not verify, no torn write did it
        damaged = fault is not None and fault.offset_bytes < checkpoint.size_bytes <= found.size_bytes
        if fault is not None and damaged:
            return Corrupt(found.head, file, fault)
        return RolledBack(found.head, found.size_bytes, checkpoint)
    if fault is not None:
        return Torn(found.head, fault, checkpoint is not None)
    if checkpoint is None:
        return Unanchored(found.head) if found.head.records else Intact(found.head, 0)
    return Intact(found.head, checkpoint.records)
