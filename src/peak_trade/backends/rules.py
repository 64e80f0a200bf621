"""A machine as Hypothesis rules: a system under test must do in every step what `lang.step` says.

One rule for each event, where the specification may take it, and one rule that offers all others, which must change
nothing. After each step the invariants, the claims about steps and the claims that an event is heard are judged, and
witnesses are counted.

Public: `rules`, `kernel_rules`, `system_rules`, `SpecRules` and its hooks; see docs/how-to/stateful.md.

Limits: claims that something follows in the end (`leads_to`) are not judged: no run of finite length refutes them. A
free map begins empty. What a run has not offered it says nothing about.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, TypeAlias, cast

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from peak_trade.backends.kernel import Running
from peak_trade.backends.offers import Offer, Offers, Taking
from peak_trade.backends.payloads import scalars
from peak_trade.backends.stateful import Stateful
from peak_trade.lang.compose import instance
from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.machine import Event, Heard, Machine, Step, Witness
from peak_trade.lang.sorts import Datum, MapSort, Scalar
from peak_trade.lang.step import Broken, Outcome, Payload, Stepper, Taken, Value, initial, misfit
from peak_trade.lang.system import System
from peak_trade.lang.trace import Link, Trace, text

BEGIN: Final = "begin"
"""What the first line of a program says, and each line at which it begins again."""

Observed: TypeAlias = tuple[str | None, Mapping[str, Datum]]
"""What a system under test shows: its state, or None, and as many of the context's variables as it likes."""


