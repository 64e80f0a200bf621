"""Well-sorted expressions, values for their names, and machines made of them."""

from collections.abc import Callable
from typing import Any, TypeAlias, assert_never, overload

from hypothesis import strategies as st

from peak_trade.lang.elaborate import Names, levels, members
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
from peak_trade.lang.sorts import (
    BOOL,
    INT,
    BoolSort,
    Entries,
    EnumSort,
    IntSort,
    MapSort,
    Scalar,
    ScalarSort,
    Sort,
    comparable,
    example,
)

COLOUR = EnumSort("Colour", ("red", "green", "blue"))
SIZE = EnumSort("Size", ("small", "large"))
STATES = EnumSort("State", ("OFF", "ON", "BROKEN"))
EVENTS = EnumSort("Event", ("press", "fail"))

CONTEXT = (
    Var("count", IntSort(0, None), Scope.CONTEXT),
    Var("total", INT, Scope.CONTEXT),
    Var("left", IntSort(-3, 9), Scope.CONTEXT),
    Var("lit", BOOL, Scope.CONTEXT),
    Var("hue", COLOUR, Scope.CONTEXT),
    Var("size", SIZE, Scope.CONTEXT),
)
MAPS = (
    Var("log", MapSort(IntSort(0, None)), Scope.CONTEXT),
    Var("parts", MapSort(IntSort(2, 7)), Scope.CONTEXT),
    Var("marks", MapSort(BOOL), Scope.CONTEXT),
    Var("hues", MapSort(COLOUR), Scope.CONTEXT),
)
PAYLOAD = (Var("force", IntSort(1, None), Scope.PAYLOAD), Var("hard", BOOL, Scope.PAYLOAD))
STEP = (
    Var("state", STATES, Scope.STATE),
    Var("next_state", STATES, Scope.NEXT_STATE),
    Var("event", EVENTS, Scope.EVENT),
    *(Var(var.name, var.sort, Scope.NEXT) for var in CONTEXT),
)
NEXT_MAPS = tuple(Var(var.name, var.sort, Scope.NEXT) for var in MAPS)
GUARD_NAMES: Names = {var.name: var for var in (*CONTEXT, *MAPS, *PAYLOAD)} | {
    str(lit.value): lit for sort in (COLOUR, SIZE) for lit in members(sort)
}
STEP_NAMES: Names = {
    **{
        var.name if var.scope is not Scope.NEXT else f"next_{var.name}": var
        for var in (*CONTEXT, *MAPS, *STEP, *NEXT_MAPS)
    },
    **{str(lit.value): lit for sort in (COLOUR, SIZE, STATES, EVENTS) for lit in members(sort)},
}

SORTS: tuple[ScalarSort, ...] = (BOOL, INT, COLOUR, SIZE)
sorts = st.sampled_from(SORTS)


def entries(element: ScalarSort) -> st.SearchStrategy[Entries]:
    """Return maps to `element`."""
    default = example(element)
    indices = st.integers(-3, 9) | st.integers(-(10**20), 10**20)
    found = st.dictionaries(indices, scalars(element), max_size=4)
    return found.map(lambda known: tuple(sorted((at, item) for at, item in known.items() if item != default)))


@overload
def scalars(sort: ScalarSort) -> st.SearchStrategy[Scalar]: ...


@overload
def scalars(sort: Sort) -> st.SearchStrategy[Any]: ...


def scalars(sort: Sort) -> st.SearchStrategy[Any]:
    """Return the values of `sort`; of a map, those with few entries, at small indices and at large ones."""
    match sort:
        case BoolSort():
            return st.booleans()
        case IntSort(low, high):
            return st.integers(-(10**20) if low is None else low, 10**20 if high is None else high)
        case EnumSort(_, names):
            return st.sampled_from(names)
        case MapSort(element):
            return entries(element)
        case _:
            assert_never(sort)


@st.composite
def leaves(draw: st.DrawFn, sort: ScalarSort, names: tuple[Var, ...]) -> Expr:
    """Return a constant of `sort`, or one of `names` that can be compared with it."""
    fitting = [var for var in names if comparable(var.sort, sort)]
    if fitting and draw(st.booleans()):
        return draw(st.sampled_from(fitting))
    return draw(constants(sort))


def constants(sort: ScalarSort) -> st.SearchStrategy[Lit]:
    """Return the constants of `sort`; numbers have no bounds."""
    own = INT if isinstance(sort, IntSort) else sort
    return scalars(own).map(lambda value: Lit(value, own))


@st.composite
def expressions(draw: st.DrawFn, sort: ScalarSort, names: tuple[Var, ...], depth: int = 4) -> Expr:
    """Return a well-sorted expression of `sort` over `names` with at most `depth` levels."""

    def part(wanted: ScalarSort) -> Expr:
        return draw(expressions(wanted, names, depth - 1))

    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(leaves(sort, names))
    maps = [var for var in names if isinstance(var.sort, MapSort) and comparable(var.sort.element, sort)]
    if maps and draw(st.integers(0, 3)) == 0:
        return At(draw(st.sampled_from(maps)), part(INT))
    if isinstance(sort, EnumSort) or draw(st.integers(0, 5)) == 0:
        return Ite(part(BOOL), part(sort), part(sort))
    return _number(draw, part) if isinstance(sort, IntSort) else _truth(draw, part)


Part: TypeAlias = Callable[[ScalarSort], Expr]


def _number(draw: st.DrawFn, part: Part) -> Expr:
    op = draw(st.sampled_from(Arithmetic))
    if op is not Arithmetic.MUL:
        return Arith(op, part(INT), part(INT))
    sides = (draw(constants(INT)), part(INT))
    return Arith(op, *(sides if draw(st.booleans()) else sides[::-1]))


def _truth(draw: st.DrawFn, part: Part) -> Expr:
    kind = draw(sorts)
    match draw(st.sampled_from(["not", "and", "or", "compare", "member"])):
        case "not":
            return Not(part(BOOL))
        case "and" | "or" as word:
            args = tuple(part(BOOL) for _ in range(draw(st.integers(2, 3))))
            return And(args) if word == "and" else Or(args)
        case "compare":
            ops = list(Comparison) if isinstance(kind, IntSort) else [Comparison.EQ, Comparison.NE]
            return Compare(draw(st.sampled_from(ops)), part(kind), part(kind))
        case _:
            choices = draw(st.lists(constants(kind), min_size=1, max_size=3))
            return Member(part(kind), tuple(choices))


guards = expressions(BOOL, (*CONTEXT, *PAYLOAD), 3)
claims = expressions(BOOL, CONTEXT, 3)
steps = expressions(BOOL, (*CONTEXT, *STEP), 3)


WIDE = (*CONTEXT, *MAPS)
"""The context with its maps."""

wide_guards = expressions(BOOL, (*WIDE, *PAYLOAD), 3)
wide_claims = expressions(BOOL, WIDE, 3)
wide_steps = expressions(BOOL, (*WIDE, *STEP, *NEXT_MAPS), 3)


def tower(height: int) -> Expr:
    """Return an expression of exactly `height` levels."""
    expr: Expr = Var("lit", BOOL, Scope.CONTEXT)
    for _ in range(height):
        expr = Not(expr)
    assert levels(expr) == height
    return expr
