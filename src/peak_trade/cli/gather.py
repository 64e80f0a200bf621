"""From a run's folder to the facts of a pack: everything the program can know, checked before it is believed.

A pack is refused rather than made of a journal by another version or specification, or with a record that the
redaction's allowlist does not admit.
"""

import contextlib
import io
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal

from peak_trade.cli import prove
from peak_trade.cli.job import BUILTIN, bars_of, snapshot_in
from peak_trade.cli.reenact import Kept, reenact
from peak_trade.cli.specs import machine_named, spec_folder, spec_names, system_at, system_names
from peak_trade.evidence import exhibit as place
from peak_trade.evidence.artifacts import CONFIG, FIVE, MANIFEST, Snapshot, Versions, first_difference
from peak_trade.evidence.bag import is_name
from peak_trade.evidence.codebase import code_sha256
from peak_trade.evidence.collect import collect
from peak_trade.evidence.compare import valid, verdict
from peak_trade.evidence.exhibit import Exhibit, Origin, live_states
from peak_trade.evidence.facts import Facts, Source
from peak_trade.evidence.junit import outcomes
from peak_trade.evidence.provenance import installed, provenance, python
from peak_trade.evidence.slice import Slice, cut
from peak_trade.evidence.story import Story, tell
from peak_trade.journal.chain import START
from peak_trade.journal.record import Record, encode
from peak_trade.journal.redact import Redactor
from peak_trade.journal.verify import Corrupt, Intact, RolledBack, Torn, Unanchored, verify
from peak_trade.lang.machine import Machine
from peak_trade.lang.pretty import fingerprint
from peak_trade.lang.system import System
from peak_trade.lang.track import tracked
from peak_trade.market.bars import Bars
from peak_trade.market.problems import MalformedBars
from peak_trade.session.recording import schema

