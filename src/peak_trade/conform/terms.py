"""A term stands for every value that a part of a machine may have, as far as a trace tells it.

A whole number is a sum of unknowns with whole coefficients; a truth value or a member of an enumeration is one word, or
an unknown out of a set of them. A `World` is a machine's value in terms, with what is known of its unknowns: a range or
a set for each, and inequalities `sum <= 0` between several. Narrowing keeps all that is possible and drops a world iff
ranges alone show that nothing is left of it.

Limits: inequalities between several unknowns are propagated for `ROUNDS_MAX` rounds; `witness` then finds numbers for
them by trying ends of ranges, and may find none where there are some.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from peak_trade.lang.sorts import BoolSort, EnumSort, IntSort, MapSort, Scalar, Sort

ROUNDS_MAX: Final = 32


@dataclass(frozen=True, slots=True)
class Sum:
    """`const` and the sum of unknowns, each by its number and coefficient, in rising order; never empty."""

    const: int
    parts: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Word:
    """The unknown of this number: a truth value, or a member of an enumeration."""

    number: int


Term: TypeAlias = Scalar | Sum | Word
Range: TypeAlias = tuple[int | None, int | None]
"""The least and the greatest that a number may be; None is no bound."""


class Unheard(ValueError):  # noqa: N818 - said of a sort
    """A map is no term: a machine with maps can be followed only from its first record."""


@dataclass(frozen=True, slots=True)
class World:
    """A state and its context in terms, and what is known of the unknowns; `count` is the number of the next one."""

    state: str
    terms: tuple[Term, ...]
    ranges: tuple[tuple[int, Range], ...] = ()
    words: tuple[tuple[int, frozenset[Scalar]], ...] = ()
    bounds: tuple[Sum, ...] = ()
    count: int = 0

    def fresh(self, sort: Sort) -> tuple["World", Term]:
        """Return the world with one more unknown, any value of `sort`, and that unknown.

        Raises:
            Unheard: it is a map.
        """
        number, more = self.count, self.count + 1
        match sort:
            case IntSort(low, high):
                ranges = (*self.ranges, (number, (low, high)))
                return replace(self, ranges=ranges, count=more), Sum(0, ((number, 1),))
            case BoolSort():
                words = (*self.words, (number, frozenset[Scalar]({False, True})))
                return replace(self, words=words, count=more), Word(number)
            case EnumSort(_, members):
                words = (*self.words, (number, frozenset[Scalar](members)))
                return replace(self, words=words, count=more), Word(number)
            case MapSort():
                raise Unheard(f"expected a scalar, was {sort}; walk the trace from its first record")

    def choices(self, term: Term) -> frozenset[Scalar]:
        """Return what a word may be."""
        if isinstance(term, Word):
            return dict(self.words)[term.number]
        assert not isinstance(term, Sum)
        return frozenset({term})

    def within(self, term: Word, choices: frozenset[Scalar]) -> "World | None":
        """Return the world in which the unknown word is one of `choices`, or None iff that cannot be."""
        known = dict(self.words)
        left = known[term.number] & choices
        if not left:
            return None
        return self if left == known[term.number] else replace(self, words=tuple((known | {term.number: left}).items()))

    def at_most_0(self, term: Term) -> "World | None":
        """Return the world in which the number `term` is at most 0, or None iff that cannot be."""
        if not isinstance(term, Sum):
            assert not isinstance(term, str | Word)
            return self if term <= 0 else None
        ranges = dict(self.ranges)
        known = any(bound.parts == term.parts and bound.const >= term.const for bound in self.bounds)
        if known or _says_nothing(term, ranges):
            return self
        least, _ = _least(term, ranges)
        if least is not None and least > 0:
            return None
        return _propagated(self, (*self.bounds, term))

    def range_of(self, term: Term) -> Range:
        """Return the least and the greatest that the number `term` may be, by the ranges of its unknowns."""
        if not isinstance(term, Sum):
            assert not isinstance(term, str | Word)
            return term, term
        ranges = dict(self.ranges)
        low, _ = _least(term, ranges)
        high, _ = _least(minus(0, term), ranges)
        return low, None if high is None else -high

    def tidy(self) -> "World":
        """Return the same world with each unknown that is known replaced, and those that nothing speaks of left out."""
        known: dict[int, int] = {number: low for number, (low, high) in self.ranges if low is not None and low == high}
        said = {number: next(iter(words)) for number, words in self.words if len(words) == 1}
        terms = tuple(
            said.get(term.number, term)
            if isinstance(term, Word)
            else _with(term, known)
            if isinstance(term, Sum)
            else term
            for term in self.terms
        )
        used = {number for term in (*terms, *self.bounds) if isinstance(term, Sum) for number, _ in term.parts}
        named = {term.number for term in terms if isinstance(term, Word)}
        return replace(
            self,
            terms=terms,
            ranges=tuple(item for item in self.ranges if item[0] in used),
            words=tuple(item for item in self.words if item[0] in named),
        )

    def witness(self) -> bool:
        """Return true iff numbers were found for all unknowns that several inequalities speak of."""
        world: World | None = self
        while world is not None and world.bounds:
            ranges = dict(world.ranges)
            parts = (number for number, _ in world.bounds[0].parts)
            number = next((one for one in parts if ranges[one][0] is None or ranges[one][0] != ranges[one][1]), None)
            if number is None:
                return False
            low, high = ranges[number]
            tries = (
                _pinned(world, number, at) for at in dict.fromkeys((low, high, low or high or 0)) if at is not None
            )
            found = (one for one in tries if one is not None)
            world = next(found, None)
        return world is not None


def plus(left: Term, right: Term, sign: int = 1) -> Term:
    """Return the number `left + sign * right`."""
    one, other = _parts(left), _parts(right)
    parts = dict(one.parts)
    for number, coefficient in other.parts:
        parts[number] = parts.get(number, 0) + sign * coefficient
    return _number(one.const + sign * other.const, parts)


def minus(left: Term, right: Term) -> Term:
    """Return the number `left - right`."""
    return plus(left, right, -1)


def times(left: Term, right: Term) -> Term:
    """Return the product of two numbers, of which one is known: the language has no other."""
    one, other = _parts(left), _parts(right)
    if one.parts:
        one, other = other, one
    assert not one.parts, "a product has a constant side"
    return _number(one.const * other.const, {number: one.const * part for number, part in other.parts})


def branches(world: World, terms: tuple[Term, Term], *, same: bool) -> Iterator[World]:
    """Yield the worlds in which two words are the same, or differ: exact, and none twice."""
    left, right = terms
    if not isinstance(left, Word):
        left, right = right, left
    if not isinstance(left, Word):
        if (left == right) is same:
            yield world
    elif left == right:
        if same:
            yield world
    elif isinstance(right, Word):
        for choice in sorted(world.choices(right), key=str):
            found = world.within(right, frozenset({choice}))
            if found is not None:
                yield from branches(found, (left, choice), same=same)
    else:
        assert not isinstance(right, Sum)
        only = frozenset({right})
        found = world.within(left, only if same else world.choices(left) - only)
        if found is not None:
            yield found


def _parts(term: Term) -> Sum:
    if isinstance(term, Sum):
        return term
    assert type(term) is int, f"expected a number, was {term!r}"
    return Sum(term, ())


def _number(const: int, parts: dict[int, int]) -> Term:
    left = tuple((number, part) for number, part in sorted(parts.items()) if part)
    return Sum(const, left) if left else const


def _with(term: Sum, known: dict[int, int]) -> Term:
    const = term.const + sum(part * known[number] for number, part in term.parts if number in known)
    return _number(const, {number: part for number, part in term.parts if number not in known})


def _least(term: Term, ranges: dict[int, Range]) -> tuple[int | None, tuple[int, ...]]:
    """Return the least that a sum may be, None iff it has none, and the unknowns that have no end on that side."""
    one, total, open_ends = _parts(term), 0, []
    for number, part in one.parts:
        end = ranges[number][0 if part > 0 else 1]
        if end is None:
            open_ends.append(number)
        else:
            total += part * end
    return (None if open_ends else one.const + total), tuple(open_ends)


def _pinned(world: World, number: int, at: int) -> World | None:
    unknown = Sum(-at, ((number, 1),))
    lower = world.at_most_0(unknown)
    return None if lower is None else lower.at_most_0(minus(0, unknown))


def _propagated(world: World, bounds: tuple[Sum, ...]) -> World | None:
    """Return the world with narrower ranges and the bounds that these do not say already; None iff one is empty."""
    ranges = dict(world.ranges)
    for _ in range(ROUNDS_MAX):
        before = dict(ranges)
        for bound in bounds:
            if not _narrowed(bound, ranges):
                return None
        if ranges == before:
            break
    tight: dict[tuple[tuple[int, int], ...], int] = {}
    for bound in bounds:
        if not _says_nothing(bound, ranges):
            tight[bound.parts] = max(bound.const, tight.get(bound.parts, bound.const))
    left = tuple(Sum(const, parts) for parts, const in tight.items())
    return replace(world, ranges=tuple(ranges.items()), bounds=left)


def _says_nothing(bound: Sum, ranges: dict[int, Range]) -> bool:
    """Return true iff the ranges alone keep the sum at most 0."""
    most, _ = _least(minus(0, bound), ranges)
    return most is not None and most >= 0


def _narrowed(bound: Sum, ranges: dict[int, Range]) -> bool:
    """Narrow the range of each unknown by what the others leave to it; return false iff nothing is left."""
    for number, part in bound.parts:
        rest, _ = _least(_number(bound.const, {other: one for other, one in bound.parts if other != number}), ranges)
        if rest is None:
            continue
        low, high = ranges[number]
        if part > 0:
            end = -rest // part
            high = end if high is None else min(high, end)
        else:
            end = -(-rest // -part)
            low = end if low is None else max(low, end)
        if low is not None and high is not None and low > high:
            return False
        ranges[number] = (low, high)
    return True
