"""Expressions that differ from a given one in one small way: what a slip of the pen would have made of it."""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any, Final, cast

from peak_trade.lang.expr import TRUE, And, Arith, Arithmetic, Compare, Comparison, Expr, Lit, Not, Var, sort_of
from peak_trade.lang.machine import Update
from peak_trade.lang.pretty import expression
from peak_trade.lang.sorts import INT, BoolSort, EnumSort, IntSort, MapSort, Sort, is_whole

STRICTNESS: Final = {
    Comparison.LT: Comparison.LE,
    Comparison.LE: Comparison.LT,
    Comparison.GT: Comparison.GE,
    Comparison.GE: Comparison.GT,
}
NEGATED: Final = {
    Comparison.EQ: Comparison.NE,
    Comparison.NE: Comparison.EQ,
    Comparison.LT: Comparison.GE,
    Comparison.GE: Comparison.LT,
    Comparison.GT: Comparison.LE,
    Comparison.LE: Comparison.GT,
}


def conjuncts(expr: Expr) -> tuple[Expr, ...]:
    """Return the parts that must all hold for `expr` to hold; none iff it is the constant true."""
    if isinstance(expr, And):
        return tuple(part for arg in expr.args for part in conjuncts(arg))
    return () if expr == TRUE else (expr,)


def opposite(expr: Expr) -> Expr:
    """Return the negation of `expr`, as it would be written: without a double one, and a comparison turned around."""
    match expr:
        case Not(arg):
            return arg
        case Compare(op, left, right):
            return Compare(NEGATED[op], left, right)
        case _:
            return Not(expr)


def written(update: Update) -> str:
    """Return an update as text: `cum := cum + 1`, `kinds[head] := traded`."""
    at = "" if update.index is None else f"[{expression(update.index)}]"
    return f"{update.variable}{at} := {expression(update.value)}"


def wrong(update: Update, sort: Sort) -> tuple[Update, ...]:
    """Return the updates that `update` of a variable of `sort` might wrongly be: another value, or another element."""
    element = sort.element if isinstance(sort, MapSort) else sort
    places = () if update.index is None else shifted(update.index, INT)
    values = (replace(update, value=value) for value in shifted(update.value, element))
    return (*values, *(replace(update, index=place) for place in places))


def near(expr: Expr) -> tuple[Expr, ...]:
    """Return the expressions that are off by one in one place: a bound made strict or not, a number one more or less.

    Left to right, the outer before the inner; each of the sort of `expr`.
    """
    return tuple(dict.fromkeys(found for found in _near(expr) if found != expr))


def shifted(value: Expr, sort: Sort) -> tuple[Expr, ...]:
    """Return what an update to a variable of `sort` might wrongly give instead of `value`; none for sorts without one.

    A number one more and one less, the other truth value, the next member.
    """
    match sort:
        case IntSort():
            return tuple(_moved(value, by) for by in (1, -1))
        case BoolSort():
            return (Lit(not value.value, sort),) if isinstance(value, Lit) else (opposite(value),)
        case EnumSort(_, members) if len(members) > 1 and isinstance(value, Lit):
            place = members.index(str(value.value)) + 1
            return (Lit(members[place % len(members)], sort),)
        case _:
            return ()


def _moved(value: Expr, by: int) -> Expr:
    if isinstance(value, Lit) and is_whole(value.value):
        return Lit(value.value + by, value.sort)
    return Arith(Arithmetic.ADD if by > 0 else Arithmetic.SUB, value, Lit(abs(by), INT))


def _near(expr: Expr) -> Iterator[Expr]:
    if isinstance(expr, Compare) and expr.op in STRICTNESS:
        yield replace(expr, op=STRICTNESS[expr.op])
    if isinstance(expr, Lit) and isinstance(sort_of(expr), IntSort):
        yield from (_moved(expr, 1), _moved(expr, -1))
    for name, found in _inner(expr):
        for place, part in enumerate(found):
            for other in _near(part):
                yield _rebuilt(expr, name, (*found[:place], other, *found[place + 1 :]))


def put(expr: Expr, old: Var, new: Expr) -> Expr:
    """Return `expr` with `new` wherever `old` stands."""
    if expr == old:
        return new
    for name, found in _inner(expr):
        expr = _rebuilt(expr, name, tuple(put(part, old, new) for part in found))
    return expr


def _inner(expr: Expr) -> tuple[tuple[str, tuple[Expr, ...]], ...]:
    """Return the fields of `expr` that hold expressions: by its fields and not its kind, whatever nodes there are."""
    found = []
    for item in fields(expr):
        value = getattr(expr, item.name)
        group = value if isinstance(value, tuple) else (value,)
        if group and all(isinstance(part, Expr) for part in group):
            found.append((item.name, group))
    return tuple(found)


def _rebuilt(expr: Expr, name: str, found: tuple[Expr, ...]) -> Expr:
    one = not isinstance(getattr(expr, name), tuple)
    changed: Expr = replace(cast("Any", expr), **{name: found[0] if one else found})
    return changed
