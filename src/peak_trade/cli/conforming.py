"""From a run, a pack or a file to the records of its journal and their machines; and the verdict as text."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import rich_click as click

from peak_trade.backends.kernel import Kernel, compile_kernel
from peak_trade.cli.specs import machine_at, spec_folder
from peak_trade.conform.walk import Conformance, Deviation, Walk
from peak_trade.evidence.slice import SLICE
from peak_trade.journal.chain import Chain, Head, intact
from peak_trade.journal.errors import BadRecord
from peak_trade.journal.record import LINE_BYTES_MAX, Record, decode
from peak_trade.journal.scan import read, scan

FILE: Final = "journal.jsonl"
MACHINES: Final = ("session", "order", "breaker")
PLACES: Final = ("", "journal", "data/journal")
EXITS: Final = {"conforms": 0, "deviates": 1, "inconclusive": 3}
HASH_AT: Final = len('{"crc":"00000000","hash":"')
TEXT_AT: Final = HASH_AT + 64 + len('","record":')


@dataclass(frozen=True, slots=True)
class Trail:
    """A journal to walk: its file, and the folder of the specifications it was written under, None for the shipped."""

    file: Path
    specs: Path | None

    def kernels(self) -> dict[str, Kernel]:
        """Return the kernels of the machines; UsageError or WrongSpec iff one cannot be read."""
        names = {name: name if self.specs is None else str(self.specs / f"{name}.yaml") for name in MACHINES}
        return {name: compile_kernel(machine_at(place)) for name, place in names.items()}


def trail(place: Path) -> Trail:
    """Return the journal at `place`: a file, or the folder of a journal, a run or a pack.

    Raises:
        click.UsageError: there is none.
    """
    if place.is_file():
        return Trail(place, None)
    for inner in PLACES:
        for name in (FILE, SLICE):
            if (place / inner / name).is_file():
                specs = place / "data" / "spec"
                return Trail(place / inner / name, specs if inner == PLACES[-1] and specs.is_dir() else None)
    raise click.UsageError(f"expected a journal, a run or a pack, was {place}; `peak run --out FOLDER` makes a run")


def records(file: Path) -> Iterator[Record]:
    """Yield the records of a journal, or of whole lines of one; its torn end is left out.

    Raises:
        JournalCorrupt: the lines do not verify.
        click.UsageError: it is no journal.
    """
    first, chain = _first(file)
    if chain.records:
        yield first
    yield from read(file, chain)


def _first(file: Path) -> tuple[Record, Chain]:
    """Return the first record, and the chain after it if it is from the middle of a journal: its hash is believed."""
    with file.open("rb") as lines:
        line = lines.readline(LINE_BYTES_MAX + 1)
    if not line or not intact(line):
        raise click.UsageError(
            f"{file}: expected a line of a journal, was another text; give a run, a pack or a journal"
        )
    try:
        record = decode(line[TEXT_AT:-2])
    except BadRecord as error:
        raise click.UsageError(
            f"{file}: expected {error.expected}, was {error.was}; give a run, a pack or a journal"
        ) from error
    if record.seq == 0:
        return record, Chain()
    return record, Chain(Head(record.seq + 1, len(line), line[HASH_AT : HASH_AT + 64].decode()))


def walked(place: Path) -> tuple[Conformance, Trail]:
    """Return what came of a walk over the journal at `place`.

    Raises:
        JournalCorrupt: it does not verify to its end.
        OtherSpec: it was written under other specifications.
        click.UsageError: it is no journal.
    """
    found = trail(place)
    walk = Walk(found.kernels())
    for record in records(found.file):
        walk.take(record)
    return walk.close(), found


def torn_bytes(file: Path) -> int:
    """Return how many bytes at the end of a whole journal were torn off a write, and not walked."""
    fault = scan(file).fault
    return fault.tail_bytes if fault is not None and fault.end == "torn" else 0


def facts(found: Conformance, where: Trail) -> dict[str, Any]:
    """Return the verdict as plain data."""
    said = found.deviation
    return {
        "schema_version": 1,
        "verdict": found.verdict,
        "exit_code": EXITS[found.verdict],
        "records": found.records,
        "kinds": dict(found.kinds),
        "orders": found.orders,
        "complete": found.complete,
        "torn_bytes": torn_bytes(where.file) if found.complete else 0,
        "doubts": list(found.doubts),
        "deviation": None if said is None else _deviation(said),
    }


def _deviation(found: Deviation) -> dict[str, Any]:
    record = found.record
    return {
        "seq": record.seq,
        "kind": record.kind,
        "event": record.body.get("event"),
        "was": found.was,
        "expected": list(found.expected),
        "enabled": list(found.enabled),
        "law": found.row,
        "place": place_of(found),
        "context": [one.seq for one in found.context],
    }


def place_of(found: Deviation) -> str:
    """Return where the specification says so, `spec/FILE:LINE`, or an empty text iff it is said by no row."""
    if found.machine != "system":
        return f"spec/{found.machine}.yaml:{found.line}" if found.line else ""
    lines = (spec_folder() / "system.yaml").read_text("utf-8").splitlines() if found.row else []
    numbers = (number for number, line in enumerate(lines, 1) if line.split() == ["-", "id:", found.row])
    return next((f"spec/system.yaml:{number}" for number in numbers), "")


def text(found: Conformance, where: Trail, place: Path, shown: Iterable[str]) -> str:
    """Return the verdict as a person reads it; `shown` are the lines of the deviation's record and those before it."""
    said = found.deviation
    begins = "from the first record on" if found.complete else "from the middle on"
    torn = torn_bytes(where.file) if found.complete else 0
    lines = [f"{found.verdict} · {found.records:,} records {begins} · {found.orders:,} orders walked"]
    lines.append("  " + " · ".join(f"{kind} {count:,}" for kind, count in found.kinds.items()))
    lines += [f"  {torn} bytes at the end were torn off a write, and not walked"] if torn else []
    lines += [f"  {doubt}" for doubt in found.doubts]
    if said is None:
        return "\n".join(
            [
                *lines,
                f"next: peak journal verify {place}" if found.doubts else f"next: peak journal show {place} --last 20",
            ]
        )
    name = said.record.body.get("event") or said.record.kind
    lines.append(f"first deviation: record {said.record.seq}, {said.record.kind} {name}")
    lines += [f"  {line}" for line in shown]
    lines.append(f"  was       {said.was}")
    lines += [f"  expected  {one}" for one in said.expected]
    at = " at ".join(part for part in (said.row, place_of(said)) if part)
    lines += [f"  by        {at}"] if at else []
    lines += [f"  enabled   {', '.join(said.enabled)}"] if said.enabled else []
    order = said.record.body.get("order")
    about = (
        f"--order {order}"
        if order
        else f"--step {said.record.body['step']}"
        if "step" in said.record.body
        else "--last 20"
    )
    return "\n".join([*lines, f"next: peak journal show {place} {about}"])
