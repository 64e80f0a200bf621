"""Two kept values of a machine conform iff some run of its events, none of them recorded, leads from one to the other.

So the circuit breaker is kept: its state and counters at a commit, not its events. Its limits are not recorded either:
they are constants in ranges, which each kept value narrows by the declared invariants.

Limits: counters are followed to one above the largest number that is known of; a breaker with smaller limits gets
wherever one with larger limits gets, so nothing possible is missed. At most `WORLDS_MAX` values lie on the way.
"""

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from peak_trade.conform.symbolic import Shadow
from peak_trade.conform.terms import Range, Sum, Term, World, minus
from peak_trade.lang.sorts import Scalar
from peak_trade.lang.step import Taken

WORLDS_MAX: Final = 20_000


@dataclass(frozen=True, slots=True)
class Kept:
    """What was kept: the state, and the values of some variables."""

    state: str
    values: Mapping[str, Scalar]


class Far(Exception):  # noqa: N818 - said of what was looked for
    """More than `WORLDS_MAX` values lie on the way."""


@dataclass(slots=True)
class Hidden:
    """A machine of which only values are recorded; `last` is None before any is known, `grows` never falls."""

    shadow: Shadow
    grows: str
    last: Kept | None = None
    limits: tuple[World, ...] = ()

    def begin(self) -> None:
        """Begin with the initial value: a constant that starts with any value stays unknown."""
        machine = self.shadow.machine
        self.last = Kept(
            machine.initial.name, {item.name: _plain(item.init) for item in machine.variables if not item.free}
        )

    def take(self, kept: Kept) -> bool:
        """Return true iff `kept` can follow, and go on from it.

        Raises:
            Far: it was not found within the limits.
        """
        here = self._worlds(kept)
        if not here or (self.last is not None and not self._leads(self.last, kept, here)):
            return False
        self.last, self.limits = kept, here
        return True

    def _worlds(self, kept: Kept) -> tuple[World, ...]:
        """Return the values that were kept, with what is known of the constants."""
        if kept.state not in {state.name for state in self.shadow.machine.states}:
            return ()
        pinned = [one for world in self.shadow.anywhere(kept.state) for one in self.shadow.pinned(world, kept.values)]
        return tuple(more for one in pinned for more in self._narrowed(one))

    def _narrowed(self, world: World) -> Iterator[World]:
        """Yield the world with its constants in the ranges that the last one has."""
        if not self.limits:
            yield world
        for other in self.limits:
            one: World | None = world
            for place in self._constants():
                ends = other.range_of(other.terms[place])
                one = None if one is None else _between(one, world.terms[place], ends)
            if one is not None:
                yield one

    def _constants(self) -> list[int]:
        return [place for place, item in enumerate(self.shadow.machine.variables) if item.free]

    def _leads(self, start: Kept, goal: Kept, here: tuple[World, ...]) -> bool:
        """Look, the nearest first, for a run from `start` to `goal`, whose worlds are `here`."""
        cap = 1 + max((low for world in here for low in _lows(world)), default=0)
        cap = max(
            cap, *(1 + int(value) for kept in (start, goal) for value in kept.values.values() if type(value) is int)
        )
        self.limits = here
        left = deque(one.tidy() for one in self._worlds(start))
        seen = set(left)
        while left:
            world = left.popleft()
            if world.state == goal.state and any(True for _ in self.shadow.pinned(world, goal.values)):
                return True
            for after in self._next(world, cap, goal):
                if after not in seen:
                    seen.add(after)
                    left.append(after)
            if len(seen) > WORLDS_MAX:
                raise Far
        return False

    def _next(self, world: World, cap: int, goal: Kept) -> Iterator[World]:
        variables = self.shadow.machine.variables
        most = goal.values.get(self.grows)
        for event in self.shadow.machine.events:
            for outcome, after in self.shadow.moves(world, event.name, {}, ("taken", None)):
                assert isinstance(outcome, Taken)
                figures = {item.name: term for item, term in zip(variables, after.terms, strict=True)}
                grown = figures.get(self.grows)
                if type(most) is int and type(grown) is int and grown > most:
                    continue
                if all(type(term) is not int or term <= cap for term in figures.values()):
                    yield replace(after.tidy(), count=world.count)


def _lows(world: World) -> Iterator[int]:
    for term in world.terms:
        if isinstance(term, Sum):
            low, _ = world.range_of(term)
            yield low or 0
        elif type(term) is int:
            yield term


def _between(world: World, term: Term, ends: Range) -> World | None:
    from_low, to_high = ends
    found: World | None = world
    if from_low is not None:
        found = found.at_most_0(minus(from_low, term)) if found else None
    if to_high is not None and found is not None:
        found = found.at_most_0(minus(term, to_high))
    return found


def _plain(value: object) -> Scalar:
    assert isinstance(value, int | str), value
    return value
