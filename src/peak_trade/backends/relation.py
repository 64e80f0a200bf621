"""A machine as formulas: its value before a step, the event offered, its transitions, and its value after.

All formulas are over the constants `before`, `offer` and `after` of one encoding; an engine renames them for other
moments. A transition's updates are terms over `before` and `offer`, so that a question about the value after a step
needs no constants for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import cast

import z3

from peak_trade.backends.smt import Term, World, term
from peak_trade.lang.cells import enabled
from peak_trade.lang.expr import Expr, Scope, Var
from peak_trade.lang.machine import Machine, Mirror, Transition, Update
from peak_trade.lang.sorts import EnumSort
from peak_trade.lang.step import Payload, Value, initial, written_sort


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A machine's value at one moment, as terms."""

    state: Term
    context: Mapping[str, Term]

    def terms(self) -> tuple[Term, ...]:
        """Return the terms, the control state first, the context in declared order."""
        return (self.state, *self.context.values())


@dataclass(frozen=True, slots=True, eq=False)
class Offer:
    """The event offered at one moment, and the payload that each event would have, as constants."""

    event: Term
    payloads: Mapping[str, Mapping[str, Term]]

    def terms(self) -> tuple[Term, ...]:
        """Return the constants in declared order."""
        return (self.event, *(constant for fields in self.payloads.values() for constant in fields.values()))


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """One transition: when it is chosen and unlocked, whether the new values keep their sorts, and the value after."""

    transition: str
    event: str
    guard: Term
    fits: Term
    after: Frame


