"""What the rails decide on a batch of intents: by each rail, in order, without a trace of what is denied."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.broker.matching import fee_ticks
from peak_trade.market.strategy import Intent
from peak_trade.market.terms import Kind, Side, Tif
from peak_trade.rails import limits as module
from peak_trade.rails.limits import CHECKS, Limits, Rail
from peak_trade.rails.trading import Trading
from peak_trade.session.config import LimitsPart
from peak_trade.session.decide import Account, Decision, Past, Twin, decide, with_fee

LIMITS = LimitsPart().limits()
FEE = 1
CALM = Past(Trading.ACTIVE, 0, {}, {}, {"A": 0, "B": 0, "C": 0})
ACCOUNT = Account(
    positions_lots={"A": 0, "B": 50},
    buying_lots={},
    selling_lots={},
    bids_ticks={},
    asks_ticks={},
    reference_ticks={"A": 1_000, "B": 2_000, "C": 500},
    open_orders=0,
    free_cash_ticks=10**9,
    day_loss_ticks=0,
    fee_permille=FEE,
    past=CALM,
)


def buy(symbol: str, lots: int, limit: int | None = None) -> Intent:
    """A buy, at the market unless a limit is given."""
    return Intent(symbol, Side.BUY, lots, Kind.MARKET if limit is None else Kind.LIMIT, limit, Tif.DAY)


def sell(symbol: str, lots: int, limit: int | None = None) -> Intent:
    """A sell, at the market unless a limit is given."""
    return Intent(symbol, Side.SELL, lots, Kind.MARKET if limit is None else Kind.LIMIT, limit, Tif.DAY)


@dataclass(frozen=True)
class Case:
    """A batch whose last intent one rail denies, on an account and under limits that are calm but for the changes."""

    intents: tuple[Intent, ...]
    account: dict[str, Any] = field(default_factory=dict)
    past: dict[str, Any] = field(default_factory=dict)
    limits: dict[str, Any] = field(default_factory=dict)

    def decided(self) -> tuple[Decision, ...]:
        """What the rails say."""
        account = replace(ACCOUNT, **self.account, past=replace(CALM, **self.past))
        return decide(self.intents, account, replace(LIMITS, **self.limits), "x-")


CASES = {
    Rail.TRADING_HALTED: Case((sell("B", 50),), past={"trading": Trading.HALTED}),
    Rail.ONLY_REDUCING: Case((buy("A", 1),), past={"trading": Trading.REDUCING}),
    Rail.ORDER_QUANTITY: Case((buy("A", 11),), limits={"order_lots_max": 10}),
    Rail.NO_PRICE: Case((buy("D", 1),), past={"price_ages_steps": {"D": 0}}),
    Rail.STALE_PRICE: Case((sell("B", 1),), past={"price_ages_steps": {"B": 6}}),
    Rail.PRICE_COLLAR: Case((buy("A", 1, 1_101),)),
    Rail.ORDER_NOTIONAL: Case((buy("A", 10, 1_000),), limits={"order_notional_ticks_max": 9_999}),
    Rail.OPEN_ORDERS: Case((buy("A", 1), buy("A", 2)), {"open_orders": 9}, limits={"open_orders_max": 10}),
    Rail.STEP_ORDERS: Case((buy("A", 1), buy("A", 2)), limits={"step_orders_max": 1}),
    Rail.ORDER_RATE: Case((buy("A", 1), buy("A", 2)), past={"rate_orders": 9}, limits={"rate_orders_max": 10}),
    Rail.REPEATED_EXECUTION: Case(
        (buy("A", 1), buy("A", 2)), past={"repeats": {"A": 2, "B": 9}}, limits={"repeat_orders_max": 3}
    ),
    Rail.DUPLICATE_ORDER: Case((buy("A", 1), buy("A", 1))),
    Rail.SHORT: Case((sell("B", 30), sell("B", 21))),
    Rail.POSITION: Case((buy("A", 6), buy("A", 5)), limits={"position_lots_max": 10}),
    Rail.GROSS_EXPOSURE: Case((buy("A", 100),), limits={"gross_notional_ticks_max": 199_999}),
    Rail.CASH: Case((buy("A", 1, 1_000), buy("A", 2, 1_000)), {"free_cash_ticks": 3 * 1_002 - 1}),
    Rail.DAILY_LOSS: Case((buy("A", 1),), {"day_loss_ticks": 2_000_000_001}),
    Rail.SELF_CROSS: Case((sell("B", 5, 2_050), buy("B", 1, 2_050))),
}


@pytest.mark.parametrize("rail", list(Rail))
def test_each_rail_denies_the_last_of_its_batch(rail: Rail) -> None:
    """What comes before it in the batch may leave, and the last is denied by this rail."""
    found = [item.rail for item in CASES[rail].decided()]
    assert found == [None] * (len(found) - 1) + [rail]


@pytest.mark.parametrize("rail", list(Rail))
def test_without_the_check_the_whole_batch_would_leave(rail: Rail, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mutant without just this check lets the denied order leave: no other rail stands in for it."""
    kept = {name: breaks for name, breaks in CHECKS.items() if name is not rail}
    monkeypatch.setattr(module, "CHECKS", MappingProxyType(kept))
    assert [item.rail for item in CASES[rail].decided()] == [None] * len(CASES[rail].intents)


