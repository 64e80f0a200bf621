"""A row is passed iff each of its needs is met by evidence of the current specification and code; else it is not.

The newest intact pack that shows anything about a need decides. Evidence for other specifications, other code, or code
that no commit names is *suspect*: it is shown and never passes. A pack that is not intact is no evidence and fails the
whole. Rows of people are closed by a person's signature over this very readiness (`basis_sha256`) and by nothing else.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from peak_trade.evidence.bag import Flaw, NotABag, digest, verify
from peak_trade.evidence.checklist import ROWS, WHOLE_TRACK, Drill, Need, Person, Row
from peak_trade.evidence.exhibit import INCIDENT, Exhibit, load, phase_of
from peak_trade.evidence.judge import Judged, Status, judge
from peak_trade.evidence.provenance import UNKNOWN
from peak_trade.evidence.seal import check

PACKS_MAX: Final = 1_000
NOTE_BYTES_MAX: Final = 65_536
PASS, VIOLATION, OPEN = 0, 1, 3
WORST_FIRST: Final = (Status.FAILED, Status.SUSPECT, Status.OPEN, Status.PASSED)


@dataclass(frozen=True, slots=True)
class Current:
    """What evidence must be about: the specifications and the code as they are now."""

    spec_sha256: Mapping[str, str]
    code_sha256: str


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack on the shelf; `exhibit` is None iff it is not intact or cannot be read, and `problem` says why."""

    name: str
    digest: str
    exhibit: Exhibit | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """A need, what became of it, and by which pack."""

    need: Need
    judged: Judged
    by: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A row and the worst of what became of its needs."""

    row: Row
    status: Status
    held: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class Readiness:
    """Where the track stands; live stays opt-in whatever this says."""

    rows: tuple[Standing, ...]
    packs: tuple[Pack, ...]
    basis_sha256: str

    @property
    def exit_code(self) -> int:
        """1 if something failed, 3 while anything is open or suspect, 0 otherwise."""
        found = {standing.status for standing in self.rows}
        if Status.FAILED in found or any(pack.problem for pack in self.packs):
            return VIOLATION
        return PASS if found == {Status.PASSED} else OPEN


def shelf(folder: Path) -> tuple[Pack, ...]:
    """Return the packs in `folder`, newest first.

    Raises:
        NotADirectoryError: it is no folder.
        ValueError: it holds more than `PACKS_MAX`.
    """
    if not folder.is_dir():
        raise NotADirectoryError(
            f"expected a folder of packs, was {folder}; peak evidence new --out {folder} makes one"
        )
    places = [path for path in sorted(folder.iterdir()) if path.is_dir() and phase_of(path.name)]
    if len(places) > PACKS_MAX:
        raise ValueError(f"expected at most {PACKS_MAX} packs, was {len(places)} in {folder}; move the old ones away")
    packs = [_pack(path) for path in places]
    return tuple(sorted(packs, key=lambda pack: (pack.exhibit.date if pack.exhibit else "", pack.name), reverse=True))


def _pack(folder: Path) -> Pack:
    try:
        flaws = verify(folder)
    except NotABag as error:
        return Pack(folder.name, "", None, str(error))
    known = digest(folder) if (folder / "tagmanifest-sha256.txt").is_file() else ""
    if flaws:
        return Pack(folder.name, known, None, "; ".join(map(told, flaws[:5])))
    try:
        shown = load(folder)
        for need in [need for row in ROWS for need in row.needs]:
            judge(need, shown)  # whole sums do not make sense of the contents: who made them may have been anyone
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return Pack(folder.name, known, None, f"its contents cannot be judged: {type(error).__name__}: {error}")
    return Pack(folder.name, known, shown)


def told(flaw: Flaw) -> str:
    """Return one line that names a flaw's file."""
    return f"{flaw.file}: {flaw.kind}: expected {flaw.expected}, was {flaw.was}"


