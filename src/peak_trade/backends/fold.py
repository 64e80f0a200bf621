"""A folded expression has the value of the original for all well-sorted values; what is constant is gone.

A comparison that the sorts or the tests before it already decide folds away. A backend folds once for each known
control state, and generates code for the rest only.
"""

from collections.abc import Callable, Iterable
from typing import TypeAlias, assert_never

from peak_trade.backends.facts import NOTHING, Facts
from peak_trade.lang.evaluate import ARITHMETIC, COMPARISONS
from peak_trade.lang.expr import (
    FALSE,
    TRUE,
    And,
    Arith,
    Arithmetic,
    At,
    Compare,
    Comparison,
    Expr,
    Ite,
    Lit,
    Member,
    Not,
    Or,
    Var,
    sort_of,
)
from peak_trade.lang.sorts import BOOL, INT, BoolSort, EnumSort, Scalar

Known: TypeAlias = Callable[[Var], Expr]
"""What stands for each variable: itself, a constant, or another expression of its sort."""

NEGATED = {
    Comparison.EQ: Comparison.NE,
    Comparison.NE: Comparison.EQ,
    Comparison.LT: Comparison.GE,
    Comparison.LE: Comparison.GT,
    Comparison.GT: Comparison.LE,
    Comparison.GE: Comparison.LT,
}


def fold(expr: Expr, known: Known, facts: Facts = NOTHING) -> Expr:
    """Return `expr` with `known` in place of its variables and everything worked out that is constant under `facts`.

    Limits: recursion is bounded by the depth that the parser admits.
    """
    folded = _fold(expr, known, facts)
    truth = facts.decides(folded)
    return folded if truth is None else _truth(truth)


def _fold(expr: Expr, known: Known, facts: Facts) -> Expr:  # noqa: C901, PLR0911 - one return for each node of the closed union
    match expr:
        case Lit():
            return expr
        case Var():
            return known(expr)
        case Not(arg):
            return negation(fold(arg, known, facts))
        case And(args):
            return _junction(And, (fold(arg, known, facts) for arg in args), TRUE, FALSE)
        case Or(args):
            return _junction(Or, (fold(arg, known, facts) for arg in args), FALSE, TRUE)
        case Compare(op, left, right):
            return _compare(op, fold(left, known, facts), fold(right, known, facts))
        case Member(item, choices):
            return _member(fold(item, known, facts), choices)
        case Arith(op, left, right):
            return _arith(op, fold(left, known, facts), fold(right, known, facts))
        case Ite(test, then, orelse):
            return _ite(fold(test, known, facts), fold(then, known, facts), fold(orelse, known, facts))
        case At(array, index):
            name = known(array)
            assert isinstance(name, Var), f"expected a name for the map {array.name}, was {name}"
            return At(name, fold(index, known, facts))
        case _:
            assert_never(expr)


def negation(expr: Expr) -> Expr:
    """Return the folded expression that is true iff the folded `expr` is false."""
    match expr:
        case Lit(value, _):
            return FALSE if value else TRUE
        case Not(arg):
            return arg
        case Compare(op, left, right):
            return Compare(NEGATED[op], left, right)
        case _:
            return Not(expr)


def _junction(kind: type[And] | type[Or], args: Iterable[Expr], unit: Lit, zero: Lit) -> Expr:
    parts: list[Expr] = []
    for arg in args:
        inner = arg.args if isinstance(arg, kind) else (arg,)
        parts += [part for part in inner if part != unit and part not in parts]
    if zero in parts:
        return zero
    if len(parts) > 1:
        return kind(tuple(parts))
    return parts[0] if parts else unit


def _compare(op: Comparison, left: Expr, right: Expr) -> Expr:
    if isinstance(left, Lit) and isinstance(right, Lit):
        return _truth(COMPARISONS[op](left.value, right.value))
    if left == right:
        return _truth(op in (Comparison.EQ, Comparison.LE, Comparison.GE))
    if isinstance(sort_of(left), BoolSort):
        return _against_constant(op, left, right)
    return Compare(op, left, right)


def _against_constant(op: Comparison, left: Expr, right: Expr) -> Expr:
    for one, other in ((left, right), (right, left)):
        if isinstance(one, Lit):
            return other if one.value is (op is Comparison.EQ) else negation(other)
    return Compare(op, left, right)


def _member(item: Expr, choices: tuple[Lit, ...]) -> Expr:
    values = [choice.value for choice in choices]
    if isinstance(item, Lit):
        return _truth(item.value in values)
    sort = sort_of(item)
    if isinstance(sort, EnumSort) and set(values) >= set(sort.members):
        return TRUE
    return Member(item, choices) if len(choices) > 1 else _compare(Comparison.EQ, item, choices[0])


def _arith(op: Arithmetic, left: Expr, right: Expr) -> Expr:
    if isinstance(left, Lit) and isinstance(right, Lit):
        return Lit(ARITHMETIC[op](left.value, right.value), INT)
    zero = Lit(0, INT)
    if op is not Arithmetic.MUL and right == zero:
        return left
    if op is Arithmetic.ADD and left == zero:
        return right
    return Arith(op, left, right)


def _ite(test: Expr, then: Expr, orelse: Expr) -> Expr:
    if isinstance(test, Lit):
        return then if test.value else orelse
    return then if then == orelse else Ite(test, then, orelse)


def _truth(value: Scalar) -> Lit:
    return Lit(bool(value), BOOL)