SHORT = {"short_allowed": True}
TOGETHER = {
    "gross of both": (
        Case((buy("A", 10), buy("A", 11)), limits={"gross_notional_ticks_max": 120_000}),
        [None, Rail.GROSS_EXPOSURE],
    ),
    "gross is the worse side": (
        Case((buy("A", 10, 900), sell("A", 10, 1_100)), limits={"gross_notional_ticks_max": 110_000, **SHORT}),
        [None, None],
    ),
    "the other side is exposed already": (
        Case((sell("A", 9, 1_100), buy("A", 9, 900)), limits={"gross_notional_ticks_max": 109_000, **SHORT}),
        [None, None],
    ),
    "nothing more on the worse side": (
        Case((sell("A", 9, 1_100), sell("A", 1, 1_100)), limits={"gross_notional_ticks_max": 109_000, **SHORT}),
        [None, Rail.GROSS_EXPOSURE],
    ),
    "the best of two buys is met": (
        Case((buy("B", 1, 1_900), buy("B", 1, 2_000), sell("B", 1, 1_950))),
        [None, None, Rail.SELF_CROSS],
    ),
    "the best of two buys is met, best first": (
        Case((buy("B", 1, 2_000), buy("B", 1, 1_900), sell("B", 1, 1_950))),
        [None, None, Rail.SELF_CROSS],
    ),
    "the best of two sells is met": (
        Case((sell("B", 1, 2_000), sell("B", 1, 2_100), buy("B", 1, 2_050))),
        [None, None, Rail.SELF_CROSS],
    ),
    "the better of an old and a new one is met": (
        Case((sell("B", 1, 2_000), buy("B", 1, 2_050)), {"asks_ticks": {"B": 2_100}, "selling_lots": {"B": 1}}),
        [None, Rail.SELF_CROSS],
    ),
    "a price of unknown age": (Case((sell("B", 1),), past={"price_ages_steps": {}}), [Rail.STALE_PRICE]),
}


@pytest.mark.parametrize("name", list(TOGETHER))
def test_orders_of_a_batch_are_seen_together(name: str) -> None:
    """What leaves earlier in a batch is exposed, and met, by what follows; both sides and both limits count."""
    case, expected = TOGETHER[name]
    assert [item.rail for item in case.decided()] == expected


def test_windows_of_no_steps_are_off() -> None:
    """With windows of 0 steps the same order may leave again, and a symbol be traded as often as one likes."""
    past = {"repeats": {"A": 100}, "twins": {Twin("A", True, 1, 1_100): 1}}
    off = {"repeat_window_steps": 0, "duplicate_window_steps": 0, "repeat_orders_max": 1}
    assert [item.rail for item in Case((buy("A", 1), buy("A", 1)), past=past, limits=off).decided()] == [None, None]


def test_a_twin_of_an_earlier_step_is_a_duplicate() -> None:
    """The same symbol, side, quantity and limit within the window is denied; any other may leave."""
    past = {"twins": {Twin("A", True, 5, 1_000): 1}}
    batch = (buy("A", 5, 1_000), buy("A", 6, 1_000), buy("A", 5, 999), buy("B", 5, 2_000))
    assert [item.rail for item in Case(batch, past=past).decided()] == [Rail.DUPLICATE_ORDER, None, None, None]


@pytest.mark.parametrize("rail", [None, Rail.SELF_CROSS])
def test_an_order_meets_none_of_our_own(rail: Rail | None) -> None:
    """One tick decides whether an order would trade against one of ours that rests at the venue."""
    price = 2_010 if rail else 2_009
    found = Case((buy("B", 1, price),), {"asks_ticks": {"B": 2_010}, "selling_lots": {"B": 5}}).decided()
    assert [item.rail for item in found] == [rail]
    price = 1_990 if rail else 1_991
    found = Case((sell("B", 1, price),), {"bids_ticks": {"B": 1_990}, "buying_lots": {"B": 5}}).decided()
    assert [item.rail for item in found] == [rail]


