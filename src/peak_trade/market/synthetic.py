"""Made-up bars for benchmarks and tests: a seeded walk in whole ticks. Never a stand-in for real data."""

import hashlib
from decimal import Decimal
from random import Random

from peak_trade.market.bars import Bar, Bars, PriceMode, Step

PRICE_TICKS_MIN = 1_000


def walk(seed: int, symbols: int, steps: int, volume_lots: int = 1_000_000) -> Bars:
    """Return `steps` bars of each of `symbols`, moved by a seeded random walk; the same arguments, the same bars."""
    source = Random(seed)  # noqa: S311 - a seeded walk, no secret
    prices = dict.fromkeys((f"SYN{number:03d}" for number in range(symbols)), 100_000)
    made = []
    for number in range(steps):
        ts = f"{2000 + number // 336:04d}-{number // 28 % 12 + 1:02d}-{number % 28 + 1:02d}"
        bars = []
        for symbol, last in prices.items():
            close = max(PRICE_TICKS_MIN, last + source.randint(-500, 500))
            low, high = min(last, close) - source.randint(0, 200), max(last, close) + source.randint(0, 200)
            bars.append(Bar(symbol, ts, last, high, low, close, volume_lots))
            prices[symbol] = close
        made.append(Step(ts, tuple(bars)))
    digest = hashlib.sha256(f"walk {seed} {symbols} {steps} {volume_lots}".encode()).hexdigest()
    names = tuple(prices)
    return Bars(f"walk-{seed}", digest, Decimal("0.0001"), PriceMode.RAW, names, tuple(made), symbols * steps)
