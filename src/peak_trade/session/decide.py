"""Which intents may leave: a pure function from intents and the account to decisions. Nothing is sent here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from peak_trade.broker.messages import OrderRequest
from peak_trade.market.strategy import Intent
from peak_trade.market.terms import Kind, Side
from peak_trade.rails.limits import NEVER_STEPS, Limits, Proposal, Rail, Situation, adds, denial, gross_after_ticks
from peak_trade.rails.trading import Trading


class Twin(NamedTuple):
    """What two orders share that are duplicates: symbol, side, quantity and limit."""

    symbol: str
    buys: bool
    lots: int
    price_ticks: int


@dataclass(frozen=True, slots=True)
class Past:
    """What the rails remember of the steps before: how trading is restricted, what left, and how old the prices are.

    `rate_orders`, `repeats` by symbol and `twins` count orders that left within their windows; `price_ages_steps` lacks
    the symbols without a price.
    """

    trading: Trading
    rate_orders: int
    repeats: Mapping[str, int]
    twins: Mapping[Twin, int]
    price_ages_steps: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Account:
    """What the rails look at, at the moment of the decision: working lots positive on both sides, money in ticks.

    `bids_ticks` and `asks_ticks` are the best limits of our own open orders; symbols without any are absent.
    """

    positions_lots: Mapping[str, int]
    buying_lots: Mapping[str, int]
    selling_lots: Mapping[str, int]
    bids_ticks: Mapping[str, int]
    asks_ticks: Mapping[str, int]
    reference_ticks: Mapping[str, int]
    open_orders: int
    free_cash_ticks: int
    day_loss_ticks: int
    fee_permille: int
    past: Past


class Decision(NamedTuple):
    """An order, the rail that denies it, None iff it may leave, and whether it does more than reduce a position."""

    request: OrderRequest
    rail: Rail | None
    adds: bool


@dataclass(slots=True)
class _Batch:
    """What the intents so far will use, if they leave; `gross_ticks` is what is exposed, theirs included."""

    account: Account
    limits: Limits
    gross_ticks: int
    cash_ticks: int
    sent: int = 0
    leaving: dict[tuple[str, bool], int] = field(default_factory=dict)
    best: dict[tuple[str, bool], int] = field(default_factory=dict)
    repeats: dict[str, int] = field(default_factory=dict)
    twins: dict[Twin, int] = field(default_factory=dict)

    def situation(self, twin: Twin) -> Situation:
        """Return what the limits look at before this order."""
        account, past, symbol, buys = self.account, self.account.past, twin.symbol, twin.buys
        repeats = past.repeats.get(symbol, 0) + self.repeats.get(symbol, 0)
        held, leaving = account.positions_lots.get(symbol, 0), self.leaving
        most = held + account.buying_lots.get(symbol, 0) + leaving.get((symbol, True), 0)
        least = held - account.selling_lots.get(symbol, 0) + leaving.get((symbol, False), 0)
        return Situation(
            trading=past.trading,
            worst_lots=most if buys else least,
            other_lots=least if buys else most,
            open_orders=account.open_orders + self.sent,
            step_orders=self.sent,
            rate_orders=past.rate_orders + self.sent,
            repeats=repeats if self.limits.repeat_window_steps else 0,
            twins=past.twins.get(twin, 0) + self.twins.get(twin, 0) if self.limits.duplicate_window_steps else 0,
            free_cash_ticks=self.cash_ticks,
            reference_ticks=account.reference_ticks.get(symbol, 0),
            reference_age_steps=past.price_ages_steps.get(symbol, NEVER_STEPS),
            gross_ticks=self.gross_ticks,
            opposite_ticks=self._opposite(twin),
            day_loss_ticks=account.day_loss_ticks,
        )

    def _opposite(self, twin: Twin) -> int:
        """Return the best limit of our own orders on the other side, those of this batch included; 0 without any."""
        account = self.account
        resting = (account.asks_ticks if twin.buys else account.bids_ticks).get(twin.symbol, 0)
        leaving = self.best.get((twin.symbol, not twin.buys), 0)
        if not (resting and leaving):
            return resting or leaving
        return min(resting, leaving) if twin.buys else max(resting, leaving)

    def leave(self, order: Proposal, twin: Twin, now: Situation) -> None:
        """Count what an order uses that may leave."""
        side, price, lots = (twin.symbol, twin.buys), twin.price_ticks, order.signed_lots
        best = self.best.get(side, price)
        self.gross_ticks = gross_after_ticks(order, now)
        self.cash_ticks -= lots * order.cost_ticks if lots > 0 else 0
        self.sent += 1
        self.leaving[side] = self.leaving.get(side, 0) + lots
        self.best[side] = max(best, price) if twin.buys else min(best, price)
        self.repeats[twin.symbol] = self.repeats.get(twin.symbol, 0) + 1
        self.twins[twin] = self.twins.get(twin, 0) + 1


def decide(intents: Sequence[Intent], account: Account, limits: Limits, prefix: str) -> tuple[Decision, ...]:
    """Return one decision for each intent, in order; each counts what those before it will use, and no denied one.

    A market intent leaves as a limit order at the edge of the price collar, so that what it may cost is bounded.
    The id of the n-th order is `prefix` and n, from 1.
    """
    batch = _Batch(account, limits, gross_ticks(account), account.free_cash_ticks)
    decisions = []
    for number, intent in enumerate(intents, 1):
        buys = intent.side is Side.BUY
        reference = account.reference_ticks.get(intent.symbol, 0)
        price = intent.limit_ticks or _collar(reference, limits.collar_permille_max, buys=buys)
        signed = intent.qty_lots if buys else -intent.qty_lots
        order = Proposal(signed, with_fee(price, account.fee_permille), price)
        twin = Twin(intent.symbol, buys, intent.qty_lots, price)
        now = batch.situation(twin)
        rail = denial(limits, order, now)
        decisions.append(Decision(_request(intent, f"{prefix}{number}", price), rail, adds(order, now)))
        if rail is None:
            batch.leave(order, twin, now)
    return tuple(decisions)


def gross_ticks(account: Account) -> int:
    """Return the sum over all symbols of the worse of both sides, open orders filled, at the last prices."""
    held, buying, selling = account.positions_lots, account.buying_lots, account.selling_lots
    total = 0
    for symbol, ticks in account.reference_ticks.items():
        lots = held.get(symbol, 0)
        total += max(abs(lots + buying.get(symbol, 0)), abs(lots - selling.get(symbol, 0))) * ticks
    return total


def with_fee(price_ticks: int, fee_permille: int) -> int:
    """Return what one lot may cost at `price_ticks`, the fee and its rounding included."""
    return price_ticks + -(-price_ticks * fee_permille // 1000) + (1 if fee_permille else 0)


def _request(intent: Intent, identity: str, price_ticks: int) -> OrderRequest:
    return OrderRequest(
        client_order_id=identity,
        symbol=intent.symbol,
        side=intent.side,
        qty_lots=intent.qty_lots,
        kind=Kind.LIMIT,
        limit_ticks=max(1, price_ticks),
        tif=intent.tif,
    )


def _collar(reference_ticks: int, permille: int, *, buys: bool) -> int:
    """Return the worst price that the collar admits, in ticks."""
    room = reference_ticks * permille // 1000
    return reference_ticks + room if buys else max(1, reference_ticks - room)
