"""How near a run came to each rail's limit, as far as journal and configuration tell. Lots and ticks are whole numbers.

Limits: not in the journal, so not shown: the reference price of the collar, and the cash that open buys reserve.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from peak_trade.evidence.story import Account, Story, Trade
from peak_trade.watch.seen import Seen
from peak_trade.watch.tally import Tally

FULL_PERMILLE: Final = 1_000
EVERY: Final = "on for every order; has no limit"
Unit: TypeAlias = Literal["lots", "ticks", "orders", "permille", ""]


@dataclass(frozen=True, slots=True)
class Gauge:
    """One rail: its limit, what it measures now and at its nearest, and how many orders it denied.

    None is not known, and `note` says why. `used_permille` is the nearest the run came: 1000 is at the limit.
    """

    rail: str
    unit: Unit
    limit: int | None
    now: int | None
    nearest: int | None
    denied: int
    note: str = ""

    @property
    def used_permille(self) -> int | None:
        """How much of the limit was used at the nearest, in thousandths, rounded up; None if either is not known."""
        if self.limit is None or self.nearest is None:
            return None
        if self.limit == 0:
            return FULL_PERMILLE if self.nearest else 0
        return -(-self.nearest * FULL_PERMILLE // self.limit)


def gauges(seen: Seen, rails: Sequence[str]) -> tuple[Gauge, ...]:
    """Return one gauge for each of `rails`, in their order; a rail without a measure here says so."""
    measured = _measures(seen)
    limits: Mapping[str, Any] = seen.snapshot.config.get("limits", {}) if seen.snapshot else {}
    found = []
    for rail in rails:
        key, unit, now, nearest, note = measured.get(rail, ("", "", None, None, "its measure is not in the journal"))
        limit = limits.get(key) if key else None
        if rail == "cash":
            limit = FULL_PERMILLE
        if key and limit is None:
            note = "no configuration, so no limit is known"
        found.append(Gauge(rail, unit, limit, now, nearest, seen.tally.denied[rail], note))
    return tuple(found)


_Measure: TypeAlias = tuple[str, Unit, int | None, int | None, str]
"""The limit's key in the configuration, the unit, the measure now and at its nearest, and a note."""


def _measures(seen: Seen) -> dict[str, _Measure]:
    story = seen.story
    sent = [line for line in story.lines.values() if not line.rail]
    sizes = [line.qty for line in sent]
    values = [line.qty * line.limit_ticks for line in sent]
    held = [abs(lots) for lots in story.positions.values()]
    batches = _batches(seen.tally)
    losses = _losses(story.accounts)
    short_note = _short(seen, story.trades)
    return {
        "order_quantity": ("order_lots_max", "lots", _last(sizes), max(sizes, default=0), ""),
        "order_notional": ("order_notional_ticks_max", "ticks", _last(values), max(values, default=0), ""),
        "position": (
            "position_lots_max",
            "lots",
            max(held, default=0),
            _largest(story.trades),
            "largest in a symbol",
        ),
        "open_orders": ("open_orders_max", "orders", *_open(story), ""),
        "step_orders": (
            "step_orders_max",
            "orders",
            batches[seen.tally.step],
            max(batches.values(), default=0),
            "",
        ),
        "price_collar": ("collar_permille_max", "permille", None, None, "the reference price is not in the journal"),
        "no_price": ("", "", None, None, EVERY),
        "stale_price": ("price_age_steps_max", "", None, None, "the age of the last price is not in the journal"),
        "trading_halted": ("", "", None, None, EVERY),
        "only_reducing": ("", "", None, None, EVERY),
        "duplicate_order": ("", "", None, None, EVERY),
        "self_cross": ("", "", None, None, EVERY),
        "order_rate": ("rate_orders_max", "orders", *_windowed(batches, seen, "rate_window_steps"), "in its window"),
        "repeated_execution": ("repeat_orders_max", "orders", *_repeats(seen), "of one symbol in its window"),
        "gross_exposure": ("gross_notional_ticks_max", "ticks", *_gross(story.accounts), "positions alone"),
        "cash": ("cash", "permille", *_spent(story.accounts), "share of equity that is not cash"),
        "daily_loss": ("day_loss_ticks_max", "ticks", _last(losses), max(losses, default=0), ""),
        "short": ("", "", None, None, short_note),
    }


def _last(values: Sequence[int]) -> int:
    return values[-1] if values else 0


def _largest(trades: Sequence[Trade]) -> int:
    return max((abs(trade.position_lots) for trade in trades), default=0)


def _open(story: Story) -> tuple[int, int]:
    counts = [row.open_orders for row in story.accounts]
    return _last(counts), max(counts, default=0)


def _batches(tally: Tally) -> Counter[int]:
    """Return how many orders left in each step."""
    return Counter(mark.step for life in tally.lives.values() for mark in life if mark.event == "submit")


def _windowed(batches: Mapping[int, int], seen: Seen, window: str) -> tuple[int | None, int | None]:
    """Return how many orders left within the limit's window, at the last step and at most; None without its length."""
    limits: Mapping[str, Any] = seen.snapshot.config.get("limits", {}) if seen.snapshot else {}
    steps = limits.get(window)
    if not steps:
        return None, None
    sums = {step: sum(batches.get(step - back, 0) for back in range(steps)) for step in batches}
    last = sum(batches.get(seen.tally.step - back, 0) for back in range(steps))
    return last, max(sums.values(), default=0)


def _repeats(seen: Seen) -> tuple[int | None, int | None]:
    """Return the same for the symbol of which most orders left."""
    by_symbol: dict[str, Counter[int]] = {}
    for line in seen.story.lines.values():
        if not line.rail:
            by_symbol.setdefault(line.symbol, Counter())[line.step] += 1
    found = [_windowed(batches, seen, "repeat_window_steps") for batches in by_symbol.values()]
    known = [(now, most) for now, most in found if now is not None and most is not None]
    return (max(now for now, _ in known), max(most for _, most in known)) if known else (None, None)


def _gross(accounts: Sequence[Account]) -> tuple[int | None, int | None]:
    """Return what the positions are worth, now and at most: equity that is not cash; None if any may be short."""
    worth = [row.equity_ticks - row.cash_ticks for row in accounts]
    return (None, None) if not worth or min(worth) < 0 else (worth[-1], max(worth))


def _losses(accounts: Sequence[Account]) -> list[int]:
    """Return the loss of the day at each step: what equity is below its last value of the day before."""
    losses, day, start, last = [], "", 0, 0
    for row in accounts:
        if row.ts[:10] != day:
            day, start = row.ts[:10], last or row.equity_ticks
        last = row.equity_ticks
        losses.append(max(0, start - last))
    return losses


def _spent(accounts: Sequence[Account]) -> tuple[int | None, int | None]:
    """Return the share of equity that is not cash, in thousandths, now and at its largest; None before a step."""
    shares = [
        max(0, (row.equity_ticks - row.cash_ticks) * FULL_PERMILLE // max(1, row.equity_ticks)) for row in accounts
    ]
    return (shares[-1], max(shares)) if shares else (None, None)


def _short(seen: Seen, trades: Sequence[Trade]) -> str:
    if seen.snapshot is None:
        return "no configuration, so it is not known whether short is allowed"
    allowed = seen.snapshot.config.get("limits", {}).get("short_allowed")
    lowest = min((trade.position_lots for trade in trades), default=0)
    return f"{'allowed' if allowed else 'not allowed'}; the smallest position was {lowest:,} lots"
