"""What an exploration tries: the scalars of each variable and payload field, whole or cut down to given bounds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import TypeAlias

from peak_trade.lang.machine import Event, Field, Machine, Variable
from peak_trade.lang.sorts import BoolSort, Datum, EnumSort, IntSort, Scalar, Sort
from peak_trade.lang.step import initial

Scalars: TypeAlias = range | tuple[Scalar, ...]
Flat: TypeAlias = tuple[Datum, ...]
"""A machine's value as one tuple: the control state, then the context in declared order."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """Limits of an exploration by the name of a variable or payload field; `int_max` for the numbers without one.

    A number that has no lower bound of its own is then tried from `-int_max`.
    """

    named: Mapping[str, tuple[int | None, int | None]]
    int_max: int | None = None


WHOLE = Bounds({})


@dataclass(frozen=True, slots=True)
class Domains:
    """The scalars that are tried; `narrowed` are the names whose sorts have more, `endless` those without an end."""

    variables: tuple[Scalars, ...]
    payloads: Mapping[str, tuple[Scalars, ...]]
    narrowed: frozenset[str]
    endless: tuple[str, ...]

    @property
    def offers(self) -> int:
        """How many payloads there are, of all events together."""
        return sum(prod(map(len, fields)) for fields in self.payloads.values())


def domains(machine: Machine, bounds: Bounds = WHOLE) -> Domains:
    """Return what an exploration of `machine` within `bounds` tries."""
    context = tuple(_scalars(item, bounds) for item in machine.variables)
    payloads = {event.name: tuple(_scalars(item, bounds) for item in event.payload) for event in machine.events}
    pairs: list[tuple[Variable | Field, Scalars | None]] = list(zip(machine.variables, context, strict=True))
    pairs += [pair for event in machine.events for pair in zip(event.payload, payloads[event.name], strict=True)]
    narrowed = frozenset(item.name for item, found in pairs if found is None or not _whole(item.sort, found))
    endless = tuple(dict.fromkeys(item.name for item, found in pairs if found is None))
    empty = range(0)
    return Domains(
        tuple(empty if found is None else found for found in context),
        {name: tuple(empty if one is None else one for one in found) for name, found in payloads.items()},
        narrowed,
        endless,
    )


def starts(machine: Machine, tried: Domains) -> Iterator[Flat]:
    """Yield the initial values of `machine`: all that a free variable is tried with."""
    start = initial(machine)
    parts = zip(machine.variables, start.context, tried.variables, strict=True)
    for context in product(*(scalars if item.free else (scalar,) for item, scalar, scalars in parts)):
        yield (start.state, *context)


def starts_count(machine: Machine, tried: Domains) -> int:
    """Return how many initial values there are."""
    return prod(len(found) for item, found in zip(machine.variables, tried.variables, strict=True) if item.free)


def fields(event: Event, tried: Domains) -> tuple[tuple[Field, Scalars], ...]:
    """Return the payload fields of `event` with their scalars."""
    return tuple(zip(event.payload, tried.payloads[event.name], strict=True))


def _scalars(item: Variable | Field, bounds: Bounds) -> Scalars | None:
    match item.sort:
        case BoolSort():
            return (False, True)
        case EnumSort(_, members):
            return members
        case IntSort(low, high):
            return _numbers(low, high, bounds, item.name)
        case _:
            return None


def _numbers(low: int | None, high: int | None, bounds: Bounds, name: str) -> range | None:
    least, most = bounds.named.get(name, (None, None))
    lows = [end for end in (low, least) if end is not None]
    highs = [end for end in (high, most) if end is not None]
    if bounds.int_max is not None:
        lows = lows or [-bounds.int_max]
        highs = highs or [bounds.int_max]
    return range(max(lows), min(highs) + 1) if lows and highs else None


def _whole(sort: Sort, found: Scalars) -> bool:
    if not isinstance(sort, IntSort) or not isinstance(found, range):
        return True
    return sort.min == found.start and sort.max is not None and sort.max + 1 == found.stop
