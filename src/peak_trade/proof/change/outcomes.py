"""Which cells changed: what an event does in a state, taken, ignored or refused and for what reason."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from peak_trade.backends.smt import Term, term
from peak_trade.lang.cells import Choice, cells
from peak_trade.lang.expr import Expr, Scope, Var
from peak_trade.lang.machine import Dismissal, Machine, Transition
from peak_trade.lang.step import VALUE_BOUNDS
from peak_trade.proof.change.both import Both, Side
from peak_trade.proof.change.delta import Cell
from peak_trade.proof.change.shifts import example, spoken
from peak_trade.proof.solve import Found, GaveUp

TAKEN = "taken"
GAVE_UP = "unknown"


def changed(both: Both) -> tuple[Cell, ...]:
    """Return the cells of states and events that both machines have whose outcome differs for some values.

    States whose rows are the same are one entry. Which transition takes a step, and to what, is not asked here.
    """
    old, new = cells(both.old.machine), cells(both.new.machine)
    groups: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    for state, event in new:
        if (state, event) in old and _rows(old[state, event]) != _rows(new[state, event]):
            rows = (*old[state, event], *new[state, event])
            groups.setdefault((event, tuple(id(choice.row) for choice in rows)), []).append(state)
    return tuple(item for (event, _), states in groups.items() for item in _differing(both, event, tuple(states)))


def _rows(choices: tuple[Choice, ...]) -> list[object]:
    """Return the rows without their names, places and reasons of the step: what decides the outcome."""
    return [(_bare(choice.row), choice.when) for choice in choices]


def _bare(row: Transition | Dismissal) -> object:
    if isinstance(row, Dismissal):
        return row.reason, row.refused
    return tuple((lock.reason, lock.holds) for lock in row.require), frozenset(row.updates)


def _differing(both: Both, event: str, states: tuple[str, ...]) -> Iterator[Cell]:
    state = states[0]
    here = both.encoding.before.state == both.encoding.world.literal(state, both.encoding.states)
    offered = (both.encoding.is_event(event), both.old.offers[event], both.new.offers[event], here)
    old, new = _outcomes(both, both.old, state, event), _outcomes(both, both.new, state, event)
    names = spoken(choice.when for side in (both.old, both.new) for choice in cells(_only(side, event))[state, event])
    for was, one in old.items():
        for now, other in new.items():
            if was == now:
                continue
            match both.ask(*offered, one, other):
                case Found(model):
                    yield Cell(states, event, was, now, example(both, model, names | _locked(both, event)))
                case GaveUp():
                    yield Cell(states, event, was, GAVE_UP, None)


def _locked(both: Both, event: str) -> frozenset[str]:
    machines = (both.old.machine, both.new.machine)
    rows = (item for machine in machines for item in machine.transitions if item.event == event)
    return spoken(lock.holds for item in rows for lock in item.require)


def _only(side: Side, event: str) -> Machine:
    """Return the machine with the rows of one event."""
    rows = tuple(item for item in side.machine.transitions if item.event == event)
    return replace(side.machine, transitions=rows)


def _outcomes(both: Both, side: Side, state: str, event: str) -> dict[str, Term]:
    """Return when each outcome comes, in `state`, as a term."""
    world = both.encoding.world
    found: dict[str, list[Term]] = {}
    fold = partial(_folded, both, event)
    for choice in cells(side.machine)[state, event]:
        when, row = fold(choice.when), choice.row
        if isinstance(row, Dismissal):
            found.setdefault(f"{'refused' if row.refused else 'ignored'} {row.reason}", []).append(when)
            continue
        open_so_far = [when]
        for lock in row.require:
            shut = both.no(fold(lock.holds))
            found.setdefault(f"refused {lock.reason}", []).append(world.every((*open_so_far, shut)))
            open_so_far.append(fold(lock.holds))
        kept = both.steps(side, row.name)
        found.setdefault(TAKEN, []).append(world.every((*open_so_far, kept)))
        found.setdefault(f"refused {VALUE_BOUNDS}", []).append(world.every((*open_so_far, both.no(kept))))
    return {outcome: world.some(terms) for outcome, terms in found.items()}


def _folded(both: Both, event: str, expr: Expr) -> Term:
    def named(var: Var) -> Term:
        if var.scope is Scope.PAYLOAD:
            return both.encoding.offer.payloads[event][var.name]
        return both.encoding.before.context[var.name]

    return term(both.encoding.world, expr, named)
