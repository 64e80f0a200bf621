"""A machine's step over terms gives each outcome that `lang.step` gives for some values of the unknowns, and no other.

Where an expression is true for some values and false for others, the world is split; so each world that is left says
one thing only. Order of the questions as in `lang.step`: the row, its locks, the bounds, the declared invariants.

Limits: those of `evidence.terms`; a machine with maps has no unknown start.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias, assert_never

from peak_trade.evidence.terms import Sum, Term, Word, World, branches, minus, plus, times
from peak_trade.lang.cells import Row, Table, cells
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
    conjunction,
)
from peak_trade.lang.machine import Always, Machine, Transition
from peak_trade.lang.sorts import IntSort, Scalar
from peak_trade.lang.step import PAYLOAD_INVALID, UNKNOWN_EVENT, VALUE_BOUNDS, Broken, Ignored, Outcome, Refused, Taken

Move: TypeAlias = tuple[Outcome, World]
Wanted: TypeAlias = tuple[str | None, str | None]
"""Which outcome is looked for (taken, ignored, refused, broken), and by what; None is any."""
ANY: Final[Wanted] = (None, None)
OPPOSITE: Final = {
    Comparison.EQ: Comparison.NE,
    Comparison.NE: Comparison.EQ,
    Comparison.LT: Comparison.GE,
    Comparison.LE: Comparison.GT,
    Comparison.GT: Comparison.LE,
    Comparison.GE: Comparison.LT,
}


@dataclass(frozen=True, slots=True)
class Names:
    """What the names of an expression stand for."""

    context: Mapping[str, Term]
    payload: Mapping[str, Term]
    state: str
    event: str = ""

    def term(self, var: Var) -> Term:
        """Return the term of `var`, which is not one of the next value."""
        match var.scope:
            case Scope.CONTEXT:
                return self.context[var.name]
            case Scope.PAYLOAD:
                return self.payload[var.name]
            case Scope.STATE:
                return self.state
            case Scope.EVENT:
                return self.event
            case _:
                raise KeyError(var.name)


def assume(expr: Expr, names: Names, world: World, *, truth: bool) -> Iterator[World]:  # noqa: C901 - one case for each node
    """Yield the parts of `world` in which the truth value `expr` is `truth`; together they are all of them."""
    match expr:
        case Not(arg):
            yield from assume(arg, names, world, truth=not truth)
        case And(args):
            yield from (_all if truth else _some)(args, names, world, truth=truth)
        case Or(args):
            yield from (_some if truth else _all)(args, names, world, truth=truth)
        case Compare(op, left, right):
            for one, first in terms(left, names, world):
                for other, second in terms(right, names, one):
                    yield from _compared(op if truth else OPPOSITE[op], (first, second), other)
        case Member(item, choices):
            same = tuple(Compare(Comparison.EQ, item, choice) for choice in choices)
            yield from (_some if truth else _all)(same, names, world, truth=truth)
        case Ite(test, then, orelse):
            for branch, wanted in ((then, True), (orelse, False)):
                for one in assume(test, names, world, truth=wanted):
                    yield from assume(branch, names, one, truth=truth)
        case Lit() | Var() | At():
            for one, term in terms(expr, names, world):
                yield from branches(one, (term, truth), same=True)
        case Arith():
            raise TypeError(f"expected a truth value, was {expr}")
        case _:
            assert_never(expr)


def terms(expr: Expr, names: Names, world: World) -> Iterator[tuple[World, Term]]:
    """Yield the parts of `world`, each with the term that `expr` is there."""
    match expr:
        case Lit(value, _):
            yield world, value
        case Var():
            yield world, names.term(expr)
        case Arith(op, left, right):
            for one, first in terms(left, names, world):
                for other, second in terms(right, names, one):
                    yield other, _computed(op, first, second)
        case Ite(test, then, orelse):
            for branch, wanted in ((then, True), (orelse, False)):
                for one in assume(test, names, world, truth=wanted):
                    yield from terms(branch, names, one)
        case Not() | And() | Or() | Compare() | Member():
            for wanted in (True, False):
                for one in assume(expr, names, world, truth=wanted):
                    yield one, wanted
        case At():
            raise TypeError(f"expected no map, was {expr}")
        case _:
            assert_never(expr)


def _all(args: tuple[Expr, ...], names: Names, world: World, *, truth: bool) -> Iterator[World]:
    """Yield the parts of `world` in which every one of `args` is `truth`."""
    if not args:
        yield world
        return
    for one in assume(args[0], names, world, truth=truth):
        yield from _all(args[1:], names, one, truth=truth)


def _some(args: tuple[Expr, ...], names: Names, world: World, *, truth: bool) -> Iterator[World]:
    """Yield the parts of `world` in which the first, or else a later one of `args` is `truth`: none of them twice."""
    if not args:
        return
    yield from assume(args[0], names, world, truth=truth)
    for one in assume(args[0], names, world, truth=not truth):
        yield from _some(args[1:], names, one, truth=truth)


def _computed(op: Arithmetic, left: Term, right: Term) -> Term:
    match op:
        case Arithmetic.ADD:
            return plus(left, right)
        case Arithmetic.SUB:
            return minus(left, right)
        case Arithmetic.MUL:
            return times(left, right)
        case _:
            assert_never(op)


def _compared(op: Comparison, sides: tuple[Term, Term], world: World) -> Iterator[World]:
    if not all(isinstance(side, Sum) or type(side) is int for side in sides):
        yield from branches(world, sides, same=op is Comparison.EQ)
        return
    less, more = minus(*sides), minus(sides[1], sides[0])
    match op:
        case Comparison.EQ:
            found = world.at_most_0(less)
            cases = [None if found is None else found.at_most_0(more)]
        case Comparison.NE:
            cases = [world.at_most_0(plus(less, 1)), world.at_most_0(plus(more, 1))]
        case Comparison.LT:
            cases = [world.at_most_0(plus(less, 1))]
        case Comparison.LE:
            cases = [world.at_most_0(less)]
        case Comparison.GT:
            cases = [world.at_most_0(plus(more, 1))]
        case Comparison.GE:
            cases = [world.at_most_0(more)]
        case _:
            assert_never(op)
    yield from (case for case in cases if case is not None)


@dataclass(frozen=True, slots=True)
class Shadow:
    """A machine over terms: `starts` keeps the worlds of each state, made once."""

    machine: Machine
    table: Table
    always: tuple[Always, ...]
    starts: dict[str, tuple[World, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, machine: Machine) -> "Shadow":
        """Return the shadow of `machine`."""
        return cls(machine, cells(machine), tuple(item for item in machine.properties if isinstance(item, Always)))

    def anywhere(self, state: str) -> tuple[World, ...]:
        """Return every value in `state` that the declared invariants allow.

        A state that no transition leads to, or stays in, has the initial value only.

        Raises:
            Unheard: the machine has maps.
        """
        if state not in self.starts:
            self.starts[state] = tuple(one.tidy() for one in self._inside(self._free(state)))
        return self.starts[state]

    def _free(self, state: str) -> World:
        world, found = World(state, ()), []
        for item in self.machine.variables:
            world, term = world.fresh(item.sort)
            found.append(term)
        return replace(world, terms=tuple(found))

    def _inside(self, world: World) -> Iterator[World]:
        names = self._names(world, {})
        claims = sorted((item.holds for item in self.always), key=_weight)
        return _all(tuple(claims), names, world, truth=True)

    def _names(self, world: World, payload: Mapping[str, Term], event: str = "") -> Names:
        named = (item.name for item in self.machine.variables)
        return Names(dict(zip(named, world.terms, strict=True)), payload, world.state, event)

    def moves(
        self, world: World, event: str, payload: Mapping[str, Scalar], wanted: Wanted = ANY
    ) -> Iterator[Move]:
        """Yield each outcome that `event` can have in `world`, with the world after it; a field left out is unknown.

        `payload` is well sorted as far as it is there. What is not `wanted` may be left out.
        """
        choices = self.table.get((world.state, event))
        if choices is None:
            yield Refused(UNKNOWN_EVENT, event), world
            return
        given: dict[str, Term] = dict(payload)
        open_world = world
        for item in self.machine.event(event).payload:
            if item.name not in given:
                yield Refused(PAYLOAD_INVALID, item.name), world
                open_world, given[item.name] = open_world.fresh(item.sort)
        names = self._names(world, given, event)
        for choice in choices:
            if not _may(choice.row, wanted):
                continue
            for one in assume(choice.when, names, open_world, truth=True):
                if isinstance(choice.row, Transition):
                    yield from self._tried(choice.row, names, one, wanted)
                else:
                    yield (Refused if choice.row.refused else Ignored)(choice.row.reason), one

    def _tried(self, row: Transition, names: Names, world: World, wanted: Wanted) -> Iterator[Move]:
        """Yield what becomes of a row that is chosen: its locks first."""
        opened = [world]
        for lock in row.require:
            for one in opened if wanted[0] in (None, "refused") else ():
                yield from (
                    (Refused(lock.reason, row.name), shut) for shut in assume(lock.holds, names, one, truth=False)
                )
            opened = [more for one in opened for more in assume(lock.holds, names, one, truth=True)]
        for one in opened:
            yield from self._written(row, names, one, wanted)

    def _written(self, row: Transition, names: Names, world: World, wanted: Wanted) -> Iterator[Move]:
        after: list[tuple[World, dict[str, Term]]] = [(world, dict(names.context))]
        for update in row.updates:
            after = [
                (more, context | {update.variable: term})
                for one, context in after
                for more, term in terms(update.value, names, one)
            ]
        written = {update.variable for update in row.updates}
        bounds = tuple(
            (item.name, _bounded(item.name, item.sort))
            for item in self.machine.variables
            if item.name in written and isinstance(item.sort, IntSort)
        )
        for one, context in after:
            yield from self._bounded(row, (bounds, context), one, wanted)

    def _bounded(
        self, row: Transition, facts: tuple[tuple[tuple[str, Expr], ...], dict[str, Term]], world: World, wanted: Wanted
    ) -> Iterator[Move]:
        """Yield the outcomes of new values: out of bounds, against an invariant, or taken."""
        bounds, context = facts
        names = Names(context, {}, row.target or world.state)
        inside = [world]
        for name, bound in bounds:
            for one in inside if wanted[0] in (None, "refused") else ():
                outside = assume(bound, names, one, truth=False)
                yield from ((Refused(VALUE_BOUNDS, name), left) for left in outside)
            inside = [more for one in inside for more in assume(bound, names, one, truth=True)]
        for claim in self.always:
            for one in inside if wanted[0] in (None, "broken") else ():
                yield from ((Broken(claim.name), left) for left in assume(claim.holds, names, one, truth=False))
            inside = [more for one in inside for more in assume(claim.holds, names, one, truth=True)]
        for one in inside:
            yield Taken(row.name), replace(one, state=names.state, terms=tuple(context.values()))

    def pinned(self, world: World, observed: Mapping[str, Scalar]) -> Iterator[World]:
        """Yield the parts of `world` in which the variables named have the values observed."""
        names = self._names(world, {})
        same = tuple(
            Compare(Comparison.EQ, Var(item.name, item.sort, Scope.CONTEXT), Lit(observed[item.name], item.sort))
            for item in self.machine.variables
            if item.name in observed
        )
        yield from _all(same, names, world, truth=True)

    def lifted(self, running: tuple[Scalar, ...]) -> World:
        """Return the world of a value that is known."""
        return World(str(running[0]), running[1:])

    def known(self, world: World) -> tuple[Scalar, ...] | None:
        """Return the one value that a tidy world is, or None iff it may be several."""
        values = tuple(term for term in world.terms if not isinstance(term, Sum | Word))
        return (world.state, *values) if len(values) == len(world.terms) and not world.bounds else None


def _may(row: Row, wanted: Wanted) -> bool:
    """Return true iff the row can lead to what is wanted."""
    kind, by = wanted
    if kind is None:
        return True
    if not isinstance(row, Transition):
        return kind == ("refused" if row.refused else "ignored") and by in (None, row.reason)
    if kind == "taken":
        return by in (None, row.name)
    if kind == "refused":
        return by in (None, VALUE_BOUNDS) or any(lock.reason == by for lock in row.require)
    return kind == "broken"


def _bounded(name: str, sort: IntSort) -> Expr:
    here = Var(name, sort, Scope.CONTEXT)
    ends = ((Comparison.GE, sort.min), (Comparison.LE, sort.max))
    return conjunction(tuple(Compare(op, here, Lit(end, sort)) for op, end in ends if end is not None))


def _weight(expr: Expr) -> int:
    """Return how much there is to an expression: plain claims first, so that less is split."""
    return len(repr(expr))
