"""What the desk makes of every kind of report: orders, position and cash are the venue's, or a wire trips."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peak_trade.backends.kernel import compile_kernel
from peak_trade.broker.absent import AbsentBroker
from peak_trade.broker.adapter import Adapter
from peak_trade.broker.bounds import Bounds
from peak_trade.broker.messages import OrderRequest, Report, ReportKind
from peak_trade.cli.specs import machine_named
from peak_trade.market.terms import Kind, Side, Tif
from peak_trade.rails.tripwires import Tripwire
from peak_trade.session.book import Book
from peak_trade.session.decide import Decision
from peak_trade.session.desk import Desk
from peak_trade.session.hearing import EVENTS, payload, recorded
from peak_trade.session.memory import MemoryTape
from peak_trade.session.perform import Sender
from peak_trade.session.recording import schema

QTY, PRICE, CASH = 10, 100, 10**9
ORDER = compile_kernel(machine_named("order"))
SCHEMA = schema(machine_named("session"), machine_named("order"))


@dataclass
class Venue:
    """Writes the reports of one buy order as a venue would, and keeps the truth beside them."""

    qty: int = QTY
    cum: int = 0
    closed: bool = False
    cash: int = CASH
    reports: list[Report] = field(default_factory=list)
    standing: dict[str, tuple[int, int]] = field(default_factory=dict)

    def say(self, kind: ReportKind, **facts: int | str) -> Report:
        """The next report, with the quantities as they are now."""
        number = len(self.reports) + 1
        leaves = 0 if self.closed else self.qty - self.cum
        plain = Report(number, "o1", "v1", f"e{number}", kind, 0, 0, 0, self.cum, leaves, 1, self.qty)
        self.reports.append(replace(plain, **facts))  # type: ignore[arg-type]
        return self.reports[-1]

    def trade(self, lots: int, price: int) -> None:
        """An execution."""
        self.cum += lots
        self.cash -= lots * price + 1
        made = self.say(ReportKind.TRADE, last_lots=lots, last_ticks=price, fee_ticks=1)
        self.standing[made.exec_id] = (lots, price)

    def undo(self, name: str, kept: int, price: int) -> None:
        """A bust of the execution `name`, or its correction to `kept` lots."""
        lots, before = self.standing.pop(name)
        self.cum += kept - lots
        self.cash += lots * before + 1
        if not kept:
            self.say(ReportKind.TRADE_CANCEL, ref_id=name)
            return
        self.cash -= kept * price + 1
        made = self.say(ReportKind.TRADE_CORRECT, last_lots=kept, last_ticks=price, fee_ticks=1, ref_id=name)
        self.standing[made.exec_id] = (kept, price)


def desk() -> Desk:
    """A desk with one accepted buy order of QTY lots."""
    broker = Adapter(AbsentBroker("none"), compile_kernel(machine_named("breaker")), Bounds())
    made = Desk(ORDER, Book(CASH, 1), MemoryTape(SCHEMA), broker, Sender(broker))
    request = OrderRequest("o1", "AAA", Side.BUY, QTY, Kind.LIMIT, PRICE, Tif.GTC)
    ((order, _),) = made.enter([Decision(request, None, adds=True)])
    made.apply(order, "accept", (), {"venue_order": "v1"})
    return made


@st.composite
def histories(draw: st.DrawFn) -> Venue:
    """Executions, busts and corrections of one order, as a venue could tell them, perhaps past a cancel."""
    venue = Venue()
    for _ in range(draw(st.integers(1, 12))):
        left, price = venue.qty - venue.cum, draw(st.integers(1, PRICE))
        names, undoes = sorted(venue.standing), draw(st.booleans())
        if names and undoes:
            name = draw(st.sampled_from(names))
            venue.undo(name, draw(st.integers(0, venue.standing[name][0] + left)), price)
        elif left:
            venue.trade(draw(st.integers(1, left)), price)
        elif not venue.closed:
            venue.say(ReportKind.DONE_FOR_DAY)
            break
        if not venue.closed and venue.cum < venue.qty and draw(st.integers(0, 5)) == 0:
            venue.closed = True
            venue.say(ReportKind.CANCELED)
    return venue


@given(histories())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_after_every_report_the_book_is_the_venues(venue: Venue) -> None:
    """However executions are busted and corrected, order, position and cash are the venue's, and nothing trips."""
    made = desk()
    for report in venue.reports:
        made.take(report)
        made.take(report)  # again: it is known
    value = made.book.orders["o1"].value
    assert made.wires == []
    assert (value[1], value[2]) == (venue.qty, venue.cum)
    assert made.book.position("AAA").lots == made.book.held_lots == made.book.filled_lots == venue.cum
    assert made.book.cash_ticks == venue.cash
    assert bool(made.book.working) == (value[3] > 0)
    assert made.book.reserved_ticks >= 0


