"""Expressions as JSON data and back, whatever their names are: what is read back equals what was written."""

from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Final

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
from peak_trade.lang.sorts import BoolSort, EnumSort, IntSort, MapSort

NODES: Final = {
    item.__name__: item
    for item in (And, Arith, At, Compare, Ite, Lit, Member, Not, Or, Var, BoolSort, EnumSort, IntSort, MapSort)
}
WORDS: Final = {item.__name__: item for item in (Arithmetic, Comparison, Scope)}


def plain(part: object) -> Any:  # noqa: ANN401 - JSON data
    """Return `part` of an expression as JSON data: nodes by their name, tuples as lists."""
    if isinstance(part, Enum):
        return {type(part).__name__: part.value}
    if is_dataclass(part):
        return {type(part).__name__: [plain(getattr(part, item.name)) for item in fields(part)]}
    return [plain(one) for one in part] if isinstance(part, tuple) else part


def read(data: Any) -> Expr:  # noqa: ANN401 - JSON data
    """Return the expression that `plain` wrote; ValueError or TypeError iff it wrote no such data."""
    found = _read(data)
    if not isinstance(found, And | Arith | At | Compare | Ite | Lit | Member | Not | Or | Var):
        raise TypeError(f"expected an expression, was {type(found).__name__}; the entry is damaged")
    return found


def _read(data: Any) -> Any:  # noqa: ANN401 - JSON data
    match data:
        case list():
            return tuple(map(_read, data))
        case dict() if len(data) == 1:
            ((name, inner),) = data.items()
            if name in WORDS:
                return WORDS[name](inner)
            if name in NODES and isinstance(inner, list):
                return NODES[name](*map(_read, inner))
        case bool() | int() | str() | None:
            return data
    raise ValueError("expected a node of an expression; the entry is damaged")