@dataclass(frozen=True, slots=True, eq=False)
class Encoding:
    """One machine in one Z3 context of its own."""

    machine: Machine
    world: World
    states: EnumSort
    events: EnumSort
    before: Frame
    offer: Offer
    after: Frame
    moves: tuple[Move, ...]

    @classmethod
    def of(cls, machine: Machine) -> "Encoding":
        """Return the encoding of `machine`, whose cells are each decided by one row (`proof.decide`)."""
        states = EnumSort("State", tuple(state.name for state in machine.states))
        events = EnumSort("Event", tuple(event.name for event in machine.events))
        world = World.of((states, events, *machine.enums))
        plan = cls(machine, world, states, events, *_constants(machine, world, "0"), _frame(machine, world, "1"), ())
        moves = tuple(plan._move(item) for item in machine.transitions)
        return cls(machine, world, states, events, plan.before, plan.offer, plan.after, moves)

    def only(self, events: tuple[str, ...]) -> "Encoding":
        """Return the encoding in which only `events` happen, each of all who have it; with none named, this one."""
        if not events:
            return self
        return replace(self, moves=tuple(move for move in self.moves if move.event.partition("[")[0] in events))

    def constants(self, moment: int) -> tuple[Frame, Offer]:
        """Return the constants of the value and the offer at `moment`: 0 is `before` and `offer`, 1 is `after`."""
        return _constants(self.machine, self.world, str(moment))

    def holds(self, expr: Expr, after: Frame | None = None) -> Term:
        """Return `expr` over `before` and the offered event; names of the value after the step are those of `after`.

        Payload fields have no meaning here; guards and updates are in `moves`.
        """
        return term(self.world, expr, lambda var: self._named(var, {}, after or self.after))

    def given(self, expr: Expr, event: str) -> Term:
        """Return `expr` over `before` and the payload of `event`; whether it is the one offered is `is_event`."""
        return term(self.world, expr, lambda var: self._named(var, self.offer.payloads[event], self.before))

    def at(self, expr: Expr, frame: Frame) -> Term:
        """Return the state expression `expr` over `frame`."""
        return term(self.world, expr, lambda var: _in(frame, var))

    def hypothesis(self, expr: Expr) -> Term:
        """Return the term that is true iff the state expression `expr` holds of `before`, and of whoever else acts.

        That is what an engine may assume of `before` and `offer` when `expr` is an invariant.
        """
        return self.world.every(
            (self.at(expr, self.before), *(self._of_other(expr, item) for item in self.machine.mirrors))
        )

    def _of_other(self, expr: Expr, mirror: Mirror) -> Term:
        fields = self.offer.payloads[mirror.event]
        theirs = {name: fields[field] for name, field in mirror.fields}
        other = Frame(self.before.state, {**self.before.context, **theirs})
        acts = self.offer.event == self.world.literal(mirror.event, self.events)
        return z3.Implies(acts, self.at(expr, other), self.world.context)

    def initial(self) -> Term:
        """Return the term that is true iff `before` is an initial value of the machine: free variables have any."""
        start = initial(self.machine)
        pairs = zip(self.machine.variables, start.context, strict=True)
        parts = (
            self.world.inside(self.before.context[item.name], item.sort)
            if item.free
            else self.before.context[item.name] == self.world.literal(scalar, item.sort)
            for item, scalar in pairs
        )
        return self.world.every((self.before.state == self.world.literal(start.state, self.states), *parts))

    def is_value(self, value: Value) -> Term:
        """Return the term that is true iff `before` is `value`."""
        pairs = zip(self.machine.variables, value.context, strict=True)
        parts = [self.before.context[item.name] == self.world.literal(scalar, item.sort) for item, scalar in pairs]
        return self.world.every([self.before.state == self.world.literal(value.state, self.states), *parts])

    def sorts(self, frame: Frame) -> Term:
        """Return the term that is true iff every value of `frame` lies within its declared bounds."""
        return self.world.every(
            self.world.inside(frame.context[item.name], item.sort) for item in self.machine.variables
        )

    def relation(self) -> Term:
        """Return the term that is true iff a step is taken from `before` with `offer` to `after`."""
        return self.world.some(
            self.world.every((move.guard, move.fits, self.same(move.after, self.after))) for move in self.moves
        )

    def same(self, one: Frame, other: Frame) -> Term:
        """Return the term that is true iff both frames have the same value."""
        return self.world.every(left == right for left, right in zip(one.terms(), other.terms(), strict=True))

    def value(self, model: z3.ModelRef, frame: Frame) -> Value:
        """Return the value that `frame` has in `model`; exact where `sorts` holds of it, or it is reached from such."""
        context = (self.world.datum(model, frame.context[item.name], item.sort) for item in self.machine.variables)
        return Value(str(self.world.scalar(model, frame.state, self.states)), tuple(context))

    def offered(self, model: z3.ModelRef, offer: Offer) -> tuple[str, Payload]:
        """Return the event that `offer` has in `model`, and its payload."""
        event = self.machine.event(str(self.world.scalar(model, offer.event, self.events)))
        fields = offer.payloads[event.name]
        # A payload that stands for another's variables (`lang.track`) may hold maps; a declared one holds scalars.
        payload = {item.name: self.world.datum(model, fields[item.name], item.sort) for item in event.payload}
        return event.name, cast("Payload", payload)

    def is_event(self, name: str) -> Term:
        """Return the term that is true iff `offer` is the event `name` with a payload of its sorts."""
        fields = self.offer.payloads[name]
        fits = (self.world.inside(fields[item.name], item.sort) for item in self.machine.event(name).payload)
        return self.world.every((self.offer.event == self.world.literal(name, self.events), *fits))

    def _move(self, item: Transition) -> Move:
        fields = self.offer.payloads[item.event]

        def fold(expr: Expr) -> Term:
            return term(self.world, expr, lambda var: self._named(var, fields, self.before))

        sources = (self.before.state == self.world.literal(name, self.states) for name in item.sources)
        guard = self.world.every((self.world.some(sources), self.is_event(item.event), fold(enabled(item))))
        written = {update.variable: fold(update.value) for update in item.updates}

        def changed(update: Update) -> Term:
            if update.index is None:
                return written[update.variable]
            return z3.Store(self.before.context[update.variable], fold(update.index), written[update.variable])

        updates = {update.variable: changed(update) for update in item.updates}
        target = self.before.state if item.target is None else self.world.literal(item.target, self.states)
        fits = self.world.every(
            self.world.inside(written[variable.name], written_sort(variable.sort))
            for variable in self.machine.variables
            if variable.name in written
        )
        return Move(item.name, item.event, guard, fits, Frame(target, {**self.before.context, **updates}))

    def _named(self, var: Var, payload: Mapping[str, Term], after: Frame) -> Term:
        match var.scope:
            case Scope.PAYLOAD:
                return payload[var.name]
            case Scope.EVENT:
                return self.offer.event
            case Scope.NEXT:
                return after.context[var.name]
            case Scope.NEXT_STATE:
                return after.state
            case _:
                return _in(self.before, var)


def _in(frame: Frame, var: Var) -> Term:
    return frame.state if var.scope is Scope.STATE else frame.context[var.name]


def _frame(machine: Machine, world: World, moment: str) -> Frame:
    """Return the constants of one moment; a dot cannot stand in a declared name, so none clash."""
    states = EnumSort("State", tuple(state.name for state in machine.states))
    context = {item.name: world.constant(f"{item.name}.{moment}", item.sort) for item in machine.variables}
    return Frame(world.constant(f"state.{moment}", states), context)


def _constants(machine: Machine, world: World, moment: str) -> tuple[Frame, Offer]:
    events = EnumSort("Event", tuple(event.name for event in machine.events))
    payloads = {
        event.name: {
            field.name: world.constant(f"{event.name}.{field.name}.{moment}", field.sort) for field in event.payload
        }
        for event in machine.events
    }
    return _frame(machine, world, moment), Offer(world.constant(f"event.{moment}", events), payloads)
