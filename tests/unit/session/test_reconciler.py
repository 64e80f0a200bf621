"""The session's reconciler against the mock venue: what it asks, what the tape keeps, and what a replay makes of it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from peak_trade.backends.kernel import compile_kernel
from peak_trade.broker.errors import InvalidRequest, VenueUnavailable
from peak_trade.broker.matching import Settings
from peak_trade.broker.messages import OrderRequest, OrderStatus, Report, ReportKind
from peak_trade.broker.mock import MockVenue
from peak_trade.cli.specs import machine_named
from peak_trade.journal.record import Body, Record
from peak_trade.journal.store import Journal
from peak_trade.journal.tape import Tape
from peak_trade.market.synthetic import walk
from peak_trade.market.terms import Kind, Side, Tif
from peak_trade.rails.differences import Action, Code, Severity
from peak_trade.session.book import Book, Order
from peak_trade.session.memory import MemoryTape
from peak_trade.session.reconciler import Asking, Compared, Reconciler
from peak_trade.session.recording import ANNOTATIONS, DIFFERENCE, RECONCILED, RESUMED, schema

KERNEL = compile_kernel(machine_named("order"))
SCHEMA = schema(machine_named("session"), machine_named("order"))
BARS = walk(5, 2, 12, volume_lots=10_000)
SYMBOLS = BARS.symbols
EVENTS = {ReportKind.TRADE: "fill", ReportKind.CANCELED: "cancel_accept", ReportKind.EXPIRED: "expire"}
HIGH, LOW = 10**6, 1


@dataclass
class Shop:
    """A book that sends orders to a venue and reads its reports; `venue` is what the reconciler asks."""

    real: MockVenue
    venue: Any
    reconciler: Reconciler
    book: Book = field(default_factory=lambda: Book(10**12, 1))
    tape: Any = field(default_factory=lambda: MemoryTape(SCHEMA))
    step: int = 0
    cursor: int = 0

    def send(self, name: str, *, lots: int = 10, limit: int = HIGH, sign: int = 1) -> Order:
        """Send a good-till-cancel limit order, and take the venue's acknowledgement."""
        side = Side.BUY if sign > 0 else Side.SELL
        request = OrderRequest(name, SYMBOLS[0], side, lots, Kind.LIMIT, limit, Tif.GTC)
        order = self.book.add(request, KERNEL.initial)
        self.move(order, "submit", lots)
        self.real.place_order(request)
        self.move(order, "accept")
        return order

    def move(self, order: Order, event: str, *payload: int) -> None:
        """Step an order's machine, and keep the book in step."""
        _, value = KERNEL.step(order.value, event, payload)
        assert value is not order.value, f"{event} in {order.value}"
        order.value, order.moved_step = value, self.step
        self.book.rest(order, value[3])

    def advance(self) -> None:
        """Move the market on by one step."""
        self.step += 1
        self.real.advance(self.step, BARS.steps[self.step - 1].bars)

    def read(self) -> None:
        """Read and apply all reports."""
        for report in self.real.iter_reports(self.cursor):
            order = self.book.orders[report.client_order_id]
            trade = report.kind is ReportKind.TRADE
            self.move(order, EVENTS[report.kind], *((report.last_lots,) if trade else ()))
            if trade:
                self.book.fill(order, report.last_lots, report.last_ticks, report.fee_ticks)
                self.reconciler.executions.append(report)
            self.cursor = report.cursor

    def compare(self, *, closing: bool = False) -> Compared:
        """Compare as a session does."""
        asking = Asking(KERNEL, self.book, self.venue, self.step, self.cursor)
        return self.reconciler.compare(asking, self.tape, closing=closing)