MACHINES: Final = ("session", "order", "breaker")
KEPT_OF_PROOFS: Final = frozenset(
    {"machine", "property", "kind", "says", "verdict", "why", "lemmas", "trace", "replayed", "certificate"}
)
"""What of a proof's result is packed: not the times, which differ each time."""
BARS_BYTES_MAX: Final = 64_000_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What a pack is to hold. `strict`: only of a whole, undamaged run, as evidence must be."""

    name: str
    phase: str
    strict: bool
    proofs: bool = True
    replay: bool = True
    tests: Path | None = None
    attached: Mapping[str, Path] = field(default_factory=dict)
    steps: tuple[int, int] | None = None


class Refused(ValueError):  # noqa: N818 - the desk's word
    """No pack can be made of this run; the message says why and what to do."""


def gather(run: Path, asked: Asked) -> Facts:
    """Return the facts of a pack of the run in folder `run`.

    Raises:
        Refused: the run, or a file beside it, is not what a pack can be made of.
    """
    try:
        snapshot = snapshot_in(run)
        head = verify(run / place.JOURNAL)
    except (OSError, ValueError) as error:
        raise Refused(f"expected the folder of a run, was {run}: {str(error).splitlines()[0]}; give --run") from error
    if asked.strict and not isinstance(head, Intact):
        raise Refused(f"expected an intact journal in {run}, was {_why(head)}; peak incident new packs it as it is")
    journal = run / place.JOURNAL_FILE
    _expect_ours(next(valid(journal), None))
    admitted = _admitted(journal)
    story = tell(valid(journal))
    bars, source = _bars(run, snapshot, story, strict=asked.strict)
    part = _slice(journal, asked.steps)
    facts: dict[str, Any] = {"verdict": type(head).__name__, "records": head.head.records, "root": head.head.root}
    shown = Exhibit(
        name=asked.name,
        phase=asked.phase,
        origin=origin(),
        config=snapshot.config,
        journal={"schema_version": 1, **facts, "why": _why(head), **admitted},
        story=_seen(journal, story, part),
        live_states=live_states(specs()),
        tests=outcomes(asked.tests) if asked.tests else {},
        attached={name: _attached(path) for name, path in sorted(asked.attached.items())},
        snapshots={name: _attached(run / name) for name in place.SNAPSHOTS if (run / name).is_file()},
        texts=_texts(run, snapshot, source.name, strict=asked.strict),
        # last, because they take longest and nothing that follows can refuse the run
        proofs=proofs() if asked.proofs else None,
        replay=_replayed(journal, snapshot, bars) if asked.replay and bars is not None else None,
    )
    return Facts(run, shown, story, specs(), source, part)


def still(run: Path, scratch: Path) -> Path:
    """Copy what a pack of `run` is made of into `scratch`, so that a run that goes on does not change under our hands.

    The checkpoint is copied before the journal: it is never ahead of what is read after it.

    Raises:
        Refused: there is no journal, or no configuration.
    """
    target, journal = scratch / "run", run / place.JOURNAL
    if not journal.is_dir() or not (run / CONFIG).is_file():
        raise Refused(f"expected the folder of a run, was {run}, without journal or {CONFIG}; give --run")
    (target / place.JOURNAL).mkdir(parents=True)
    early = [path for path in sorted(journal.iterdir()) if path.suffix in (".json", ".bin")]
    loose = [run / name for name in (*FIVE, *place.SNAPSHOTS)]
    for path in [*early, run / place.JOURNAL_FILE, *loose]:
        if path.is_file():
            shutil.copyfile(path, target / path.relative_to(run))
    return target


def specs() -> dict[str, str]:
    """Return the text of each shipped specification: those that drive a run, and how they are proved together."""
    names = (*spec_names(), *system_names())
    return {name: (spec_folder() / f"{name}.yaml").read_text("utf-8") for name in names}


def origin() -> Origin:
    """Return which code and which specifications are here."""
    here = provenance()
    return Origin(
        commit=here.commit,
        dirty=here.dirty,
        code_sha256=code_sha256(),
        spec_sha256={name: fingerprint(machine_named(name)) for name in MACHINES},
        versions=Versions(
            peak_trade=installed("peak-trade"),
            python=python(),
            python_statemachine=installed("python-statemachine"),
            pydantic=installed("pydantic"),
        ),
    )


def proofs() -> dict[str, Any]:
    """Return what `peak prove --format json` says of all that is shipped, with clauses and fingerprints, no times."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        # click remembers a command's help option from its first call: the same names as in the whole command line
        names = ["-h", "--help"]
        code = prove.command.main(["--format", "json"], standalone_mode=False, help_option_names=names)
    found = json.loads(said.getvalue())
    declared: list[Machine | System] = [*map(machine_named, spec_names()), *map(system_at, system_names())]
    answers = {item.name: item.answers for one in declared for item in one.properties}
    rows = [
        {key: value for key, value in item.items() if key in KEPT_OF_PROOFS}
        | {"answers": list(answers.get(item["property"], ()))}
        for item in found["results"]
    ]
    prints = {one.name: fingerprint(tracked(one) if isinstance(one, System) else one) for one in declared}
    return {"schema_version": 1, "exit_code": code, "spec_sha256": prints, "results": rows, "locks": found["locks"]}


def _expect_ours(first: Record | None) -> None:
    """Raise Refused unless this version and these specifications drove the run."""
    if first is None or first.kind != "run":
        raise Refused("expected a journal that begins with its run record, was none; the run never began")
    given = {"version": installed("peak-trade")} | {
        f"{name}_spec": fingerprint(machine_named(name)) for name in MACHINES
    }
    for name, was in given.items():
        if first.body.get(name) != was:
            remedy = "collect with the code that made the run: check out its commit (run_manifest.json names it)"
            raise Refused(f"{name}: expected {was} as here, was {first.body.get(name)} in the journal; {remedy}")


