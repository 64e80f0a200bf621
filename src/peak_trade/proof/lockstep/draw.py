"""Events and payloads for one running machine: mostly right, often at an edge, sometimes deliberately wrong.

All choices come from the `Random` that is passed in; the same seed gives the same events.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias

from peak_trade.lang.machine import Event, Machine
from peak_trade.lang.maps import store
from peak_trade.lang.sorts import BoolSort, Datum, Entries, EnumSort, IntSort, MapSort, ScalarSort, Sort, example
from peak_trade.lang.step import Value, initial

Drawn: TypeAlias = dict[str, Any]
"""A payload by field name; its values may be of any type."""

Offer: TypeAlias = tuple[str, Drawn]
Reached: TypeAlias = tuple[Value, tuple[Offer, ...]]
"""A value and the taken events that lead to it from the initial one."""

STRAY_VARIABLES_MAX = 3
ENTRIES_MAX = 3
"""How many entries a drawn map has, and from how many on two maps are of one kind."""

POOL_KINDS_MAX = 2_000
WRONG_OF_100 = 12
"""How many payloads in a hundred are spoilt on purpose."""

SMALL = 6
"""Numbers up to here are drawn most often: small quantities meet each other soon."""

_ALIEN = (None, "", "x", 1.0, -1, 2**70, True, (), b"1")


@dataclass(frozen=True, slots=True)
class Dealer:
    """Deals events of one machine."""

    machine: Machine
    moving: Mapping[str, tuple[Event, ...]]

    @classmethod
    def of(cls, machine: Machine) -> "Dealer":
        """Return the dealer of `machine`, which knows the events with a transition from each state."""
        cells = {(source, row.event) for row in machine.transitions for source in row.sources}
        moving = {
            state.name: tuple(event for event in machine.events if (state.name, event.name) in cells)
            for state in machine.states
        }
        return cls(machine, moving)

    def deal(self, rng: Random, value: Value) -> tuple[str, Drawn]:
        """Return an event and a payload for it; in half of all cases one that moves the machine in its state."""
        moving = self.moving[value.state]
        if rng.randrange(200) == 0:
            return "no_such_event", {}
        event = rng.choice(moving if moving and rng.random() < 0.5 else self.machine.events)
        payload = {item.name: pick(rng, item.sort, value) for item in event.payload}
        if rng.randrange(100) < WRONG_OF_100:
            spoil(rng, payload)
        return event.name, payload


class Pool:
    """Values that were reached, one shallow and one deep for each kind, with the events that lead to them.

    Values are of one kind iff they have the same state, truth values and members, and their numbers are alike: zero or
    not, at the upper bound or not, equal to the same others, and their maps have as many entries. Deep values make slow
    counters run out; shallow ones keep traces short.

    Limits: POOL_KINDS_MAX kinds; later ones are forgotten.
    """

    def __init__(self, machine: Machine) -> None:
        self._uppers = tuple(getattr(item.sort, "max", None) for item in machine.variables)
        self._kinds: dict[tuple[Any, ...], int] = {}
        self._reached: dict[str, list[tuple[Reached, Reached]]] = {}
        self.add(initial(machine), ())

    def add(self, value: Value, path: tuple[Offer, ...]) -> None:
        """Remember `value`, reached by `path`, if it is the first, the shallowest or the deepest of its kind."""
        kind = (value.state, *(_alike(value.context, place, upper) for place, upper in enumerate(self._uppers)))
        reached = self._reached.setdefault(value.state, [])
        place = self._kinds.get(kind)
        if place is None:
            if len(self._kinds) < POOL_KINDS_MAX:
                self._kinds[kind] = len(reached)
                reached.append(((value, path), (value, path)))
            return
        shallow, deep = reached[place]
        if len(path) < len(shallow[1]):
            reached[place] = ((value, path), deep)
        elif len(path) > len(deep[1]):
            reached[place] = (shallow, (value, path))

    def draw(self, rng: Random, seen: Mapping[str, int]) -> Reached:
        """Return a value and the events that lead to it: of two states the less `seen`, any kind, shallow or deep."""
        states = list(self._reached)
        state = min(rng.choice(states), rng.choice(states), key=lambda name: seen.get(name, 0))
        return rng.choice(rng.choice(self._reached[state]))


def stray(rng: Random, machine: Machine, value: Value) -> Value:
    """Return a well-sorted value near `value` that perhaps no events lead to: another state, other variables."""
    context = list(value.context)
    for _ in range(rng.randrange(1, STRAY_VARIABLES_MAX + 1)):
        if context:
            place = rng.randrange(len(context))
            context[place] = pick(rng, machine.variables[place].sort, value)
    state = rng.choice(machine.states).name if rng.random() < 0.3 else value.state
    return Value(state, tuple(context))


def pick(rng: Random, sort: Sort, value: Value) -> Any:  # noqa: ANN401 - of the sort given
    """Return a scalar of `sort`; a number is at a bound, small, or near the numbers in `value`."""
    match sort:
        case BoolSort():
            return rng.random() < 0.5
        case EnumSort(_, members):
            return rng.choice(members)
        case IntSort(low, high):
            return _clamped(_number(rng, sort, value), low, high)
        case MapSort(element):
            return _entries(rng, element, value)


def _entries(rng: Random, element: ScalarSort, value: Value) -> Entries:
    """Return a map with few entries, at small indices or near the numbers in `value`."""
    found: Entries = ()
    for _ in range(rng.randrange(ENTRIES_MAX + 1)):
        index = _number(rng, IntSort(), value)
        found = store(found, index, pick(rng, element, value), example(element))
    return found


def spoil(rng: Random, payload: Drawn) -> None:
    """Make `payload` wrong in one way: a field of another type or beyond its bounds, missing, or too many."""
    if payload and rng.random() < 0.7:
        name = rng.choice(sorted(payload))
        if rng.random() < 0.3:
            del payload[name]
        else:
            payload[name] = rng.choice(_ALIEN)
    else:
        payload[rng.choice(("zz_extra", "a_extra"))] = rng.choice(_ALIEN)


def _alike(context: tuple[Datum, ...], place: int, upper: int | None) -> object:
    scalar = context[place]
    if isinstance(scalar, tuple):
        return min(len(scalar), ENTRIES_MAX)
    return (scalar == 0, scalar == upper, context.index(scalar)) if type(scalar) is int else scalar


def _number(rng: Random, sort: IntSort, value: Value) -> int:
    known = [scalar for scalar in value.context if type(scalar) is int]
    ends = [end for end in (sort.min, sort.max) if end is not None]
    match rng.randrange(4):
        case 0 if ends:
            return rng.choice(ends) + rng.randrange(2)
        case 1 if known:
            return rng.choice(known) + rng.choice((-1, 0, 0, 1))
        case 2 if known:
            return rng.choice(known) - rng.choice(known) + rng.choice((-1, 0, 0, 1))
        case _:
            return rng.randrange(1, SMALL)


def _clamped(number: int, low: int | None, high: int | None) -> int:
    raised = number if low is None else max(low, number)
    return raised if high is None else min(high, raised)
