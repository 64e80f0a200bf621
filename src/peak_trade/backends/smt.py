"""What an expression means to Z3: a pure fold from `Expr` to terms of one Z3 context.

Enumerations are Z3 enumeration sorts, whole numbers are unbounded `Int` with the sort's bounds as constraints beside
them. A map is an array; an element that the array has beyond the bounds of its sort counts as the default, so that
every array means a well-sorted map without a quantifier. `ground` asks Z3's own model for a value, so that the fold
can be compared with `lang.evaluate`.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from operator import add, eq, ge, gt, le, lt, mul, ne, sub
from typing import TypeAlias, assert_never

import z3

from peak_trade.lang.evaluate import Env
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
    Var,
    children,
    element,
    variables,
)
from peak_trade.lang.sorts import BOOL, BoolSort, Datum, EnumSort, IntSort, MapSort, Scalar, ScalarSort, Sort, example

Term: TypeAlias = z3.ExprRef
"""A Z3 term; its context is its world's."""

Lookup: TypeAlias = Callable[[Var], Term]
"""The term that stands for each variable."""

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


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """A fresh Z3 context with the enumerations of one machine or expression."""

    context: z3.Context
    sorts: Mapping[EnumSort, z3.SortRef]
    members: Mapping[tuple[EnumSort, str], Term]

    @classmethod
    def of(cls, enums: Iterable[EnumSort]) -> "World":
        """Return a world with `enums`; a context of its own, because Z3 refuses a second sort of the same name."""
        context = z3.Context()
        sorts: dict[EnumSort, z3.SortRef] = {}
        members: dict[tuple[EnumSort, str], Term] = {}
        for enum in dict.fromkeys(enums):
            sorts[enum], constants = z3.EnumSort(enum.name, list(enum.members), ctx=context)
            members |= {(enum, name): constant for name, constant in zip(enum.members, constants, strict=True)}
        return cls(context, sorts, members)

    def constant(self, name: str, sort: Sort) -> Term:
        """Return the free constant called `name` of `sort`; its bounds are `inside`, not part of it."""
        match sort:
            case BoolSort():
                return z3.Bool(name, self.context)
            case IntSort():
                return z3.Int(name, self.context)
            case EnumSort():
                return z3.Const(name, self.sorts[sort])
            case MapSort(inner):
                return z3.Const(name, z3.ArraySort(z3.IntSort(self.context), self._sort(inner)))
            case _:
                assert_never(sort)

    def _sort(self, sort: ScalarSort) -> z3.SortRef:
        match sort:
            case BoolSort():
                return z3.BoolSort(self.context)
            case IntSort():
                return z3.IntSort(self.context)
            case EnumSort():
                return self.sorts[sort]
            case _:
                assert_never(sort)

    def literal(self, value: Datum, sort: Sort) -> Term:
        """Return the term of `value`, which is of `sort`."""
        match sort:
            case BoolSort():
                return z3.BoolVal(value, self.context)
            case IntSort():
                return z3.IntVal(value, self.context)
            case EnumSort():
                return self.members[sort, str(value)]
            case MapSort(inner):
                return self._array(value, inner)
            case _:
                assert_never(sort)

    def _array(self, value: Datum, inner: ScalarSort) -> Term:
        assert isinstance(value, tuple), f"expected a map, was {value!r}"
        array = z3.K(z3.IntSort(self.context), self.literal(example(inner), inner))
        for index, item in value:
            array = z3.Store(array, z3.IntVal(index, self.context), self.literal(item, inner))
        return array

    def select(self, array: Term, index: Term, inner: ScalarSort) -> Term:
        """Return the element of the map that `array` means: the default wherever the array leaves the sort's bounds."""
        found = z3.Select(array, index)
        inside = self.inside(found, inner)
        if z3.is_true(inside) or (z3.is_and(inside) and not inside.children()):
            return found
        return z3.If(inside, found, self.literal(example(inner), inner), self.context)

    def inside(self, term: Term, sort: Sort) -> Term:
        """Return the term that is true iff `term` lies within the bounds of `sort`.

        Of a map: iff it has finitely many entries off its default. Which elements are read never depends on that, but
        it makes models that `datum` can give back.
        """
        match sort:
            case IntSort(low, high):
                parts = ([term >= low] if low is not None else []) + ([term <= high] if high is not None else [])
                return self.every(parts)
            case BoolSort() | EnumSort():
                return self.every(())
            case MapSort(inner):
                return z3.Default(term) == self.literal(example(inner), inner)
            case _:
                assert_never(sort)

    def datum(self, model: z3.ModelRef, term: Term, sort: Sort) -> Datum:
        """Return the value of `term` in `model`, as `scalar` does, or its entries if it is a map.

        Limits: of an array that `inside` does not hold of, only the entries that the model writes out.
        """
        if not isinstance(sort, MapSort):
            return self.scalar(model, term, sort)
        array, inner = model.eval(term, model_completion=True), sort.element
        indices = (z3.IntVal(index, self.context) for index in sorted(_mentioned(model, array)))
        found = ((int(at.as_long()), self.scalar(model, self.select(array, at, inner), inner)) for at in indices)
        return tuple((index, item) for index, item in found if item != example(inner))

    def scalar(self, model: z3.ModelRef, term: Term, sort: ScalarSort) -> Scalar:
        """Return the value of `term` in `model`; what the model leaves open is chosen by Z3, always the same."""
        value = model.eval(term, model_completion=True)
        match sort:
            case BoolSort():
                return bool(z3.is_true(value))
            case IntSort():
                return int(value.as_long())
            case EnumSort():
                return str(value.decl().name())
            case _:
                assert_never(sort)

    def negation(self, term: Term) -> Term:
        """Return the term that is true iff `term` is not."""
        return z3.Not(term, self.context)

    def every(self, terms: Iterable[Term]) -> Term:
        """Return the conjunction of `terms`; true if there are none."""
        found = tuple(terms)
        return found[0] if len(found) == 1 else z3.And(*found, self.context)

    def some(self, terms: Iterable[Term]) -> Term:
        """Return the disjunction of `terms`; false if there are none."""
        found = tuple(terms)
        return found[0] if len(found) == 1 else z3.Or(*found, self.context)