@dataclass
class Told:
    """The venue, but what it says of open orders, of one order and of fills goes through a function; calls are kept."""

    real: MockVenue
    listed: Callable[[tuple[OrderStatus, ...]], Iterable[OrderStatus]] = tuple
    asked: Callable[[OrderStatus | None], OrderStatus | None] = lambda status: status
    fills: Callable[[list[Report]], Iterable[Report]] = list
    calls: list[str] = field(default_factory=list)

    def list_open_orders(self) -> tuple[OrderStatus, ...]:
        """What it works."""
        self.calls.append("list")
        return tuple(self.listed(self.real.list_open_orders()))

    def query_order(self, name: str) -> OrderStatus | None:
        """What it says of one order."""
        self.calls.append(f"query {name}")
        return self.asked(self.real.query_order(name))

    def iter_fills(self, since: int) -> Iterable[Report]:
        """What it executed."""
        self.calls.append(f"fills {since}")
        return self.fills(list(self.real.iter_fills(since)))


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """A shop that has one filled order, one that rests, and one that is partly filled; all is read."""
    venue = MockVenue.open(tmp_path / "venue.jsonl", 3, Settings(1, 1, 1))
    made = Shop(venue, Told(venue), Reconciler(patience_steps=2))
    made.send("full", lots=4)
    made.advance()
    made.send("rests", limit=LOW)
    made.send("partly", lots=25)
    made.advance()
    made.read()
    states = {name: order.value[0] for name, order in made.book.orders.items()}
    assert states == {"full": "filled", "rests": "new", "partly": "partially_filled"}
    return made


def codes(found: Compared) -> list[tuple[Code, str, Severity]]:
    """The differences in short."""
    return [(item.code, item.subject, item.severity) for item in found.found]


def test_a_book_that_read_everything_agrees(shop: Shop) -> None:
    """In the middle of a run and at its end nothing differs, and nobody is asked for by id."""
    assert shop.compare().agreed
    assert shop.compare(closing=True).found == ()
    assert shop.venue.calls == ["list", "fills 0", "list", "fills 0"]


def test_after_an_agreement_only_what_is_new_is_read(shop: Shop) -> None:
    """The second comparison asks for executions from the cursor of the first; the one at the end for all."""
    shop.compare()
    agreed = shop.cursor
    shop.advance()
    shop.read()
    assert shop.compare().agreed
    assert shop.compare(closing=True).agreed
    assert shop.venue.calls[1::2] == ["fills 0", f"fills {agreed}", "fills 0"]


def test_a_fill_that_was_lost_after_an_agreement_is_found(shop: Shop) -> None:
    """What the book does not have of the new executions is lost, though the old ones are not looked at again."""
    shop.compare()
    shop.advance()
    before = len(shop.reconciler.executions)
    shop.read()
    lost = shop.reconciler.executions.pop()
    assert len(shop.reconciler.executions) == before
    order = shop.book.orders["partly"]
    order.value = (order.value[0], order.value[1], order.value[2] - lost.last_lots, *order.value[3:])
    assert codes(shop.compare()) == [(Code.LOST_FILL, f"partly/{lost.exec_id}", Severity.HARD)]


def test_what_is_still_to_be_read_is_lag_and_counts_only_at_the_end(shop: Shop) -> None:
    """An execution that the next step reads is no difference during the run, and one at its end."""
    shop.advance()
    found = shop.compare()
    assert codes(found) == [(Code.LAGGING, "cursor", Severity.INFO)]
    assert found.agreed
    assert not found.hard
    assert [text for text in shop.tape.texts if f'"kind":"{DIFFERENCE}"' in text] == []
    assert codes(shop.compare(closing=True)) == [(Code.LAGGING, "cursor", Severity.HARD)]
    assert len([text for text in shop.tape.texts if f'"kind":"{DIFFERENCE}"' in text]) == 1


def test_a_lag_that_does_not_end_is_the_operators(shop: Shop) -> None:
    """After patience a report that nobody reads is hard."""
    shop.advance()
    shop.compare()
    shop.step += 2
    assert not shop.compare().hard
    shop.step += 1
    assert codes(shop.compare()) == [(Code.LAGGING, "cursor", Severity.HARD)]