class SpecRules(Stateful):
    """The rules of one machine; subclass what `rules` returns, and say how to drive and see your system.

    `refuses`: what the specification does not take is offered too. `witnessed` counts, over all programs of a class,
    the steps that end where a witness wants to be, `taken` the transitions, `counts` what was `offered`.
    """

    machine: ClassVar[Machine]
    stepper: ClassVar[Stepper]
    known: ClassVar[Offers]
    refuses: ClassVar[bool] = True
    witnessed: ClassVar[Counter[str]]
    taken: ClassVar[Counter[str]]
    counts: ClassVar[Counter[str]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.witnessed, cls.taken, cls.counts = Counter(), Counter(), Counter()

    def __init__(self) -> None:
        super().__init__()
        self.value = initial(self.machine)
        self._runs: list[tuple[Value, list[Link]]] = []

    # the hooks: what is said here is that there is nothing to drive, and the specification is walked alone

    def start(self, value: Value) -> None:
        """Make the system under test afresh, in `value`."""

    def perform(self, event: str, payload: Payload) -> Outcome | None:
        """Offer the event to the system under test; return what it says came of it, or None if it does not say."""

    def observe(self) -> Observed:
        """Return what can be seen of the system under test; what is not there is not compared."""
        return None, {}

    def payload(self, event: Event) -> st.SearchStrategy[dict[str, Scalar]]:
        """Return what to draw an event's payload from now: one that some transition takes, or anything of its sorts."""
        taking = self.live().get(event.name)
        numbers = self.known.near(event, (self.value.state, *self.value.context))
        anything = st.fixed_dictionaries({item.name: scalars(item.sort, numbers) for item in event.payload})
        if not taking:
            return anything
        taken = st.sampled_from(tuple(taking.values())).flatmap(st.sampled_from)
        return taken.map(lambda packed: self.known.facts(event.name, packed)) | anything

    # the rules; those of the events are made by `rules`

    @initialize(
        free=st.runner().flatmap(lambda self: self.freely()),
        opening=st.runner().flatmap(lambda self: st.sampled_from(self.known.openings())),
    )
    def opened(self, free: dict[str, Scalar], opening: tuple[Offer, ...]) -> None:
        """Begin, and go straight to where some transition is."""
        self.begin(free)
        for offer in opening:
            self.offer(*offer)

    def begin(self, free: dict[str, Scalar]) -> None:
        """Begin with these values of what may start anyhow."""
        self.program.append((BEGIN, {"free": free}))
        first = initial(self.machine)
        pairs = zip(self.machine.variables, first.context, strict=True)
        self.value = Value(first.state, tuple(free.get(item.name, datum) for item, datum in pairs))
        self._runs.append((self.value, []))
        self.start(self.value)
        self._compare()
        self._count()

    def freely(self) -> st.SearchStrategy[dict[str, Scalar]]:
        """Return what to draw the values of free variables from."""
        free = {item.name: item.sort for item in self.machine.variables if item.free}
        return st.fixed_dictionaries(
            {name: scalars(sort) for name, sort in free.items() if not isinstance(sort, MapSort)}
        )

    def _is_over(self) -> bool:
        return not self.live()

    def _is_dull(self) -> bool:
        return self.refuses and len(self.live()) < len(self.machine.events)

    @precondition(_is_over)
    @rule(
        free=st.runner().flatmap(lambda self: self.freely()),
        opening=st.runner().flatmap(lambda self: st.sampled_from(self.known.openings())),
    )
    def again(self, free: dict[str, Scalar], opening: tuple[Offer, ...]) -> None:
        """Begin again where nothing can be taken any more."""
        self.opened(free, opening)

    @precondition(_is_dull)
    @rule(offer=st.runner().flatmap(lambda self: self.dull()))
    def refused(self, offer: Offer) -> None:
        """Offer what the specification refuses or ignores here."""
        self.offer(*offer)

    def dull(self) -> st.SearchStrategy[Offer]:
        """Return what to draw an offer from that is not taken here, or not likely."""
        events = [event for event in self.machine.events if event.name not in self.live()]
        return st.sampled_from(events).flatmap(lambda event: st.tuples(st.just(event.name), self.payload(event)))

    def do(self, name: str, facts: Mapping[str, Any]) -> None:
        """Do one line of a program: begin, or offer an event."""
        if name == BEGIN:
            self.begin(**facts)
        else:
            self.offer(name, dict(facts))

    def offer(self, event: str, payload: dict[str, Scalar]) -> None:
        """Offer one event to the system and to the specification, and judge what came of it.

        Raises:
            Differs: the system did something else, or a claim of the specification does not hold.
        """
        self.program.append((event, payload))
        self.counts["offered"] += 1
        before = self.value
        outcome, self.value = self.stepper.step(before, event, payload)
        self._runs[-1][1].append(Link(event, tuple(sorted(payload.items())), outcome, self.value))
        try:
            said = self.perform(event, payload)
        except Exception as error:
            error.add_note(str(self.differs(str(outcome), type(error).__name__)))
            raise
        if said is not None and said != outcome:
            raise self.differs(str(outcome), str(said))
        self._judge(before, outcome)
        self._compare()
        self._count()

    def told(self) -> str:
        """Return the program so far, with what the specification does in each step."""
        traces = (Trace(self.machine.name, first, tuple(links)) for first, links in self._runs)
        return "\n".join(text(self.machine, trace) for trace in traces)

    def live(self) -> Taking:
        """Return the events that may be taken here, each with the transitions that take it and likely payloads."""
        return self.known.live((self.value.state, *self.value.context))

    def _judge(self, before: Value, outcome: Outcome) -> None:
        """Raise unless the claims about the last step hold; `lang.step` itself judges the invariants."""
        link = self._runs[-1][1][-1]
        payload = dict(link.payload)
        moved = Env(self._named(before), payload, before.state, link.event, self._named(link.value), link.value.state)
        if isinstance(outcome, Broken):
            raise self.differs("every invariant kept", str(outcome))
        if isinstance(outcome, Taken):
            self.taken[outcome.transition] += 1
            for claim in self.machine.properties:
                if isinstance(claim, Step) and not evaluate(claim.holds, moved):
                    raise self.differs(f"{claim.name}: {claim.says}", f"{outcome} to {link.value.state}")
        elif misfit(self.machine.event(link.event), payload) is None:
            for claim in self.machine.properties:
                if isinstance(claim, Heard) and claim.event == link.event and evaluate(claim.when, moved):
                    raise self.differs(f"{claim.name}: {claim.says}", str(outcome))

    def _compare(self) -> None:
        """Raise unless the system under test shows what the specification has."""
        state, context = self.observe()
        if state is not None and state != self.value.state:
            raise self.differs(f"state {self.value.state}", state)
        mine = self._named(self.value)
        for name in sorted(context):
            shown, wanted = context[name], mine.get(name)
            if shown != wanted or type(shown) is not type(wanted):
                seen = Value(self.value.state, tuple(({**mine, **context})[item] for item in mine))
                broken = self.stepper.broken(seen)
                raise self.differs(f"{name} = {wanted!r}", f"{shown!r}{f', which breaks {broken}' if broken else ''}")

    def _count(self) -> None:
        here = Env(self._named(self.value), state=self.value.state)
        names = {link.event for link in self._runs[-1][1]}
        for claim in self.machine.properties:
            if isinstance(claim, Witness) and (not claim.by or names <= set(claim.by)):
                self.witnessed[claim.name] += bool(evaluate(claim.reach, here))

    def _named(self, value: Value) -> dict[str, Datum]:
        return {item.name: datum for item, datum in zip(self.machine.variables, value.context, strict=True)}


class KernelRules(SpecRules):
    """The rules with the compiled kernel as the system under test."""

    def start(self, value: Value) -> None:
        """Load the value."""
        self.running: Running = (value.state, *value.context)

    def perform(self, event: str, payload: Payload) -> Outcome:
        """Let the kernel step."""
        kernel, names = self.known.kernel, self.known.names
        outcome, self.running = kernel.offer(self.running, names.events.get(event, event), names.payload(payload))
        return names.outcome(outcome)

    def observe(self) -> Observed:
        """Return all of it."""
        state, *context = self.running
        return state, {item.name: datum for item, datum in zip(self.machine.variables, context, strict=True)}


def rules(machine: Machine) -> type[SpecRules]:
    """Return the rules of `machine`; subclass it, and say in `start`, `perform` and `observe` what it shall drive."""
    return _made(machine, SpecRules)


def kernel_rules(machine: Machine) -> type[KernelRules]:
    """Return the rules of `machine` that drive its compiled kernel."""
    return cast("type[KernelRules]", _made(machine, KernelRules))


def system_rules(system: System, count: int) -> type[SpecRules]:
    """Return the rules of `system` with `count` of the many side by side, as `lang.compose.instance` has them."""
    return rules(instance(system, count))


def _made(machine: Machine, base: type[SpecRules]) -> type[SpecRules]:
    members: dict[str, Any] = {"machine": machine, "stepper": Stepper.of(machine), "known": Offers.of(machine)}
    for event in machine.events:
        name = f"on_{re.sub(r'[^0-9A-Za-z]+', '_', event.name).strip('_')}"
        members[name if name not in members else f"{name}_{len(members)}"] = _rule(event, name)
    words = re.split(r"[^0-9A-Za-z]+", machine.name)
    members |= {"__doc__": machine.summary, "__module__": __name__}
    return type(f"{''.join(map(str.capitalize, words))}Rules", (base,), members)


def _rule(event: Event, name: str) -> Callable[..., None]:
    """Return the rule that offers `event` where it may be taken."""

    def offered(self: SpecRules) -> bool:
        return event.name in self.live()

    def offer(self: SpecRules, payload: dict[str, Scalar]) -> None:
        self.offer(event.name, payload)

    offer.__name__, offer.__qualname__, offer.__doc__ = name, name, event.doc
    drawn = st.runner().flatmap(lambda self: self.payload(event)) if event.payload else st.just({})
    return precondition(offered)(rule(payload=drawn)(offer))
