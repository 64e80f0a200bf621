"""Three engines agree iff definition, kernel and python-statemachine give the same outcome and value for each event.

Events are random, right and wrong, from a seed; runs start at values reached before, so that deep states are met, and
one in STRAY_ONE_IN at a well-sorted value that perhaps nothing leads to, because the engines must agree there too. The
work is cut into shards of SHARD_EVENTS with seeds of their own: any number of processes gives the same result.

Limits: a path from the initial value has at most PATH_EVENTS_MAX steps; python-statemachine is not asked
about payloads that do not fit their event, which its driver refuses before it. That is counted.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any, TypeAlias

from peak_trade.backends.kernel import Kernel, compile_kernel
from peak_trade.backends.statemachine import Driver, EnginesDisagree
from peak_trade.lang.machine import Machine
from peak_trade.lang.step import (
    PAYLOAD_INVALID,
    UNKNOWN_EVENT,
    Broken,
    Ignored,
    Outcome,
    Refused,
    Stepper,
    Taken,
    Value,
    initial,
)
from peak_trade.lang.trace import Trace, replay
from peak_trade.proof.lockstep.draw import Dealer, Drawn, Pool, stray

SHARD_EVENTS = 20_000
STRAY_ONE_IN = 5
PATH_EVENTS_MAX = 250
STUCK_EVENTS_MAX = 8
"""A run that has not moved for so many events starts again elsewhere."""

DONE_EVENTS = 3
"""The same, in a state that nothing leads out of."""

Said: TypeAlias = tuple[Outcome | None, Value]


@dataclass(frozen=True, slots=True)
class Disagreement:
    """The first event on which the engines differ; `trace` leads through it, as defined, from the run's start."""

    shard: int
    trace: Trace
    said: tuple[tuple[str, Said], ...]


@dataclass(slots=True)
class Agreement:
    """What a campaign did: how often each outcome came, what was met, and the first disagreement, if any.

    `astray` counts the events of runs from values that perhaps nothing leads to; only there may a proved machine be
    `broken`.
    """

    machine: str
    seed: int
    events: int = 0
    asked_statemachine: int = 0
    astray: int = 0
    taken: int = 0
    ignored: int = 0
    broken: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    transitions: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    first: Disagreement | None = None

    def add(self, other: "Agreement") -> None:
        """Add the counts of a later shard; the earlier disagreement stays the first."""
        self.events += other.events
        self.asked_statemachine += other.asked_statemachine
        self.astray += other.astray
        self.taken += other.taken
        self.ignored += other.ignored
        self.broken += other.broken
        self.refused += other.refused
        self.transitions += other.transitions
        self.states += other.states
        self.first = self.first or other.first

    def count(self, outcome: Outcome, after: Value) -> None:
        """Count one event and the state after it."""
        self.events += 1
        self.states[after.state] += 1
        match outcome:
            case Taken(transition):
                self.taken += 1
                self.transitions[transition] += 1
            case Ignored():
                self.ignored += 1
            case Refused(reason):
                self.refused[reason] += 1
            case Broken():
                self.broken += 1
        if not (isinstance(outcome, Refused) and outcome.reason in (PAYLOAD_INVALID, UNKNOWN_EVENT)):
            self.asked_statemachine += 1


