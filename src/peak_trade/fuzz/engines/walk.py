"""The engine "walk": a walk over one machine that goes on from where it saw something new.

New is what was not seen before of (abstract value, event, outcome, truth of the guard's clauses), and a number that was
not in a variable before. The value to which something new led joins the frontier, with the steps to it. The next burst
of steps begins at a member from which few began, the newest first: every other time at one that the first step of its
kind led to (control state, event, outcome, truth of the clauses) or that has a new number, else at one in each control
state in turn. What steps is the compiled kernel. Every
CHECK_EVERY-th step, and the first of each kind, is done by python-statemachine and by `lang.step` too, and held against
the claims.

Limits: a job's count is in steps. A finding has the frontier's path to it, of taken steps only, less those that it does
not need; there may be a shorter one. The frontier has FRONTIER_MAX members, after which new things are counted and no
longer begun from.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, Final, NamedTuple, TypeAlias

from peak_trade.backends.clauses import compile_probe
from peak_trade.backends.kernel import Running
from peak_trade.fuzz.cover.goals import Step as Kind
from peak_trade.fuzz.engines.abstract import Abstract, regions, views
from peak_trade.fuzz.engines.check import Check, Offer, Problem, Subject, covered, finding, shortened
from peak_trade.fuzz.engines.dice import Dice, Payloads
from peak_trade.fuzz.jobs import Engine, Job, Result
from peak_trade.lang.machine import Machine
from peak_trade.lang.sorts import IntSort, MapSort, Sort
from peak_trade.lang.step import Broken, Outcome, Taken

ENGINE: Final = "walk"
CHECK_EVERY: Final = 64
"""Each step of this number is done by all three engines, as is the first of its kind."""
BURST_STEPS: Final = 12
"""How many steps are taken from a member of the frontier before another is chosen."""
STARTS: Final = 8
"""With how many initial values a walk begins where variables are free."""
FRONTIER_MAX: Final = 50_000
FINDINGS_MAX: Final = 20
TOLD_APART_MAX: Final = 16
"""Numbers up to this are new one by one, larger ones by their length in bits; but see RANGE_MAX."""
RANGE_MAX: Final = 256
"""Numbers of a sort that ends at or below this are all new one by one."""

Line: TypeAlias = list[tuple[int, int]]
"""Who waits for a burst: how many began from it in vain, and its place among the members, negative, as a heap."""

Find: TypeAlias = Callable[[str], Machine]
"""Gives the machine of a name."""


class Member(NamedTuple):
    """A member of the frontier: its value, the member it was come from, by which steps, how many from the start.

    `last` is the transition that led to it, empty for a start.
    """

    value: Running
    parent: int
    steps: tuple[Offer, ...]
    length: int
    last: str


@dataclass(slots=True)
class Spot:
    """What was done in values that look the same: how many events were offered in turn, and which were taken."""

    number: int
    offered: int = 0
    taken: list[str] = field(default_factory=list)


def walker(find: Find) -> Engine:
    """Return the engine: a job's option `machine` names its machine, which `find` gives."""
    return lambda job: walk(find(str(job.options["machine"])), job)


def walk(machine: Machine, job: Job) -> Result:
    """Return what `job.count` steps of `machine` with the job's seed showed."""
    return Walk(Subject.of(machine), job.seed).run(job.count).result(job)


