"""What a session works through, and what moves its market on."""

from dataclasses import dataclass
from typing import Protocol

from peak_trade.market.bars import Bar, Bars
from peak_trade.rails.limits import Limits


class World(Protocol):
    """What moves the mock venue on: one step of bars. A repeated step is a no-op."""

    def advance(self, step: int, bars: tuple[Bar, ...]) -> None:
        """Match the open orders against the bars of `step`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a session works through: the bars, how many steps at most, when it winds down, and its limits.

    Every `reconcile_steps` steps book and venue are compared.
    """

    bars: Bars
    steps_max: int
    wind_down_steps: int
    limits: Limits
    prefix: str
    reconcile_steps: int = 250

    @property
    def steps(self) -> int:
        """How many steps of market data this session uses."""
        return min(self.steps_max, len(self.bars.steps))
