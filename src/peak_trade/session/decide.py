"""Which intents may leave: a pure function from intents and the account to decisions. Nothing is sent here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from peak_trade.broker.messages import OrderRequest
from peak_trade.market.strategy import Intent
from peak_trade.market.terms import Kind, Side
from peak_trade.rails.limits import Limits, Proposal, Rail, Situation, denial


@dataclass(frozen=True, slots=True)
class Account:
    """What the rails look at, at the moment of the decision: working lots positive on both sides, money in ticks."""

    positions_lots: Mapping[str, int]
    buying_lots: Mapping[str, int]
    selling_lots: Mapping[str, int]
    reference_ticks: Mapping[str, int]
    open_orders: int
    free_cash_ticks: int
    day_loss_ticks: int
    fee_permille: int


@dataclass(frozen=True, slots=True)
class Decision:
    """An order and the rail that denies it; None iff it may leave."""

    request: OrderRequest
    rail: Rail | None


def decide(intents: Sequence[Intent], account: Account, limits: Limits, prefix: str) -> tuple[Decision, ...]:
    """Return one decision for each intent, in order; each counts what those before it will use.

    A market intent leaves as a limit order at the edge of the price collar, so that what it may cost is bounded.
    The id of the n-th order is `prefix` and n, from 1.
    """
    leaving: dict[tuple[str, bool], int] = {}
    sent, cash = 0, account.free_cash_ticks
    decisions = []
    for number, intent in enumerate(intents, 1):
        symbol, reference = intent.symbol, account.reference_ticks.get(intent.symbol, 0)
        buys = intent.side is Side.BUY
        signed = intent.qty_lots if buys else -intent.qty_lots
        price = intent.limit_ticks or _collar(reference, limits.collar_permille_max, buys=buys)
        working = account.buying_lots.get(symbol, 0) if buys else -account.selling_lots.get(symbol, 0)
        worst = account.positions_lots.get(symbol, 0) + working + leaving.get((symbol, buys), 0)
        situation = Situation(worst, account.open_orders + sent, sent, cash, reference, account.day_loss_ticks)
        rail = denial(limits, Proposal(signed, with_fee(price, account.fee_permille), price), situation)
        request = OrderRequest(
            client_order_id=f"{prefix}{number}",
            symbol=symbol,
            side=intent.side,
            qty_lots=intent.qty_lots,
            kind=Kind.LIMIT,
            limit_ticks=max(1, price),
            tif=intent.tif,
        )
        decisions.append(Decision(request, rail))
        if rail is None:
            sent += 1
            leaving[symbol, buys] = leaving.get((symbol, buys), 0) + signed
            cash -= max(0, signed) * with_fee(price, account.fee_permille)
    return tuple(decisions)


def with_fee(price_ticks: int, fee_permille: int) -> int:
    """Return what one lot may cost at `price_ticks`, the fee and its rounding included."""
    return price_ticks + -(-price_ticks * fee_permille // 1000) + (1 if fee_permille else 0)


def _collar(reference_ticks: int, permille: int, *, buys: bool) -> int:
    """Return the worst price that the collar admits, in ticks."""
    room = reference_ticks * permille // 1000
    return reference_ticks + room if buys else max(1, reference_ticks - room)
