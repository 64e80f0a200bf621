"""The contract cards: numbered laws that every adapter of the port keeps, each with its source, each executable.

A card takes a `Factory` and raises AssertionError iff the adapter breaks its law. It needs nothing but the port, the
errors, and what a `Rig` gives: a market that can be moved, a way to plan one fault, and a clock. Each card opens venues
of its own, trades in lots of symbol A, and looks only at what it is about.
"""

import pickle
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final, TypeAlias

import pytest

from peak_trade.broker.errors import (
    BrokerError,
    DuplicateId,
    InvalidRequest,
    Permanent,
    RateLimited,
    Transient,
    VenueRejected,
    VenueTimeout,
    VenueUnavailable,
)
from peak_trade.broker.messages import ID_CHARS_MAX, OrderRequest, ReplaceRequest, Report, ReportKind, Status
from peak_trade.broker.port import Broker
from peak_trade.market.terms import Kind, Side, Tif


@dataclass(frozen=True, slots=True)
class Rig:
    """A fresh venue behind an adapter, and what a test needs besides the port.

    `advance(volume)` begins the next step: the market trades at 100 with that volume. `reopen` gives the same venue to
    a new process. `elapsed_ms` is the time that the adapter's calls took, of which one may take `duration_ms_max`.
    """

    broker: Broker
    advance: Callable[[int], None]
    reopen: Callable[[], Broker]
    elapsed_ms: Callable[[], int]
    duration_ms_max: int


Factory: TypeAlias = Callable[[str], Rig]
"""Opens a rig in which nothing goes wrong, or one fault of that kind befalls the first order, or steps 2 and 3."""


@dataclass(frozen=True, slots=True)
class Card:
    """A law: its number, what it says, where it comes from, and what finds out whether it is kept."""

    name: str
    law: str
    source: str
    check: Callable[[Factory], None]


CARDS: Final[list[Card]] = []
FIX: Final = "FIX 4.4, Volume 4"
ALL: Final = 10_000
"""A volume that fills every order in these cards."""


def card(name: str, law: str, source: str) -> Callable[[Callable[[Factory], None]], Callable[[Factory], None]]:
    """Enter a function as the card of that number."""

    def enter(check: Callable[[Factory], None]) -> Callable[[Factory], None]:
        CARDS.append(Card(name, law, source, check))
        return check

    return enter


def order(identity: str = "a", **changes: Any) -> OrderRequest:
    """A limit order for ten lots of A that the market reaches, good till cancel, but for the changes."""
    content = {"side": Side.BUY, "qty_lots": 10, "kind": Kind.LIMIT, "limit_ticks": 105, "tif": Tif.GTC}
    return OrderRequest(identity, "A", **(content | changes))


def placed(broker: Broker, request: OrderRequest) -> None:
    """Bring the order to the venue as the port allows: again after a refusal, and after a time-out only by asking."""
    for _ in range(5):
        try:
            broker.place_order(request)
        except VenueTimeout:
            if broker.query_order(request.client_order_id) is None:
                continue
        except (VenueUnavailable, RateLimited):
            continue
        return
    raise AssertionError(f"expected {request.client_order_id} to be taken within five attempts, was not")


def stream(broker: Broker, cursor: int = 0) -> list[Report]:
    """What a reader by cursor makes of the stream: each report once, in order, as far as there is no gap."""
    found: list[Report] = []
    waiting = {report.cursor: report for report in broker.iter_reports(cursor)}
    while (report := waiting.get(cursor + 1)) is not None:
        found.append(report)
        cursor += 1
    return found


def all_reads(broker: Broker, identities: tuple[str, ...]) -> list[object]:
    """Everything that can be read of a venue."""
    states = [broker.query_order(identity) for identity in identities]
    return [states, broker.list_open_orders(), tuple(broker.iter_reports(0)), tuple(broker.iter_fills(0))]


