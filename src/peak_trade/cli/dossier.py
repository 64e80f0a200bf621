"""A folder of certificates: written with an index of their hashes, and checked from its files alone."""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeAlias

import rich_click as click

from peak_trade.lang.machine import Machine
from peak_trade.proof.verdict import Report
from peak_trade.proof.warrant.certificate import HEAD, SOLVER, Absent, Certificate, certify
from peak_trade.session.clock import wall_ns

INDEX: Final = "index.json"
ACCEPTED, REJECTED, OPEN = "accepted", "rejected", "unknown"
NAME_CHARS_MAX: Final = 120

ENTRIES_EACH_MIN: Final = 8
"""For how many certificates a process of its own pays."""

Entry: TypeAlias = tuple[str, str, str]
"""A claim, the file of its certificate, and the SHA-256 that the file must have."""

_PLAIN: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*\.smt2")
_OTHER: Final = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one certificate; `why` is the reason unless it was accepted, `took_ms` is wall time."""

    machine: str
    claim: str
    verdict: str
    why: str = ""
    questions: int = 0
    took_ms: int = 0
    sha256: str = ""


def write(folder: Path, machine: Machine, report: Report, only: frozenset[str] | None = None) -> Path:
    """Write the certificates of what `report` says is proved, and their index; return the machine's own folder.

    Certificates of an earlier time are taken away, so that the folder holds one report.
    """
    place = folder / _OTHER.sub("_", machine.name)
    place.mkdir(parents=True, exist_ok=True)
    for old in place.glob("*.smt2"):
        if old.read_text(errors="replace").startswith(HEAD):
            old.unlink()
    found = list(certify(machine, report, only))
    entries = [_write(place, item) for item in found if isinstance(item, Certificate)]
    absent = [asdict(item) for item in found if isinstance(item, Absent)]
    head = {"schema_version": 1, "machine": machine.name, "specification": report.fingerprint, "found_by": SOLVER}
    index = head | {"certificates": entries, "absent": absent}
    (place / INDEX).write_text(json.dumps(index, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    return place


def _write(place: Path, item: Certificate) -> dict[str, Any]:
    name = _OTHER.sub("_", item.claim)[:NAME_CHARS_MAX] + ".smt2"
    assert not (place / name).exists(), f"expected claims whose files differ, was {name} twice"
    (place / name).write_text(item.text)
    fields = {"claim": item.claim, "kind": item.kind, "method": item.method, "questions": item.questions}
    return fields | {"lemmas": list(item.lemmas), "sha256": item.sha256, "file": name}


def check(folder: Path) -> list[Row]:
    """Return what cvc5 says of each certificate that an index in `folder`, or one level below it, speaks of.

    UsageError iff there is no index.
    """
    indexes = sorted(path for path in (folder / INDEX, *folder.glob(f"*/{INDEX}")) if path.is_file())
    if not indexes:
        raise click.UsageError(
            f"expected certificates with {INDEX} in {folder}, was none; `peak prove --certify` writes them"
        )
    return [row for path in indexes for row in _checked(path)]


def _checked(path: Path) -> Iterable[Row]:
    try:
        index = json.loads(path.read_text())
        machine, spec = str(index["machine"]), str(index["specification"])
        entries = [(str(item["claim"]), str(item["file"]), str(item["sha256"])) for item in index["certificates"]]
        absent = [(str(item["claim"]), str(item["reason"])) for item in index["absent"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        yield Row(path.parent.name, INDEX, REJECTED, f"expected an index of certificates, was none: {error!r}")
        return
    yield from _all(partial(_judged, path.parent, (machine, spec)), entries)
    known = {file for _, file, _ in entries}
    for other in sorted(item.name for item in path.parent.glob("*.smt2") if item.name not in known):
        yield Row(machine, other, REJECTED, "expected a file that the index names, was another")
    for claim, reason in absent:
        yield Row(machine, claim, OPEN, f"no certificate: {reason}")
    if not entries and not absent:
        yield Row(machine, INDEX, OPEN, "no certificate at all is no evidence")


def _all(work: Callable[[Entry], Row], entries: list[Entry]) -> Iterable[Row]:
    """Return what `work` says of each entry in order, by as many processes as there are cores if that pays."""
    jobs = min(os.cpu_count() or 1, len(entries) // ENTRIES_EACH_MIN)
    if jobs < 2:
        return [work(entry) for entry in entries]
    with ProcessPoolExecutor(jobs) as pool:
        return list(pool.map(work, entries))


def _judged(place: Path, about: tuple[str, str], entry: Entry) -> Row:
    from peak_trade.proof.warrant.second import Checked, Rejected, recheck  # noqa: PLC0415 - an extra, see `ready`

    (machine, spec), (claim, file, sha256) = about, entry
    if not _PLAIN.fullmatch(file) or not (place / file).is_file():
        return Row(machine, claim, REJECTED, f"expected a file in the folder of its index, was {file!r}")
    raw = (place / file).read_bytes()
    was = hashlib.sha256(raw).hexdigest()
    if was != sha256:
        return Row(machine, claim, REJECTED, f"expected sha256 {sha256[:12]}…, was {was[:12]}…")
    content = raw.decode(errors="replace")
    named = (f"{HEAD}: {claim} of the machine {machine}.", f"; specification: {spec}")
    if not set(named) <= set(content.split("\n", 8)[:8]):
        return Row(machine, claim, REJECTED, "expected the claim, machine and specification of its index, was another")
    before = wall_ns()
    found = recheck(content)
    took = (wall_ns() - before) // 1_000_000
    if isinstance(found, Checked):
        return Row(machine, claim, ACCEPTED, "", found.questions, took, was)
    return Row(machine, claim, REJECTED if isinstance(found, Rejected) else OPEN, found.reason, 0, took, was)
