"""The reconciler finds each planted difference by its code, and nothing where book and venue agree."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.broker.messages import OrderStatus, Report, ReportKind, Status
from peak_trade.market.terms import Side
from peak_trade.rails.reconcile import ACTIONS, Code, Known, reconcile


def known(name: str, cum: int, leaves: int, sign: int = 1) -> Known:
    """One of our orders."""
    return Known(name, "IBM", sign, cum, leaves, open=leaves > 0, unknown=False)


def working(order: Known) -> OrderStatus:
    """What an honest venue says of it."""
    side = Side.BUY if order.sign > 0 else Side.SELL
    qty = order.cum_lots + order.leaves_lots
    return OrderStatus(order.order, "v", order.symbol, side, Status.NEW, qty, order.cum_lots, order.leaves_lots)


def fill(order: Known, cursor: int = 1) -> Report:
    """The execution that made its CumQty."""
    return Report(
        cursor, order.order, "v", f"e{cursor}", ReportKind.TRADE, order.cum_lots, 100, 0, order.cum_lots, 0, 1
    )


OPEN, PARTLY, DONE = known("a", 0, 5), known("b", 3, 2), known("c", 4, 0, sign=-1)
OURS = {order.order: order for order in (OPEN, PARTLY, DONE)}
HELD = {"IBM": 3 - 4}
VENUE = [working(OPEN), working(PARTLY)]
FILLS = [fill(PARTLY, 1), fill(DONE, 2)]


def test_an_agreeing_book_has_no_difference() -> None:
    """Open, partly filled and closed orders that both sides know alike give nothing."""
    assert reconcile(OURS, HELD, VENUE, FILLS) == ()


CASES = {
    "ghost order": (OURS, HELD, [*VENUE, working(known("zz", 0, 9))], FILLS, {Code.GHOST}),
    "ghost fill": (OURS, HELD, VENUE, [*FILLS, fill(known("zz", 9, 0), 3)], {Code.GHOST}),
    "missing": (OURS, HELD, VENUE[1:], FILLS, {Code.MISSING}),
    "leaves": (OURS, HELD, [VENUE[0], replace(VENUE[1], leaves_lots=1)], FILLS, {Code.LEAVES}),
    "lost fill": (OURS, HELD, VENUE, FILLS[:1], {Code.CUM, Code.POSITION}),
    "doubled fill": (OURS, HELD, VENUE, [*FILLS, replace(FILLS[0], cursor=3)], {Code.CUM, Code.POSITION}),
    "position": (OURS, {"IBM": 0}, VENUE, FILLS, {Code.POSITION}),
    "unknown": (OURS | {"a": replace(OPEN, unknown=True)}, HELD, VENUE, FILLS, {Code.UNKNOWN_OUTCOME}),
}


@pytest.mark.parametrize("case", list(CASES))
def test_each_difference_has_its_code_and_an_action(case: str) -> None:
    """One planted difference gives exactly its codes, each with what is to be done."""
    ours, held, venue, fills, expected = CASES[case]
    found = reconcile(ours, held, venue, fills)
    assert {item.code for item in found} == expected
    assert all(item.action == ACTIONS[item.code] for item in found)


orders = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.sampled_from([1, -1])), max_size=20)


@given(orders)
def test_an_honest_venue_never_differs(drawn: list[tuple[int, int, int]]) -> None:
    """Whatever was filled and is open, a venue that tells the same gives no difference."""
    ours = {f"o{number}": known(f"o{number}", *item) for number, item in enumerate(drawn)}
    held = {"IBM": sum(order.sign * order.cum_lots for order in ours.values())}
    venue = [working(order) for order in ours.values() if order.leaves_lots]
    fills = [fill(order, number) for number, order in enumerate(ours.values(), 1) if order.cum_lots]
    assert reconcile(ours, held, venue, fills) == ()
