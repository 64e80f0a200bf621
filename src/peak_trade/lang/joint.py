"""What a rule of a system does: its joint rows, in the names of the system.

A rule's parts answer together, so each choice of one row for every move is one joint row: its guard, its locks and its
updates are those of the rows it is made of, said of the parts' variables by their dotted names.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import TypeAlias, assert_never

from peak_trade.lang.cells import cells
from peak_trade.lang.expr import (
    TRUE,
    Compare,
    Comparison,
    Expr,
    Lit,
    Member,
    Not,
    Scope,
    Var,
    conjunction,
    disjunction,
    sort_of,
)
from peak_trade.lang.machine import Dismissal, Requirement, Transition, Update
from peak_trade.lang.rewrite import rewrite
from peak_trade.lang.sorts import EnumSort, IntSort, MapSort, Sort
from peak_trade.lang.system import Answer, Move, Part, Rule, System, lifted, states

Given: TypeAlias = Mapping[str, Expr]
"""What an event's payload fields are given."""


@dataclass(frozen=True, slots=True)
class Row:
    """One way in which a rule happens; `name` tells it from the rule's other ways, empty if it is the only one."""

    name: str
    guard: Expr
    locks: tuple[Requirement, ...] = ()
    updates: tuple[Update, ...] = ()


def joint(system: System, rule: Rule) -> tuple[Row, ...]:
    """Return the joint rows of `rule`, `rule.every` left out, in the order of the parts' rows.

    At most one of them applies to any values, because the rows of a cell exclude each other.
    """
    found = []
    for rows in product(*(_rows(system.part(move.part), move) for move in rule.moves)):
        name = "+".join(row.name for row in rows if row.name)
        guard = conjunction((rule.when, *(row.guard for row in rows)))
        locks = tuple(lock for row in rows for lock in row.locks)
        updates = tuple(update for row in rows for update in row.updates)
        found.append(Row(name, guard, locks, (*updates, *rule.updates)))
    return tuple(found)


def _rows(part: Part, move: Move) -> tuple[Row, ...]:
    rows = tuple(row for answer in move.answers for row in _answered(part, move, answer))
    return rows if len(rows) > 1 else tuple(replace(row, name="") for row in rows)


def _answered(part: Part, move: Move, answer: Answer) -> Iterator[Row]:
    match answer:
        case Answer.TAKEN:
            yield from _taken(part, move)
        case Answer.IGNORED:
            yield Row("ignored", _ignored(part, move))
        case Answer.REFUSED:
            goes = (conjunction((open_row(row), *_kept(part, row))) for row in _taken(part, move))
            yield Row("refused", Not(disjunction((*goes, _ignored(part, move)))))
        case _:
            assert_never(answer)


def _taken(part: Part, move: Move) -> Iterator[Row]:
    given, fits = dict(move.arguments), _fits(part, move)
    for item in part.machine.transitions:
        if item.event != move.event:
            continue
        guard = conjunction((_within(part, item.sources), *fits, said(part, item.when, given)))
        locks = tuple(
            Requirement(f"{part.name}.{lock.reason}", said(part, lock.holds, given), lock.span) for lock in item.require
        )
        yield Row(item.name, guard, locks, tuple(_updates(part, move, item)))


def _updates(part: Part, move: Move, item: Transition) -> Iterator[Update]:
    if item.target is not None:
        yield Update(f"{part.name}.state", Lit(item.target, states(part)), item.span)
    given = dict(move.arguments)
    for update in item.updates:
        index = None if update.index is None else said(part, update.index, given)
        yield replace(
            update, variable=f"{part.name}.{update.variable}", value=said(part, update.value, given), index=index
        )


def _ignored(part: Part, move: Move) -> Expr:
    """Return when the part ignores the event; the states with the same guard together."""
    where: dict[Expr, list[str]] = {}
    for (state, event), choices in cells(part.machine).items():
        if event == move.event:
            whens = [item.when for item in choices if isinstance(item.row, Dismissal) and not item.row.refused]
            if whens:
                where.setdefault(disjunction(tuple(whens)), []).append(state)
    given, fits = dict(move.arguments), _fits(part, move)
    found = [(_within(part, tuple(names)), said(part, when, given)) for when, names in where.items()]
    return disjunction(tuple(conjunction((here, *fits, when)) for here, when in found))


def _kept(part: Part, row: Row) -> Iterator[Expr]:
    """Give what must hold so that the updates of `row` keep the bounds of their variables."""
    sorts = {f"{part.name}.{item.name}": item.sort for item in part.machine.variables}
    for update in row.updates:
        sort = sorts.get(update.variable)
        if sort is not None:
            yield from _inside(update.value, sort.element if isinstance(sort, MapSort) else sort)


def _fits(part: Part, move: Move) -> tuple[Expr, ...]:
    """Return what must hold so that the arguments fit the event's payload."""
    given = dict(move.arguments)
    payload = part.machine.event(move.event).payload
    return tuple(part for field in payload for part in _inside(given[field.name], field.sort))


def _inside(value: Expr, sort: Sort) -> Iterator[Expr]:
    """Give what must hold so that `value` lies within the bounds of `sort`; nothing where its own sort says so."""
    least, most = _bounds(value)
    match sort:
        case IntSort(low, high):
            if low is not None and (least is None or least < low):
                yield Compare(Comparison.GE, value, Lit(low, IntSort()))
            if high is not None and (most is None or most > high):
                yield Compare(Comparison.LE, value, Lit(high, IntSort()))


def _bounds(value: Expr) -> tuple[int | None, int | None]:
    """Return between what `value` lies by its own sort."""
    exact = value.value if isinstance(value, Lit) else None
    if isinstance(exact, int):
        return exact, exact
    sort = sort_of(value)
    return (sort.min, sort.max) if isinstance(sort, IntSort) else (None, None)


def _within(part: Part, names: tuple[str, ...]) -> Expr:
    sort = states(part)
    if set(names) == set(sort.members):
        return TRUE
    return Member(Var(f"{part.name}.state", sort, Scope.CONTEXT), tuple(Lit(name, sort) for name in names))


def said(part: Part, expr: Expr, given: Given | None = None) -> Expr:
    """Return an expression of the part's machine in the names of the system, with `given` for the payload."""

    def put(node: Expr) -> Expr | None:
        match node:
            case Var(name, _, Scope.PAYLOAD):
                return (given or {})[name]
            case Var(name, sort, Scope.STATE):
                return Var(f"{part.name}.{name}", lifted(part, sort), Scope.CONTEXT)
            case Var(name, sort, scope):
                return Var(f"{part.name}.{name}", lifted(part, sort), scope)
            case Lit(value, EnumSort() as sort):
                return Lit(value, lifted(part, sort))
            case _:
                return None

    return rewrite(expr, put)


def open_row(row: Row) -> Expr:
    """Return when `row` happens: its guard, and every lock open."""
    return conjunction((row.guard, *(lock.holds for lock in row.locks)))
