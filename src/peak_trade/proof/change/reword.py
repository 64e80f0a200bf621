"""The same machine over other names: states, variables, payload fields and sorts replaced, everywhere at once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import assert_never

from peak_trade.lang.expr import Expr, Lit, Scope, Var
from peak_trade.lang.machine import Always, Dismissal, Heard, LeadsTo, Machine, Property, Step, Transition, Witness
from peak_trade.lang.rewrite import rewrite
from peak_trade.lang.sorts import MapSort, ScalarSort, Sort

STATE_SORT = "State"
EVENT_SORT = "Event"
_STATES = (Scope.STATE, Scope.NEXT_STATE)


def _kept(sort: ScalarSort) -> ScalarSort:
    return sort


@dataclass(frozen=True, slots=True)
class Wording:
    """What a name is replaced by; a name that is not here stays. Fields are keyed by event and name."""

    states: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[tuple[str, str], str] = field(default_factory=dict)
    sort: Callable[[ScalarSort], ScalarSort] = _kept

    def whole(self, sort: Sort) -> Sort:
        """Return any sort in these words."""
        return MapSort(self.sort(sort.element)) if isinstance(sort, MapSort) else self.sort(sort)

    def expr(self, expr: Expr, event: str = "") -> Expr:
        """Return `expr`, which stands in a row of `event` or in a property, in these words."""

        def put(node: Expr) -> Expr | None:
            match node:
                case Var():
                    return self._var(node, event)
                case Lit():
                    return self._lit(node)
                case _:
                    return None

        return rewrite(expr, put)

    def _var(self, var: Var, event: str) -> Var:
        name = var.name
        if var.scope is Scope.PAYLOAD:
            name = self.fields.get((event, name), name)
        elif var.scope in (Scope.CONTEXT, Scope.NEXT):
            name = self.variables.get(name, name)
        return Var(name, self.whole(var.sort), var.scope)

    def _lit(self, lit: Lit) -> Lit:
        value = lit.value
        if getattr(lit.sort, "name", "") == STATE_SORT:
            value = self.states.get(str(value), str(value))
        return Lit(value, self.whole(lit.sort))


def reword(machine: Machine, wording: Wording) -> Machine:
    """Return `machine` in the words of `wording`; ids of transitions and properties, and all places, stay."""
    return replace(
        machine,
        variables=tuple(
            replace(item, name=wording.variables.get(item.name, item.name), sort=wording.whole(item.sort))
            for item in machine.variables
        ),
        states=tuple(replace(item, name=wording.states.get(item.name, item.name)) for item in machine.states),
        events=tuple(
            replace(
                event,
                payload=tuple(
                    replace(
                        item, name=wording.fields.get((event.name, item.name), item.name), sort=wording.sort(item.sort)
                    )
                    for item in event.payload
                ),
            )
            for event in machine.events
        ),
        transitions=tuple(_transition(item, wording) for item in machine.transitions),
        dismissals=tuple(_dismissal(item, wording) for item in machine.dismissals),
        properties=tuple(_property(item, wording) for item in machine.properties),
        mirrors=tuple(
            replace(
                item,
                fields=tuple(
                    (wording.variables.get(name, name), wording.fields.get((item.event, own), own))
                    for name, own in item.fields
                ),
            )
            for item in machine.mirrors
        ),
    )


def _transition(item: Transition, wording: Wording) -> Transition:
    return replace(
        item,
        sources=tuple(wording.states.get(name, name) for name in item.sources),
        target=None if item.target is None else wording.states.get(item.target, item.target),
        when=wording.expr(item.when, item.event),
        require=tuple(replace(lock, holds=wording.expr(lock.holds, item.event)) for lock in item.require),
        updates=tuple(
            replace(
                update,
                variable=wording.variables.get(update.variable, update.variable),
                value=wording.expr(update.value, item.event),
                index=None if update.index is None else wording.expr(update.index, item.event),
            )
            for update in item.updates
        ),
    )


def _dismissal(item: Dismissal, wording: Wording) -> Dismissal:
    event = item.events[0] if len(item.events) == 1 else ""
    return replace(
        item,
        states=tuple(wording.states.get(name, name) for name in item.states),
        when=None if item.when is None else wording.expr(item.when, event),
    )


def _property(item: Property, wording: Wording) -> Property:
    match item:
        case Always() | Step():
            return replace(item, holds=wording.expr(item.holds))
        case Witness():
            return replace(item, reach=wording.expr(item.reach))
        case LeadsTo():
            when, then, rank = map(wording.expr, (item.when, item.then, item.rank))
            return replace(item, when=when, then=then, rank=rank)
        case Heard():
            return replace(item, when=wording.expr(item.when, item.event))
        case _:
            assert_never(item)
