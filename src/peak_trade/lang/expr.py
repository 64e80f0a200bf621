"""The one expression AST: a closed union of frozen nodes without behaviour.

Guards, updates and properties are all values of `Expr`; every backend folds over them with
`match` and ends in `assert_never`. Division, calls and floats do not exist, and a product has a
constant side, so that each question about an expression is decidable.
"""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias, assert_never

from peak_trade.lang.sorts import BOOL, INT, IntSort, MapSort, Scalar, ScalarSort, Sort


class Scope(Enum):
    """Where a name's value comes from; `NEXT` and `NEXT_STATE` only in step properties."""

    CONTEXT = "context"
    PAYLOAD = "payload"
    STATE = "state"
    EVENT = "event"
    NEXT = "next"
    NEXT_STATE = "next_state"


class Comparison(Enum):
    """The six comparisons; order only between whole numbers."""

    EQ = "=="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="


class Arithmetic(Enum):
    """Sum, difference, and product with a constant."""

    ADD = "+"
    SUB = "-"
    MUL = "*"


@dataclass(frozen=True, slots=True)
class Lit:
    """A constant of its sort."""

    value: Scalar
    sort: Sort


@dataclass(frozen=True, slots=True)
class Var:
    """The value that `name` has in `scope`."""

    name: str
    sort: Sort
    scope: Scope


@dataclass(frozen=True, slots=True)
class Not:
    """True iff `arg` is false."""

    arg: "Expr"


@dataclass(frozen=True, slots=True)
class And:
    """True iff every one of `args` (two or more) is."""

    args: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True iff some one of `args` (two or more) is."""

    args: tuple["Expr", ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """`left op right`."""

    op: Comparison
    left: "Expr"
    right: "Expr"


@dataclass(frozen=True, slots=True)
class Member:
    """True iff `item` equals one of the constants `choices` (one or more)."""

    item: "Expr"
    choices: tuple[Lit, ...]


@dataclass(frozen=True, slots=True)
class Arith:
    """`left op right` over whole numbers; a product has a constant side."""

    op: Arithmetic
    left: "Expr"
    right: "Expr"


@dataclass(frozen=True, slots=True)
class Ite:
    """`then` if `test` is true, else `orelse`."""

    test: "Expr"
    then: "Expr"
    orelse: "Expr"


@dataclass(frozen=True, slots=True)
class At:
    """The element of `map` at `index`; nothing else is said of a map."""

    map: Var
    index: "Expr"


Expr: TypeAlias = Lit | Var | Not | And | Or | Compare | Member | Arith | Ite | At

TRUE = Lit(True, BOOL)
FALSE = Lit(False, BOOL)


def conjunction(args: tuple[Expr, ...]) -> Expr:
    """Return the expression that is true iff all `args` are; leaves out the constant true."""
    real = tuple(arg for arg in args if arg != TRUE)
    if len(real) > 1:
        return And(real)
    return real[0] if real else TRUE


def disjunction(args: tuple[Expr, ...]) -> Expr:
    """Return the expression that is true iff some one of `args` is."""
    if len(args) > 1:
        return Or(args)
    return args[0] if args else FALSE


def sort_of(expr: Expr) -> Sort:
    """Return the sort of a well-sorted expression; whole numbers other than a name's are unbounded."""
    match expr:
        case Lit(_, sort) | Var(_, sort, _):
            return sort
        case Not() | And() | Or() | Compare() | Member():
            return BOOL
        case Arith():
            return INT
        case Ite(_, then, _):
            sort = sort_of(then)
            return INT if isinstance(sort, IntSort) else sort
        case At():
            return element(expr)
        case _:
            assert_never(expr)


def element(at: At) -> ScalarSort:
    """Return the sort of a map's elements, bounds included: each of them has it, written or not."""
    assert isinstance(at.map.sort, MapSort), f"expected a map, was {at.map.name}"
    return at.map.sort.element


def children(expr: Expr) -> tuple[Expr, ...]:  # noqa: PLR0911 - one return for each node
    """Return the direct parts of `expr`, left to right."""
    match expr:
        case Lit() | Var():
            return ()
        case Not(arg):
            return (arg,)
        case And(args) | Or(args):
            return args
        case Compare(_, left, right) | Arith(_, left, right):
            return (left, right)
        case Member(item, choices):
            return (item, *choices)
        case Ite(test, then, orelse):
            return (test, then, orelse)
        case At(array, index):
            return (array, index)
        case _:
            assert_never(expr)


def variables(expr: Expr) -> frozenset[Var]:
    """Return the variables that occur in `expr`."""
    if isinstance(expr, Var):
        return frozenset((expr,))
    return frozenset().union(*map(variables, children(expr)))
