"""A finding is one folder: what went wrong, the smallest program that shows it, and all that a reader needs to see it.

`finding.json` (schema, kind and problems, engine, seeds, specifications, versions, verdict), `program.yaml`,
`plan.yaml` (the fault plan alone), `trace.itf.json` and `order.itf.json` (of the session's machine and of the order
concerned), `sequence.svg`, `coverage.json`, `journal.jsonl` (of the small program's session) and `README.md`. A folder
appears whole or not at all. What is found again, the same kind of problem with the same program, is one folder with one
more seed. A replay plays the program and needs nothing but this package.

Limits: a finding without journal has no traces; at most `FINDINGS_MAX` folders lie beside each other.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import Any, Final

from peak_trade.backends.chart import chart
from peak_trade.broker.script import dump
from peak_trade.evidence.provenance import installed, python
from peak_trade.fuzz.cover.sightings import sighted
from peak_trade.fuzz.found.listing import happens, listing
from peak_trade.fuzz.found.program import Program, parsed
from peak_trade.fuzz.found.retold import concerned, retold
from peak_trade.fuzz.found.trial import Judge, Trial, problems, tried, tried_in
from peak_trade.fuzz.play import FILE
from peak_trade.fuzz.world import Machines
from peak_trade.journal.record import Record
from peak_trade.lang.machine import Machine
from peak_trade.lang.pretty import fingerprint
from peak_trade.lang.trace import Trace
from peak_trade.proof.recall.itf import told_of, write
from peak_trade.session.assembly import JOURNAL

FINDINGS_MAX: Final = 1_000
SLUG_CHARS_MAX: Final = 48
HAPPENS_MAX: Final = 10
FINDING, PROGRAM, README = "finding.json", "program.yaml", "README.md"
FAILS: Final = "fails"
PACKAGES: Final = ("peak-trade", "hypothesis")


class Again(StrEnum):
    """What a replay says: it fails as it did, in another way, not any more, or another specification is at work now."""

    SAME = "fails in the same way"
    OTHER = "fails in another way"
    PASSES = "passes now"
    INCOMPARABLE = "cannot be compared"


class FindingError(ValueError):
    """A folder is no finding, or there is no room for one: `place`, what was expected there, and what was found."""

    def __init__(self, place: str, expected: str, was: str, remedy: str) -> None:
        self.place, self.expected, self.was, self.remedy = place, expected, was, remedy
        super().__init__(f"{place}: expected {expected}, was {was}; {remedy}")


@dataclass(frozen=True, slots=True)
class Finding:
    """What an engine found with a seed: the kind of problem, and the program that shows it, shrunk.

    `figures` say how it was shrunk, by name.
    """

    engine: str
    seed: int
    kind: str
    program: Program
    figures: dict[str, int | bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Kept:
    """A finding as its folder tells it."""

    folder: Path
    program: Program
    kind: str
    engine: str
    seeds: tuple[int, ...]
    problems: tuple[str, ...]
    specs: dict[str, str]

    @property
    def seed(self) -> int:
        """The smallest seed."""
        return self.seeds[0]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of a replay: the `problems` of now, their `kinds`, and the machines that are others now."""

    again: Again
    problems: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()


def put(root: Path, finding: Finding, machines: Machines, judge: Judge = problems) -> Path:
    """Write the folder of a finding in `root`, or add its seed to the one that is there; return the folder.

    Raises:
        FindingError: its program does not fail in the way that it says, or there are too many folders.
    """
    root.mkdir(parents=True, exist_ok=True)
    known = tuple(folders(root))
    for folder in known:
        facts = json.loads((folder / FINDING).read_text(encoding="utf-8"))
        if (facts["kind"], facts["program_sha256"]) == (finding.kind, finding.program.sha256()):
            facts["seeds"] = sorted({*facts["seeds"], finding.seed})
            _replace(folder / FINDING, _json(facts))
            return folder
    if len(known) >= FINDINGS_MAX:
        raise FindingError(str(root), f"fewer than {FINDINGS_MAX} findings", str(len(known)), "use another folder")
    target = root / _name(finding, {item.name for item in known})
    with tempfile.TemporaryDirectory(prefix=".finding-", dir=root) as work:
        run, made = Path(work) / "run", Path(work) / target.name
        trial = tried_in(finding.program.world(), machines, run, judge)
        if finding.kind not in trial.kinds:
            was = ", ".join(trial.kinds) or "no problem"
            raise FindingError("the program", f"a problem of the kind {finding.kind!r}", was, "shrink it again")
        made.mkdir()
        if (run / JOURNAL / FILE).is_file():
            shutil.copyfile(run / JOURNAL / FILE, made / FILE)
        for name, text in files(finding, trial, machines, target.name).items():
            (made / name).write_text(text, encoding="utf-8")
        made.rename(target)
    return target


def folders(root: Path) -> Iterator[Path]:
    """Yield the folders of findings in `root`, by name."""
    yield from (path.parent for path in sorted(root.glob(f"*/{FINDING}")) if not path.parent.name.startswith("."))