def lively(make: Factory) -> Rig:
    """A rig with orders in every state: a filled, b canceled, c expired, d half filled, e resting."""
    rig = make("")
    for identity, changes in (("a", {}), ("b", {}), ("c", {"tif": Tif.DAY, "limit_ticks": 50})):
        placed(rig.broker, order(identity, **changes))
    rig.broker.cancel_order("b")
    rig.advance(ALL)
    placed(rig.broker, order("d"))
    rig.advance(4)
    placed(rig.broker, order("e", limit_ticks=50))
    return rig


@card("C01", "The same order again is answered as the first time, and there is one order.", "Contract C1.2")
def _same_again(make: Factory) -> None:
    rig = make("")
    first = rig.broker.place_order(order())
    assert rig.broker.place_order(order()) == first
    rig.advance(ALL)
    assert rig.broker.place_order(order()) == first
    assert sum(report.last_lots for report in stream(rig.broker)) == 10


@card(
    "C02", "The same id for another order is refused, and the first one stays as it is.", f"Contract C1.2; {FIX}, D.1"
)
def _other_content(make: Factory) -> None:
    for change in ({"qty_lots": 11}, {"side": Side.SELL}, {"limit_ticks": 104}, {"tif": Tif.DAY}):
        rig = make("")
        placed(rig.broker, order())
        before = rig.broker.query_order("a")
        with pytest.raises(DuplicateId) as caught:
            rig.broker.place_order(order(**change))
        assert caught.value.client_order_id == "a"
        assert rig.broker.query_order("a") == before


@card("C03", "A rejected order stays rejected: sent again it is rejected again, and it never trades.", f"{FIX}, A.1.b")
def _rejected(make: Factory) -> None:
    rig = make("reject")
    for _ in range(2):
        with pytest.raises(VenueRejected):
            rig.broker.place_order(order())
    rig.advance(ALL)
    assert tuple(rig.broker.iter_fills(0)) == ()
    assert rig.broker.list_open_orders() == ()


@card("C04", "An error other than a time-out says that the order was not taken.", "Contract C1.3")
def _not_taken(make: Factory) -> None:
    for fault in ("unavailable", "rate_limited"):
        rig = make(fault)
        try:
            rig.broker.place_order(order())
        except (VenueUnavailable, RateLimited):
            assert rig.broker.query_order("a") is None
            assert rig.broker.list_open_orders() == ()
            placed(rig.broker, order())
        rig.advance(ALL)
        assert sum(report.last_lots for report in stream(rig.broker)) == 10


@card(
    "C05",
    "After a time-out asking tells the truth, and sending again what is unknown makes one order.",
    "Contract C1.3",
)
def _unknown(make: Factory) -> None:
    for fault in ("timeout_before", "timeout_after"):
        rig = make(fault)
        with suppress(VenueTimeout):
            rig.broker.place_order(order())
        known = rig.broker.query_order("a") is not None
        assert known == bool(rig.broker.list_open_orders())
        placed(rig.broker, order())
        rig.advance(ALL)
        rig.advance(ALL)
        assert sum(report.last_lots for report in rig.broker.iter_fills(0)) == 10


@card(
    "C06", "A venue does not know an order iff it never received it: closed and rejected ones are known.", f"{FIX}, D.3"
)
def _not_found(make: Factory) -> None:
    rig = lively(make)
    states = {"a": Status.FILLED, "b": Status.CANCELED, "c": Status.EXPIRED, "d": Status.PARTIALLY_FILLED}
    for identity, status in (states | {"e": Status.NEW}).items():
        told = rig.broker.query_order(identity)
        assert told is not None
        assert (told.client_order_id, told.status) == (identity, status)
    assert rig.broker.query_order("never") is None
    refused = make("reject")
    with pytest.raises(VenueRejected):
        refused.broker.place_order(order())
    told = refused.broker.query_order("a")
    assert told is not None
    assert told.status is Status.REJECTED