def suspect(exhibit: Exhibit, current: Current) -> str:
    """Return why the exhibit is not about what is there now; empty iff it is."""
    origin = exhibit.origin
    names = sorted(current.spec_sha256.keys() | origin.spec_sha256.keys())
    moved = [name for name in names if current.spec_sha256.get(name) != origin.spec_sha256.get(name)]
    if moved:
        return f"made for another specification of {', '.join(moved)}"
    if origin.code_sha256 != current.code_sha256:
        return f"made by other code (commit {origin.commit[:12]})"
    if origin.commit == UNKNOWN or origin.dirty is not False:
        return "made by code that no commit names"
    return ""


def evaluate(packs: Sequence[Pack], current: Current, signed: Mapping[str, Judged], basis: str) -> Readiness:
    """Return where each row of the checklist stands; `packs` newest first, `signed` by role."""
    exhibits = [pack.exhibit for pack in packs if pack.exhibit is not None]
    doubts = {exhibit.name: suspect(exhibit, current) for exhibit in exhibits}
    rows = []
    for row in ROWS:
        held = tuple(_held(row, need, exhibits, doubts, signed) for need in row.needs)
        worst = min((item.judged.status for item in held), key=WORST_FIRST.index)
        rows.append(Standing(row, worst, held))
    return Readiness(tuple(rows), tuple(packs), basis)


def _held(
    row: Row, need: Need, exhibits: Iterable[Exhibit], doubts: Mapping[str, str], signed: Mapping[str, Judged]
) -> Held:
    if isinstance(need, Person):
        return Held(need, signed.get(need.role) or Judged(Status.OPEN, f"waits for a person: {need.role}"), "")
    wanted = {INCIDENT} if isinstance(need, Drill) else {row.phase, WHOLE_TRACK}
    doubtful, empty = None, Judged(Status.OPEN, f"no evidence: no pack of phase {' or '.join(sorted(wanted))}")
    for exhibit in exhibits:
        if exhibit.phase not in wanted:
            continue
        judged = judge(need, exhibit)
        if judged.status is Status.OPEN:
            empty = judged
        elif not doubts[exhibit.name]:
            return Held(need, judged, exhibit.name)
        elif doubtful is None:
            why = f"{doubts[exhibit.name]}; it said {judged.status}: {judged.why}"
            doubtful = Held(need, Judged(Status.SUSPECT, why), exhibit.name)
    return doubtful or Held(need, empty, "")


def basis_sha256(packs: Iterable[Pack], current: Current) -> str:
    """Return the digest of all that a person signs: the checklist, the packs, the specifications and the code."""
    rows: list[Any] = [asdict(row) | {"needs": [repr(need) for need in row.needs]} for row in ROWS]
    named = sorted((pack.name, pack.digest) for pack in packs)
    whole = [rows, named, dict(current.spec_sha256), current.code_sha256]
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def sign_offs(folder: Path, signers: Path | None, basis: str) -> dict[str, Judged]:
    """Return what became of each role's `SIGNOFF-ROLE.txt`: it says `basis <sha256>` and is signed by the role."""
    found = {}
    for role in [need.role for row in ROWS for need in row.needs if isinstance(need, Person)]:
        note = folder / f"SIGNOFF-{role}.txt"
        if note.is_file():
            found[role] = _signed(note, signers, role, basis)
    return found


def _signed(note: Path, signers: Path | None, role: str, basis: str) -> Judged:
    if signers is None:
        return Judged(Status.OPEN, f"{note.name} is there; give --signers to have its signature checked")
    seal = check(note, signers, role)
    if seal.verdict == "skipped":
        return Judged(Status.OPEN, seal.why)
    if seal.verdict == "bad":
        return Judged(Status.FAILED, f"{note.name}: {seal.why}")
    with note.open("rb") as file:
        lines = file.read(NOTE_BYTES_MAX).decode("utf-8", "replace").splitlines()
    if f"basis {basis}" not in [line.strip() for line in lines]:
        return Judged(
            Status.SUSPECT, f"{note.name} is signed for another basis; evidence, specification or code changed"
        )
    return Judged(Status.PASSED, f"signed by {role}")
