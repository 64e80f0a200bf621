"""Where an expression is true for some values of the unknowns and false for others, a world is split, exactly.

Limits: those of `conform.terms`. Maps have no terms.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, assert_never

from peak_trade.conform.terms import Sum, Term, World, branches, minus, plus, times
from peak_trade.lang.expr import (
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
    Scope,
    Var,
)

OPPOSITE: Final = {
    Comparison.EQ: Comparison.NE,
    Comparison.NE: Comparison.EQ,
    Comparison.LT: Comparison.GE,
    Comparison.LE: Comparison.GT,
    Comparison.GT: Comparison.LE,
    Comparison.GE: Comparison.LT,
}


@dataclass(frozen=True, slots=True)
class Names:
    """What the names of an expression stand for."""

    context: Mapping[str, Term]
    payload: Mapping[str, Term]
    state: str
    event: str = ""

    def term(self, var: Var) -> Term:
        """Return the term of `var`, which is not one of the next value."""
        match var.scope:
            case Scope.CONTEXT:
                return self.context[var.name]
            case Scope.PAYLOAD:
                return self.payload[var.name]
            case Scope.STATE:
                return self.state
            case Scope.EVENT:
                return self.event
            case _:
                raise KeyError(var.name)


def assume(expr: Expr, names: Names, world: World, *, truth: bool) -> Iterator[World]:  # noqa: C901, PLR0912 - one case for each node
    """Yield the parts of `world` in which the truth value `expr` is `truth`; together they are all of them."""
    match expr:
        case Not(arg):
            yield from assume(arg, names, world, truth=not truth)
        case And(args):
            yield from (every if truth else _some)(args, names, world, truth=truth)
        case Or(args):
            yield from (_some if truth else every)(args, names, world, truth=truth)
        case Compare(op, left, right):
            for one, first in terms(left, names, world):
                for other, second in terms(right, names, one):
                    yield from _compared(op if truth else OPPOSITE[op], (first, second), other)
        case Member(item, choices):
            same = tuple(Compare(Comparison.EQ, item, choice) for choice in choices)
            yield from (_some if truth else every)(same, names, world, truth=truth)
        case Ite(test, then, orelse):
            for branch, wanted in ((then, True), (orelse, False)):
                for one in assume(test, names, world, truth=wanted):
                    yield from assume(branch, names, one, truth=truth)
        case Lit() | Var() | At():
            for one, term in terms(expr, names, world):
                yield from branches(one, (term, truth), same=True)
        case Arith():
            raise TypeError(f"expected a truth value, was {expr}")
        case _:
            assert_never(expr)


def terms(expr: Expr, names: Names, world: World) -> Iterator[tuple[World, Term]]:  # noqa: C901, PLR0912 - one case each
    """Yield the parts of `world`, each with the term that `expr` is there."""
    match expr:
        case Lit(value, _):
            yield world, value
        case Var():
            yield world, names.term(expr)
        case Arith(op, left, right):
            for one, first in terms(left, names, world):
                for other, second in terms(right, names, one):
                    yield other, _computed(op, first, second)
        case Ite(test, then, orelse):
            for branch, wanted in ((then, True), (orelse, False)):
                for one in assume(test, names, world, truth=wanted):
                    yield from terms(branch, names, one)
        case Not() | And() | Or() | Compare() | Member():
            for wanted in (True, False):
                for one in assume(expr, names, world, truth=wanted):
                    yield one, wanted
        case At():
            raise TypeError(f"expected no map, was {expr}")
        case _:
            assert_never(expr)


def every(args: tuple[Expr, ...], names: Names, world: World, *, truth: bool) -> Iterator[World]:
    """Yield the parts of `world` in which every one of `args` is `truth`."""
    if not args:
        yield world
        return
    for one in assume(args[0], names, world, truth=truth):
        yield from every(args[1:], names, one, truth=truth)


def _some(args: tuple[Expr, ...], names: Names, world: World, *, truth: bool) -> Iterator[World]:
    """Yield the parts of `world` in which the first, or else a later one of `args` is `truth`: none of them twice."""
    if not args:
        return
    yield from assume(args[0], names, world, truth=truth)
    for one in assume(args[0], names, world, truth=not truth):
        yield from _some(args[1:], names, one, truth=truth)


def _computed(op: Arithmetic, left: Term, right: Term) -> Term:
    match op:
        case Arithmetic.ADD:
            return plus(left, right)
        case Arithmetic.SUB:
            return minus(left, right)
        case Arithmetic.MUL:
            return times(left, right)
        case _:
            assert_never(op)


def _compared(op: Comparison, sides: tuple[Term, Term], world: World) -> Iterator[World]:
    if not all(isinstance(side, Sum) or type(side) is int for side in sides):
        yield from branches(world, sides, same=op is Comparison.EQ)
        return
    less, more = minus(*sides), minus(sides[1], sides[0])
    match op:
        case Comparison.EQ:
            found = world.at_most_0(less)
            cases = [None if found is None else found.at_most_0(more)]
        case Comparison.NE:
            cases = [world.at_most_0(plus(less, 1)), world.at_most_0(plus(more, 1))]
        case Comparison.LT:
            cases = [world.at_most_0(plus(less, 1))]
        case Comparison.LE:
            cases = [world.at_most_0(less)]
        case Comparison.GT:
            cases = [world.at_most_0(plus(more, 1))]
        case Comparison.GE:
            cases = [world.at_most_0(more)]
        case _:
            assert_never(op)
    yield from (case for case in cases if case is not None)
