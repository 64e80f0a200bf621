"""What stands in for rows with a mistake, so that the mistake is reported once and not by what follows from it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

from peak_trade.lang import document
from peak_trade.lang.expr import FALSE
from peak_trade.lang.machine import Dismissal, Event, Machine, Reason, State, Transition
from peak_trade.lang.source import nearest
from peak_trade.lang.words import words

_KEYS = document.keys(("transitions", 0, "")) | document.keys(("refuse", 0, "")) | {"and", "or", "not", "if", "else"}


def stand_in(machine: Machine, rows: list[tuple[str, Any]]) -> Machine:
    """Return `machine` with all that the wrong `rows` (section, data) may have meant: what they name is decided, used.

    A misspelt word counts as the declared word that it is most like. The stand-ins are NOWHERE in the source.
    """
    named = [_meant(machine, row) for _, row in rows]
    moves = [words for words, (section, _) in zip(named, rows, strict=True) if section == "transitions"]
    states = _ordered(machine.states, set().union(*moves))
    events = _ordered(machine.events, set().union(*named)) or tuple(event.name for event in machine.events)
    reasons = _ordered(machine.reasons, set().union(*named))
    start, event = machine.states[0].name, machine.events[0].name
    used = [
        *(("", states, event, state) for state in states),
        *(("", (start,), name, None) for name in events),
        *((reason, (start,), event, None) for reason in reasons),
    ]
    extra = tuple(
        Transition(f"?{number}", sources, name, target, FALSE, reason=reason)
        for number, (reason, sources, name, target) in enumerate(used)
    )
    return _with(machine, extra, tuple(_blind(machine, named)))


def _meant(machine: Machine, row: Any) -> set[str]:  # noqa: ANN401 - YAML holds any data
    parts: list[State | Event | Reason] = [*machine.states, *machine.events, *machine.reasons]
    declared = {item.name for item in parts}
    declared |= {tag for state in machine.states for tag in state.tags}
    found = words(row)
    other = {item.name for item in machine.variables} | {name for enum in machine.enums for name in enum.members}
    other |= {field.name for event in machine.events for field in event.payload} | _KEYS
    meant = (found & declared) | {nearest(word, declared) for word in found - declared - other}
    return meant | {state.name for state in machine.states if meant & set(state.tags)}


def _ordered(items: Sequence[State | Event | Reason], names: set[str]) -> tuple[str, ...]:
    return tuple(item.name for item in items if item.name in names)


def _blind(machine: Machine, named: list[set[str]]) -> Iterator[Dismissal]:
    """Give the cells of each row that nobody can judge; a cell has one such row at most."""
    rest = (row for row in machine.dismissals if row.when is None)
    certain = {cell for row in rest for cell in product(row.states, row.events)}
    states = [state.name for state in machine.states]
    events = [event.name for event in machine.events]
    for meant in named:
        rows = [name for name in states if name in meant] or states
        columns = [name for name in events if name in meant] or events
        for state in rows:
            free = tuple(event for event in columns if (state, event) not in certain)
            certain |= {(state, event) for event in free}
            if free:
                yield Dismissal((state,), free, "", refused=True, when=None)


def _with(machine: Machine, transitions: tuple[Transition, ...], dismissals: tuple[Dismissal, ...]) -> Machine:
    return replace(
        machine,
        transitions=(*machine.transitions, *transitions),
        dismissals=(*machine.dismissals, *dismissals),
    )
