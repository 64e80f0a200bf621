"""A machine's step over terms gives each outcome that `lang.step` gives for some values of the unknowns, and no other.

Order of the questions as in `lang.step`: the row, its locks, the bounds, the declared invariants. Each world that comes
out says one thing only (`conform.cases`).

Limits: those of `conform.terms`; a machine with maps has no unknown start.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

from peak_trade.conform.cases import Names, assume, every, terms
from peak_trade.conform.terms import Sum, Term, Word, World
from peak_trade.lang.cells import Row, Table, cells
from peak_trade.lang.expr import Compare, Comparison, Expr, Lit, Scope, Var, conjunction, variables
from peak_trade.lang.machine import Always, Machine, Transition
from peak_trade.lang.sorts import IntSort, Scalar
from peak_trade.lang.step import PAYLOAD_INVALID, UNKNOWN_EVENT, VALUE_BOUNDS, Broken, Ignored, Outcome, Refused, Taken

Move: TypeAlias = tuple[Outcome, World]
Wanted: TypeAlias = tuple[str | None, str | None]
"""Which outcome is looked for (taken, ignored, refused, broken), and by what; None is any."""
ANY: Final[Wanted] = (None, None)


@dataclass(frozen=True, slots=True)
class Shadow:
    """A machine over terms: `always` are its claims with their variables, `starts` each state's worlds, made once."""

    machine: Machine
    table: Table
    always: tuple[tuple[Always, frozenset[Var]], ...]
    starts: dict[str, tuple[World, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, machine: Machine) -> "Shadow":
        """Return the shadow of `machine`."""
        claims = (item for item in machine.properties if isinstance(item, Always))
        return cls(machine, cells(machine), tuple((item, variables(item.holds)) for item in claims))

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
        claims = sorted((item.holds for item, _ in self.always), key=_weight)
        return every(tuple(claims), names, world, truth=True)

    def _names(self, world: World, payload: Mapping[str, Term], event: str = "") -> Names:
        named = (item.name for item in self.machine.variables)
        return Names(dict(zip(named, world.terms, strict=True)), payload, world.state, event)

    def moves(self, world: World, event: str, payload: Mapping[str, Scalar], wanted: Wanted = ANY) -> Iterator[Move]:
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
        for claim in self._touched(row, world):
            for one in inside if wanted[0] in (None, "broken") else ():
                yield from ((Broken(claim.name), left) for left in assume(claim.holds, names, one, truth=False))
            inside = [more for one in inside for more in assume(claim.holds, names, one, truth=True)]
        for one in inside:
            yield Taken(row.name), replace(one, state=names.state, terms=tuple(context.values()))

    def _touched(self, row: Transition, world: World) -> Iterator[Always]:
        """Yield the claims that the row can break: the others hold of what it does not write."""
        written = {update.variable for update in row.updates}
        moves = row.target not in (None, world.state)
        for claim, about in self.always:
            if any(moves if one.scope is Scope.STATE else one.name in written for one in about):
                yield claim

    def pinned(self, world: World, observed: Mapping[str, Scalar]) -> Iterator[World]:
        """Yield the parts of `world` in which the variables named have the values observed."""
        names = self._names(world, {})
        same = tuple(
            Compare(Comparison.EQ, Var(item.name, item.sort, Scope.CONTEXT), Lit(observed[item.name], item.sort))
            for item in self.machine.variables
            if item.name in observed
        )
        yield from every(same, names, world, truth=True)

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
