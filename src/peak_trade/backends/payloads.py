"""What an event's payload is drawn from: any value of its sorts, and often one near what decides.

Near are the edges of the sort, the numbers in the event's guards and the numbers of the context, each with its
neighbours: guards compare with these, so that values far from all of them show the same thing again and again.

Limits: a number without a bound is drawn at most `FAR` beyond what is near it; of the likely payloads of an event at
most `LIKELY_MAX` are looked at.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import product
from typing import Final, assert_never

from hypothesis import strategies as st

from peak_trade.lang.expr import Expr, Lit, children
from peak_trade.lang.machine import Event, Machine, Transition
from peak_trade.lang.sorts import BoolSort, EnumSort, IntSort, Scalar, ScalarSort, inhabits, is_whole

FAR: Final = 1_000_000
KEPT_MAX: Final = 4_096
"""How many strategies are kept: a walk meets the same numbers again and again."""
LIKELY_MAX: Final = 256
STRIDE: Final = 2_654_435_761
"""A prime that leaves no field of a payload at the same value, as even steps through a product would."""
"""How many payloads of one event are tried before it is said that none of them is taken."""


def near(numbers: Iterable[int], context: Iterable[object]) -> tuple[int, ...]:
    """Return `numbers` and the whole numbers of `context`, in rising order."""
    return tuple(sorted({*numbers, *filter(is_whole, context)}))


def likely(event: Event, numbers: tuple[int, ...]) -> tuple[tuple[Scalar, ...], ...]:
    """Return payloads of `event`, in declared order: those of values near `numbers`, or of so many a part."""
    found = list(product(*(_values(item.sort, numbers) for item in event.payload)))
    if len(found) <= LIKELY_MAX:
        return tuple(found)
    places = dict.fromkeys(place * STRIDE % len(found) for place in range(LIKELY_MAX))
    return tuple(found[place] for place in places)


def _values(sort: ScalarSort, numbers: tuple[int, ...]) -> tuple[Scalar, ...]:
    match sort:
        case BoolSort():
            return (False, True)
        case EnumSort(_, members):
            return members
        case IntSort():
            return _close(sort, numbers)
        case _:
            assert_never(sort)


def _close(sort: IntSort, numbers: Iterable[int]) -> tuple[int, ...]:
    """Return the numbers of `sort` at its edges and within one of `numbers`, those nearest to 0 first."""
    known = {0, 1, *numbers} | {edge for edge in (sort.min, sort.max) if edge is not None}
    around = {number + by for number in known for by in (-1, 0, 1)}
    return tuple(sorted((number for number in around if inhabits(number, sort)), key=lambda item: (abs(item), item)))


@lru_cache(maxsize=KEPT_MAX)
def scalars(sort: ScalarSort, numbers: tuple[int, ...] = ()) -> st.SearchStrategy[Scalar]:
    """Return what to draw a value of `sort` from; whole numbers often within one of `numbers`."""
    match sort:
        case BoolSort():
            return st.booleans()
        case EnumSort(_, members):
            return st.sampled_from(members)
        case IntSort(low, high):
            close = _close(sort, numbers)
            least = low if low is not None else min(close) - FAR
            anything = st.integers(least, high if high is not None else max(close, default=least) + FAR)
            return st.one_of(st.sampled_from(close), anything) if close else anything
        case _:
            assert_never(sort)


def literals(machine: Machine, event: str) -> tuple[int, ...]:
    """Return the whole numbers that stand in the rows of `event`, in rising order."""
    rows = (row for row in machine.transitions if row.event == event)
    return tuple(sorted({number for row in rows for number in _numbers(_expressions(row))}))


def _expressions(row: Transition) -> Iterator[Expr]:
    yield row.when
    yield from (lock.holds for lock in row.require)
    yield from (update.value for update in row.updates)


def _numbers(found: Iterable[Expr]) -> Iterator[int]:
    for expr in found:
        if isinstance(expr, Lit) and is_whole(expr.value):
            yield expr.value
        yield from _numbers(children(expr))