def test_what_only_reduces_passes_a_reduced_trading_state() -> None:
    """Selling what is held may leave, and is not said to add; the first lot beyond it is denied."""
    found = Case((sell("B", 20), sell("B", 30), sell("B", 1)), past={"trading": Trading.REDUCING}).decided()
    assert [(item.rail, item.adds) for item in found] == [(None, False), (None, False), (Rail.ONLY_REDUCING, True)]


intents = st.builds(
    lambda symbol, side, lots, limit: Intent(
        symbol, side, lots, Kind.MARKET if limit is None else Kind.LIMIT, limit, Tif.DAY
    ),
    st.sampled_from(["A", "B", "C", "D"]),
    st.sampled_from(Side),
    st.integers(1, 12),
    st.none() | st.integers(400, 2_300),
)
batches = st.lists(intents, max_size=8)
LOTS = st.dictionaries(st.sampled_from(["A", "B", "C"]), st.integers(0, 15), max_size=3)
accounts = st.builds(
    replace,
    st.just(ACCOUNT),
    positions_lots=st.dictionaries(st.sampled_from(["A", "B", "C"]), st.integers(-20, 20)),
    buying_lots=LOTS,
    selling_lots=LOTS,
    bids_ticks=st.dictionaries(st.sampled_from(["A", "B"]), st.integers(900, 1_000)),
    asks_ticks=st.dictionaries(st.sampled_from(["A", "B"]), st.integers(1_000, 2_000)),
    free_cash_ticks=st.integers(0, 60_000),
    open_orders=st.integers(0, 6),
    day_loss_ticks=st.sampled_from([0, 10**10]),
    past=st.builds(
        Past,
        trading=st.sampled_from([Trading.ACTIVE, Trading.ACTIVE, Trading.REDUCING, Trading.HALTED]),
        rate_orders=st.integers(0, 8),
        repeats=st.dictionaries(st.sampled_from(["A", "B"]), st.integers(1, 3)),
        twins=st.dictionaries(
            st.builds(Twin, st.just("A"), st.booleans(), st.integers(1, 9), st.just(1_000)), st.just(1)
        ),
        price_ages_steps=st.just({"A": 0, "B": 1, "C": 9}),
    ),
)
tight = st.builds(
    replace,
    st.just(LIMITS),
    position_lots_max=st.integers(5, 30),
    gross_notional_ticks_max=st.integers(10_000, 100_000),
    open_orders_max=st.integers(4, 10),
    step_orders_max=st.integers(2, 6),
    rate_orders_max=st.integers(5, 12),
    repeat_orders_max=st.integers(2, 5),
    repeat_window_steps=st.integers(0, 1),
    duplicate_window_steps=st.integers(0, 1),
    price_age_steps_max=st.sampled_from([0, 1, 9]),
    short_allowed=st.booleans(),
    self_cross_allowed=st.booleans(),
)


@given(batches, accounts, tight)
def test_a_denied_order_leaves_no_trace(batch: list[Intent], account: Account, limits: Limits) -> None:
    """Without the denied ones in it, the rest of a batch is decided in the same way."""
    found = decide(batch, account, limits, "x-")
    left = [(intent, item) for intent, item in zip(batch, found, strict=True) if item.rail is None]
    again = decide([intent for intent, _ in left], account, limits, "x-")
    assert [item.rail for item in again] == [None] * len(left)
    assert [item.adds for item in again] == [item.adds for _, item in left]


@given(batches, accounts, tight)
def test_each_decision_is_that_of_a_single_order_after_those_before_it(
    batch: list[Intent], account: Account, limits: Limits
) -> None:
    """Deciding one by one, with each that leaves entered in the account by hand, gives the same decisions."""
    found = decide(batch, account, limits, "x-")
    for number, intent in enumerate(batch):
        [alone] = decide([intent], account, limits, "x-")
        sent = sum(item.rail is None for item in found[:number])
        if sent >= limits.step_orders_max:
            assert found[number].rail is not None
            continue
        assert (found[number].rail, found[number].adds) == (alone.rail, alone.adds)
        if alone.rail is None:
            account = entered(account, alone)


