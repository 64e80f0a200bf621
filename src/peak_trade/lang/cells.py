"""The decision table of a machine: which rows may decide each (state, event) cell."""

from dataclasses import dataclass
from typing import TypeAlias

from peak_trade.lang.expr import TRUE, Expr, Not, conjunction, disjunction
from peak_trade.lang.machine import Dismissal, Machine, Transition

Row: TypeAlias = Transition | Dismissal


@dataclass(frozen=True, slots=True)
class Choice:
    """A row and the condition, with `otherwise` written out, under which it decides its cell."""

    row: Row
    when: Expr


Table: TypeAlias = dict[tuple[str, str], tuple[Choice, ...]]


def cells(machine: Machine) -> Table:
    """Return the choices of every (state, event) pair, transitions first, in declared order.

    In a machine that passes the checks exactly one choice of each cell applies to any values.
    """
    rows: dict[tuple[str, str], list[Row]] = {
        (state.name, event.name): [] for state in machine.states for event in machine.events
    }
    for transition in machine.transitions:
        for source in transition.sources:
            rows[source, transition.event].append(transition)
    for dismissal in machine.dismissals:
        for state in dismissal.states:
            for event in dismissal.events:
                rows[state, event].append(dismissal)
    return {cell: _choices(tuple(found)) for cell, found in rows.items()}


def _choices(rows: tuple[Row, ...]) -> tuple[Choice, ...]:
    stated = tuple(row.when for row in rows if row.when is not None)
    rest = Not(disjunction(stated)) if stated else TRUE
    return tuple(Choice(row, rest if row.when is None else row.when) for row in rows)


def enabled(transition: Transition) -> Expr:
    """Return the whole guard of `transition`: chosen and every lock open."""
    return conjunction((transition.when, *(lock.holds for lock in transition.require)))
