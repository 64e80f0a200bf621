"""What an expression means: the definitional evaluator. Every backend is judged against it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import add, eq, ge, gt, le, lt, mul, ne, sub
from typing import Any, assert_never

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
    element,
)
from peak_trade.lang.maps import select
from peak_trade.lang.sorts import Datum, Scalar, example

COMPARISONS = {
    Comparison.EQ: eq,
    Comparison.NE: ne,
    Comparison.LT: lt,
    Comparison.LE: le,
    Comparison.GT: gt,
    Comparison.GE: ge,
}
ARITHMETIC = {Arithmetic.ADD: add, Arithmetic.SUB: sub, Arithmetic.MUL: mul}
assert COMPARISONS.keys() == set(Comparison)
assert ARITHMETIC.keys() == set(Arithmetic)

_EMPTY: Mapping[str, Scalar] = {}


@dataclass(frozen=True, slots=True)
class Env:
    """The values of all names: before the step, of the event, and after the step."""

    context: Mapping[str, Datum]
    payload: Mapping[str, Scalar] = field(default_factory=lambda: _EMPTY)
    state: str = ""
    event: str = ""
    next_context: Mapping[str, Datum] = field(default_factory=lambda: _EMPTY)
    next_state: str = ""

    def value(self, var: Var) -> Datum:
        """Return the value of `var`; KeyError if its scope has no such name."""
        match var.scope:
            case Scope.CONTEXT:
                return self.context[var.name]
            case Scope.PAYLOAD:
                return self.payload[var.name]
            case Scope.STATE:
                return self.state
            case Scope.EVENT:
                return self.event
            case Scope.NEXT:
                return self.next_context[var.name]
            case Scope.NEXT_STATE:
                return self.next_state
            case _:
                assert_never(var.scope)


def evaluate(expr: Expr, env: Env) -> Any:  # noqa: ANN401, C901, PLR0911 - the value's type is the sort; one case for each node
    """Return the value of a well-sorted `expr` in `env`; total, exact, and of the expression's sort.

    Limits: recursion is bounded by the depth that the parser admits.
    """
    match expr:
        case Lit(value, _):
            return value
        case Var():
            return env.value(expr)
        case Not(arg):
            return not evaluate(arg, env)
        case And(args):
            return all(evaluate(arg, env) for arg in args)
        case Or(args):
            return any(evaluate(arg, env) for arg in args)
        case Compare(comparison, left, right):
            return COMPARISONS[comparison](evaluate(left, env), evaluate(right, env))
        case Member(item, choices):
            return evaluate(item, env) in [choice.value for choice in choices]
        case Arith(arithmetic, left, right):
            return ARITHMETIC[arithmetic](evaluate(left, env), evaluate(right, env))
        case Ite(test, then, orelse):
            return evaluate(then if evaluate(test, env) else orelse, env)
        case At(array, index):
            entries = env.value(array)
            assert isinstance(entries, tuple), f"expected a map, was {entries!r}"
            return select(entries, evaluate(index, env), example(element(expr)))
        case _:
            assert_never(expr)
