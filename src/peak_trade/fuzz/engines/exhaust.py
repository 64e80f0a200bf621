"""The engine "exhaustive": every value that a machine reaches within bounds, and in each of them every offer.

The values are the explorer's (`proof.explore`), by steps that keep every declared invariant. In each, each event is
offered with each payload within the bounds to the compiled kernel: what it takes must be what the explorer lists, and
every step that is taken, and the first of each kind that is not, is done by python-statemachine and by `lang.step` too.
Nothing is drawn, so the seed says nothing.

Limits: a job's count is how many values are looked at most, OFFERS_MAX how many offers in all; about half a
millisecond for each step taken. The option `int_max` bounds numbers that have no end, and `bounds` those it names. The
figure `exhausted` is 1 iff nothing was left out, and then what was not seen cannot be reached; at 0 the job is
inconclusive, and what it has seen counts.
"""

from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any, Final

from peak_trade.backends.clauses import Probe, compile_probe
from peak_trade.backends.domains import Bounds
from peak_trade.backends.kernel import Running
from peak_trade.fuzz.cover.goals import Step as Kind
from peak_trade.fuzz.engines.check import Check, Offer, Problem, Subject, covered, finding
from peak_trade.fuzz.engines.walk import FINDINGS_MAX, Find
from peak_trade.fuzz.jobs import Engine, Job, Result
from peak_trade.lang.machine import Always, Machine
from peak_trade.lang.step import Taken
from peak_trade.proof.explore import Graph, explore
from peak_trade.proof.solve import GaveUp

ENGINE: Final = "exhaustive"
OFFERS_MAX: Final = 2_000_000
"""How many offers are made in all values together, before the rest is left out."""
INT_MAX: Final = 2
"""How far numbers without an end are tried, unless a job says otherwise."""


def exhauster(find: Find) -> Engine:
    """Return the engine: a job's option `machine` names its machine, which `find` gives."""
    return lambda job: exhaust(find(str(job.options["machine"])), job)


def exhaust(machine: Machine, job: Job) -> Result:
    """Return what all offers in at most `job.count` values of `machine` showed."""
    subject = Subject.of(machine)
    kept = (claim for claim in subject.kernel.machine.properties if isinstance(claim, Always))
    graph = explore(subject.kernel.machine, job.count, _bounds(job), kept)
    if isinstance(graph, GaveUp):
        return Result(job=job, figures={"values": 0, "exhausted": 0, "gave_up": 1})
    return Survey(subject, graph).run().result(job)


def _bounds(job: Job) -> Bounds:
    """Return the bounds that a job names: `int_max`, a number, and `bounds`, the largest number tried by name."""
    named = job.options.get("bounds", {})
    assert isinstance(named, dict), f"expected bounds by name, was {named!r}"
    most = {name: (None, int(str(end))) for name, end in named.items()}
    return Bounds(most, int(str(job.options.get("int_max", INT_MAX))))


class Survey:
    """All offers in all values of one graph."""

    def __init__(self, subject: Subject, graph: Graph) -> None:
        self.subject, self.graph, self.check = subject, graph, Check(subject)
        self.probe: Probe = compile_probe(subject.kernel.machine)
        self.offers = tuple(_offers(graph))
        self.kinds: Counter[Kind] = Counter()
        self.into: dict[Running, set[str]] = {}
        self.pairs: Counter[tuple[str, str]] = Counter()
        self.findings: dict[tuple[str, ...], dict[str, Any]] = {}
        self.values = self.taken = 0

    def run(self) -> "Survey":
        """Look at as many values as the limit on offers admits; return this survey."""
        self.values = min(len(self.graph.values), OFFERS_MAX // max(1, len(self.offers)))
        steps = [self._look(place) for place in range(self.values)]
        for value, out in zip(self.graph.values, steps, strict=False):
            self.pairs.update(product(sorted(self.into.get(value, ())), sorted(out)))
        return self

    def result(self, job: Job) -> Result:
        """Return what was seen."""
        figures = {
            "values": self.values,
            "values_found": len(self.graph.values),
            "offers": self.values * len(self.offers),
            "taken": self.taken,
            "depth": self.graph.depth,
            "exhausted": int(self.graph.complete and self.values == len(self.graph.values)),
            "gave_up": 0,
        }
        seen = covered(self.probe, self.kinds, self.pairs, job.seed)
        findings = [{"engine": ENGINE, "seed": job.seed, **found} for _, found in sorted(self.findings.items())]
        return Result(job=job, figures=figures, coverage=seen.plain(), findings=findings)

    def _look(self, place: int) -> set[str]:
        """Make every offer in the value at `place`; return the transitions that were taken."""
        kernel, value, out = self.subject.kernel, self.graph.values[place], set[str]()
        listed = {(event, payload): after for event, payload, after in self.graph.arrows(place)}
        for number, name, packed in self.offers:
            outcome, after = kernel.step(value, name, packed)
            kind = Kind(str(value[0]), name, outcome, self.probe.bits(value, name, packed))
            taken = isinstance(outcome, Taken)
            if taken or kind not in self.kinds:
                self._told(place, (name, packed), self.check.problems(value, name, packed))
            self.kinds[kind] += 1
            if isinstance(outcome, Taken):
                self.taken += 1
                out.add(outcome.transition)
                self.into.setdefault(after, set()).add(outcome.transition)
                expected = listed.pop((number, packed), None)
                if expected != after and after in self.graph.index:
                    text = f"expected {expected} by the explorer, was {after} by the kernel"
                    self._told(place, (name, packed), iter((Problem(("explorer", name), text),)))
        for (number, packed), after in listed.items():
            name = self.graph.machine.events[number].name
            text = f"expected {after} by the explorer, was no step by the kernel"
            self._told(place, (name, packed), iter((Problem(("explorer", name), text),)))
        return out

    def _told(self, place: int, offer: Offer, problems: Iterator[Problem]) -> None:
        """Keep the first of each problem, with a shortest run to it: values are in the order of their distance."""
        for problem in problems:
            if problem.key not in self.findings and len(self.findings) < FINDINGS_MAX:
                path = self.graph.path(place)
                fields = {event.name: [one.name for one in event.payload] for event in self.graph.machine.events}
                before = tuple((event, tuple(payload[one] for one in fields[event])) for event, payload in path.offers)
                start = self.subject.kernel.load(path.values[0])
                self.findings[problem.key] = finding(self.subject, problem, start, (*before, offer))


def _offers(graph: Graph) -> Iterator[tuple[int, str, tuple[Any, ...]]]:
    for number, event in enumerate(graph.machine.events):
        for packed in product(*graph.tried.payloads[event.name]):
            yield number, event.name, packed
