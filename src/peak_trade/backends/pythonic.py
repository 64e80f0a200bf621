"""The Python text of an expression: evaluating it gives the value that `lang.evaluate` gives.

The language is a typed subset of Python's expressions, so the text differs from the specification's only in its
constants, in memberships, and in the names that the caller chooses.
"""

import re
from collections.abc import Mapping
from typing import TypeAlias, assert_never

from peak_trade.lang.expr import (
    And,
    Arith,
    Arithmetic,
    At,
    Compare,
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
from peak_trade.lang.sorts import Datum, example

Names: TypeAlias = Mapping[Expr, str]
"""The local name that already holds the value of an expression; variables not in it have their own names."""

PLAIN = re.compile(r"[A-Za-z0-9_.,;:*+<>=() -]*")
"""Texts that need no escape; whatever else a name holds is quoted by `repr`."""

SELECT = "_at"
"""The name under which generated code has `lang.maps.select`."""

_ITE, _OR, _AND, _NOT, _COMPARE, _ADD, _MUL, _ATOM = range(8)
_ARITH = {Arithmetic.ADD: _ADD, Arithmetic.SUB: _ADD, Arithmetic.MUL: _MUL}


def python(expr: Expr, names: Names) -> str:
    """Return the Python text of `expr`, with no more parentheses than Python needs."""
    return _text(expr, names)[0]


def constant(value: Datum) -> str:
    """Return the Python text of a constant; plain texts are in double quotes, as the formatter wants them."""
    return f'"{value}"' if isinstance(value, str) and PLAIN.fullmatch(value) else repr(value)


def local(var: Var) -> str:
    """Return the name under which generated code holds `var`; the prefix `next_` is reserved for it."""
    return f"next_{var.name}" if var.scope is Scope.NEXT else var.name


def _text(expr: Expr, names: Names) -> tuple[str, int]:  # noqa: C901, PLR0911, PLR0912 - one case for each node
    if expr in names:
        return names[expr], _ATOM
    match expr:
        case Lit(value, _):
            return constant(value), _ADD if type(value) is int and value < 0 else _ATOM
        case Var():
            return local(expr), _ATOM
        case Not(Member(item, choices)):
            return f"{_within(item, _ADD, names)} not in {_set(choices)}", _COMPARE
        case Not(arg):
            return f"not {_within(arg, _NOT, names)}", _NOT
        case And(args):
            return " and ".join(_within(arg, _AND + 1, names) for arg in args), _AND
        case Or(args):
            return " or ".join(_within(arg, _OR + 1, names) for arg in args), _OR
        case Compare(comparison, left, right):
            return f"{_within(left, _ADD, names)} {comparison.value} {_within(right, _ADD, names)}", _COMPARE
        case Member(item, choices):
            return f"{_within(item, _ADD, names)} in {_set(choices)}", _COMPARE
        case Arith(arithmetic, left, right):
            level = _ARITH[arithmetic]
            return f"{_within(left, level, names)} {arithmetic.value} {_within(right, level + 1, names)}", level
        case At(array, index):
            return f"{SELECT}({local(array)}, {python(index, names)}, {constant(example(element(expr)))})", _ATOM
        case Ite(test, then, orelse):
            tested, other = _within(test, _OR, names), _within(orelse, _ITE, names)
            return f"{_within(then, _OR, names)} if {tested} else {other}", _ITE
        case _:
            assert_never(expr)


def _within(expr: Expr, level: int, names: Names) -> str:
    text, own = _text(expr, names)
    return text if own >= level else f"({text})"


def _set(choices: tuple[Lit, ...]) -> str:
    return "{" + ", ".join(dict.fromkeys(constant(choice.value) for choice in choices)) + "}"
