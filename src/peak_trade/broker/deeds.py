"""What the venue does to an order because the plan says so: decided before each step, as items for the ledger.

An item is [arrival, word, …] with the word of the report that it makes, or [arrival, lots, ticks] for a trade. All is a
function of the order, the bar and the seed; nothing is changed here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from peak_trade.broker.faults import FaultKind, Phase
from peak_trade.broker.held import Held, Mark
from peak_trade.broker.messages import LIMIT_TICKS_MAX, Report, ReportKind, Status
from peak_trade.broker.swarm import drawn
from peak_trade.market.bars import Bar
from peak_trade.market.terms import Side, Tif

Item: TypeAlias = list[Any]
TRADES: Final = frozenset({Mark.PLAIN, Mark.STOP_GIVEN})
"""Marks under which an order is executed; one that is halted or rests is not."""
FORGOTTEN: Final = "forgotten"
"""The item of a restart: what was pending is so no more, and nothing is reported."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What a deed is decided on: the bar of the order's symbol in this step, if there is one, and the venue's log."""

    seed: int
    slippage_ticks: int
    bar: Bar | None
    reports: Sequence[Report]

    def price(self, held: Held) -> int | None:
        """Return at what price the venue can always execute: the limit, else the open; None iff there is neither."""
        if held.terms.limit_ticks is not None:
            return held.terms.limit_ticks
        if self.bar is None:
            return None
        slip = self.slippage_ticks
        return self.bar.open_ticks + slip if held.request.side is Side.BUY else max(1, self.bar.open_ticks - slip)

    def draw(self, held: Held, kind: FaultKind, below: int) -> int:
        """Return a number from 1 to `below`, keyed by order and kind."""
        return 1 + drawn(self.seed, kind, held.venue_order_id) % below


def decided(held: Held, kind: FaultKind, scene: Scene) -> list[Item] | None:
    """Return what `kind` makes of the order now: None to wait for a price, nothing if there is nothing left to do."""
    return DEEDS[kind](held, scene)


def _canceled(held: Held, _: Scene) -> list[Item]:
    return [[held.arrival, ReportKind.CANCELED]] if held.leaves_lots else []


def _reduced(held: Held, scene: Scene) -> list[Item]:
    """Restate with less, but with at least one lot that is open."""
    if held.leaves_lots < 2 or held.mark is not Mark.PLAIN:
        return []
    left = scene.draw(held, FaultKind.REDUCTION, held.leaves_lots - 1)
    return [[held.arrival, ReportKind.RESTATED, held.cum_lots + left]]


def _halted(held: Held, _: Scene) -> list[Item]:
    if held.mark is Mark.HALTED:
        return [[held.arrival, ReportKind.RESUMED]]
    return [[held.arrival, ReportKind.SUSPENDED]] if held.leaves_lots else []


def _guaranteed(held: Held, scene: Scene) -> list[Item] | None:
    if held.mark is not Mark.STOP_GIVEN:
        return [[held.arrival, ReportKind.STOPPED]] if held.leaves_lots else []
    price = scene.price(held)
    return None if price is None else [[held.arrival, held.leaves_lots, price]]


def _rested(held: Held, _: Scene) -> list[Item]:
    if held.mark is Mark.RESTING:
        return [[held.arrival, ReportKind.RESTATED, held.terms.qty_lots]]
    return [[held.arrival, ReportKind.DONE_FOR_DAY]] if held.leaves_lots else []


def _busted(held: Held, _: Scene) -> list[Item]:
    return [[held.arrival, ReportKind.TRADE_CANCEL, held.first_trade]]


def _corrected(held: Held, scene: Scene) -> list[Item]:
    """Correct quantity and price of the first execution; what it may become still fits the order and its limit."""
    wrong = scene.reports[held.first_trade - 1]
    lots = scene.draw(held, FaultKind.CORRECTION, wrong.last_lots + held.leaves_lots)
    better = wrong.last_ticks - 1 if held.request.side is Side.BUY else wrong.last_ticks + 1
    ticks = min(max(1, better), LIMIT_TICKS_MAX)
    return [[held.arrival, ReportKind.TRADE_CORRECT, held.first_trade, lots, ticks]]


