"""A slice of a journal is whole lines with the head before the first and the head after the last.

Whoever has both heads can follow the chain through the slice and knows that nothing in it was added, left out or
changed; that the heads are those of the journal is known from the journal's own head, which is kept beside them.
A slice that begins at the first record is a prefix: a journal that is verified as any other.

Limits: the heads bind the slice to the journal only if the journal's head is believed.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from peak_trade.journal.chain import START, Break, Chain, Head
from peak_trade.journal.record import Record, decode
from peak_trade.journal.scan import read

SLICE: Final = "slice.jsonl"
LABEL: Final = "slice.json"


@dataclass(frozen=True, slots=True)
class Slice:
    """Some lines of a journal: `steps` as they were asked for, the heads around them, and the whole journal's."""

    steps: tuple[int, int]
    before: Head
    after: Head
    whole: Head
    data: bytes

    @property
    def prefix(self) -> bool:
        """True iff nothing is left out before it."""
        return self.before == START

    def label(self) -> dict[str, Any]:
        """Return what says which part of which journal this is."""
        return {
            "schema_version": 1,
            "is": "prefix" if self.prefix else "slice",
            "steps": list(self.steps),
            "records": self.after.records - self.before.records,
            "before": asdict(self.before),
            "after": asdict(self.after),
            "whole": asdict(self.whole),
        }


def cut(path: Path, low: int, high: int) -> Slice:
    """Return the whole records of the steps `low` to `high`, both included; a record without a step is of the last.

    Raises:
        ValueError: the journal has no record of these steps.
        JournalCorrupt: the journal does not verify.
    """
    chain, step = Chain(), 0
    before: Head | None = None
    after = last = START
    for record in read(path, chain):
        step = _step(record, step)
        if before is None and step >= low:
            before = last
        last = chain.head
        if step <= high:
            after = last
    if before is None or low > high or after.records <= before.records:
        raise ValueError(f"expected steps of this journal, 0 to {step}, was {low}-{high}")
    with path.open("rb") as file:
        file.seek(before.size_bytes)
        data = file.read(after.size_bytes - before.size_bytes)
    return Slice((low, high), before, after, last, data)


def _step(record: Record, last: int) -> int:
    found = record.body.get("step")
    return found if isinstance(found, int) else last


def follow(data: bytes, label: str) -> str | None:
    """Return why the lines in `data` are not the slice that `label` says, or None iff they are."""
    try:
        said = json.loads(label)
        before, after = Head(**said["before"]), Head(**said["after"])
        chain = Chain(before)
    except (ValueError, KeyError, TypeError):
        return f"{LABEL} is no label of a slice"
    for number, line in enumerate(data.splitlines(keepends=True), 1):
        found = chain.accept(line, decode)
        if isinstance(found, Break):
            return f"line {number}: expected {found.expected}, was {found.was}"
    if chain.head != after:
        return f"expected {after.records} records after it with root {after.root}, was {chain.head.root}"
    return None
