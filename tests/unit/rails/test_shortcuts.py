"""What nearly always holds is looked at first; these short ways never hide a difference."""

from dataclasses import replace
from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from peak_trade.broker.messages import OrderStatus, Report, ReportKind, Status
from peak_trade.market.terms import Side
from peak_trade.rails import reconcile as module
from peak_trade.rails.fills import alike, compare, fold
from peak_trade.rails.reconcile import reconcile
from peak_trade.rails.sides import CLOSED, Known, Ours, Request, Snapshot

NAMES = ("a", "b")
kinds = st.sampled_from([ReportKind.TRADE, ReportKind.TRADE, ReportKind.TRADE_CANCEL, ReportKind.TRADE_CORRECT])


@st.composite
def executions(draw: st.DrawFn) -> list[Report]:
    """Executions of two orders whose ids, prices and references often meet."""
    return [
        Report(
            cursor=cursor,
            client_order_id=draw(st.sampled_from(NAMES)),
            venue_order_id="v",
            exec_id=draw(st.sampled_from(["e1", "e2", "e3", "e4"])),
            kind=draw(kinds),
            last_lots=draw(st.integers(1, 2)),
            last_ticks=draw(st.integers(1, 2)),
            fee_ticks=draw(st.integers(0, 1)),
            cum_lots=draw(st.integers(0, 4)),
            leaves_lots=draw(st.integers(0, 2)),
            step=1,
            order_lots=draw(st.integers(1, 4)),
            ref_id=draw(st.sampled_from(["", "e1", "e2"])),
        )
        for cursor in range(1, draw(st.integers(0, 4)) + 1)
    ]


@given(executions(), st.data())
def test_executions_that_are_plainly_alike_do_not_differ(mine: list[Report], data: st.DataObject) -> None:
    """Whatever `alike` lets pass, the comparison one by one finds nothing in."""
    theirs = [replace(report, order_lots=9) for report in mine]
    if data.draw(st.booleans()) and mine:
        at = data.draw(st.integers(0, len(mine) - 1))
        change: dict[str, Any] = data.draw(
            st.sampled_from([{"last_ticks": 9}, {"fee_ticks": 9}, {"exec_id": "e9"}, {"client_order_id": "c"}])
        )
        theirs[at] = replace(theirs[at], **change)
        assert not alike(mine, theirs)
    if data.draw(st.booleans()):
        theirs = theirs[:-1]
    if alike(mine, theirs):
        assert list(compare(fold(mine), fold(theirs), dict.fromkeys(NAMES))) == []


def test_an_ordinary_history_is_alike() -> None:
    """The short way is taken where it should be: trades, each with an id of its own, told by both sides."""
    report = Report(1, "a", "v", "e1", ReportKind.TRADE, 1, 1, 0, 1, 0, 1, 1)
    mine = [report, replace(report, cursor=2, exec_id="e2")]
    assert alike(mine, [replace(item) for item in mine])
    assert alike([], [])
    assert not alike([report, report], [report, report])


@st.composite
def sides(draw: st.DrawFn) -> tuple[Ours, Snapshot]:
    """Two orders, mostly closed, in any relation to what the venue tells of them."""
    reports = draw(executions())
    states = sorted(CLOSED | {"new", "partially_filled", "unknown", "pending_cancel"})
    orders = {
        name: Known(
            name,
            "IBM",
            1,
            draw(st.sampled_from(states)),
            draw(st.integers(1, 4)),
            draw(st.integers(0, 4)),
            draw(st.integers(0, 2)),
            awaiting=draw(st.sampled_from(Request)),
        )
        for name in draw(st.sets(st.sampled_from(NAMES)))
    }
    told = {
        name: OrderStatus(name, "v", "IBM", Side.BUY, draw(st.sampled_from(Status)), 4, draw(st.integers(0, 4)), 0)
        for name in draw(st.sets(st.sampled_from(NAMES)))
    }
    read = draw(st.lists(st.sampled_from(reports), unique=True)) if reports else []
    head = draw(st.sampled_from([None, len(reports)]))
    cursor = draw(st.integers(0, len(reports) + 1))
    return Ours(orders, read, {}, cursor), Snapshot(told, reports, head, 10, draw(st.sampled_from([0, 0, 1])))


@given(sides())
def test_the_short_ways_change_no_difference(drawn: tuple[Ours, Snapshot]) -> None:
    """With and without them the reconciler finds the same."""
    found = reconcile(*drawn, 5)
    with patch.object(module, "alike", lambda *_: False), patch.object(module._Comparison, "_plain", lambda *_: False):
        assert reconcile(*drawn, 5) == found
