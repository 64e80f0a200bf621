"""A bar is what one symbol did in one step: four prices in ticks and a volume in lots, low <= open, close <= high."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType


class PriceMode(StrEnum):
    """Which prices a file's rows give: those that were traded, or those adjusted for splits and dividends."""

    RAW = "raw"
    ADJUSTED = "adjusted"


@dataclass(frozen=True, slots=True)
class Bar:
    """One symbol in one step; constructed iff 0 < low <= open, close <= high and 0 <= volume.

    Prices in ticks, volume in lots, `ts` a date or a UTC time in ISO 8601.

    Raises:
        ValueError: the law does not hold.
    """

    symbol: str
    ts: str
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    volume_lots: int

    def __post_init__(self) -> None:
        low, high = self.low_ticks, self.high_ticks
        if 0 < low <= self.open_ticks <= high and low <= self.close_ticks <= high and self.volume_lots >= 0:
            return
        raise ValueError(f"expected 0 < low <= open, close <= high and 0 <= volume, was {self!r}; correct the bar")


@dataclass(frozen=True, slots=True)
class Step:
    """All bars of one timestamp, at most one a symbol, in the order of their symbols."""

    ts: str
    bars: tuple[Bar, ...]

    def by_symbol(self) -> Mapping[str, Bar]:
        """The bars of the step by symbol, read-only."""
        return MappingProxyType({bar.symbol: bar for bar in self.bars})


@dataclass(frozen=True, slots=True)
class Bars:
    """A file of bars as steps in ascending time; a function of the file's bytes and the settings alone.

    `sha256` is of the file's bytes as they lie on disk (compressed, if they are); `rows` counts the bars.
    """

    name: str
    sha256: str
    tick: Decimal
    price_mode: PriceMode
    symbols: tuple[str, ...]
    steps: tuple[Step, ...]
    rows: int