def _why(head: Intact | Unanchored | Torn | RolledBack | Corrupt) -> str:
    match head:
        case Intact(_, anchored):
            return f"intact, {anchored} records held by the checkpoint"
        case Unanchored():
            return "unanchored: no checkpoint vouches for its end"
        case Torn(_, fault, _):
            return f"torn: {fault.tail_bytes} bytes after line {fault.line - 1} do not verify"
        case RolledBack(_, size, mark):
            return f"rolled back: {size} bytes where its checkpoint knew {mark.size_bytes}"
        case Corrupt(_, file, fault):
            return (
                f"corrupt: {file.name}:{fault.line}: expected {fault.difference.expected}, was {fault.difference.was}"
            )


def _admitted(journal: Path) -> dict[str, Any]:
    """Return how many records pass the allowlist again; Refused, naming the first, if one does not."""
    redactor = Redactor(schema(machine_named("session"), machine_named("order")))
    count = 0
    for record in valid(journal):
        known = record.kind in redactor.kinds
        if not known or f"{redactor.redact(record.kind, record.body)}{record.seq}}}".encode() != encode(record):
            raise Refused(
                f"record {record.seq} of the journal holds what the allowlist does not admit; nothing was packed"
            )
        count += 1
    return {"admitted": True, "admitted_records": count}


def _bars(run: Path, snapshot: Snapshot, story: Story, *, strict: bool) -> tuple[Bars | None, Source]:
    """Return the run's bars, if they are still there unchanged, and how a pack takes them."""
    digest, path = str(story.run["data"]), Path(snapshot.bars)
    try:
        bars = bars_of(snapshot)
        why = "" if bars.sha256 == digest else f"they have SHA-256 {bars.sha256}"
    except (MalformedBars, OSError) as error:
        bars, why = None, str(error).splitlines()[0]
    if why and strict:
        raise Refused(f"expected the bars of {run} with SHA-256 {digest}: {why}; put the file back")
    if why or bars is None:
        return None, Source(path.name if is_name(path.name) else "bars", digest, "by hash")
    if snapshot.bars == BUILTIN:
        return bars, Source(bars.name, digest, "shipped")
    small = path.is_file() and path.stat().st_size <= BARS_BYTES_MAX and is_name(path.name)
    where: Literal["packed", "by hash"] = "packed" if small else "by hash"
    return bars, Source(path.name if is_name(path.name) else "bars", digest, where, path if small else None)


def _slice(journal: Path, steps: tuple[int, int] | None) -> Slice | None:
    return None if steps is None else cut(journal, *steps)


def _seen(journal: Path, story: Story, part: Slice | None) -> Story | None:
    """Return the story that can be told from what is packed of the journal."""
    if part is None:
        return story
    return tell(islice(valid(journal), part.after.records)) if part.before == START else None


def _replayed(journal: Path, snapshot: Snapshot, bars: Bars) -> dict[str, Any]:
    session, order, breaker = map(machine_named, MACHINES)
    kept = Kept(journal, snapshot, session, order, breaker, bars)
    with tempfile.TemporaryDirectory(prefix="peak-replay-") as scratch:
        return verdict(reenact(kept, Path(scratch) / "run", "fresh"), "fresh")


def _attached(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Refused(f"{path}: expected JSON of a peak command, was {str(error).splitlines()[0]}") from error
    if not isinstance(found, dict):
        raise Refused(f"{path}: expected JSON of a peak command, was no object; use its --format json")
    return found


def _texts(run: Path, snapshot: Snapshot, data_name: str, *, strict: bool) -> dict[str, str]:
    """Return the five artifacts: as they lie there, which must be as the journal tells, or else told from it."""
    told = collect(valid(run / place.JOURNAL_FILE), snapshot, data_name).texts
    found = {}
    for name in FIVE:
        path = run / name
        found[name] = path.read_text("utf-8") if path.is_file() else told[name]
        difference = None if name == MANIFEST else first_difference(name, told[name], found[name])
        if strict and (difference or not path.is_file()):
            why = difference or f"{name}: missing"
            raise Refused(f"expected the artifacts that the journal tells, was {why}; peak run --verify {run.name}")
    return found
