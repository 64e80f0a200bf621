"""The NumPy text of an expression: over columns it gives, lane by lane, what `lang.evaluate` gives.

That holds as long as no number leaves the 64 bits; how far numbers can grow in a step is said by `growth`. Truth
values are columns of bool, members of an enumeration are their places in it, numbers are int64. Both sides of an
`and`, an `or` and a choice are always evaluated; nothing in the language has an effect, so nothing differs.

Units: as declared in the specification.
Limits: no maps; see `Unfit`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Final, TypeAlias, assert_never

from peak_trade.backends.fold import NEGATED
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
    children,
    sort_of,
)
from peak_trade.lang.machine import Always, Machine
from peak_trade.lang.sorts import EnumSort, IntSort, MapSort, Scalar, Sort

WHERE = "_where"
"""The name under which generated code has `numpy.where`."""
WORD_MAX: Final = 2**62
"""No number in a column may be greater: half of what an int64 holds, so that one sum more is still exact."""

Locals: TypeAlias = Mapping[tuple[Scope, str], str]
"""The local name of each variable, by its scope and name."""
Shared: TypeAlias = Mapping[Expr, str]
"""The local name that already holds the value of a compound expression."""


class Unfit(ValueError):  # noqa: N818 - named by what the machine is
    """A machine cannot be run on columns of int64; `part` is what stands against it, `why` says how."""

    def __init__(self, machine: str, part: str, why: str) -> None:
        self.machine, self.part, self.why = machine, part, why
        super().__init__(f"expected {machine} to have numbers of 64 bits and no maps, was {part}: {why}; use `walk`")


@dataclass(frozen=True, slots=True)
class Growth:
    """A number at most `m` in magnitude makes, in any expression, one of at most `factor * m + plus`."""

    factor: int
    plus: int

    def steps(self, magnitude: int, steps_max: int) -> int:
        """Return how many steps, at most `steps_max`, are exact from numbers of at most `magnitude`."""
        for count in range(steps_max):
            magnitude = self.factor * magnitude + self.plus
            if magnitude > WORD_MAX:
                return count
        return steps_max


def text(expr: Expr, names: Locals, shared: Shared) -> str:  # noqa: C901, PLR0911, PLR0912 - one case for each node
    """Return the NumPy text of a folded `expr`, in parentheses where it is compound."""
    if expr in shared:
        return shared[expr]
    match expr:
        case Lit(value, sort):
            return code_text(value, sort)
        case Var(name, _, scope):
            return names[scope, name]
        case Not(Member(item, choices)):
            return _within(text(item, names, shared), choices, truth=False)
        case Not(arg):
            return f"(~{text(arg, names, shared)})"
        case And(args):
            return f"({' & '.join(text(arg, names, shared) for arg in args)})"
        case Or(args):
            return f"({' | '.join(text(arg, names, shared) for arg in args)})"
        case Compare(op, left, right):
            return f"({text(left, names, shared)} {op.value} {text(right, names, shared)})"
        case Member(item, choices):
            return _within(text(item, names, shared), choices, truth=True)
        case Arith(arithmetic, left, right):
            return f"({text(left, names, shared)} {arithmetic.value} {text(right, names, shared)})"
        case Ite(test, then, orelse):
            parts = (text(part, names, shared) for part in (test, then, orelse))
            return f"{WHERE}({', '.join(parts)})"
        case At(array, _):
            raise AssertionError(f"expected a machine without maps, was one with {array.name}")
        case _:
            assert_never(expr)


def _within(item: str, choices: tuple[Lit, ...], *, truth: bool) -> str:
    """Return the text of a membership, or of its contrary: two comparisons if the codes are next to each other."""
    codes = sorted({int(code(choice.value, choice.sort)) for choice in choices})
    least, most = codes[0], codes[-1]
    if len(codes) > 2 and most - least == len(codes) - 1:
        inside, outside = f"(({item} >= {least}) & ({item} <= {most}))", f"(({item} < {least}) | ({item} > {most}))"
        return inside if truth else outside
    op, junction = ("==", " | ") if truth else ("!=", " & ")
    return f"({junction.join(f'({item} {op} {one})' for one in codes)})"


def positive(expr: Expr, *, truth: bool = True) -> Expr:
    """Return what is true iff `expr` has the value `truth`, with each negation as far inside as it can be.

    Two columns are then compared once the other way, instead of compared and negated.
    """
    match expr:
        case Not(arg):
            return positive(arg, truth=not truth)
        case And(args) | Or(args):
            parts = tuple(positive(arg, truth=truth) for arg in args)
            return And(parts) if isinstance(expr, And) is truth else Or(parts)
        case Compare(op, left, right) if not truth:
            return Compare(NEGATED[op], left, right)
        case _:
            return expr if truth else Not(expr)


def code(value: Scalar, sort: Sort) -> int | bool:
    """Return the number that stands for `value` in a column: a member's place, anything else as it is."""
    if isinstance(sort, EnumSort):
        return sort.members.index(str(value))
    assert not isinstance(value, str), f"expected a number or a truth value, was {value!r}"
    return value