def _mentioned(model: z3.ModelRef, array: Term) -> frozenset[int]:
    """Return the numbers that the value of an array mentions: all indices at which it may differ from its default."""
    found: set[int] = set()
    left = [array]
    while left:
        one = left.pop()
        if z3.is_int_value(one):
            found.add(int(one.as_long()))
        elif z3.is_as_array(one):
            known = model[z3.get_as_array_func(one)]
            left += [known.entry(place).arg_value(0) for place in range(known.num_entries())]
        else:
            left += [one.body()] if z3.is_quantifier(one) else one.children()
    return frozenset(found)


def term(world: World, expr: Expr, lookup: Lookup) -> Term:  # noqa: C901, PLR0911 - one return for each node of the union
    """Return the term with the meaning of `expr`, where `lookup` gives the term of each variable.

    Limits: recursion is bounded by the depth that the parser admits.
    """
    fold = partial(_folded, world, lookup)
    match expr:
        case Lit(value, sort):
            return world.literal(value, sort)
        case Var():
            return lookup(expr)
        case Not(arg):
            return world.negation(fold(arg))
        case And(args):
            return world.every(map(fold, args))
        case Or(args):
            return world.some(map(fold, args))
        case Compare(comparison, left, right):
            return COMPARISONS[comparison](fold(left), fold(right))
        case Member(item, choices):
            found = fold(item)
            return world.some(found == fold(choice) for choice in choices)
        case Arith(arithmetic, left, right):
            return ARITHMETIC[arithmetic](fold(left), fold(right))
        case Ite(test, then, orelse):
            return z3.If(fold(test), fold(then), fold(orelse), world.context)
        case At(array, index):
            return world.select(lookup(array), fold(index), element(expr))
        case _:
            assert_never(expr)


def _folded(world: World, lookup: Lookup, expr: Expr) -> Term:
    return term(world, expr, lookup)


def ground(expr: Expr, env: Env, sort: ScalarSort) -> Scalar:
    """Return the value of `expr`, of `sort`, in a Z3 model of `env`; equal to `lang.evaluate` iff the fold is right."""
    world = World.of(_enums(expr))
    names = {var: world.constant(f"{var.scope.value}.{var.name}", var.sort) for var in variables(expr)}
    solver = z3.Solver(ctx=world.context)
    solver.add([constant == world.literal(env.value(var), var.sort) for var, constant in names.items()])
    found = solver.check()
    assert found == z3.sat, f"expected a model of equations with constants, was {found}"
    return world.scalar(solver.model(), term(world, expr, names.__getitem__), sort)


def _enums(expr: Expr) -> tuple[EnumSort, ...]:
    sort = expr.sort if isinstance(expr, Lit | Var) else BOOL
    named = sort.element if isinstance(sort, MapSort) else sort
    own = (named,) if isinstance(named, EnumSort) else ()
    return tuple(dict.fromkeys((*own, *(enum for child in children(expr) for enum in _enums(child)))))
