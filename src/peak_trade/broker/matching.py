"""How the mock venue fills: pure functions of the order, the bar and a seed. Randomness is keyed, never a stream."""

import hashlib
from dataclasses import dataclass

from peak_trade.broker.messages import OrderRequest
from peak_trade.market.bars import Bar
from peak_trade.market.terms import Kind, Side


@dataclass(frozen=True, slots=True)
class Settings:
    """The venue's share of each bar's volume (drawn between min and max), its fee on the notional, its slippage.

    `symbols` limits what may be traded; None is everything.
    """

    participation_permille_min: int = 5
    participation_permille_max: int = 20
    fee_permille: int = 1
    slippage_ticks: int = 0
    symbols: frozenset[str] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.participation_permille_min <= self.participation_permille_max <= 1000:
            low, high = self.participation_permille_min, self.participation_permille_max
            raise ValueError(f"expected 0 <= min <= max <= 1000 permille of the volume, was {low} to {high}")
        if self.fee_permille < 0 or self.slippage_ticks < 0:
            fee, slip = self.fee_permille, self.slippage_ticks
            raise ValueError(f"expected a fee and a slippage of at least 0, was {fee} permille and {slip} ticks")


def capacity_lots(seed: int, settings: Settings, bar: Bar, step: int) -> int:
    """Return how many lots of `bar` the venue may fill in all, in lots; a function of seed, symbol and step."""
    low, high = settings.participation_permille_min, settings.participation_permille_max
    key = f"{seed}|{bar.symbol}|{step}".encode()
    drawn = int.from_bytes(hashlib.blake2b(key, digest_size=8).digest())
    return bar.volume_lots * (low + drawn % (high - low + 1)) // 1000


def price_ticks(request: OrderRequest, bar: Bar, slippage_ticks: int) -> int | None:
    """Return at what price `request` trades in `bar`, in ticks, or None if it does not.

    A market order trades at the open, worsened by the slippage; a limit order at the open too if that is better than
    its limit, else at its limit if the bar reached it.
    """
    buys = request.side is Side.BUY
    at_open = bar.open_ticks + slippage_ticks if buys else max(1, bar.open_ticks - slippage_ticks)
    if request.kind is Kind.MARKET or request.limit_ticks is None:
        return at_open
    limit = request.limit_ticks
    if buys:
        return min(limit, at_open) if bar.low_ticks <= limit else None
    return max(limit, at_open) if bar.high_ticks >= limit else None


def fee_ticks(lots: int, price: int, fee_permille: int) -> int:
    """Return the fee on an execution in ticks, rounded up."""
    return -(-lots * price * fee_permille // 1000)
