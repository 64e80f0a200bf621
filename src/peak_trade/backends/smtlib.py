"""Expressions as standard SMT-LIB 2.6 text, folded from the language's own tree and from nothing of Z3.

So a second solver that reads the text judges what the specification says, and not what the encoder for Z3 made of it.
Symbols: `now.x`, `next.x` and `with.f` are a variable before and after a step and a payload field; `Side/buy` is a
member of an enumeration and `Sort.Side` the enumeration itself. Whole numbers are `Int`; their bounds are `inside`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias, assert_never

from peak_trade.lang.expr import (
    And,
    Arith,
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
    sort_of,
    variables,
)
from peak_trade.lang.sorts import (
    BOOL,
    INT,
    BoolSort,
    Datum,
    Entries,
    EnumSort,
    IntSort,
    MapSort,
    ScalarSort,
    Sort,
    example,
    is_whole,
)

LINE_CHARS_MAX: Final = 116
"""A longer term is written with its parts on lines of their own."""

_SIMPLE: Final = re.compile(r"[A-Za-z~!$%^&*_+=<>?/-][A-Za-z0-9~!@$%^&*_+=<>.?/-]*")
_COMPARISONS: Final = {Comparison.EQ: "=", Comparison.NE: "distinct"}

Names: TypeAlias = Mapping[Var, str]
"""The text that stands for a variable where it is not its own symbol."""


@dataclass(frozen=True, slots=True)
class Moment:
    """The prefixes of the symbols of one step: before it, after it, and in its payload."""

    now: str = "now"
    next: str = "next"
    given: str = "with"


STEP: Final = Moment()


def symbol(name: str) -> str:
    """Return `name` as a symbol, quoted iff it must be; AssertionError iff no symbol can be called so."""
    assert "|" not in name, f"expected a name without a bar or backslash, was {name!r}"
    assert "\\" not in name, f"expected a name without a bar or backslash, was {name!r}"
    return name if _SIMPLE.fullmatch(name) else f"|{name}|"


def sort(of: Sort) -> str:
    """Return the name of the sort; bounds of whole numbers are no part of it."""
    match of:
        case BoolSort():
            return "Bool"
        case IntSort():
            return "Int"
        case EnumSort(name, _):
            return symbol(f"Sort.{name}")
        case MapSort(element):
            return f"(Array Int {sort(element)})"
        case _:
            assert_never(of)


def literal(value: Datum, of: Sort) -> str:
    """Return the constant `value` of its sort."""
    match of:
        case BoolSort():
            return "true" if value else "false"
        case IntSort():
            assert is_whole(value), f"expected a whole number, was {value!r}"
            return str(value) if value >= 0 else f"(- {-value})"
        case EnumSort(name, _):
            return symbol(f"{name}/{value}")
        case MapSort(element):
            assert isinstance(value, tuple), f"expected a map, was {value!r}"
            return _map(value, element)
        case _:
            assert_never(of)


def inside(text: str, of: Sort) -> tuple[str, ...]:
    """Return what must be true of the term `text` for it to lie within the bounds of its sort."""
    match of:
        case IntSort(low, high):
            floor = () if low is None else (f"(<= {literal(low, of)} {text})",)
            return floor if high is None else (*floor, f"(<= {text} {literal(high, of)})")
        case BoolSort() | EnumSort():
            return ()
        case MapSort(element):
            each = inside(f"(select {text} index)", element)
            return (f"(forall ((index Int)) {every(each)})",) if each else ()
        case _:
            assert_never(of)


def _map(entries: Entries, element: ScalarSort) -> str:
    text = f"((as const (Array Int {sort(element)})) {literal(example(element), element)})"
    for index, value in entries:
        text = f"(store {text} {literal(index, INT)} {literal(value, element)})"
    return text


def name(var: Var, moment: Moment = STEP) -> str:
    """Return the symbol of a variable at `moment`."""
    match var.scope:
        case Scope.CONTEXT:
            return symbol(f"{moment.now}.{var.name}")
        case Scope.PAYLOAD:
            return symbol(f"{moment.given}.{var.name}")
        case Scope.STATE:
            return symbol(f"{moment.now}.state")
        case Scope.EVENT:
            return "event"
        case Scope.NEXT:
            return symbol(f"{moment.next}.{var.name}")
        case Scope.NEXT_STATE:
            return symbol(f"{moment.next}.state")
        case _:
            assert_never(var.scope)


def term(expr: Expr, moment: Moment = STEP) -> str:  # noqa: C901, PLR0911 - one case for each node of the closed union
    """Return the term with the meaning of `expr` at `moment`.

    Limits: recursion is bounded by the depth that the parser admits.
    """
    fold = partial(term, moment=moment)
    match expr:
        case Lit(value, of):
            return literal(value, of)
        case Var():
            return name(expr, moment)
        case Not(arg):
            return f"(not {fold(arg)})"
        case And(args):
            return every(map(fold, args))
        case Or(args):
            return some(map(fold, args))
        case Compare(comparison, left, right):
            word = _COMPARISONS.get(comparison, comparison.value)
            return f"({word} {fold(left)} {fold(right)})"
        case Member(item, choices):
            found = fold(item)
            return some(f"(= {found} {fold(choice)})" for choice in choices)
        case Arith(arithmetic, left, right):
            return f"({arithmetic.value} {fold(left)} {fold(right)})"
        case Ite(test, then, orelse):
            return f"(ite {fold(test)} {fold(then)} {fold(orelse)})"
        case At(array, index):
            return f"(select {fold(array)} {fold(index)})"
        case _:
            assert_never(expr)


def every(texts: Iterable[str]) -> str:
    """Return the conjunction; `true` if there is nothing to hold."""
    return _joined("and", "true", texts)


def some(texts: Iterable[str]) -> str:
    """Return the disjunction; `false` if nothing may hold."""
    return _joined("or", "false", texts)


def _joined(word: str, none: str, texts: Iterable[str]) -> str:
    found = tuple(texts)
    if len(found) > 1:
        return f"({word} {' '.join(found)})"
    return found[0] if found else none


def lines(parts: Iterable[str]) -> str:
    """Return the conjunction of `parts`, each on a line of its own if it would be long otherwise."""
    found = tuple(parts)
    flat = every(found)
    return flat if len(found) < 2 or len(flat) <= LINE_CHARS_MAX else "(and\n    " + "\n    ".join(found) + ")"


def define(called: str, params: Iterable[tuple[str, Sort]], body: str, result: Sort = BOOL) -> str:
    """Return the definition of the function `called` over `params`, symbols with their sorts."""
    head = " ".join(f"({item} {sort(of)})" for item, of in params)
    start = f"(define-fun {called} ({head}) {sort(result)}"
    return f"{start} {body})" if len(start) + len(body) <= LINE_CHARS_MAX else f"{start}\n  {body})"


def apply(called: str, args: Iterable[str]) -> str:
    """Return the application of a predicate; its bare name if it takes nothing."""
    found = " ".join(args)
    return f"({called} {found})" if found else called


@dataclass(frozen=True, slots=True)
class Function:
    """A named expression; the variables that occur in it are its parameters."""

    called: str
    expr: Expr

    @property
    def params(self) -> tuple[Var, ...]:
        """The variables of the expression, sorted by their symbols."""
        return tuple(sorted(variables(self.expr), key=name))

    def define(self) -> str:
        """Return its definition."""
        params = ((name(var), var.sort) for var in self.params)
        return define(self.called, params, term(self.expr), sort_of(self.expr))

    def at(self, moment: Moment = STEP, other: Names | None = None) -> str:
        """Return it said of `moment`, with the texts in `other` for the variables that they replace."""
        return apply(self.called, ((other or {}).get(var) or name(var, moment) for var in self.params))
