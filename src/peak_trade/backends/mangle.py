"""The same machine under names that any engine takes: what `lang.compose` calls `order[1].cum` is no name in Python.

Variables, events and payload fields are renamed, states and transitions are not; of the properties only invariants
stay, since no engine that runs asks for others. `Names` translates offers there, and outcomes and values back.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from peak_trade.lang.expr import Expr, Scope, Var
from peak_trade.lang.machine import Always, Dismissal, Event, Machine, Transition, Update
from peak_trade.lang.rewrite import Put, rewrite
from peak_trade.lang.sorts import Scalar
from peak_trade.lang.step import Outcome, Payload, Refused


@dataclass(frozen=True, slots=True)
class Names:
    """How things are called in the mangled machine."""

    variables: Mapping[str, str]
    events: Mapping[str, str]
    fields: Mapping[str, str]

    @classmethod
    def of(cls, machine: Machine) -> "Names":
        """Return a new name for each variable, event and field: its kind and its place."""
        fields = dict.fromkeys(item.name for event in machine.events for item in event.payload)
        return cls(
            {item.name: f"var{place}" for place, item in enumerate(machine.variables)},
            {item.name: f"event{place}" for place, item in enumerate(machine.events)},
            {name: f"field{place}" for place, name in enumerate(fields)},
        )

    def payload(self, payload: Payload) -> dict[str, Scalar]:
        """Return a payload of the machine as one of the mangled machine; a strange field keeps its name."""
        return {self.fields.get(name, name): scalar for name, scalar in payload.items()}

    def outcome(self, outcome: Outcome) -> Outcome:
        """Return an outcome of the mangled machine as the machine's own."""
        if not isinstance(outcome, Refused):
            return outcome
        back = {new: old for names in (self.variables, self.events, self.fields) for old, new in names.items()}
        return Refused(outcome.reason, back.get(outcome.detail, outcome.detail))


def mangled(machine: Machine, names: Names) -> Machine:
    """Return `machine` as `names` calls its parts."""

    def put(node: Expr) -> Expr | None:
        if not isinstance(node, Var):
            return None
        known = {Scope.CONTEXT: names.variables, Scope.PAYLOAD: names.fields}.get(node.scope, {})
        return replace(node, name=known.get(node.name, node.name))

    return replace(
        machine,
        variables=tuple(replace(item, name=names.variables[item.name]) for item in machine.variables),
        events=tuple(_event(item, names) for item in machine.events),
        transitions=tuple(_transition(item, names, put) for item in machine.transitions),
        dismissals=tuple(_dismissal(item, names, put) for item in machine.dismissals),
        properties=tuple(
            replace(item, holds=rewrite(item.holds, put)) for item in machine.properties if isinstance(item, Always)
        ),
        mirrors=(),
    )


def _event(event: Event, names: Names) -> Event:
    fields = tuple(replace(item, name=names.fields[item.name]) for item in event.payload)
    return replace(event, name=names.events[event.name], payload=fields)


def _transition(row: Transition, names: Names, put: Put) -> Transition:
    return replace(
        row,
        event=names.events[row.event],
        when=rewrite(row.when, put),
        require=tuple(replace(lock, holds=rewrite(lock.holds, put)) for lock in row.require),
        updates=tuple(_update(item, names, put) for item in row.updates),
    )


def _update(item: Update, names: Names, put: Put) -> Update:
    index = None if item.index is None else rewrite(item.index, put)
    return replace(item, variable=names.variables[item.variable], value=rewrite(item.value, put), index=index)


def _dismissal(row: Dismissal, names: Names, put: Put) -> Dismissal:
    when = None if row.when is None else rewrite(row.when, put)
    return replace(row, events=tuple(names.events[name] for name in row.events), when=when)
