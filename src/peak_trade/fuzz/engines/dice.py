"""Chance for walks: whole numbers from a seed, and payloads with a bias to edges and to what stands in the context.

The stream is that of PCG64's raw bits, which NumPy promises to keep, so a seed means the same in every version.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np

from peak_trade.backends.kernel import Packed, Running
from peak_trade.fuzz.engines.abstract import literals
from peak_trade.lang.machine import Event, Machine
from peak_trade.lang.sorts import BoolSort, EnumSort, IntSort, Scalar, ScalarSort

BLOCK: Final = 4096
"""How many numbers are drawn at once."""

NUMBER_MAX: Final = 1_000_000_000
"""The largest number that is offered where a sort has no end of its own, and the largest start of a free variable."""

SMALL: Final = 8
"""Numbers below this are drawn by themselves, so that a few lots are met often."""

Draw: TypeAlias = Callable[[Running], Packed]


class Dice:
    """A stream of whole numbers that is a function of the seed."""

    __slots__ = ("_bits", "_block")

    def __init__(self, seed: int) -> None:
        self._bits = np.random.PCG64(seed)
        self._block: list[int] = []

    def below(self, end: int) -> int:
        """Return a number from 0 to `end` - 1; `end` is at most 2^32, so that none is preferred by more than 2^-32."""
        if not self._block:
            self._block = self._bits.random_raw(BLOCK).tolist()
        return self._block.pop() % end


class Payloads:
    """Draws payloads of one machine's events, by what stands in the value in which they are offered."""

    def __init__(self, machine: Machine, dice: Dice) -> None:
        self.dice = dice
        self.known = literals(machine)
        self.places = [place for place, item in enumerate(machine.variables, 1) if isinstance(item.sort, IntSort)]
        self.sorts = {event.name: _sorts(event) for event in machine.events}
        self.kept: dict[str, list[Packed]] = {}

    def draw(self, event: str, value: Running) -> Packed:
        """Return a payload of `event` that keeps its sorts: a new one, or a kept one with one field drawn again."""
        sorts, kept = self.sorts[event], self.kept.get(event)
        if kept and self.dice.below(2):
            drawn = list(kept[self.dice.below(len(kept))])
            place = self.dice.below(len(sorts))
            drawn[place] = self.scalar(sorts[place], value, drawn[:place] + drawn[place + 1 :])
            return tuple(drawn)
        drawn = []
        for sort in sorts:
            drawn.append(self.scalar(sort, value, drawn))
        return tuple(drawn)

    def keep(self, event: str, payload: Packed) -> None:
        """Keep a payload of several fields, to be varied later."""
        if len(payload) > 1:
            self.kept.setdefault(event, []).append(payload)

    def scalar(self, sort: ScalarSort, value: Running, beside: list[Scalar]) -> Scalar:
        """Return a scalar of `sort`; a number is often near one in `value` or `beside` it."""
        match sort:
            case BoolSort():
                return self.dice.below(2) == 1
            case EnumSort(_, members):
                return members[self.dice.below(len(members))]
            case IntSort(low, high):
                return _inside(self._number(sort, value, beside), low, high)

    def _number(self, sort: IntSort, value: Running, beside: list[Scalar]) -> int:  # noqa: PLR0911 - one return for each kind
        below = self.dice.below
        near = [value[place] for place in self.places]
        near += [item for item in beside if type(item) is int]
        kind = below(8) if near else 5 + below(3)
        match kind:
            case 0 | 1:
                return int(near[below(len(near))])
            case 2:
                return int(near[below(len(near))]) + (1, -1)[below(2)]
            case 3:
                return int(near[below(len(near))]) - int(near[below(len(near))])
            case 4:
                return int(near[below(len(near))]) + int(near[below(len(near))])
            case 5:
                return self.known[below(len(self.known))] if self.known else below(SMALL)
            case 6:
                return _edges(sort)[below(4)]
            case _:
                return below(SMALL)


def _sorts(event: Event) -> tuple[ScalarSort, ...]:
    return tuple(item.sort for item in event.payload)


def _edges(sort: IntSort) -> tuple[int, int, int, int]:
    low = -NUMBER_MAX if sort.min is None else sort.min
    high = max(low, NUMBER_MAX) if sort.max is None else sort.max
    return low, low + 1, high - 1, high


def _inside(number: int, low: int | None, high: int | None) -> int:
    """Return the number from `low` to `high` that is nearest to `number`; no end is NUMBER_MAX away from 0."""
    least = -NUMBER_MAX if low is None else low
    return max(least, min(number, max(least, NUMBER_MAX) if high is None else high))