def _raced(held: Held, scene: Scene) -> list[Item]:
    """Trade once more while the cancel is pending, and then decide it."""
    if not held.canceling:
        return []
    price = scene.price(held)
    if not held.leaves_lots:
        return [[held.arrival, ReportKind.CANCEL_REJECTED]]
    if price is None or held.mark not in TRADES:
        return [[held.arrival, ReportKind.CANCELED]]
    lots = _some(held, FaultKind.CANCEL_RACE, scene)
    last = ReportKind.CANCELED if lots < held.leaves_lots else ReportKind.CANCEL_REJECTED
    return [[held.arrival, lots, price], [held.arrival, last]]


def _some(held: Held, kind: FaultKind, scene: Scene) -> int:
    """Return how much trades in a race: everything with even chance."""
    drawn_lots = scene.draw(held, kind, 2 * held.leaves_lots)
    return min(drawn_lots, held.leaves_lots)


def _late(held: Held, scene: Scene) -> list[Item] | None:
    left = held.terms.qty_lots - held.cum_lots
    if held.closed is not Status.CANCELED or left <= 0:
        return []
    price = scene.price(held)
    return None if price is None else [[held.arrival, scene.draw(held, FaultKind.LATE_FILL, left), price]]


def _replaced(held: Held, scene: Scene) -> list[Item]:
    """Trade once more while replacements are pending, and then make them, amended to what was executed."""
    price, cum = scene.price(held), held.cum_lots
    items: list[Item] = []
    if held.wanted and price is not None and held.leaves_lots and held.mark in TRADES:
        lots = _some(held, FaultKind.REPLACE_RACE, scene)
        items.append([held.arrival, lots, price])
        cum += lots
    word = ReportKind.REPLACED
    return items + [[held.arrival, word, max(want.qty_lots, cum), want.limit_ticks] for want in held.wanted]


DEEDS: Final[Mapping[FaultKind, Callable[[Held, Scene], list[Item] | None]]] = {
    FaultKind.UNSOLICITED_CANCEL: _canceled,
    FaultKind.REDUCTION: _reduced,
    FaultKind.SUSPENSION: _halted,
    FaultKind.STOPPED: _guaranteed,
    FaultKind.DONE_FOR_DAY: _rested,
    FaultKind.BUST: _busted,
    FaultKind.CORRECTION: _corrected,
    FaultKind.CANCEL_RACE: _raced,
    FaultKind.LATE_FILL: _late,
    FaultKind.REPLACE_RACE: _replaced,
}

STRIKE_ON_ARRIVAL: Final = frozenset(
    {FaultKind.UNSOLICITED_CANCEL, FaultKind.REDUCTION, FaultKind.SUSPENSION, FaultKind.STOPPED, FaultKind.DONE_FOR_DAY}
)
"""Kinds that are due in the first step after the order's arrival."""


def matched(held: Held, item: Item, seed: int) -> tuple[list[Item], FaultKind | None]:
    """Return what becomes of an item of matching, and which kind made it so."""
    fault = held.fault(Phase.EXECUTING)
    if len(item) == 1:
        if fault is FaultKind.DONE_FOR_DAY and held.request.tif is not Tif.GTC and not held.canceling:
            return [[held.arrival, ReportKind.DONE_FOR_DAY]], fault
        return [[held.arrival, ReportKind.CANCELED] if held.canceling else item], None
    arrival, lots, ticks = item
    if fault is FaultKind.PARTIAL_FILLS and lots > 1:
        return [[arrival, part, ticks] for part in _parts(lots, drawn(seed, fault, held.venue_order_id, lots))], fault
    if fault is FaultKind.OVERFILL and lots == held.leaves_lots:
        extra = 1 + drawn(seed, fault, held.venue_order_id) % lots
        return [item, [arrival, extra, ticks]], fault
    return [item], None


def _parts(lots: int, draw: int) -> list[int]:
    """Return two parts of `lots`, or three where there are as many."""
    first = 1 + draw % (lots - 1)
    rest = lots - first
    if rest < 2 or draw // lots % 2:
        return [first, rest]
    second = 1 + draw // (2 * lots) % (rest - 1)
    return [first, second, rest - second]