def test_an_order_that_the_list_lacks_is_asked_for_by_id(shop: Shop) -> None:
    """Absence from a list is no evidence: the order is asked for, and found."""
    shop.venue.listed = lambda told: [item for item in told if item.client_order_id != "rests"]
    assert shop.compare().agreed
    assert shop.venue.calls == ["list", "fills 0", "query rests"]


def test_an_order_that_the_venue_denies_has_patience_and_then_stops(shop: Shop) -> None:
    """Denied when asked: soft at first, for the answer may be of another moment; then the operator's."""
    shop.venue.listed = lambda told: [item for item in told if item.client_order_id != "rests"]
    shop.venue.asked = lambda _: None
    assert codes(shop.compare()) == [(Code.MISSING, "rests", Severity.SOFT)]
    shop.step += 3
    found = shop.compare()
    assert codes(found) == [(Code.MISSING, "rests", Severity.HARD)]
    assert found.hard


def test_patience_begins_anew_once_a_difference_has_healed(shop: Shop) -> None:
    """What was agreed on in between was not there all the time."""
    shop.venue.listed = lambda told: [item for item in told if item.client_order_id != "rests"]
    shop.venue.asked = lambda _: None
    shop.compare()
    shop.venue.asked = lambda status: status
    assert shop.compare().agreed
    shop.venue.asked = lambda _: None
    shop.step += 9
    assert not shop.compare().hard


def test_a_status_that_is_ahead_of_its_report_has_patience(shop: Shop) -> None:
    """The venue canceled on its own; until its report comes this is soft, and afterwards nothing."""
    shop.real.cancel_order("rests")
    assert codes(shop.compare()) == [(Code.STATUS, "rests", Severity.SOFT)]
    shop.read()
    assert shop.compare().found == ()


def test_what_came_after_the_last_fill_of_a_closed_order_is_no_difference(shop: Shop) -> None:
    """The executions say nothing of a cancel after them: a book that read it agrees, and nobody is asked for it."""
    shop.real.cancel_order("partly")
    shop.read()
    assert shop.book.orders["partly"].value[0] == "canceled"
    assert shop.compare(closing=True).found == ()
    assert shop.venue.calls == ["list", "fills 0"]


def test_a_ghost_is_hard_at_once(shop: Shop) -> None:
    """An order that is not ours is no matter of patience."""
    stray = OrderStatus("stray", "v9", SYMBOLS[0], Side.BUY, shop.real.list_open_orders()[0].status, 3, 0, 3)
    shop.venue.listed = lambda told: [*told, stray]
    assert codes(shop.compare()) == [(Code.GHOST, "stray", Severity.HARD)]


def test_a_fill_during_our_cancel_is_a_race(shop: Shop) -> None:
    """While our cancel is unanswered, an execution that is not read yet is expected."""
    shop.move(shop.book.orders["partly"], "cancel")
    shop.advance()
    assert codes(shop.compare()) == [(Code.CANCEL_RACE, "partly", Severity.INFO)]


def test_a_cancel_without_an_answer_is_asked_for_again_and_then_the_operators(shop: Shop) -> None:
    """A request that nobody answers is not waited for without end."""
    shop.move(shop.book.orders["rests"], "cancel")
    shop.step += 3
    [stuck] = shop.compare().found
    assert (stuck.code, stuck.subject, stuck.action) == (Code.STUCK_PENDING, "rests", Action.CANCEL_AGAIN)
    shop.step += 3
    [stuck] = shop.compare().found
    assert stuck.action is Action.ASK_OPERATOR


def test_an_action_that_the_specification_forbids_is_the_operators(shop: Shop) -> None:
    """A query is no way out for an order whose machine would take none of its answers."""
    refused, _ = KERNEL.step(KERNEL.initial, "fill", (1,))
    kernel = replace(KERNEL, step=lambda value, *_: (refused, value))
    shop.move(shop.book.orders["rests"], "cancel")
    shop.step += 3
    asking = Asking(kernel, shop.book, shop.venue, shop.step, shop.cursor)
    [stuck] = shop.reconciler.compare(asking, shop.tape, closing=False).found
    assert stuck.action is Action.ASK_OPERATOR