def code_text(value: Scalar, sort: Sort) -> str:
    """Return the text of a constant."""
    found = code(value, sort)
    return f"({found})" if type(found) is int and found < 0 else repr(found)


def growth(machine: Machine) -> Growth:
    """Return how the numbers of `machine` grow in one step, in any guard, update or invariant.

    Raises:
        Unfit: it has a map, or a constant or a bound beyond WORD_MAX.
    """
    for item in machine.variables:
        if isinstance(item.sort, MapSort):
            raise Unfit(machine.name, item.name, "a map has no fixed width")
    whole = reduce(_most, (_spread(expr) for expr in _spoken(machine)), Growth(1, 0))
    if whole.plus > WORD_MAX:
        raise Unfit(machine.name, "a constant or a bound", f"the numbers of an expression reach {whole.plus}")
    return whole


def _spoken(machine: Machine) -> Iterable[Expr]:
    """Yield every expression that a step may evaluate, and every variable and field as one."""
    for row in machine.transitions:
        yield row.when
        yield from (lock.holds for lock in row.require)
        yield from (update.value for update in row.updates)
    yield from (row.when for row in machine.dismissals if row.when is not None)
    yield from (claim.holds for claim in machine.properties if isinstance(claim, Always))
    yield from (Var(item.name, item.sort, Scope.CONTEXT) for item in machine.variables)
    yield from (Var(item.name, item.sort, Scope.PAYLOAD) for event in machine.events for item in event.payload)
    yield from (Lit(end, item.sort) for item in machine.variables for end in _ends(item.sort))


def _ends(sort: Sort) -> Iterable[int]:
    return (end for end in (sort.min, sort.max) if end is not None) if isinstance(sort, IntSort) else ()


def _most(one: Growth, other: Growth) -> Growth:
    return Growth(max(one.factor, other.factor), max(one.plus, other.plus))


def _spread(expr: Expr) -> Growth:
    """Return the growth of the greatest number anywhere in `expr`."""
    parts = [_spread(part) for part in children(expr)]
    own = _own(expr) if isinstance(sort_of(expr), IntSort) else Growth(0, 0)
    return reduce(_most, parts, own)


def _own(expr: Expr) -> Growth:
    """Return the growth of the number that `expr` itself denotes."""
    match expr:
        case Lit(int() as value, _):
            return Growth(0, abs(value))
        case Arith(Arithmetic.MUL, left, right):
            return _product(_own(left), _own(right))
        case Arith(_, left, right):
            one, other = _own(left), _own(right)
            return Growth(one.factor + other.factor, one.plus + other.plus)
        case Ite(_, then, orelse):
            return _most(_own(then), _own(orelse))
        case _:
            sort = sort_of(expr)
            assert isinstance(sort, IntSort), f"expected a number, was {expr}"
            bounded = sort.min is not None and sort.max is not None
            return Growth(0, max(map(abs, _ends(sort)))) if bounded else Growth(1, 0)


def _product(one: Growth, other: Growth) -> Growth:
    assert not (one.factor and other.factor), "expected a product with a constant side"
    return Growth(one.factor * other.plus + other.factor * one.plus, one.plus * other.plus)