@card("C07", "Reports are numbered from 1 without a gap.", "Contract C1.1; spec/venue.yaml VEN-4")
def _gapless(make: Factory) -> None:
    rig = lively(make)
    rig.advance(0)
    cursors = [report.cursor for report in rig.broker.iter_reports(0)]
    assert cursors == list(range(1, len(cursors) + 1))
    assert len(cursors) >= 4


@card("C08", "Read again from any cursor, the stream is what it was after it.", "Contract C3.2; spec/system.yaml SYS-1")
def _reread(make: Factory) -> None:
    rig = lively(make)
    rig.advance(0)
    whole = list(rig.broker.iter_reports(0))
    for cursor in range(len(whole) + 1):
        assert list(rig.broker.iter_reports(cursor)) == whole[cursor:]


@card(
    "C09",
    "Each report has the order's own sums: CumQty is that of its executions, LeavesQty what is left.",
    f"{FIX}, D",
)
def _sums(make: Factory) -> None:
    rig = lively(make)
    rig.advance(ALL)
    cum: dict[str, int] = {}
    for report in stream(rig.broker):
        name = report.client_order_id
        cum[name] = cum.get(name, 0) + report.last_lots
        ended = report.kind in (ReportKind.CANCELED, ReportKind.EXPIRED)
        assert report.cum_lots == cum[name] <= report.order_lots == 10
        assert report.leaves_lots == (0 if ended else 10 - cum[name])
        assert (report.kind is ReportKind.TRADE) == (report.last_lots > 0) == (report.last_ticks > 0)
    assert cum["a"] == cum["d"] == 10


@card("C10", "The executions of the snapshot are those of the stream.", "Contract C3.1")
def _fills(make: Factory) -> None:
    rig = lively(make)
    rig.advance(ALL)
    trades = [report for report in stream(rig.broker) if report.kind is ReportKind.TRADE]
    assert list(rig.broker.iter_fills(0)) == trades
    assert len(trades) >= 3
    assert list(rig.broker.iter_fills(trades[0].cursor)) == trades[1:]


@card("C11", "A cancel may be asked for twice: it is done once, and the second is no error.", f"{FIX}, B.1; port")
def _cancel_twice(make: Factory) -> None:
    for fault in ("", "cancel_timeout_before", "cancel_timeout_after"):
        rig = make(fault)
        placed(rig.broker, order())
        for _ in range(3):
            with suppress(VenueTimeout):
                rig.broker.cancel_order("a")
        rig.advance(ALL)
        assert [report.kind for report in stream(rig.broker)] == [ReportKind.CANCELED]


@card("C12", "What is closed or was never sent cannot be canceled, and stays as it is.", f"{FIX}, B.1.b and B.1.f")
def _cancel_closed(make: Factory) -> None:
    rig = lively(make)
    before = rig.broker.query_order("a"), list(rig.broker.iter_reports(0))
    for identity in ("a", "c", "never"):
        with pytest.raises(VenueRejected):
            rig.broker.cancel_order(identity)
    assert (rig.broker.query_order("a"), list(rig.broker.iter_reports(0))) == before


@card("C13", "An execution from before the cancel is reported, however late, and counts.", f"{FIX}, B.1.c; spec ORD-6")
def _late_fill(make: Factory) -> None:
    rig = make("late_fill")
    placed(rig.broker, order())
    rig.broker.cancel_order("a")
    for _ in range(3):
        rig.advance(ALL)
    reports = stream(rig.broker)
    kinds = [report.kind for report in reports]
    assert kinds == [ReportKind.CANCELED, ReportKind.TRADE]
    told = rig.broker.query_order("a")
    assert told is not None
    assert (told.cum_lots, told.status) == (reports[-1].last_lots, Status.CANCELED)


@card("C14", "Reading changes nothing: all that can be read is the same however often it is read.", "Port")
def _reads(make: Factory) -> None:
    rig = lively(make)
    identities = ("a", "b", "c", "d", "e", "never")
    first = all_reads(rig.broker, identities)
    for _ in range(3):
        assert all_reads(rig.broker, identities) == first