@given(histories(), st.data())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_a_report_that_does_not_fit_is_not_applied(venue: Venue, data: st.DataObject) -> None:
    """A report whose CumQty or OrderQty is not what the book says, or whose ids cannot be written, moves nothing."""
    made = desk()
    which = data.draw(st.integers(0, len(venue.reports) - 1))
    for report in venue.reports[:which]:
        made.take(report)
    good = venue.reports[which]
    change: dict[str, Any] = data.draw(
        st.sampled_from(
            [
                {"cum_lots": good.cum_lots + 1},
                {"order_lots": good.order_lots + 1},
                {"exec_id": 'e"1'},
                {"exec_id": "e" * 65},
                {"ref_id": "\N{SNOWMAN}"},
            ]
        )
    )
    before = made.book.orders["o1"].value, made.book.cash_ticks, made.book.held_lots
    made.take(replace(good, **change))
    assert made.wires == [Tripwire.REPORT_REFUSED]
    assert (made.book.orders["o1"].value, made.book.cash_ticks, made.book.held_lots) == before


def busted(venue: Venue) -> None:
    """All was filled, and is taken back."""
    venue.trade(QTY, PRICE)
    venue.undo("e1", 0, 0)


def reduced(venue: Venue) -> None:
    """The venue takes less of it."""
    venue.qty = QTY - 3
    venue.say(ReportKind.RESTATED)


def split(venue: Venue) -> None:
    """Two for one, of an order that is filled: nothing is left before and after."""
    venue.trade(QTY, PRICE)
    venue.qty, venue.cum = 2 * QTY, 2 * QTY
    venue.say(ReportKind.RESTATED)


def grown(venue: Venue) -> None:
    """The venue restates it to more than was left."""
    venue.qty = QTY + 1
    venue.say(ReportKind.RESTATED)


def rested(venue: Venue) -> None:
    """Done for the day, and renewed the next."""
    venue.trade(4, PRICE)
    venue.say(ReportKind.DONE_FOR_DAY)
    venue.say(ReportKind.RESTATED)


def halted(venue: Venue) -> None:
    """Suspended, resumed, guaranteed, and filled."""
    for kind in (ReportKind.SUSPENDED, ReportKind.RESUMED, ReportKind.STOPPED):
        venue.say(kind)
    venue.trade(QTY, PRICE)


def looked_at(venue: Venue) -> None:
    """A cancel and a replacement that nobody asked for are looked at and refused."""
    for kind in ("PENDING_CANCEL", "PENDING_REPLACE", "CANCEL_REJECTED", "REPLACE_REJECTED"):
        venue.say(ReportKind[kind])


@pytest.mark.parametrize(
    ("tell", "state", "leaves", "trips"),
    [
        (busted, "new", QTY, 0),
        (reduced, "new", QTY - 3, 0),
        (split, "filled", 0, 0),
        (grown, "new", QTY, 1),
        (rested, "partially_filled", QTY - 4, 0),
        (halted, "filled", 0, 0),
        (looked_at, "new", QTY, 0),
    ],
    ids=lambda item: item.__name__ if callable(item) else str(item),
)
def test_each_kind_of_report_does_what_fix_says(
    tell: Callable[[Venue], None], state: str, leaves: int, trips: int
) -> None:
    """Each story ends in the status, the LeavesQty and the position of the standard; a wire trips only at bad terms."""
    made, venue = desk(), Venue()
    tell(venue)
    for report in venue.reports:
        made.take(report)
    value = made.book.orders["o1"].value
    assert (value[0], value[3], len(made.wires)) == (state, leaves, trips)
    assert made.book.position("AAA").lots == made.book.filled_lots == value[2]
    assert made.book.orders["o1"].resting_lots == leaves


def test_a_closed_order_that_is_opened_again_is_counted() -> None:
    """An order that was filled and works again after a bust is told as closed once and as opened again once."""
    made, venue = desk(), Venue()
    busted(venue)
    for report in venue.reports:
        made.take(report)
    assert made.take_closed() == (1, 1)
    assert list(made.book.working) == ["o1"]


@given(histories())
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_a_record_tells_the_report_that_it_was_written_for(venue: Venue) -> None:
    """The event and the payload that are read back from the journal's record are those of the report itself."""
    made = desk()
    tape = made.tape
    assert isinstance(tape, MemoryTape)
    seen = len(tape.texts)
    for report in venue.reports:
        qty = made.book.orders["o1"].value[1]
        made.take(report)
        body = json.loads(tape.texts[seen])["body"]
        seen += 1
        again = recorded(body, qty, report.step)
        assert EVENTS[again.kind] == EVENTS[report.kind]
        assert payload(again) == payload(report)
        assert (again.exec_id, again.ref_id, again.cursor) == (report.exec_id, report.ref_id, report.cursor)
        assert (again.last_ticks, again.fee_ticks) == (report.last_ticks, report.fee_ticks)
