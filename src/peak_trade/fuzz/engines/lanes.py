"""The engine "lanes": LANES copies of one machine walk side by side, as columns; `abreast` says what they are offered.

Every SAMPLE_EVERY-th lane is done by `lang.step` too, step by step, and compared. A broken invariant on any lane is
walked to again, and told with the steps to it.

Limits: a job's count is in steps of LANES lanes. No maps (`vector.Unfit`). Of each broken invariant the first lane is
told. Steps that took nothing are left out of what is told.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

import numpy as np

from peak_trade.backends.arrays import Arrays, Column, compile_arrays
from peak_trade.fuzz.cover.coverage import Coverage, Goal
from peak_trade.fuzz.engines.abreast import Walk
from peak_trade.fuzz.jobs import Engine, Job, Result
from peak_trade.lang.machine import Machine
from peak_trade.lang.step import Broken, Ignored, Payload, Refused, Stepper, Taken, Value
from peak_trade.lang.trace import plain, replay

ENGINE: Final = "lanes"
LANES: Final = 131_072
SAMPLE_EVERY: Final = 16_384
"""Each lane of this number is compared with the definition at every step."""

Find: TypeAlias = Callable[[str], Machine]
"""Gives the machine of a name."""


def laner(find: Find) -> Engine:
    """Return the engine: a job's option `machine` names its machine, which `find` gives."""
    return lambda job: lanes(find(str(job.options["machine"])), job)


def lanes(machine: Machine, job: Job, width: int = LANES) -> Result:
    """Return what `job.count` steps of `width` lanes of `machine` with the job's seed showed.

    Raises:
        Unfit: the machine has a map, or numbers beyond 64 bits.
    """
    return explore(compile_arrays(machine), job, width)


def explore(arrays: Arrays, job: Job, width: int) -> Result:
    """Return what `job.count` steps of `width` lanes showed."""
    walk = Walk(arrays, job.seed, width)
    sample = Sample(walk, range(job.seed % SAMPLE_EVERY % width, width, SAMPLE_EVERY))
    seen = Seen(arrays, width)
    for number in range(job.count):
        begun, events = walk.draw()
        sample.begin(begun)
        codes = walk.move(events)
        sample.follow(events, codes)
        seen.add(number, begun, walk.lanes.state, codes)
    told = sample.findings
    if seen.broken:
        told = [*told, *_again(Walk(arrays, job.seed, width), seen.broken)]
    return Result(
        job=job,
        figures=seen.figures() | {"checks": sample.checks},
        coverage=seen.coverage(job.seed).plain(),
        findings=[{"seed": job.seed, **found} for found in told],
    )


class Sample:
    """The lanes that `lang.step` does too. A lane that differs is told once and followed no more."""

    def __init__(self, walk: Walk, followed: Iterable[int]) -> None:
        self.walk, self.machine = walk, walk.arrays.machine
        self.stepper = Stepper.of(self.machine)
        self.starts: dict[int, Value] = {}
        self.values: dict[int, Value] = {}
        self.paths: dict[int, list[tuple[str, Payload]]] = {}
        self.offers: dict[int, tuple[str, Payload]] = {}
        self.followed = np.array(list(followed), np.int64)
        self.findings: list[dict[str, Any]] = []
        self.checks = 0

    def begin(self, begun: Column) -> None:
        """Forget the path of each followed lane that has started anew."""
        anew = np.zeros(self.walk.width, np.bool_)
        anew[begun] = True
        for lane in self.followed[anew[self.followed]].tolist():
            self.starts[lane] = self.values[lane] = self.walk.arrays.value(self.walk.lanes, lane)
            self.paths[lane] = []

    def follow(self, events: Column, codes: Column) -> None:
        """Do by definition what each followed lane has done, and compare."""
        arrays = self.walk.arrays
        for lane in self.followed.tolist():
            self.offers[lane] = event, payload = arrays.offer(events, self.walk.payload, lane)
            outcome, value = self.stepper.step(self.values[lane], event, payload)
            was = arrays.outcomes[codes[lane]], arrays.value(self.walk.lanes, lane)
            self.checks += 1
            if was != (outcome, value):
                problem = f"expected {outcome} and {value} by definition, was {was[0]} and {was[1]} in columns"
                self.findings.append(self.finding(lane, ("lanes", event), problem))
                self.followed = self.followed[self.followed != lane]
            if isinstance(outcome, Taken):
                self.paths[lane].append(self.offers[lane])
            self.values[lane] = value

    def finding(self, lane: int, about: tuple[str, ...], problem: str) -> dict[str, Any]:
        """Return what is told of a lane: the steps that it took since it started, and its last offer."""
        events = (*self.paths[lane], self.offers[lane])
        steps = plain(self.machine, replay(self.machine, self.starts[lane], events))
        return {"problem": problem, "about": list(about), "lane": lane, **steps}


