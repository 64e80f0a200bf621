"""Between which whole numbers a value lies, and so how two values can compare; from their sorts alone.

Limits: the parts of a sum are taken for independent, so `a - a` lies where `a - b` does.
"""

from collections.abc import Mapping
from typing import TypeAlias, assert_never

from peak_trade.lang.expr import Arith, Arithmetic, Comparison, Expr, Ite, Lit, sort_of
from peak_trade.lang.sorts import IntSort

Interval: TypeAlias = tuple[int | None, int | None]
"""The smallest and the greatest whole number that a value can be; None is no bound."""

Orders: TypeAlias = frozenset[int]
"""Which of left < right (-1), left = right (0), left > right (1) are possible."""

ORDERS: Mapping[Comparison, Orders] = {
    Comparison.EQ: frozenset({0}),
    Comparison.NE: frozenset({-1, 1}),
    Comparison.LT: frozenset({-1}),
    Comparison.LE: frozenset({-1, 0}),
    Comparison.GT: frozenset({1}),
    Comparison.GE: frozenset({0, 1}),
}
assert ORDERS.keys() == set(Comparison)
ALL: Orders = frozenset({-1, 0, 1})


def interval(expr: Expr) -> Interval:
    """Return bounds of the whole number that a well-sorted `expr` denotes, as narrow as its parts' sorts give."""
    match expr:
        case Lit(int() as value, _):
            return value, value
        case Arith(op, left, right):
            return _spread(op, interval(left), interval(right))
        case Ite(_, then, orelse):
            return _hull(interval(then), interval(orelse))
        case _:
            sort = sort_of(expr)
            return (sort.min, sort.max) if isinstance(sort, IntSort) else (None, None)


def possible(left: Interval, right: Interval) -> Orders:
    """Return the orders that two numbers of the intervals can have."""
    less = left[0] is None or right[1] is None or left[0] < right[1]
    more = left[1] is None or right[0] is None or left[1] > right[0]
    apart = _below(left, right) or _below(right, left)
    return frozenset(order for order, can in ((-1, less), (0, not apart), (1, more)) if can)


def answer(op: Comparison, orders: Orders) -> bool | None:
    """Return what `op` gives if only `orders` are possible, or None iff that is not one answer."""
    if orders <= ORDERS[op]:
        return True
    return None if orders & ORDERS[op] else False


def _below(left: Interval, right: Interval) -> bool:
    return left[1] is not None and right[0] is not None and left[1] < right[0]


def _spread(op: Arithmetic, left: Interval, right: Interval) -> Interval:
    match op:
        case Arithmetic.ADD:
            return _plus(left[0], right[0]), _plus(left[1], right[1])
        case Arithmetic.SUB:
            return _plus(left[0], _minus(right[1])), _plus(left[1], _minus(right[0]))
        case Arithmetic.MUL:
            return _scaled(left, right) if right[0] == right[1] is not None else _scaled(right, left)
        case _:
            assert_never(op)


def _scaled(one: Interval, factor: Interval) -> Interval:
    by = factor[0]
    if by is None or by != factor[1]:
        return None, None
    ends = tuple(None if end is None else end * by for end in one)
    if by == 0:
        return 0, 0
    return (ends[0], ends[1]) if by > 0 else (ends[1], ends[0])


def _plus(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


def _minus(value: int | None) -> int | None:
    return None if value is None else -value


def _hull(one: Interval, other: Interval) -> Interval:
    lows, highs = (one[0], other[0]), (one[1], other[1])
    low = None if None in lows else min(value for value in lows if value is not None)
    high = None if None in highs else max(value for value in highs if value is not None)
    return low, high