@card("C15", "A cursor that the venue has not given is refused, and no report is made up.", "Port; issue 4, bad input")
def _cursors(make: Factory) -> None:
    rig = lively(make)
    last = len(list(rig.broker.iter_reports(0)))
    for read in (rig.broker.iter_reports, rig.broker.iter_fills):
        assert list(read(last)) == []
        for cursor in (-1, last + 1):
            with pytest.raises(InvalidRequest):
                list(read(cursor))


@card(
    "C16", "The open orders are those of which something is left, in order of arrival, as asking for each says.", "Port"
)
def _open(make: Factory) -> None:
    rig = lively(make)
    told = rig.broker.list_open_orders()
    assert [item.client_order_id for item in told] == ["d", "e"]
    for item in told:
        assert item == rig.broker.query_order(item.client_order_id)
        assert item.leaves_lots == item.qty_lots - item.cum_lots > 0


@card(
    "C17",
    "Ids are printable and short; quantities, prices and money are whole numbers and not negative.",
    "Contract C5.4",
)
def _forms(make: Factory) -> None:
    rig = lively(make)
    rig.advance(ALL)
    reports = list(rig.broker.iter_reports(0))
    known = [rig.broker.query_order(identity) for identity in "abcde"]
    for item in (*reports, *known):
        assert item is not None
        for name in ("client_order_id", "venue_order_id", "exec_id"):
            text = getattr(item, name, "x")
            assert 0 < len(text) <= ID_CHARS_MAX
            assert text.isascii()
            assert text.isprintable()
            assert " " not in text
        for name in (
            "last_lots",
            "last_ticks",
            "fee_ticks",
            "cum_lots",
            "leaves_lots",
            "order_lots",
            "qty_lots",
            "step",
        ):
            number = getattr(item, name, 0)
            assert type(number) is int
            assert number >= 0


@card("C18", "Each call ends within its time, also while the venue is down.", "Contract C1.4; H-retry-storm")
def _bounded(make: Factory) -> None:
    rig = make("outage")
    placed(rig.broker, order())
    rig.advance(0)
    calls: tuple[Callable[[], object], ...] = (
        lambda: rig.broker.place_order(order("b")),
        lambda: rig.broker.cancel_order("a"),
        lambda: rig.broker.query_order("a"),
        rig.broker.list_open_orders,
        lambda: list(rig.broker.iter_reports(0)),
        lambda: list(rig.broker.iter_fills(0)),
    )
    for call in calls:
        before_ms = rig.elapsed_ms()
        with pytest.raises(VenueUnavailable):
            call()
        assert rig.elapsed_ms() - before_ms <= rig.duration_ms_max


@card("C19", "While the venue is down nothing is taken, and afterwards all is as it was.", "Contract C1.3")
def _outage(make: Factory) -> None:
    rig = make("outage")
    placed(rig.broker, order(limit_ticks=50))
    before = all_reads(rig.broker, ("a", "b"))
    rig.advance(0)
    for call in (lambda: rig.broker.place_order(order("b")), lambda: rig.broker.cancel_order("a")):
        with pytest.raises(VenueUnavailable):
            call()
    for _ in range(3):
        rig.advance(0)
    assert all_reads(rig.broker, ("a", "b")) == before
    rig.broker.cancel_order("a")
    assert rig.broker.list_open_orders() == ()


@card(
    "C20",
    "A replacement is idempotent by its id; its effect is reported, and what was filled stays.",
    f"{FIX}, C.1 and C.3",
)
def _replaced(make: Factory) -> None:
    rig = make("")
    placed(rig.broker, order())
    rig.advance(4)
    change = ReplaceRequest("r1", "a", 7, 106)
    first = rig.broker.replace_order(change)
    assert rig.broker.replace_order(change) == first
    rig.advance(ALL)
    reports = stream(rig.broker)
    assert [report.kind for report in reports] == [ReportKind.TRADE, ReportKind.REPLACED, ReportKind.TRADE]
    assert [(report.order_lots, report.cum_lots) for report in reports] == [(10, 4), (7, 4), (7, 7)]


