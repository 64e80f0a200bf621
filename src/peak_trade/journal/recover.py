"""Recovery keeps the longest valid prefix, or raises and changes nothing.

Only a torn tail is cut, and only after its bytes are durable in `quarantine-<offset>.bin` beside the journal. A crash
during recovery leaves a journal that recovers again.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final, assert_never

from peak_trade.journal.chain import Head
from peak_trade.journal.disk import Disk, open_file, sync_folder
from peak_trade.journal.errors import JournalCorrupt, JournalHalted, JournalRolledBack
from peak_trade.journal.scan import WINDOW_BYTES, Fault
from peak_trade.journal.verify import JOURNAL, Corrupt, Intact, RolledBack, Torn, Unanchored, Verdict

QUARANTINES_MAX: Final = 1_000


@dataclass(frozen=True, slots=True)
class Cut:
    """What was cut from the end: how many bytes, why, and the file that keeps them."""

    tail_bytes: int
    reason: str
    quarantine: Path


@dataclass(frozen=True, slots=True)
class Recovery:
    """Where the journal stands after opening; `anchored` iff a checkpoint vouched for it; what was cut, if anything."""

    head: Head
    anchored: bool
    cut: Cut | None


def recover(folder: Path, verdict: Verdict, disk: Disk) -> Recovery:
    """Make the folder ready to append to.

    Raises:
        JournalCorrupt: bytes that were whole do not verify.
        JournalRolledBack: the journal does not reach its checkpoint.
        JournalHalted: there is no free name for the quarantine.
        OSError: the disk failed; nothing was lost.
    """
    match verdict:
        case Corrupt(_, file, fault):
            why = fault.difference
            raise JournalCorrupt(file, fault.line, fault.offset_bytes, (why.expected, why.was))
        case RolledBack(head, size_bytes, mark):
            facts = (mark.records, mark.size_bytes, mark.root)
            raise JournalRolledBack(folder, facts, (head.records, size_bytes, head.root))
        case Torn(head, fault, anchored):
            return Recovery(head, anchored, _cut(folder, fault, disk))
        case Intact(head):
            return Recovery(head, anchored=True, cut=None)
        case Unanchored(head):
            return Recovery(head, anchored=False, cut=None)
        case _:
            assert_never(verdict)


def _cut(folder: Path, fault: Fault, disk: Disk) -> Cut:
    kept = _quarantine(folder, fault.offset_bytes, disk)
    journal = open_file(folder / JOURNAL, os.O_WRONLY)
    try:
        disk.truncate(journal, fault.offset_bytes)
        disk.fsync(journal)
    finally:
        os.close(journal)
    why = fault.difference
    return Cut(fault.tail_bytes, f"expected {why.expected}, was {why.was}", kept)


def _quarantine(folder: Path, offset_bytes: int, disk: Disk) -> Path:
    path, handle = _fresh(folder, offset_bytes)
    try:
        with (folder / JOURNAL).open("rb") as source:
            source.seek(offset_bytes)
            while chunk := source.read(WINDOW_BYTES):
                disk.write(handle, chunk)
        disk.fsync(handle)
    finally:
        os.close(handle)
    sync_folder(disk, folder)
    return path


def _fresh(folder: Path, offset_bytes: int) -> tuple[Path, int]:
    """Create the first free name: an earlier quarantine at the same place is evidence too."""
    for number in range(1, QUARANTINES_MAX + 1):
        path = folder / f"quarantine-{offset_bytes}{'' if number == 1 else f'-{number}'}.bin"
        try:
            return path, open_file(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            continue
    raise JournalHalted(folder, f"{QUARANTINES_MAX} quarantine files at byte {offset_bytes}")