class Walk:
    """One walk of one machine; the same subject and seed give the same walk."""

    def __init__(self, subject: Subject, seed: int) -> None:
        machine = subject.kernel.machine
        self.subject, self.kernel, self.dice = subject, subject.kernel, Dice(seed)
        self.payloads, self.check = Payloads(machine, self.dice), Check(subject)
        self.events = tuple(event.name for event in machine.events)
        self.probe, self.views = compile_probe(machine), views(subject.machine)
        self.scales = tuple(_scale(place, machine.variables[place - 1].sort) for place in self.payloads.places)
        self.members: list[Member] = []
        self.lines: dict[Abstract, Line] = {}
        self.first: Line = []
        self.regions = regions(subject.machine)
        self.turn = 0
        self.numbers: list[dict[Abstract, int]] = [{} for _ in self.views]
        self.spots: dict[tuple[int, ...], Spot] = {}
        self.counts: list[Counter[tuple[int, str, int, int]]] = [Counter() for _ in self.views]
        self.outcomes: dict[int, Outcome] = {}
        self.pairs: Counter[tuple[str, str]] = Counter()
        self.kinds: set[tuple[str, str, int, int]] = set()
        self.largest: set[tuple[str, int, int]] = set()
        self.findings: dict[tuple[str, ...], tuple[Problem, Running, tuple[Offer, ...]]] = {}
        self.steps = self.checks = 0
        for value in self._starts():
            self._join(Member(value, -1, (), 0, ""), first=True)

    def run(self, steps_max: int) -> "Walk":
        """Go on until `steps_max` steps were offered in all; return this walk."""
        while self.steps < steps_max:
            line = self._line()
            bursts, newest = heappop(line)
            before = len(self.members)
            self._burst(-newest, min(BURST_STEPS, steps_max - self.steps))
            heappush(line, (bursts + (len(self.members) == before), newest))
        return self

    def result(self, job: Job) -> Result:
        """Return what was seen so far."""
        kinds = self._kinds()
        figures = {
            "steps": self.steps,
            "taken": sum(count for kind, count in kinds.items() if isinstance(kind.outcome, Taken)),
            "new": len(self.members),
            "abstract": len(self.spots),
            "checks": self.checks,
        }
        seen = covered(self.probe, kinds, self.pairs, job.seed)
        findings = [{"engine": ENGINE, "seed": job.seed, **found} for found in self._told()]
        return Result(job=job, figures=figures, coverage=seen.plain(), findings=findings)

    def _told(self) -> list[dict[str, Any]]:
        """Return the findings as plain data, the shortest first."""
        found = []
        for _, (problem, start, offers) in sorted(self.findings.items()):
            short = shortened(self.check, problem, start, offers)
            found.append(finding(self.subject, problem, start, short))
        return sorted(found, key=lambda item: len(item["steps"]))

    def path(self, place: int) -> tuple[Running, tuple[Offer, ...]]:
        """Return the start of the member at `place`, and all steps from there to it."""
        parts = []
        while self.members[place].parent >= 0:
            parts.append(self.members[place].steps)
            place = self.members[place].parent
        return self.members[place].value, tuple(offer for steps in reversed(parts) for offer in steps)

    def _kinds(self) -> dict[Kind, int]:
        """Return how often each kind of step was seen, by the first view: all views see every step."""
        states = {number: str(seen[0]) for seen, number in self.numbers[0].items()}
        found: Counter[Kind] = Counter()
        for (number, event, outcome, bits), count in self.counts[0].items():
            found[Kind(states[number], event, self.outcomes[outcome], bits)] += count
        return found

    def _starts(self) -> Iterator[Running]:
        free = [(place, item.sort) for place, item in enumerate(self.kernel.machine.variables, 1) if item.free]
        for _ in range(STARTS if free else 1):
            value = list(self.kernel.initial)
            for place, sort in free:
                if not isinstance(sort, MapSort):
                    value[place] = self.payloads.scalar(sort, self.kernel.initial, [])
            yield tuple(value)

    def _join(self, member: Member, *, first: bool) -> None:
        """Put `member` in the line of its control state, and in that of the first."""
        if len(self.members) < FRONTIER_MAX:
            region = tuple(member.value[place] for place in self.regions)
            lines = [self.lines.setdefault(region, []), *([self.first] if first else [])]
            for line in lines:
                heappush(line, (0, -len(self.members)))
            self.members.append(member)

    def _line(self) -> Line:
        """Return the line whose turn it is: every other time that of the first, else the control states in turn."""
        self.turn += 1
        lines = list(self.lines.values())
        return self.first if self.turn % 2 else lines[self.turn // 2 % len(lines)]

    def _burst(self, place: int, steps_max: int) -> None:
        """Offer events from the member at `place` on; where they lead to something new, it joins the frontier."""
        step, draw, table = self.kernel.step, self.payloads.draw, self.probe.table
        member, done = self.members[place], list[Offer]()
        value, last = member.value, member.last
        seen, spot = self._look(value)
        for _ in range(steps_max):
            event = self._event(spot)
            packed = draw(event, value)
            outcome, after = step(value, event, packed)
            self.steps += 1
            bits = table[value[0]][event](value, packed)
            new, kind = self._count(seen, event, outcome, bits), (value[0], event, id(outcome), bits)
            first = kind not in self.kinds
            if first or self.steps % CHECK_EVERY == 0 or isinstance(outcome, Broken):
                self.kinds.add(kind)
                if first:
                    self.payloads.keep(event, packed)
                self._checked(place, (*done, (event, packed)), value)
            if isinstance(outcome, Taken):
                done.append((event, packed))
                self.pairs[last, outcome.transition] += 1
                value, last = after, outcome.transition
                if event not in spot.taken:
                    spot.taken.append(event)
                seen, spot = self._look(value)
                first = self._grown(value) or first
                if first or new:
                    self._join(Member(value, place, tuple(done), member.length + len(done), last), first=first)
            if not spot.taken and spot.offered == len(self.events):
                break  # nothing led on from what looks like this

    def _look(self, value: Running) -> tuple[tuple[int, ...], Spot]:
        """Return the numbers of what each view sees of `value`, and the spot of them all."""
        looks = zip(self.views, self.numbers, strict=True)
        seen = tuple(known.setdefault(view(value), len(known)) for view, known in looks)
        spot = self.spots.get(seen)
        if spot is None:
            spot = self.spots[seen] = Spot(self.dice.below(len(self.events)))
        return seen, spot

    def _event(self, spot: Spot) -> str:
        """Return an event that was not offered in `spot`; if there is none, every other time one that was taken."""
        if spot.offered < len(self.events):
            spot.offered += 1
            return self.events[(spot.number + spot.offered) % len(self.events)]
        if spot.taken and self.dice.below(2):
            return spot.taken[self.dice.below(len(spot.taken))]
        return self.events[self.dice.below(len(self.events))]

    def _count(self, seen: tuple[int, ...], event: str, outcome: Outcome, bits: int) -> bool:
        """Count what was seen by each view; return true iff some view had not seen it before."""
        self.outcomes[id(outcome)] = outcome  # kernels share outcomes, and keeping each keeps its id its own
        new = False
        for counts, number in zip(self.counts, seen, strict=True):
            key = number, event, id(outcome), bits
            times = counts[key]
            counts[key] = times + 1
            new = new or not times
        return new

    def _grown(self, value: Running) -> bool:
        """Return true iff a number in `value` was never as long in this control state."""
        new = False
        for place, apart in self.scales:
            number = value[place]
            key = value[0], place, number if 0 <= number <= apart else apart + int(number).bit_length()
            if key not in self.largest:
                self.largest.add(key)
                new = True
        return new

    def _checked(self, place: int, steps: tuple[Offer, ...], value: Running) -> None:
        """Do the last of `steps` from the member at `place` by all engines, and keep what is wrong with it."""
        self.checks += 1
        length = self.members[place].length + len(steps)
        for problem in self.check.problems(value, *steps[-1]):
            known = self.findings.get(problem.key)
            if len(known[2]) > length if known else len(self.findings) < FINDINGS_MAX:
                start, before = self.path(place)
                self.findings[problem.key] = problem, start, (*before, *steps)


def _scale(place: int, sort: Sort) -> tuple[int, int]:
    """Return up to which number those of the variable at `place` are told apart one by one."""
    most = sort.max if isinstance(sort, IntSort) else None
    return place, most if most is not None and most <= RANGE_MAX else TOLD_APART_MAX
