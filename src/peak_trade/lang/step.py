"""What a machine does: one step, taken, ignored or refused. This is the definition of meaning."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from peak_trade.lang.cells import Choice, Table, cells
from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.machine import Always, Event, Machine, Transition, Update
from peak_trade.lang.maps import store
from peak_trade.lang.sorts import Datum, MapSort, Scalar, ScalarSort, Sort, example, inhabits

UNKNOWN_EVENT = "unknown_event"
PAYLOAD_INVALID = "payload_invalid"
VALUE_BOUNDS = "value_bounds"
BUILT_IN = frozenset({UNKNOWN_EVENT, PAYLOAD_INVALID, VALUE_BOUNDS})
"""Reasons that the language itself gives; a specification may not declare them."""


@dataclass(frozen=True, slots=True)
class Value:
    """A machine's whole state at one moment: control state, and context in declared order."""

    state: str
    context: tuple[Datum, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """The step was taken by the transition with this id."""

    transition: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """Nothing changed, and that is right: a named duplicate."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing changed: the event is not allowed now. `detail` is the lock's transition, or the field or variable."""

    reason: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Broken:
    """Nothing changed: the step would leave a declared invariant. A proved machine never says so."""

    property: str


Outcome: TypeAlias = Taken | Ignored | Refused | Broken
Payload: TypeAlias = Mapping[str, Scalar]


def initial(machine: Machine) -> Value:
    """Return the value in which `machine` starts; the example of them if it has free variables."""
    return Value(machine.initial.name, tuple(variable.init for variable in machine.variables))


@dataclass(frozen=True, slots=True)
class Stepper:
    """A machine with its decision table made once, for many steps."""

    machine: Machine
    table: Table
    defaults: Mapping[str, Scalar]
    """What each map has wherever nothing was written."""

    @classmethod
    def of(cls, machine: Machine) -> "Stepper":
        """Return the stepper of `machine`."""
        maps = {item.name: item.sort.element for item in machine.variables if isinstance(item.sort, MapSort)}
        return cls(machine, cells(machine), {name: example(element) for name, element in maps.items()})

    def step(self, value: Value, event: str, payload: Payload) -> tuple[Outcome, Value]:
        """Return what `event` does in `value`, and the value after it; `value` itself unless taken.

        Total over any event name and payload, for a machine that passes the checks. Checks in this order: the
        payload's sorts, the row's locks, the bounds of the new context, the declared invariants.
        """
        choices = self.table.get((value.state, event))
        if choices is None:
            return Refused(UNKNOWN_EVENT, event), value
        wrong = misfit(self.machine.event(event), payload)
        if wrong is not None:
            return Refused(PAYLOAD_INVALID, wrong), value
        env = Env(self._named(value), payload, value.state, event)
        return self._decide(value, env, choices)

    def _decide(self, value: Value, env: Env, choices: tuple[Choice, ...]) -> tuple[Outcome, Value]:
        row = next(choice.row for choice in choices if evaluate(choice.when, env))
        if not isinstance(row, Transition):
            return (Refused(row.reason) if row.refused else Ignored(row.reason)), value
        for lock in row.require:
            if not evaluate(lock.holds, env):
                return Refused(lock.reason, row.name), value
        return self._take(value, env, row)

    def _take(self, value: Value, env: Env, row: Transition) -> tuple[Outcome, Value]:
        written = {update.variable: evaluate(update.value, env) for update in row.updates}
        for variable in self.machine.variables:
            if variable.name in written and not inhabits(written[variable.name], written_sort(variable.sort)):
                return Refused(VALUE_BOUNDS, variable.name), value
        changes = {update.variable: self._changed(update, written[update.variable], env) for update in row.updates}
        context = {**env.context, **changes}
        after = Value(row.target or value.state, tuple(context.values()))
        broken = self.broken(after)
        if broken is not None:
            return Broken(broken), value
        return Taken(row.name), after

    def _changed(self, update: Update, written: Scalar, env: Env) -> Datum:
        """Return the variable's value after an update that has `written` it, or one of its elements."""
        entries = env.context[update.variable]
        if update.index is None or not isinstance(entries, tuple):
            return written
        return store(entries, evaluate(update.index, env), written, self.defaults[update.variable])

    def broken(self, value: Value) -> str | None:
        """Return the id of the first declared invariant that does not hold in `value`, or None."""
        env = Env(self._named(value), state=value.state)
        for claim in self.machine.properties:
            if isinstance(claim, Always) and not evaluate(claim.holds, env):
                return claim.name
        return None

    def _named(self, value: Value) -> dict[str, Datum]:
        return {item.name: scalar for item, scalar in zip(self.machine.variables, value.context, strict=True)}


def written_sort(sort: Sort) -> ScalarSort:
    """Return the sort of what an update writes to a variable of `sort`: of a map, one element."""
    return sort.element if isinstance(sort, MapSort) else sort


def misfit(event: Event, payload: Payload) -> str | None:
    """Return the field of `payload` that is missing, unknown or not of its sort, or None iff it fits `event`."""
    for field in event.payload:
        if field.name not in payload or not inhabits(payload[field.name], field.sort):
            return field.name
    if len(payload) != len(event.payload):
        known = {field.name for field in event.payload}
        return min(str(name) for name in payload if name not in known)
    return None