class Seen:
    """Counts what the lanes did."""

    def __init__(self, arrays: Arrays, width: int) -> None:
        self.arrays, self.machine, self.width = arrays, arrays.machine, width
        places = {row.name: place for place, row in enumerate(self.machine.transitions, 1)}
        taken = [places[one.transition] if isinstance(one, Taken) else 0 for one in arrays.outcomes]
        self.taken = np.array(taken, np.int32)
        self.breaks = [code for code, one in enumerate(arrays.outcomes) if isinstance(one, Broken)]
        self.rows = len(places) + 1
        self.last = np.zeros(width, np.int32)
        self.outcomes = np.zeros(len(arrays.outcomes), np.int64)
        self.states = np.zeros(len(self.machine.states), np.int64)
        self.pairs = np.zeros(self.rows**2, np.int64)
        self.steps = self.starts = 0
        self.broken: dict[int, tuple[int, int]] = {}
        """By the code of what is broken, the first step and lane with it."""

    def add(self, number: int, begun: Column, states: Column, codes: Column) -> None:
        """Count one step: which lanes started anew before it, the states after it, the outcomes."""
        counts = np.bincount(codes, minlength=len(self.outcomes))
        self.outcomes += counts
        self.last[begun] = 0
        taken = self.taken.take(codes)
        moved = np.flatnonzero(taken)
        rows = taken.take(moved)
        self.pairs += np.bincount(self.last.take(moved) * self.rows + rows, minlength=len(self.pairs))
        self.last[moved] = rows
        self.states += np.bincount(states.take(moved), minlength=len(self.states))
        self.steps += 1
        self.starts += len(begun)
        for code in self.breaks:
            if counts[code] and code not in self.broken:
                self.broken[code] = number, int(np.flatnonzero(codes == code)[0])

    def figures(self) -> dict[str, int]:
        """Return the sums; `steps` is of all lanes together."""
        taken = int(self.outcomes[self.taken > 0].sum())
        broken = int(self.outcomes[self.breaks].sum())
        return {"steps": self.steps * self.width, "taken": taken, "starts": self.starts, "broken": broken}

    def coverage(self, seed: int) -> Coverage:
        """Return what was seen; a state each time a step led to it, the initial one each time a lane started."""
        found, name = Coverage(), self.machine.name
        found.hit(Goal("state", name, self.machine.initial.name), seed, self.starts)
        for state, count in zip(self.machine.states, self.states.tolist(), strict=True):
            found.hit(Goal("state", name, state.name), seed, count)
        for outcome, count in zip(self.arrays.outcomes, self.outcomes.tolist(), strict=True):
            if isinstance(outcome, Taken):
                found.hit(Goal("transition", name, outcome.transition), seed, count)
            elif isinstance(outcome, Refused | Ignored):
                found.hit(Goal("refusal", name, outcome.reason), seed, count)
        rows = ["", *(row.name for row in self.machine.transitions)]
        for place in np.flatnonzero(self.pairs).tolist():
            one, other = divmod(place, self.rows)
            if one:
                found.hit(Goal("pair", name, f"{rows[one]}>{rows[other]}"), seed, int(self.pairs[place]))
        return found


def _again(walk: Walk, broken: dict[int, tuple[int, int]]) -> list[dict[str, Any]]:
    """Walk again to each first lane that broke an invariant; return the findings, those of lanes that differ first."""
    sample, found = Sample(walk, sorted({lane for _, lane in broken.values()})), []
    for number in range(1 + max(step for step, _ in broken.values())):
        begun, events = walk.draw()
        sample.begin(begun)
        codes = walk.move(events)
        sample.follow(events, codes)
        for code, (step, lane) in broken.items():
            outcome = walk.arrays.outcomes[code]
            if step == number and lane in sample.followed and isinstance(outcome, Broken):
                claim = outcome.property
                found.append(sample.finding(lane, ("always", claim), f"expected {claim} to hold, was broken"))
    return [*sample.findings, *found]