@card("C21", "The id of a replacement is used once, and what is closed is not replaced.", f"{FIX}, C.1.a and D.1")
def _replaced_ids(make: Factory) -> None:
    rig = lively(make)
    rig.broker.replace_order(ReplaceRequest("r1", "e", 12, 50))
    for change in (
        ReplaceRequest("r1", "e", 13, 50),
        ReplaceRequest("r1", "d", 12, 50),
        ReplaceRequest("d", "e", 9, 50),
    ):
        with pytest.raises(DuplicateId):
            rig.broker.replace_order(change)
    for number, identity in enumerate(("b", "c", "never")):
        with pytest.raises(VenueRejected):
            rig.broker.replace_order(ReplaceRequest(f"s{number}", identity, 12, 50))
    told = rig.broker.query_order("e")
    assert told is not None
    assert told.qty_lots == 12


@card(
    "C22",
    "Each order and each execution has an id of its own at the venue.",
    f"{FIX}, execution report: OrderID, ExecID",
)
def _ids(make: Factory) -> None:
    rig = lively(make)
    rig.advance(ALL)
    reports = stream(rig.broker)
    execs = [report.exec_id for report in reports]
    assert len(set(execs)) == len(execs)
    pairs = {(report.client_order_id, report.venue_order_id) for report in reports}
    assert len({ours for ours, _ in pairs}) == len({theirs for _, theirs in pairs}) == len(pairs)


@card(
    "C23",
    "Lost, late, repeated or out of order: who reads on from his cursor gets each report once.",
    "Contract C3.2; SYS-1",
)
def _delivery(make: Factory) -> None:
    for fault in ("lost_report", "late_report", "duplicate_report", "reordered_report"):
        rig, found = make(fault), list[Report]()
        for identity in "abc":
            placed(rig.broker, order(identity))
        for volume in (ALL, 0, 0):
            rig.advance(volume)
            found += stream(rig.broker, found[-1].cursor if found else 0)
        assert [report.cursor for report in found] == [1, 2, 3]
        assert {report.client_order_id: report.cum_lots for report in found} == {"a": 10, "b": 10, "c": 10}


@card("C24", "A new process finds what the old one left: orders, reports and the answers to them.", "Contract C1.5")
def _reopened(make: Factory) -> None:
    rig = lively(make)
    identities = ("a", "b", "c", "d", "e", "never")
    first = all_reads(rig.broker, identities)
    assert all_reads(rig.reopen(), identities) == first


@card(
    "C25",
    "Every error is transient or permanent, and names what it is about.",
    "Contract C1.3; src/peak_trade/broker/errors.py",
)
def _errors(make: Factory) -> None:
    rig = lively(make)
    raised = list(_raised(rig.broker))
    assert len(raised) == 5
    for error, about in raised:
        assert isinstance(error, Transient) != isinstance(error, Permanent)
        assert about in str(error)
        assert vars(pickle.loads(pickle.dumps(error))) == vars(error)  # noqa: S301 - our own bytes


def _raised(broker: Broker) -> Iterator[tuple[BrokerError, str]]:
    """What refused calls raise, and what each is about."""
    calls: tuple[tuple[Callable[[], object], str], ...] = (
        (lambda: broker.place_order(order("a", qty_lots=3)), "a"),
        (lambda: broker.cancel_order("never"), "never"),
        (lambda: broker.replace_order(ReplaceRequest("r9", "never", 1, 1)), "never"),
        (lambda: broker.replace_order(replace(ReplaceRequest("a", "e", 1, 1), qty_lots=2)), "a"),
        (lambda: list(broker.iter_reports(99)), "since_cursor"),
    )
    for call, about in calls:
        try:
            call()
        except BrokerError as error:
            yield error, about


def strictly(cards: list[Card]) -> bool:
    """Whether the cards are numbered from 1 without a gap."""
    numbers = [int(one.name[1:]) for one in cards]
    return numbers[:1] == [1] and all(after == before + 1 for before, after in pairwise(numbers))