def test_no_answer_is_no_agreement(shop: Shop) -> None:
    """A venue that does not answer gives neither agreement nor difference, and the next comparison looks at it all."""

    def down(_: object) -> list[OrderStatus]:
        raise VenueUnavailable("the venue", "list_open_orders")

    shop.venue.listed = down
    found = shop.compare()
    assert (found.asked, found.agreed, found.found) == (False, False, ())
    assert shop.reconciler.since == 0


def test_a_venue_with_fewer_reports_than_we_read_stops(shop: Shop) -> None:
    """One that was restored from an older state has not got what we have read: the cursor is ahead."""
    shop.compare()

    def fewer(_: object) -> list[Report]:
        raise InvalidRequest("since_cursor", "expected less")

    shop.venue.fills = fewer
    found = shop.compare()
    assert (Code.CURSOR_AHEAD, "cursor", Severity.HARD) in codes(found)
    assert found.hard


def test_a_replay_asks_nobody_and_finds_the_same(shop: Shop, tmp_path: Path) -> None:
    """What was found stands on the tape; run again over it, all comparisons, and what patience knows, are the same."""
    venue = shop.venue
    venue.listed = lambda told: [item for item in told if item.client_order_id != "rests"]
    venue.asked = lambda _: None

    def three(told: Shop) -> list[Compared]:
        made = []
        for more in (0, 1, 2):
            told.step += more
            made.append(told.compare())
        return [*made, told.compare(closing=True)]

    with_journal = replace(shop, tape=Tape(Journal.open(tmp_path / "journal", SCHEMA), ANNOTATIONS))
    found = three(with_journal)
    seen = dict(shop.reconciler.seen)
    with_journal.tape.commit()
    with_journal.tape.journal.close()
    assert found[2].hard
    assert len(venue.calls) > 4
    venue.calls.clear()
    step = shop.step
    tape = Tape(Journal.open(tmp_path / "journal", SCHEMA), ANNOTATIONS)
    again = replace(shop, tape=tape, reconciler=Reconciler(patience_steps=2), step=step)
    assert three(again) == found
    assert again.reconciler.seen == seen
    assert venue.calls == []
    assert not tape.replaying
    tape.journal.close()


def test_a_resumed_run_only_notes_what_it_finds(shop: Shop, tmp_path: Path) -> None:
    """The comparison at the start of a resumed run is an annotation: the run itself has no such record."""
    kept: list[tuple[str, Body]] = []

    class Noted(MemoryTape):
        """Keeps the notes."""

        def note(self, kind: str, body: Body) -> None:
            """Keep one."""
            kept.append((kind, body))

    shop.venue.listed = lambda told: told[:0]
    shop.venue.asked = lambda _: None
    asking = Asking(KERNEL, shop.book, shop.venue, shop.step, shop.cursor)
    found = shop.reconciler.note(asking, Noted(SCHEMA))
    assert [item.code for item in found.found] == [Code.MISSING, Code.MISSING]
    assert [kind for kind, _ in kept] == [RESUMED] * 3
    assert kept[0][1]["differences"] == 2
    assert shop.reconciler.seen == {}
    journal = Journal.open(tmp_path / "journal", SCHEMA)
    tape = Tape(journal, ANNOTATIONS)
    for kind, body in kept:
        tape.note(kind, body)
    tape.append(RECONCILED, {"step": 1})
    tape.commit()
    journal.close()
    again = Journal.open(tmp_path / "journal", SCHEMA)
    first = Tape(again, ANNOTATIONS).peek()
    assert isinstance(first, Record)
    assert first.kind == RECONCILED
    again.close()
