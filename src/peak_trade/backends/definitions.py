"""A machine as SMT-LIB definitions: its sorts, where it starts, and when and how each transition moves it.

    Init        a value in which it starts                       over now.*
    Start       one such value, and no other                     over now.*
    Sorts       every variable lies within its bounds            over its bounded variables
    Guard.T     transition T is chosen and unlocked, and the payload is of its sorts
    Fits.T      its updates lie within their variables' bounds
    Move.T      it is taken: Guard.T, Fits.T, and next.* is the value after it

`Guard`, `Fits` and `Move` take the payload of the transition's event as parameters.
Pure; equal machines give equal text.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from peak_trade.backends import smtlib
from peak_trade.backends.smtlib import STEP, Moment, symbol
from peak_trade.lang.cells import enabled
from peak_trade.lang.expr import Scope, Var
from peak_trade.lang.machine import Event, Machine, Transition, Update
from peak_trade.lang.sorts import EnumSort, Sort
from peak_trade.lang.step import Payload, Value, initial, written_sort


@dataclass(frozen=True, slots=True)
class Definitions:
    """The symbols and texts of one machine."""

    machine: Machine

    @property
    def states(self) -> EnumSort:
        """The sort of control states."""
        return EnumSort("State", tuple(state.name for state in self.machine.states))

    @property
    def events(self) -> EnumSort:
        """The sort of events."""
        return EnumSort("Event", tuple(event.name for event in self.machine.events))

    def columns(self, moment: Moment = STEP, scope: Scope = Scope.CONTEXT) -> tuple[tuple[str, Sort], ...]:
        """Return the symbols of a whole value, control state first, with their sorts; of the value after for NEXT."""
        control = Scope.STATE if scope is Scope.CONTEXT else Scope.NEXT_STATE
        names = (Var("state", self.states, control), *(Var(item.name, item.sort, scope) for item in self._variables()))
        return tuple((smtlib.name(var, moment), var.sort) for var in names)

    def datatypes(self) -> list[str]:
        """Return the declarations of all enumerations."""
        return [_datatype(enum) for enum in dict.fromkeys((self.states, self.events, *self.machine.enums))]

    def constants(self, moment: Moment = STEP, scope: Scope = Scope.CONTEXT) -> list[str]:
        """Return the declarations of the symbols of one whole value."""
        return [f"(declare-const {name} {smtlib.sort(of)})" for name, of in self.columns(moment, scope)]

    def beginning(self) -> tuple[str, str]:
        """Return the definitions of `Init`, in which free variables have any value of their sort, and of `Start`."""
        parts = [f"(= now.state {smtlib.literal(self.machine.initial.name, self.states)})"]
        for item in self.machine.variables:
            name = symbol(f"{STEP.now}.{item.name}")
            fixed = (f"(= {name} {smtlib.literal(item.init, item.sort)})",)
            parts += smtlib.inside(name, item.sort) if item.free else fixed
        return smtlib.define("Init", (), smtlib.lines(parts)), self.value("Start", initial(self.machine))

    def bounds(self) -> str:
        """Return the definition of `Sorts`."""
        body = smtlib.lines(part for name, of in self._bounded() for part in smtlib.inside(name, of))
        return smtlib.define("Sorts", self._bounded(), body)

    def within(self, moment: Moment = STEP, scope: Scope = Scope.CONTEXT) -> str:
        """Return `Sorts` said of a value."""
        bounded = frozenset(item.name for item in self.machine.variables if smtlib.inside("", item.sort))
        pairs = zip(self.machine.variables, self.columns(moment, scope)[1:], strict=True)
        return smtlib.apply("Sorts", (name for item, (name, _) in pairs if item.name in bounded))

    def moves(self, moment: Moment = STEP, suffix: str = "") -> Iterator[str]:
        """Yield the definitions of every transition at `moment`; `suffix` ends their names."""
        for item in self.machine.transitions:
            params = self.payload(item.event, moment)
            guard, fits, move = (symbol(f"{word}.{item.name}{suffix}") for word in ("Guard", "Fits", "Move"))
            yield smtlib.define(guard, params, smtlib.lines(self._guard(item, moment)))
            yield smtlib.define(fits, params, smtlib.lines(self._fits(item, moment)))
            names = tuple(name for name, _ in params)
            taken = (smtlib.apply(guard, names), smtlib.apply(fits, names), *self._after(item, moment))
            yield smtlib.define(move, params, smtlib.lines(taken))

    def payload(self, event: str, moment: Moment = STEP) -> tuple[tuple[str, Sort], ...]:
        """Return the symbols of the payload of `event` with their sorts."""
        fields = self.machine.event(event).payload
        return tuple((smtlib.name(Var(item.name, item.sort, Scope.PAYLOAD), moment), item.sort) for item in fields)

    def said(self, word: str, item: Transition, moment: Moment = STEP, suffix: str = "") -> str:
        """Return `Guard`, `Fits` or `Move` of a transition, said of the payload's own symbols."""
        return smtlib.apply(
            symbol(f"{word}.{item.name}{suffix}"), (name for name, _ in self.payload(item.event, moment))
        )

    def value(self, called: str, value: Value) -> str:
        """Return the definition of a predicate that is true of `value` alone."""
        scalars = (value.state, *value.context)
        parts = (
            f"(= {name} {smtlib.literal(scalar, of)})"
            for (name, of), scalar in zip(self.columns(), scalars, strict=True)
        )
        return smtlib.define(called, self.columns(), smtlib.lines(parts))

    def whole(self, called: str, moment: Moment = STEP, scope: Scope = Scope.CONTEXT) -> str:
        """Return the predicate `called` said of a whole value."""
        return smtlib.apply(called, (name for name, _ in self.columns(moment, scope)))

    def given(self, event: Event, payload: Payload) -> tuple[str, ...]:
        """Return the constants of `payload` in the order of the event's fields."""
        return tuple(smtlib.literal(payload[item.name], item.sort) for item in event.payload)

    def _variables(self) -> tuple[Var, ...]:
        return tuple(Var(item.name, item.sort, Scope.CONTEXT) for item in self.machine.variables)

    def _bounded(self) -> tuple[tuple[str, Sort], ...]:
        return tuple((name, of) for name, of in self.columns()[1:] if smtlib.inside(name, of))

    def _guard(self, item: Transition, moment: Moment) -> Iterator[str]:
        here = smtlib.name(Var("state", self.states, Scope.STATE), moment)
        yield smtlib.some(f"(= {here} {smtlib.literal(name, self.states)})" for name in item.sources)
        for name, of in self.payload(item.event, moment):
            yield from smtlib.inside(name, of)
        whole = smtlib.term(enabled(item), moment)
        if whole != "true":
            yield whole

    def _fits(self, item: Transition, moment: Moment) -> Iterator[str]:
        sorts = {variable.name: variable.sort for variable in self.machine.variables}
        for update in item.updates:
            yield from smtlib.inside(smtlib.term(update.value, moment), written_sort(sorts[update.variable]))

    def _after(self, item: Transition, moment: Moment) -> Iterator[str]:
        updates = {update.variable: self._written(update, moment) for update in item.updates}
        before, after = self.columns(moment), self.columns(moment, Scope.NEXT)
        target = before[0][0] if item.target is None else smtlib.literal(item.target, self.states)
        yield f"(= {after[0][0]} {target})"
        for variable, (old, _), (new, _) in zip(self.machine.variables, before[1:], after[1:], strict=True):
            yield f"(= {new} {updates.get(variable.name, old)})"

    def _written(self, update: Update, moment: Moment) -> str:
        value = smtlib.term(update.value, moment)
        if update.index is None:
            return value
        sorts = {variable.name: variable.sort for variable in self.machine.variables}
        old = smtlib.name(Var(update.variable, sorts[update.variable], Scope.CONTEXT), moment)
        return f"(store {old} {smtlib.term(update.index, moment)} {value})"


def _datatype(enum: EnumSort) -> str:
    members = " ".join(f"({smtlib.literal(item, enum)})" for item in enum.members)
    return f"(declare-datatype {smtlib.sort(enum)} ({members}))"