def agree(
    machine: Machine,
    events: int,
    seed: int,
    progress: Callable[[int], None] = lambda done: None,  # noqa: ARG005 - nobody listens
    executor: Executor | None = None,
) -> Agreement:
    """Return how the three engines compare over `events` random events; the same for any executor or none.

    `progress` is told how many events are done after each shard. Stops after the first shard that disagrees.
    """
    sizes = [SHARD_EVENTS] * (events // SHARD_EVENTS) + ([events % SHARD_EVENTS] if events % SHARD_EVENTS else [])
    run = partial(shard, machine, seed)
    numbered = range(len(sizes))
    results: Iterable[Agreement] = map(run, numbered, sizes) if executor is None else executor.map(run, numbered, sizes)
    total = Agreement(machine.name, seed)
    for result in results:
        total.add(result)
        progress(total.events)
        if total.first is not None:
            break
    return total


def shard(machine: Machine, seed: int, number: int, events: int) -> Agreement:
    """Return how the engines compare over the events of one shard, which depend on `seed` and `number` only."""
    rng = Random(f"{seed}/{number}")  # noqa: S311 - reproducible on purpose; nothing secret depends on it
    return compare(machine, compile_kernel(machine), rng, (number, seed, events))


def compare(machine: Machine, kernel: Kernel, rng: Random, plan: tuple[int, int, int]) -> Agreement:
    """Return how `kernel` and its python-statemachine class compare with the definition of `machine`.

    `plan` is the shard's number, the seed to report, and how many events there are.
    """
    number, seed, events = plan
    found = Agreement(machine.name, seed)
    lock, dealer, pool = _LockStep(machine, kernel), Dealer.of(machine), Pool(machine)
    while found.events < events and found.first is None:
        (value, path), start = pool.draw(rng, found.states), initial(machine)
        astray = rng.randrange(STRAY_ONE_IN) == 0
        if astray:
            value, path = stray(rng, machine, value), ()
            start = value
        lock.restart(value)
        stuck = 0
        while found.events < events and stuck < (STUCK_EVENTS_MAX if dealer.moving[lock.value.state] else DONE_EVENTS):
            offer = dealer.deal(rng, lock.value)
            outcome, after = lock.defined(*offer)
            said = (("definition", (outcome, after)), *lock.derived(*offer))
            lock.value = after
            found.count(outcome, after)
            found.astray += astray
            if any(other != (outcome, after) for _, other in said):
                found.first = Disagreement(number, replay(machine, start, (*path, offer)), said)
                break
            stuck = 0 if isinstance(outcome, Taken) else stuck + 1
            if isinstance(outcome, Taken):
                path = (*path, offer)
                if len(path) >= PATH_EVENTS_MAX:
                    break
                if not astray:
                    pool.add(after, path)
    return found


class _LockStep:
    """The three engines at one value."""

    def __init__(self, machine: Machine, kernel: Kernel) -> None:
        self.stepper, self.kernel = Stepper.of(machine), kernel
        self.driver = Driver(kernel)
        self.value = initial(machine)

    def restart(self, value: Value) -> None:
        """Put all engines at `value`."""
        self.value = value
        self.driver.restore(value)

    def defined(self, event: str, payload: Drawn) -> tuple[Outcome, Value]:
        """Return what the definition says."""
        return self.stepper.step(self.value, event, payload)

    def derived(self, event: str, payload: Drawn) -> tuple[tuple[str, Said], ...]:
        """Return what the engines say; an engine's outcome is None if it found no transition."""
        outcome, after = self.kernel.offer(self.kernel.load(self.value), event, payload)
        try:
            library: Said = (self.driver.fire(event, payload), self.kernel.dump(self.driver.value))
        except EnginesDisagree as broken:
            library = (broken.was[0], self.kernel.dump(broken.was[1]))
        return ("kernel", (outcome, self.kernel.dump(after))), ("python-statemachine", library)


def plain(found: Agreement) -> dict[str, Any]:
    """Return the counts as plain data, keys sorted; the disagreement as its trace's length and what was said."""
    first = None
    if found.first is not None:
        said = {engine: f"{outcome} {value}" for engine, (outcome, value) in found.first.said}
        first = {"shard": found.first.shard, "steps": len(found.first.trace.links), "said": said}
    counts = {name: dict(sorted(getattr(found, name).items())) for name in ("refused", "transitions", "states")}
    names = ("machine", "seed", "events", "asked_statemachine", "astray", "taken", "ignored", "broken")
    return {name: getattr(found, name) for name in names} | counts | {"first": first}
