"""A recorded trace offered again to three engines: the definition, the kernel, python-statemachine.

An engine agrees iff at every step its outcome and value are the recorded ones. What the trace shows is judged on what
the definition did now, so a file that was tampered with shows nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from peak_trade.backends.kernel import IllSorted, compile_kernel
from peak_trade.backends.mangle import Names, mangled
from peak_trade.backends.statemachine import Driver, EnginesDisagree
from peak_trade.lang.machine import Machine
from peak_trade.lang.sorts import Scalar
from peak_trade.lang.step import PAYLOAD_INVALID, UNKNOWN_EVENT, Outcome, Refused, Stepper, Value, misfit
from peak_trade.lang.trace import Link, Trace
from peak_trade.proof.claim import Claim
from peak_trade.proof.recall.shown import guards, shows

DEFINITION, KERNEL, LIBRARY = "lang.step", "kernel", "python-statemachine"
ENGINES: Final = (DEFINITION, KERNEL, LIBRARY)


@dataclass(frozen=True, slots=True)
class Agrees:
    """The engine did what was recorded, at every one of so many steps."""

    engine: str
    steps: int


@dataclass(frozen=True, slots=True)
class Differs:
    """The engine did something else at the step `number`, 0 for the start; both as a reader writes them."""

    engine: str
    number: int
    expected: str
    was: str


@dataclass(frozen=True, slots=True)
class Rerun:
    """What the engines did, in the order of ENGINES, and whether the definition's own run shows what was told."""

    engines: tuple[Agrees | Differs, ...]
    shown: bool

    @property
    def passed(self) -> bool:
        """True iff every engine agrees and the trace shows what it is said to show."""
        return self.shown and all(isinstance(item, Agrees) for item in self.engines)


class Engine(Protocol):
    """Something that steps from the value at which it is, and stays there unless the step is taken."""

    def offer(self, event: str, payload: dict[str, Scalar]) -> tuple[Outcome | None, Value]:
        """Return what came of the event, None if the engine found no row for it, and the value after it."""
        ...


def rerun(machine: Machine, claim: Claim, verdict: str, trace: Trace) -> Rerun:
    """Return what the three engines make of `trace`, which tells of `claim` what `verdict` says."""
    filtered = replace(machine, properties=guards(machine, claim))
    engines = tuple(_compared(name, filtered, trace) for name in ENGINES)
    return Rerun(engines, shows(machine, claim, verdict, run(machine, claim, trace)))


def run(machine: Machine, claim: Claim, trace: Trace) -> Trace:
    """Return what the definition makes of the start and the offers of `trace`, which is about `claim`."""
    engine = _Definition(replace(machine, properties=guards(machine, claim)), trace.start)
    links = []
    for link in trace.links:
        outcome, value = engine.offer(link.event, dict(link.payload))
        links.append(Link(link.event, link.payload, outcome, value))
    return Trace(trace.machine, trace.start, tuple(links))


def _compared(name: str, machine: Machine, trace: Trace) -> Agrees | Differs:
    makers: dict[str, Callable[[Machine, Value], Engine]] = {
        DEFINITION: _Definition,
        KERNEL: _Kernel,
        LIBRARY: _Library,
    }
    try:
        engine = makers[name](machine, trace.start)
    except IllSorted as error:
        return Differs(name, 0, f"{error.part} {error.expected}", repr(error.was))
    for number, link in enumerate(trace.links, 1):
        outcome, value = engine.offer(link.event, dict(link.payload))
        if (outcome, value) != (link.outcome, link.value):
            return Differs(name, number, f"{link.outcome} {link.value}", f"{outcome} {value}")
    return Agrees(name, len(trace.links))


class _Definition:
    """`lang.step`."""

    def __init__(self, machine: Machine, start: Value) -> None:
        self.stepper, self.value = Stepper.of(machine), start

    def offer(self, event: str, payload: dict[str, Scalar]) -> tuple[Outcome, Value]:
        """See Engine."""
        outcome, self.value = self.stepper.step(self.value, event, payload)
        return outcome, self.value


class _Kernel:
    """The compiled step of the machine, under names that Python takes."""

    def __init__(self, machine: Machine, start: Value) -> None:
        self.machine, self.names = machine, Names.of(machine)
        self.kernel = compile_kernel(mangled(machine, self.names))
        self.running = self.kernel.load(start)

    def offer(self, event: str, payload: dict[str, Scalar]) -> tuple[Outcome, Value]:
        """See Engine."""
        strange = _strange(self.machine, event, payload)
        if strange is not None:
            return strange, self.kernel.dump(self.running)
        outcome, self.running = self.kernel.offer(self.running, self.names.events[event], self.names.payload(payload))
        return self.names.outcome(outcome), self.kernel.dump(self.running)


class _Library:
    """The python-statemachine class of the machine, held to no other engine: its own outcome is what counts."""

    def __init__(self, machine: Machine, start: Value) -> None:
        self.machine, self.names = machine, Names.of(machine)
        self.kernel = compile_kernel(mangled(machine, self.names))
        self.driver = Driver.at(self.kernel, start)

    def offer(self, event: str, payload: dict[str, Scalar]) -> tuple[Outcome | None, Value]:
        """See Engine; the driver refuses a payload that does not fit before it reaches the library."""
        strange = _strange(self.machine, event, payload)
        if strange is not None:
            return strange, self.kernel.dump(self.driver.value)
        try:
            outcome: Outcome | None = self.driver.fire(self.names.events[event], self.names.payload(payload))
        except EnginesDisagree as error:
            outcome = error.was[0]
        value = self.kernel.dump(self.driver.value)
        return None if outcome is None else self.names.outcome(outcome), value


def _strange(machine: Machine, event: str, payload: dict[str, Scalar]) -> Refused | None:
    """Return the refusal of an event or a field that the machine does not know, and so cannot be called otherwise."""
    known = {item.name: item for item in machine.events}.get(event)
    if known is None:
        return Refused(UNKNOWN_EVENT, event)
    if set(payload) == {item.name for item in known.payload}:
        return None
    return Refused(PAYLOAD_INVALID, misfit(known, payload) or "")
