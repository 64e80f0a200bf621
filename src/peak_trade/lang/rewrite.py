"""The same expression with some of its parts replaced."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeAlias, TypeVar, assert_never

from peak_trade.lang.expr import And, Arith, At, Compare, Expr, Ite, Lit, Member, Not, Or, Var

Put: TypeAlias = Callable[[Expr], Expr | None]
"""What replaces a node, or None for a node that is kept and whose parts are looked at."""

Node = TypeVar("Node", Lit, Var)


def rewrite(expr: Expr, put: Put) -> Expr:  # noqa: PLR0911 - one return for each node of the union
    """Return `expr` with every outermost node that `put` replaces replaced, all at once.

    Raises TypeError if a constant of a list is replaced by what is no constant, or a map by what is no variable.
    """
    found = put(expr)
    if found is not None:
        return found
    fold = partial(rewrite, put=put)
    match expr:
        case Lit() | Var():
            return expr
        case At(name, index):
            return At(_still(fold(name), Var), fold(index))
        case Not(arg):
            return Not(fold(arg))
        case And(args):
            return And(tuple(map(fold, args)))
        case Or(args):
            return Or(tuple(map(fold, args)))
        case Compare() | Arith():
            return replace(expr, left=fold(expr.left), right=fold(expr.right))
        case Member(item, choices):
            return Member(fold(item), tuple(_still(fold(choice), Lit) for choice in choices))
        case Ite(test, then, orelse):
            return Ite(fold(test), fold(then), fold(orelse))
        case _:
            assert_never(expr)


def _still(found: Expr, kind: type[Node]) -> Node:
    if not isinstance(found, kind):
        raise TypeError(f"expected a {kind.__name__} in its place, was {found}; replace the node around it")
    return found