def entered(account: Account, decision: Decision) -> Account:
    """The account after an order left, written out by hand."""
    request, past = decision.request, account.past
    symbol, lots, limit = request.symbol, request.qty_lots, request.limit_ticks or 0
    buys = request.side is Side.BUY
    lots_of, best_of = ("buying_lots", "bids_ticks") if buys else ("selling_lots", "asks_ticks")
    working, best = dict(getattr(account, lots_of)), dict(getattr(account, best_of))
    working[symbol] = working.get(symbol, 0) + lots
    best[symbol] = sorted([limit, best.get(symbol, limit)])[1 if buys else 0]
    twin = Twin(symbol, buys, lots, limit)
    return replace(
        account,
        **{lots_of: working, best_of: best},
        open_orders=account.open_orders + 1,
        free_cash_ticks=account.free_cash_ticks - (lots * with_fee(limit, FEE) if buys else 0),
        past=replace(
            past,
            rate_orders=past.rate_orders + 1,
            repeats={**past.repeats, symbol: past.repeats.get(symbol, 0) + 1},
            twins={**past.twins, twin: past.twins.get(twin, 0) + 1},
        ),
    )


AMPLE = replace(
    LIMITS,
    gross_notional_ticks_max=10**12,
    open_orders_max=10**5,
    step_orders_max=10**5,
    rate_orders_max=10**5,
    position_lots_max=20,
)


@given(batches, accounts, st.randoms(use_true_random=False))
def test_the_order_of_symbols_decides_nothing_while_there_is_enough_for_all(
    batch: list[Intent], account: Account, shuffle: Any
) -> None:
    """With ample cash, exposure and counts an intent competes only with those of its own symbol."""
    account = replace(account, free_cash_ticks=10**12)
    symbols = sorted({intent.symbol for intent in batch})
    shuffle.shuffle(symbols)
    moved = [intent for symbol in symbols for intent in batch if intent.symbol == symbol]
    one, other = by_symbol(batch, account), by_symbol(moved, account)
    assert one == other


def by_symbol(batch: Sequence[Intent], account: Account) -> dict[str, list[Rail | None]]:
    """What was decided on the intents of each symbol, in their order."""
    found: dict[str, list[Rail | None]] = {}
    for intent, item in zip(batch, decide(batch, account, AMPLE, "x-"), strict=True):
        found.setdefault(intent.symbol, []).append(item.rail)
    return found


@dataclass
class Ledger:
    """A book of its own, as plain as can be: what is held, what is open, and the cash."""

    cash: int
    held: dict[str, int] = field(default_factory=dict)
    open: list[tuple[str, int, int]] = field(default_factory=list)

    def account(self, step: int) -> Account:
        """What the rails look at, added up from the list of open orders."""
        buying: dict[str, int] = {}
        selling: dict[str, int] = {}
        reserved = 0
        for symbol, lots, limit in self.open:
            side = buying if lots > 0 else selling
            side[symbol] = side.get(symbol, 0) + abs(lots)
            reserved += max(0, lots) * with_fee(limit, FEE)
        prices = {"A": 1_000 + 17 * step, "B": 2_000 - 31 * step}
        return replace(
            ACCOUNT,
            positions_lots=dict(self.held),
            buying_lots=buying,
            selling_lots=selling,
            reference_ticks=prices,
            open_orders=len(self.open),
            free_cash_ticks=self.cash - reserved,
        )

    def fill(self, number: int, lots: int, price: int) -> None:
        """Fill some of an open order, at a price not worse than its limit."""
        symbol, open_lots, limit = self.open[number]
        sign = 1 if open_lots > 0 else -1
        self.cash -= sign * lots * price + fee_ticks(lots, price, FEE)
        self.held[symbol] = self.held.get(symbol, 0) + sign * lots
        self.open[number] = (symbol, open_lots - sign * lots, limit)


@given(st.data(), st.integers(0, 30_000), st.integers(0, 12))
def test_whatever_fills_cash_is_never_negative_and_no_position_beyond_its_limit(
    data: st.DataObject, cash: int, most: int
) -> None:
    """Any strategy, any fills, any cancels: what the rails let through keeps cash and every position within limits."""
    ledger, limits = Ledger(cash), replace(LIMITS, position_lots_max=most)
    wanted = st.lists(intents.filter(lambda intent: intent.symbol in "AB"), max_size=4)
    for step in range(data.draw(st.integers(1, 6))):
        for item in decide(data.draw(wanted), ledger.account(step), limits, "x-"):
            request = item.request
            sign = 1 if request.side is Side.BUY else -1
            if item.rail is None:
                ledger.open.append((request.symbol, sign * request.qty_lots, request.limit_ticks or 0))
        for number, (_, lots, limit) in enumerate(ledger.open):
            filled = data.draw(st.integers(0, abs(lots)))
            better = (
                limit - data.draw(st.integers(0, limit - 1)) if lots > 0 else limit + data.draw(st.integers(0, 500))
            )
            if filled:
                ledger.fill(number, filled, better)
            assert ledger.cash >= 0
            assert all(0 <= held <= most for held in ledger.held.values())
        gone = data.draw(st.booleans())
        ledger.open = [] if gone else [item for item in ledger.open if item[1]]
