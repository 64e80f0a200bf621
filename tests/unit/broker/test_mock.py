"""The venue behind the port."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peak_trade.broker.answers import StepError
from peak_trade.broker.errors import DuplicateId, InvalidRequest, VenueRejected
from peak_trade.broker.matching import Settings, capacity_lots
from peak_trade.broker.messages import OrderRequest, ReportKind, Status
from peak_trade.broker.mock import MockVenue
from peak_trade.market.bars import Bar
from peak_trade.market.terms import Kind, Side, Tif

OPEN = {Status.NEW, Status.PARTIALLY_FILLED}
MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_the_same_order_again_is_answered_as_the_first_time(
    opened: Callable[..., MockVenue], make_order: Callable[..., OrderRequest]
) -> None:
    """Same id and content return the first result, at once, later and after a reopening; one order exists."""
    venue = opened()
    first = venue.place_order(make_order("a"))
    assert venue.place_order(make_order("a")) == first
    venue.close()
    venue = opened()
    assert venue.place_order(make_order("a")) == first
    assert len(venue.list_open_orders()) == 1


@pytest.mark.parametrize("change", [{"qty_lots": 11}, {"symbol": "B"}, {"side": Side.SELL}, {"tif": Tif.GTC}])
def test_the_same_id_for_another_order_is_refused(
    opened: Callable[..., MockVenue], make_order: Callable[..., OrderRequest], change: dict[str, Any]
) -> None:
    """Same id and other content raise DuplicateId and leave the first order as it is."""
    venue = opened()
    venue.place_order(make_order("a"))
    before = venue.query_order("a")
    with pytest.raises(DuplicateId) as caught:
        venue.place_order(make_order("a", **change))
    assert caught.value.client_order_id == "a"
    assert venue.query_order("a") == before


def test_an_unknown_symbol_is_rejected_each_time(
    opened: Callable[..., MockVenue], make_order: Callable[..., OrderRequest]
) -> None:
    """A symbol outside the settings is rejected, again on repetition, and the order never trades."""
    venue = opened(Settings(1000, 1000, symbols=frozenset({"B"})))
    for _ in range(2):
        with pytest.raises(VenueRejected):
            venue.place_order(make_order("a"))
    assert venue.query_order("a").status is Status.REJECTED
    assert venue.list_open_orders() == ()


def test_a_market_order_trades_at_the_open_worsened_by_the_slippage(
    opened: Callable[..., MockVenue], make_order: Callable[..., OrderRequest], make_bar: Callable[..., Bar]
) -> None:
    """A buy pays the slippage on top of the open, a sell gives it; the fee is rounded up."""
    venue = opened(Settings(1000, 1000, fee_permille=1, slippage_ticks=2))
    venue.place_order(make_order("b"))
    venue.place_order(make_order("s", side=Side.SELL))
    venue.advance(1, (make_bar(),))
    buy, sell = venue.iter_fills(0)
    assert (buy.last_ticks, sell.last_ticks) == (102, 98)
    assert (buy.last_lots, buy.fee_ticks) == (10, 2)  # 1020 x 1/1000 rounded up


@pytest.mark.parametrize(
    "case",
    [
        (Side.BUY, 89, None),
        (Side.BUY, 90, 90),
        (Side.BUY, 99, 99),
        (Side.BUY, 100, 100),
        (Side.BUY, 105, 100),
        (Side.SELL, 111, None),
        (Side.SELL, 110, 110),
        (Side.SELL, 101, 101),
        (Side.SELL, 100, 100),
        (Side.SELL, 95, 100),
    ],
)
def test_a_limit_order_trades_at_its_limit_or_better(
    opened: Callable[..., MockVenue],
    make_order: Callable[..., OrderRequest],
    make_bar: Callable[..., Bar],
    case: tuple[Side, int, int | None],
) -> None:
    """It trades iff the bar reaches the limit, at the open where that is better."""
    side, limit, price = case
    venue = opened()
    venue.place_order(make_order("a", side=side, kind=Kind.LIMIT, limit_ticks=limit))
    venue.advance(1, (make_bar(),))
    assert [report.last_ticks for report in venue.iter_fills(0)] == ([price] if price else [])


def test_thin_volume_is_shared_by_arrival(
    opened: Callable[..., MockVenue], make_order: Callable[..., OrderRequest], make_bar: Callable[..., Bar]
) -> None:
    """Fifteen lots go to the first order whole, to the second in part, to the third not; a day order expires then."""
    venue = opened()
    for identity in "abc":
        venue.place_order(make_order(identity))
    venue.advance(1, (make_bar(volume_lots=15),))
    assert [(r.client_order_id, r.kind, r.last_lots, r.cum_lots, r.leaves_lots) for r in venue.iter_reports(0)] == [
        ("a", "trade", 10, 10, 0),
        ("b", "trade", 5, 5, 5),
        ("b", "expired", 0, 5, 0),
        ("c", "expired", 0, 0, 0),
    ]


def test_a_gtc_order_stays_until_it_is_filled(
    opened: Callable[..., MockVenue], make_order: Callable[..., OrderRequest], make_bar: Callable[..., Bar]
) -> None:
    """It takes what each bar has, nothing from a bar without volume, and keeps its place before later orders."""
    venue = opened()
    venue.place_order(make_order("a", qty_lots=25, tif=Tif.GTC))
    for step, volume in enumerate((10, 0, 10), 1):
        venue.advance(step, (make_bar(volume_lots=volume),))
    venue.place_order(make_order("b"))
    venue.advance(4, (make_bar(volume_lots=8),))
    assert [(r.client_order_id, r.last_lots) for r in venue.iter_fills(0)] == [("a", 10), ("a", 10), ("a", 5), ("b", 3)]
    assert venue.query_order("a").status is Status.FILLED


def test_an_order_waits_for_the_step_after_it(
    opened: Callable[..., MockVenue], make_order: Callable[..., OrderRequest], make_bar: Callable[..., Bar]
) -> None:
    """Placed after step 1, it is first matched in step 2."""
    venue = opened()
    venue.advance(1, (make_bar(),))
    venue.place_order(make_order("a"))
    venue.advance(1, (make_bar(),))
    assert list(venue.iter_reports(0)) == []
    venue.advance(2, (make_bar(),))
    assert [report.step for report in venue.iter_reports(0)] == [2]


def test_a_step_is_taken_once_and_in_order(
    opened: Callable[..., MockVenue], make_order: Callable[..., OrderRequest], make_bar: Callable[..., Bar]
) -> None:
    """A repeated step does nothing, a skipped one raises with both numbers, two bars of a symbol are refused."""
    venue = opened()
    venue.place_order(make_order("a", qty_lots=2000, tif=Tif.GTC))
    venue.advance(1, (make_bar(),))
    venue.advance(1, (make_bar(),))
    assert len(list(venue.iter_reports(0))) == 1
    with pytest.raises(StepError) as caught:
        venue.advance(3, ())
    assert (caught.value.expected, caught.value.was) == (2, 3)
    with pytest.raises(ValueError, match="one bar a symbol"):
        venue.advance(2, (make_bar(), make_bar()))


def test_a_cancel_is_reported_and_then_too_late(
    opened: Callable[..., MockVenue], make_order: Callable[..., OrderRequest], make_bar: Callable[..., Bar]
) -> None:
    """A cancel closes what is left; cancelling a filled or unknown order is rejected, a second cancel is not."""
    venue = opened()
    venue.place_order(make_order("a", qty_lots=30, tif=Tif.GTC))
    venue.advance(1, (make_bar(volume_lots=10),))
    venue.cancel_order("a")
    venue.cancel_order("a")
    last = list(venue.iter_reports(1))
    assert [(r.kind, r.cum_lots, r.leaves_lots) for r in last] == [(ReportKind.CANCELED, 10, 0)]
    venue.place_order(make_order("b"))
    venue.advance(2, (make_bar(),))
    for identity in ("b", "nobody"):
        with pytest.raises(VenueRejected):
            venue.cancel_order(identity)
    assert [r.client_order_id for r in venue.iter_fills(1)] == ["b"]


def test_a_cursor_that_the_log_has_not_is_refused(opened: Callable[..., MockVenue]) -> None:
    """Asking from before the log or from beyond it raises instead of answering with something else."""
    venue = opened()
    for cursor in (-1, 1):
        with pytest.raises(InvalidRequest):
            venue.iter_reports(cursor)


@MANY
@given(seed=st.integers(0, 10**6), share=st.sampled_from([0, 50, 1000]))
def test_lots_are_conserved_and_volume_is_not_exceeded(
    tmp_path_factory: pytest.TempPathFactory, make_program: Callable[..., Any], seed: int, share: int
) -> None:
    """Cursors have no gap; trades sum to cum, cum + leaves is the quantity of an open order; shares are kept."""
    made = make_program(seed, 80, Settings(0, share))
    path = tmp_path_factory.mktemp("venue") / "venue.jsonl"
    _, reports = made.run(path)
    assert [report.cursor for report in reports] == list(range(1, len(reports) + 1))
    venue = made.venue(path)
    for name, request in made.operations:
        if name == "place":
            told = venue.query_order(request.client_order_id)
            own = [r for r in reports if r.client_order_id == request.client_order_id]
            assert sum(report.last_lots for report in own) == told.cum_lots <= told.qty_lots
            assert told.leaves_lots == (told.qty_lots - told.cum_lots if told.status in OPEN else 0)
    symbols = {request.client_order_id: request.symbol for name, request in made.operations if name == "place"}
    for name, fact in made.operations:
        for item in fact[1] if name == "advance" else ():
            filled = sum(
                r.last_lots for r in reports if r.step == fact[0] and symbols[r.client_order_id] == item.symbol
            )
            assert filled <= capacity_lots(seed, made.settings, item, fact[0]) <= item.volume_lots * share // 1000
    venue.close()


def _asked_one_by_one(made: object) -> list[tuple[str, int, int, int]]:
    """The trades of a program by asking every open order in every bar, as the law of the queue states it."""
    from peak_trade.broker.matching import price_ticks

    waiting, trades = {}, []
    for name, fact in made.operations:
        if name == "place":
            waiting[fact.client_order_id] = [fact, fact.qty_lots]
        elif name == "cancel":
            waiting.pop(fact, None)
        else:
            for item in fact[1]:
                free = capacity_lots(made.seed, made.settings, item, fact[0])
                for identity, (request, leaves) in list(waiting.items()):
                    if request.symbol != item.symbol:
                        continue
                    price = price_ticks(request, item, made.settings.slippage_ticks)
                    lots = 0 if price is None else min(free, leaves)
                    free -= lots
                    waiting[identity][1] -= lots
                    if lots:
                        trades.append((identity, lots, price, fact[0]))
                    if lots == leaves or request.tif is not Tif.GTC:
                        del waiting[identity]
    return trades


@MANY
@given(seed=st.integers(0, 10**6))
def test_the_queue_yields_what_asking_one_by_one_would(
    tmp_path_factory: pytest.TempPathFactory, make_program: Callable[..., Any], seed: int
) -> None:
    """Leaving out orders that rest away from the market changes nothing."""
    made = make_program(seed, 150, Settings(0, 300, slippage_ticks=1))
    _, reports = made.run(tmp_path_factory.mktemp("venue") / "venue.jsonl")
    told = [(r.client_order_id, r.last_lots, r.last_ticks, r.step) for r in reports if r.kind is ReportKind.TRADE]
    assert told == _asked_one_by_one(made)


def test_orders_that_rest_away_from_the_market_are_not_visited(
    opened: Callable[..., MockVenue],
    make_order: Callable[..., OrderRequest],
    make_bar: Callable[..., Bar],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With 500 resting orders a bar asks for the price of the one that is new, and of no other."""
    venue = opened()
    for number in range(500):
        venue.place_order(make_order(f"r{number}", kind=Kind.LIMIT, limit_ticks=50, tif=Tif.GTC))
    venue.advance(1, (make_bar(),))
    venue.place_order(make_order("new"))
    asked = []
    from peak_trade.broker import queue

    real = queue.price_ticks
    monkeypatch.setattr(queue, "price_ticks", lambda request, *rest: asked.append(request) or real(request, *rest))
    venue.advance(2, (make_bar(),))
    assert [request.client_order_id for request in asked] == ["new"]
    venue.advance(3, (make_bar(low_ticks=50),))
    assert len(list(venue.iter_fills(1))) == 100  # 1000 lots of volume, ten a fill
