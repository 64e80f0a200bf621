"""What a night found, made fit to read: each kind of problem once, shrunk, in a folder of its own, and replayed.

A canary goes the same way first: it claims that no order is ever filled, which is false. A pipeline that does not
refute it, shrink what refutes it, write the folder and replay it, reports nothing, and its silence means nothing.
"""

import json
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from peak_trade.fuzz.campaign.sessions import ENGINE
from peak_trade.fuzz.found.findings import Again, Finding, FindingError, kept, put, replay
from peak_trade.fuzz.found.program import Program, recording
from peak_trade.fuzz.found.shrink import ShrinkError, shrink
from peak_trade.fuzz.found.trial import Judge, Trial, kind_of, problems, tried, tried_in
from peak_trade.fuzz.matrix import MEMORY
from peak_trade.fuzz.play import Played
from peak_trade.fuzz.seeded import seeded_world
from peak_trade.fuzz.world import Machines

EXECUTIONS_MAX: Final = 400
"""How many programs are played to shrink one finding."""
KINDS_MAX: Final = 8
"""How many kinds of problems are shrunk; the others are told as they are."""
CANARY: Final = "canary"
CANARY_SEEDS: Final = 5
"""Of so many seeds one refutes the canary, if the pipeline works."""
CANARY_EVENTS_MAX: Final = 2


@dataclass(frozen=True, slots=True)
class Told:
    """One kind of problem, as a reader gets it: `folder` is empty and `why` says so where none could be made."""

    engine: str
    machine: str
    kind: str
    seed: int
    times: int
    problems: tuple[str, ...]
    folder: str = ""
    events: int = 0
    executions: int = 0
    why: str = ""


class CanaryLives(RuntimeError):  # noqa: N818 - said of the canary
    """The pipeline did not report a claim that is false, so that it reports nothing: `stage` is where it was lost."""

    def __init__(self, stage: str, was: str) -> None:
        self.stage, self.was = stage, was
        super().__init__(f"expected the canary to die while {stage}, was {was}; no silence of this campaign counts")

    def __reduce__(self) -> tuple[type["CanaryLives"], tuple[str, str]]:
        return type(self), (self.stage, self.was)


def filled(played: Played) -> tuple[str, ...]:
    """Judge that no order is ever filled: a claim that is false, and so a canary."""
    fills = (item.body for item in played.records if item.body.get("event") == "fill")
    first = next((body for body in fills if body.get("outcome") == "taken"), None)
    return () if first is None else (f"{first['order']}: it was filled, which the canary says that no order is",)


def canary(machines: Machines, seed: int, root: Path) -> Told:
    """Return how the canary died, its folder written in `root`.

    Raises:
        CanaryLives: it did not, or one step of the way was lost.
    """
    for at in range(seed, seed + CANARY_SEEDS):
        trial, _ = programmed(at, machines, filled)
        if trial.problems:
            break
    else:
        raise CanaryLives("it was looked for", f"no problem in {CANARY_SEEDS} sessions")
    found = {"engine": CANARY, "machine": "", "seed": at, "problem": trial.problems[0]}
    told = _told(found, 1, machines, root, filled)
    if told.why or told.events > CANARY_EVENTS_MAX:
        raise CanaryLives("it was shrunk", told.why or f"{told.events} events")
    again = replay(kept(root / told.folder), machines, filled).again
    if again is not Again.SAME:
        raise CanaryLives("it was replayed", again.value)
    return told


def digest(findings: Iterable[dict[str, Any]], machines: Machines, root: Path) -> Iterator[Told]:
    """Yield each kind of problem once, its folder or file written in `root`; of sessions the first ones are shrunk."""
    kinds: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for item in findings:
        kinds.setdefault((item["engine"], item["machine"], kind_of(str(item["problem"]))), []).append(item)
    for number, same in enumerate(kinds.values()):
        found = min(same, key=lambda item: int(item["seed"]))
        if found["engine"] == ENGINE and number < KINDS_MAX:
            yield _told(found, len(same), machines, root, problems)
        else:
            yield _kept_as_it_is(found, len(same), root)


def _told(found: dict[str, Any], times: int, machines: Machines, root: Path, judge: Judge) -> Told:
    """Shrink what was found in a session and put it into a folder; where that fails, say why and lose nothing."""
    engine, seed = str(found["engine"]), int(found["seed"])
    try:
        _, program = programmed(seed, machines, judge)
        small = shrink(program, lambda one: tried(one, machines, judge), EXECUTIONS_MAX)
        figures: dict[str, int | bool] = {"executions": small.executions, "complete": small.complete}
        folder = put(root, Finding(engine, seed, small.kind, small.program, figures), machines, judge)
    except (ShrinkError, FindingError) as error:
        return replace(_kept_as_it_is(found, times, root), why=str(error))
    facts = (small.trial.problems, folder.name, small.program.events, small.executions)
    return Told(engine, "", small.kind, seed, times, *facts)


def programmed(seed: int, machines: Machines, judge: Judge = problems) -> tuple[Trial, Program]:
    """Play the session of a seed; return what came of it, and the program that it was."""
    noted, made = recording(seeded_world(seed))
    with tempfile.TemporaryDirectory(prefix="peak-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        trial = tried_in(noted, machines, Path(folder) / "run", judge)
    return trial, made()


def _kept_as_it_is(found: dict[str, Any], times: int, root: Path) -> Told:
    """Write down what an engine said, in a file."""
    name = f"{found['engine']}-{found['machine'] or 'session'}-{found['seed']}.json"
    root.mkdir(parents=True, exist_ok=True)
    fresh = root / f".{name}"
    fresh.write_text(json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    fresh.replace(root / name)
    problem = str(found["problem"])
    steps = len(found.get("steps", ()))
    said = tuple(map(str, found.get("problems", (problem,))))
    return Told(found["engine"], found["machine"], kind_of(problem), int(found["seed"]), times, said, name, steps)