def files(finding: Finding, trial: Trial, machines: Machines, name: str) -> dict[str, str]:
    """Return the text of each file of the folder `name` but the journal."""
    records = () if trial.played is None else trial.played.records
    fired = {} if trial.played is None else trial.played.fired
    about = (f"{finding.kind} · engine {finding.engine} · seed {finding.seed}", f"Replay: peak fuzz replay {name}")
    made = {
        FINDING: _json(_facts(finding, trial, machines)),
        PROGRAM: listing(finding.program, about),
        "plan.yaml": dump(finding.program.world().config.plan()),
        "coverage.json": _json(sighted(machines, records, fired, finding.seed).plain()),
        **(_told(finding, trial, machines, records) if records else {}),
    }
    return made | {README: _readme(finding, trial, sorted((*made, *((FILE,) if records else ()))), name)}


def specs(machines: Machines) -> dict[str, str]:
    """Return the fingerprint of each machine that a session runs on."""
    found = {"breaker": machines.breaker, "order": machines.order, "session": machines.session}
    return {name: fingerprint(machine) for name, machine in found.items()}


def kept(folder: Path) -> Kept:
    """Return the finding in `folder`.

    Raises:
        FindingError: there is none.
        ProgramError: its program is none.
    """
    try:
        facts = json.loads((folder / FINDING).read_text(encoding="utf-8"))
        text = (folder / PROGRAM).read_text(encoding="utf-8")
        found = (facts["kind"], facts["engine"], tuple(facts["seeds"]), tuple(facts["problems"]), dict(facts["specs"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        was = f"{type(error).__name__}: {error}"
        raise FindingError(str(folder), f"{FINDING} and {PROGRAM}", was, "name the folder of a finding") from error
    return Kept(folder, parsed(text, (folder / PROGRAM).as_posix()), *found)


def replay(found: Kept, machines: Machines, judge: Judge = problems) -> Replayed:
    """Play the program of a finding and say whether it still fails in that way.

    A program that fails as it did does so under any specification; one that does not is compared only with its own.
    """
    changed = tuple(name for name, digest in specs(machines).items() if found.specs.get(name) != digest)
    trial = tried(found.program, machines, judge)
    again = Again.SAME if found.kind in trial.kinds else Again.OTHER if trial.kinds else Again.PASSES
    if changed and again is not Again.SAME:
        again = Again.INCOMPARABLE
    return Replayed(again, trial.problems, trial.kinds, changed)


def _facts(finding: Finding, trial: Trial, machines: Machines) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "verdict": FAILS,
        "kind": finding.kind,
        "problems": list(trial.problems),
        "end": "RAISED" if trial.played is None else trial.played.state,
        "engine": finding.engine,
        "seeds": [finding.seed],
        "program_sha256": finding.program.sha256(),
        "events": finding.program.events,
        "faults": len(finding.program.faults),
        "shrinking": finding.figures,
        "specs": specs(machines),
        "versions": {**{name: installed(name) for name in PACKAGES}, "python": python()},
    }


def _told(finding: Finding, trial: Trial, machines: Machines, records: tuple[Record, ...]) -> dict[str, str]:
    """Return the traces and the picture of what the records tell."""
    order = concerned(trial.problems, records)
    story = retold(machines, records, order, f"{finding.engine} · seed {finding.seed}", trial.problems[0])

    def itf(machine: Machine, trace: Trace, of: str) -> str:
        return write(machine, told_of(machine, (finding.kind, "finding", of), FAILS, trial.problems[0]), trace)

    made = {
        "trace.itf.json": itf(machines.session, story.session, "the session"),
        "sequence.svg": chart(story.picture),
    }
    return made | ({"order.itf.json": itf(machines.order, story.life, f"order {order}")} if order else {})


def _readme(finding: Finding, trial: Trial, names: Iterable[str], name: str) -> str:
    program, end = finding.program, "it raised" if trial.played is None else f"it ended {trial.played.state}"
    lines = [
        f"# {finding.kind}",
        "",
        f"Found by the engine `{finding.engine}` with seed {finding.seed}. In the smallest program that fails so:",
        "",
        *(f"- {text}" for text in islice(happens(program), HAPPENS_MAX)),
        *(["- and more, see `program.yaml`"] if program.events + len(program.faults) > HAPPENS_MAX else []),
        "",
        f"Played, {end}, and this is wrong:",
        "",
        *(f"- {problem}" for problem in trial.problems[:3]),
        "",
        f"Files: {', '.join(f'`{item}`' for item in names)}.",
        "",
        f"    peak fuzz replay {name}",
    ]
    return "\n".join(lines) + "\n"


def _name(finding: Finding, taken: Iterable[str]) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", finding.kind.lower()).strip("-")[:SLUG_CHARS_MAX].strip("-")
    name = f"{slug or 'problem'}-{finding.seed}"
    return f"{name}-{finding.program.sha256()[:8]}" if name in set(taken) else name


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def _json(data: object) -> str:
    return json.dumps(data, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
