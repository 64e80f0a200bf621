"""One step done by all three engines, and held against the claims about steps; and what many steps cover."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

from peak_trade.backends.clauses import Probe
from peak_trade.backends.kernel import IllSorted, Kernel, Packed, Running, Unnameable, compile_kernel
from peak_trade.backends.mangle import Names, mangled
from peak_trade.backends.statemachine import Driver, EnginesDisagree
from peak_trade.fuzz.cover.coverage import Coverage
from peak_trade.fuzz.cover.goals import Step as Kind
from peak_trade.fuzz.cover.goals import begun, followed, met
from peak_trade.fuzz.engines.abstract import judged
from peak_trade.lang.machine import Machine
from peak_trade.lang.step import Broken, Payload, Stepper, Taken
from peak_trade.lang.trace import plain, replay

SUBJECTS_MAX: Final = 8

Offer: TypeAlias = tuple[str, Packed]
"""An event and its payload in declared order."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A machine and its kernel, which may call variables, events and fields otherwise: `names`, or None iff not.

    Only the kernel's names are used while stepping; `offered` gives the machine's own.
    """

    machine: Machine
    kernel: Kernel
    names: Names | None

    @classmethod
    def of(cls, machine: Machine) -> "Subject":
        """Return the subject of `machine`; equal machines share one."""
        return _subject(machine)

    def offered(self, offer: Offer) -> tuple[str, Payload]:
        """Return an offer by the machine's own names."""
        event = self.machine.events[_places(self.kernel.machine)[offer[0]]]
        return event.name, {item.name: scalar for item, scalar in zip(event.payload, offer[1], strict=True)}


@lru_cache(maxsize=SUBJECTS_MAX)
def _subject(machine: Machine) -> Subject:
    try:
        return Subject(machine, compile_kernel(machine), None)
    except Unnameable:
        names = Names.of(machine)
        return Subject(machine, compile_kernel(mangled(machine, names)), names)


@lru_cache(maxsize=SUBJECTS_MAX)
def _places(machine: Machine) -> Mapping[str, int]:
    return {event.name: place for place, event in enumerate(machine.events)}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in a step: `key` tells problems apart, `text` says what was expected and what was there."""

    key: tuple[str, ...]
    text: str


class Check:
    """Does single steps of a subject again, by python-statemachine and by `lang.step`."""

    def __init__(self, subject: Subject) -> None:
        self.subject, self.stepper = subject, Stepper.of(subject.machine)
        self.driver, self.claims = Driver(subject.kernel), judged(subject.machine)

    def problems(self, value: Running, event: str, packed: Packed) -> Iterator[Problem]:
        """Yield what is wrong with the kernel's step: another engine's differs, or a claim does not hold of it."""
        outcome, after = self.subject.kernel.step(value, event, packed)
        if isinstance(outcome, Broken):
            yield Problem(("invariant", outcome.property), f"expected {outcome.property} to hold, was a step out of it")
        yield from self._engines(value, event, packed)
        own, taken = self.subject.offered((event, packed))[0], isinstance(outcome, Taken)
        for claim in self.claims:
            if claim.heard == own and not taken and claim.holds(value, own, packed, after):
                yield Problem(("heard", claim.name), f"expected {claim.name}: {own} is taken, was {outcome}")
            if not claim.heard and taken and not claim.holds(value, own, packed, after):
                yield Problem(("step", claim.name, own), f"expected {claim.name} to hold, was a step without it")

    def _engines(self, value: Running, event: str, packed: Packed) -> Iterator[Problem]:
        kernel, names = self.subject.kernel, self.subject.names
        own, payload = self.subject.offered((event, packed))
        outcome, after = kernel.step(value, event, packed)
        was = outcome if names is None else names.outcome(outcome), kernel.dump(after)
        expected = self.stepper.step(kernel.dump(value), own, payload)
        if expected != was:
            yield Problem(("lang.step", own), f"expected {expected} by lang.step, was {was} by the kernel")
        try:
            self.driver.restore(kernel.dump(value))
            self.driver.send(event, packed)
        except EnginesDisagree as error:
            text = f"expected {error.expected} by the kernel, was {error.was} by python-statemachine"
            yield Problem(("statemachine", own), text)
        except IllSorted as error:
            yield Problem(("sorts", error.part), f"expected a value of the machine's sorts, was {error}")


def shortened(check: Check, problem: Problem, start: Running, offers: tuple[Offer, ...]) -> tuple[Offer, ...]:
    """Return `offers` without those that the problem of the last of them does not need: many at once, then one by one.

    None of what is left can be left out alone. What is not taken on the way changes nothing, and is left out.
    """

    def shows(run: tuple[Offer, ...]) -> bool:
        value = start
        for event, packed in run[:-1]:
            value = check.subject.kernel.step(value, event, packed)[1]
        return any(found.key == problem.key for found in check.problems(value, *run[-1]))

    size, whole = len(offers) // 2, True
    while size:
        place, whole = 0, True
        while place < len(offers) - 1:
            rest = (*offers[:place], *offers[min(place + size, len(offers) - 1) :])
            if shows(rest):
                offers, whole = rest, False
            else:
                place += size
        size = size // 2 if size > 1 or whole else 1
    return offers


def finding(subject: Subject, problem: Problem, start: Running, offers: tuple[Offer, ...]) -> dict[str, Any]:
    """Return `problem` as plain data with the run to it, as `lang.step` does that run."""
    events = tuple(subject.offered(offer) for offer in offers)
    trace = replay(subject.machine, subject.kernel.dump(start), events)
    return {"problem": problem.text, "about": list(problem.key), **plain(subject.machine, trace)}


def covered(probe: Probe, kinds: Mapping[Kind, int], pairs: Mapping[tuple[str, str], int], seed: int) -> Coverage:
    """Return the coverage of steps: how many there were of each kind, and of each two taken one after the other.

    A pair without a first is none.
    """
    found = Coverage()
    found.hit(begun(probe.machine), seed)
    for kind, count in kinds.items():
        for goal in met(probe, kind):
            found.hit(goal, seed, count)
    for (one, other), count in pairs.items():
        if one:
            found.hit(followed(probe.machine, one, other), seed, count)
    return found
