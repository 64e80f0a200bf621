"""The adapter over a venue that fails by a script: what leaves, how often, and what is known in the end."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.backends.kernel import Kernel, compile_kernel
from peak_trade.broker.adapter import Adapter
from peak_trade.broker.bounds import Bounds
from peak_trade.broker.breaker import CircuitOpen
from peak_trade.broker.errors import (
    BrokerError,
    DuplicateId,
    InvalidRequest,
    RateLimited,
    VenueRejected,
    VenueTimeout,
    VenueUnavailable,
)
from peak_trade.broker.messages import Accepted, OrderRequest, OrderStatus, ReplaceRequest, Report, ReportKind, Status
from peak_trade.broker.outcome import Absent, Acknowledged, Refused, Unknown
from peak_trade.cli.specs import machine_named
from peak_trade.market.terms import Kind, Side, Tif
from peak_trade.session.perform import Answer, Sender

KERNEL: Kernel = compile_kernel(machine_named("breaker"))
ORDER = OrderRequest("a", "A", Side.BUY, 10, Kind.MARKET, None, Tif.DAY)
CHANGE = ReplaceRequest("r", "a", 12, 100)
TRADE = Report(1, "a", "v-a", "e1", ReportKind.TRADE, 10, 100, 1, 10, 0, 1, 10)
PATIENT = Bounds(failures_max=1_000, duration_ms_max=1_000_000)
PLACES = ("ok", "before", "after", "unavailable", "rate")
QUERIES = ("ok", "before", "unavailable")


@dataclass
class Scripted:
    """A venue that takes each word of its scripts once, and then does what it is asked; `log` is what reached it.

    `before` and `after` are time-outs before and after it took the request; the other errors are before it.
    """

    scripts: dict[str, list[str]] = field(default_factory=dict)
    orders: dict[str, OrderRequest] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    status: Status = Status.NEW

    def _word(self, name: str, identity: str) -> str:
        self.log.append(name)
        script = self.scripts.get(name, [])
        word = script.pop(0) if script else "ok"
        errors = {
            "before": VenueTimeout(identity),
            "unavailable": VenueUnavailable("venue", name),
            "rate": RateLimited(identity),
            "reject": VenueRejected(identity, "no"),
            "invalid": InvalidRequest(identity, "no"),
            "duplicate": DuplicateId(identity),
        }
        if word in errors:
            raise errors[word]
        return word

    def place_order(self, request: OrderRequest) -> Accepted:
        """Take an order, as the script says."""
        word = self._word("place", request.client_order_id)
        self.orders[request.client_order_id] = request
        if word == "after":
            raise VenueTimeout(request.client_order_id)
        return Accepted(request.client_order_id, f"v-{request.client_order_id}")

    def cancel_order(self, client_order_id: str) -> None:
        """Take a cancel, as the script says."""
        self._word("cancel", client_order_id)

    def replace_order(self, request: ReplaceRequest) -> Accepted:
        """Take a replacement, as the script says."""
        self._word("replace", request.client_order_id)
        return Accepted(request.client_order_id, "v-2")

    def query_order(self, client_order_id: str) -> OrderStatus | None:
        """What is known of the order."""
        self._word("query", client_order_id)
        if client_order_id not in self.orders:
            return None
        known = self.orders[client_order_id]
        qty = known.qty_lots
        return OrderStatus(client_order_id, f"v-{client_order_id}", known.symbol, Side.BUY, self.status, qty, 0, qty)

    def list_open_orders(self) -> tuple[OrderStatus, ...]:
        """All orders."""
        self._word("list", "")
        return tuple(OrderStatus(name, f"v-{name}", "A", Side.BUY, self.status, 10, 0, 10) for name in self.orders)

    def iter_reports(self, since_cursor: int) -> Iterator[Report]:
        """One report, and then what the script says: a stream may break in the middle."""
        if since_cursor < 1:
            yield TRADE
        self._word("reports", "")

    def iter_fills(self, since_cursor: int) -> Iterator[Report]:
        """The same."""
        return self.iter_reports(since_cursor)


def over(bounds: Bounds = PATIENT, **scripts: list[str]) -> tuple[Adapter, Scripted]:
    """An adapter over a scripted venue."""
    venue = Scripted({name: list(words) for name, words in scripts.items()})
    return Adapter(venue, KERNEL, bounds), venue


def blind(log: list[str], place: list[str], query: list[str]) -> bool:
    """Whether an order was sent again after its answer was lost, although no query had been answered since."""
    doubt, places, queries = False, iter(place), iter(query)
    for name in log:
        if name == "place":
            if doubt:
                return True
            doubt = next(places, "ok") in ("before", "after")
        elif name == "query" and next(queries, "ok") == "ok":
            doubt = False
    return False


@pytest.mark.parametrize("first", PLACES)
def test_whatever_is_said_of_an_order_is_so(first: str) -> None:
    """Over every script: acknowledged iff the venue has it, refused only if not; never sent again unasked; bounded."""
    for rest, query in product(product(PLACES, repeat=3), product(QUERIES, repeat=3)):
        place = (first, *rest)
        adapter, venue = over(Bounds(failures_max=1_000), place=list(place), query=list(query))
        outcome = adapter.place(ORDER)
        assert isinstance(outcome, Unknown) or isinstance(outcome, Acknowledged) == ("a" in venue.orders)
        assert not blind(venue.log, list(place), list(query)), (place, query)
        assert venue.log.count("place") <= 4
        assert adapter.pace.now_ms <= adapter.bounds.duration_ms_max + adapter.bounds.timeout_ms
        assert adapter.counts["calls.place_order"] == venue.log.count("place")
        assert not adapter.breaker.value[-1], "no call is on its way"


@given(st.lists(st.sampled_from(PLACES), max_size=12), st.lists(st.sampled_from(QUERIES), max_size=12), st.data())
def test_limits_hold_and_equal_runs_are_equal(place: list[str], query: list[str], data: st.DataObject) -> None:
    """With any limits: so many calls, so much time, and the same calls, counts and time when run again."""
    bounds = Bounds(
        attempts_max=data.draw(st.integers(1, 5)),
        duration_ms_max=data.draw(st.integers(1, 6_000)),
        timeout_ms=data.draw(st.integers(1, 2_000)),
        calls_per_second_max=data.draw(st.integers(1, 3)),
        failures_max=data.draw(st.integers(1, 6)),
    )
    runs = [over(bounds, place=place, query=query) for _ in range(2)]
    outcomes = [adapter.place(ORDER) for adapter, _ in runs]
    (adapter, venue), (again, other) = runs
    assert venue.log.count("place") <= bounds.attempts_max
    assert venue.log.count("query") <= bounds.attempts_max * venue.log.count("place")
    assert adapter.pace.now_ms <= bounds.duration_ms_max + bounds.timeout_ms
    assert not isinstance(outcomes[0], Acknowledged) or "a" in venue.orders
    assert not isinstance(outcomes[0], Refused) or "a" not in venue.orders
    assert not blind(venue.log, place, query)
    assert (venue.log, adapter.counts, adapter.pace.now_ms) == (other.log, again.counts, again.pace.now_ms)


@pytest.mark.parametrize("word", ["reject", "invalid", "duplicate"])
def test_a_final_refusal_is_not_repeated(word: str) -> None:
    """What the venue looked at and refused is sent once, and says so by its error."""
    adapter, venue = over(place=[word] * 9)
    outcome = adapter.place(ORDER)
    assert isinstance(outcome, Refused)
    assert outcome.final
    assert venue.log == ["place"]


def test_an_order_that_was_rejected_unheard_is_refused() -> None:
    """The answer was a rejection and was lost: asking finds out, and nothing is sent again."""
    adapter, venue = over(place=["after"])
    venue.status = Status.REJECTED
    outcome = adapter.place(ORDER)
    assert isinstance(outcome, Refused)
    assert outcome.final
    assert venue.log == ["place", "query"]


def test_through_the_port_an_unknown_outcome_is_a_time_out() -> None:
    """Even when the last thing heard was that the venue is unavailable: that was about the question, not the order."""
    adapter, _ = over(place=["after"], query=["unavailable"] * 9)
    with pytest.raises(VenueTimeout) as caught:
        adapter.place_order(ORDER)
    assert isinstance(caught.value.__cause__, VenueUnavailable)


def test_an_order_that_may_have_been_sent_is_asked_for_first() -> None:
    """In doubt the first call is a query; what the venue has is not sent."""
    adapter, venue = over()
    venue.orders["a"] = ORDER
    assert adapter.place(ORDER, doubtful=True) == Acknowledged("a", "v-a")
    assert venue.log == ["query"]
    assert adapter.resolve(replace(ORDER, client_order_id="b")) == Absent("b")


@pytest.mark.parametrize("change", [{"symbol": "OTHER"}, {"qty_lots": ORDER.qty_lots + 1}])
def test_another_order_under_our_id_is_not_taken_for_ours(change: dict[str, Any]) -> None:
    """The venue knows the id, but of another instrument or size: the id is used, and nothing is sent."""
    adapter, venue = over()
    venue.orders["a"] = replace(ORDER, **change)
    found = adapter.resolve(ORDER)
    assert isinstance(found, Refused)
    assert isinstance(found.error, DuplicateId)
    assert venue.log == ["query"]


@pytest.mark.parametrize("words", [["before"], ["unavailable", "rate"], ["before", "unavailable", "before"]])
def test_a_cancel_is_asked_for_again_until_it_is_answered(words: list[str]) -> None:
    """Cancels are idempotent: any transient error is retried."""
    adapter, venue = over(cancel=words)
    assert adapter.cancel("a") == Acknowledged("a")
    assert len(venue.log) == len(words) + 1


def test_a_cancel_without_an_answer_is_unknown_only_if_one_was_lost() -> None:
    """Never looked at: refused, to be tried again. Once lost: unknown, whatever came after it. Too late: final."""
    refused, unknown, final = (
        over(cancel=words)[0].cancel("a")
        for words in (["unavailable"] * 9, ["before", "unavailable", "unavailable", "unavailable"], ["reject"])
    )
    assert isinstance(refused, Refused)
    assert not refused.final
    assert isinstance(unknown, Unknown)
    assert isinstance(final, Refused)
    assert final.final
    with pytest.raises(VenueTimeout):
        over(cancel=["before", *["unavailable"] * 9])[0].cancel_order("a")
    with pytest.raises(VenueRejected):
        over(cancel=["reject"])[0].cancel_order("a")


def test_a_replacement_whose_answer_was_lost_is_not_sent_again() -> None:
    """A second replacement might count from the first: after a loss it is unknown; what was not taken is sent again."""
    adapter, venue = over(replace=["before"])
    assert isinstance(adapter.replace(CHANGE), Unknown)
    assert venue.log == ["replace"]
    adapter, venue = over(replace=["rate", "unavailable"])
    assert adapter.replace_order(CHANGE) == Accepted("a", "v-2")
    assert venue.log == ["replace"] * 3


@pytest.mark.parametrize("name", ["iter_reports", "iter_fills", "list_open_orders", "query_order"])
@pytest.mark.parametrize("word", ["before", "unavailable", "rate"])
def test_reads_are_repeated_whole(name: str, word: str) -> None:
    """A read that fails, also in the middle of a stream, is made again; what is returned is whole and comes once."""
    script = {"iter_reports": "reports", "iter_fills": "reports", "list_open_orders": "list", "query_order": "query"}
    arguments = {"list_open_orders": (), "query_order": ("a",)}.get(name, (0,))
    adapter, _ = over(**{script[name]: [word, word]})
    plain, _ = over()
    for one in (adapter, plain):
        one.broker.orders["a"] = ORDER
    found, expected = (getattr(one, name)(*arguments) for one in (adapter, plain))
    assert (found == expected) or list(found) == [TRADE] == list(expected)
    assert adapter.counts[f"retries.{type(ERRORS[word]).__name__}"] == 2


ERRORS = {"before": VenueTimeout("a"), "unavailable": VenueUnavailable("v", "c"), "rate": RateLimited("a")}


def test_a_venue_that_is_down_is_left_alone_and_found_again() -> None:
    """Five failures in a row open the circuit, two steps long nothing reaches the venue, then one probe heals it."""
    bounds = Bounds(attempts_max=4, failures_max=5, cooldown_steps=2)
    adapter, venue = over(bounds, list=["unavailable"] * 6)
    adapter.begin(1)
    for _ in range(3):
        with pytest.raises(VenueUnavailable):
            adapter.list_open_orders()
    assert len(venue.log) == 5
    assert adapter.counts["held.CircuitOpen"] == 2  # the sixth call, and the third read at once
    adapter.begin(2)
    with pytest.raises(CircuitOpen):
        adapter.query_order("a")
    adapter.begin(3)
    with pytest.raises(VenueUnavailable):
        adapter.list_open_orders()  # the probe fails: it stays open for two steps more
    assert len(venue.log) == 6
    adapter.begin(4)
    with pytest.raises(CircuitOpen):
        adapter.place_order(ORDER)
    adapter.begin(5)
    assert adapter.place_order(ORDER) == Accepted("a", "v-a")
    assert (len(venue.log), adapter.breaker.state) == (7, "closed")
    assert {name: adapter.counts[f"breaker.{name}"] for name in ("open", "half_open", "closed")} == {
        "open": 2, "half_open": 2, "closed": 1,
    }  # fmt: skip


def test_a_call_that_times_out_has_taken_its_time() -> None:
    """With three seconds for an order and one for a time-out, the third is the last that is sent."""
    adapter, venue = over(Bounds(duration_ms_max=2_900, attempts_max=9, failures_max=99), place=["before"] * 9)
    outcome = adapter.place(ORDER)
    assert isinstance(outcome, Unknown | Refused)
    assert venue.log.count("place") == 3
    assert 3_000 <= adapter.pace.now_ms <= 4_000


def test_refusals_are_answers() -> None:
    """A venue that rejects everything is up: the breaker stays closed."""
    adapter, _ = over(Bounds(failures_max=1), place=["reject"] * 50)
    for _ in range(50):
        adapter.place(ORDER)
    assert adapter.breaker.state == "closed"


def test_an_order_held_by_the_breaker_never_left() -> None:
    """With the circuit open a place is refused and not unknown, and the port says that it was not accepted."""
    adapter, venue = over(Bounds(failures_max=1), place=["unavailable"])
    outcome = adapter.place(ORDER)
    assert isinstance(outcome, Refused)
    assert isinstance(outcome.error, CircuitOpen)
    assert (venue.log, venue.orders) == (["place"], {})


def test_calls_keep_the_rate_in_session_time() -> None:
    """A thousand reads at ten a second take at least 99 seconds of session time, all of it counted."""
    adapter, venue = over(Bounds(calls_per_second_max=10))
    for _ in range(1_000):
        adapter.query_order("a")
    assert len(venue.log) == 1_000
    assert adapter.pace.now_ms >= 99_000
    assert adapter.counts["limiter_ms"] == adapter.pace.now_ms


def test_a_bug_in_the_venue_leaves_no_call_open() -> None:
    """An exception that is no broker's passes, and counts as a failure."""
    adapter, venue = over(Bounds(failures_max=1))
    venue.list_open_orders = lambda: 1 // 0
    with pytest.raises(ZeroDivisionError):
        adapter.list_open_orders()
    assert (adapter.breaker.state, adapter.breaker.value[-1]) == ("open", False)


def said(sender: Sender, *, doubtful: bool = False, unknown: bool = False) -> list[str]:
    """The events that the order machine is told."""
    return [answer.event for answer in sender.answers(ORDER, doubtful=doubtful, unknown=unknown)]


@pytest.mark.parametrize(
    ("place", "query", "events"),
    [
        ([], [], ["accept"]),
        (["unavailable", "rate"], [], ["accept"]),
        (["before"], [], ["time_out", "not_found", "accept"]),
        (["after"], [], ["time_out", "accept"]),
        (["before", "before"], [], ["time_out", "not_found", "time_out", "not_found", "accept"]),
        (["after"], ["before", "unavailable"], ["time_out", "accept"]),
        (["after"], ["unavailable"] * 9, ["time_out"]),
        (["reject"], [], ["reject"]),
        (["invalid"], [], ["reject"]),
        (["duplicate"], [], []),
        (["unavailable"] * 9, [], []),
        (["before"] * 9, [], ["time_out", "not_found"] * 4),
    ],
)
def test_the_sender_speaks_the_order_machines_words(place: list[str], query: list[str], events: list[str]) -> None:
    """Each course of an order gives the events that the machine knows, and what nobody took gives none."""
    adapter, _ = over(place=place, query=query)
    assert said(Sender(adapter)) == events


def test_not_found_is_news_only_to_an_order_in_doubt() -> None:
    """A resumed order that was never sent is sent without a word; one that is unknown hears that it was not found."""
    assert said(Sender(over()[0]), doubtful=True) == ["accept"]
    assert said(Sender(over()[0]), unknown=True) == ["not_found", "accept"]


def test_asking_sends_nothing() -> None:
    """`asked` only asks: an order that the venue does not know is given up, one in doubt after it was told so."""
    adapter, venue = over(query=["ok", "ok", *["before"] * 20])
    sender = Sender(adapter)
    assert list(sender.asked(ORDER, unknown=False)) == [Answer("give_up")]
    assert list(sender.asked(ORDER, unknown=True)) == [Answer("not_found"), Answer("give_up")]
    assert [list(sender.asked(ORDER, unknown=True)) for _ in range(2)] == [[], []]
    assert set(venue.log) == {"query"}


def test_every_error_is_one_of_three_outcomes() -> None:
    """The port's errors are all there are: none of them leaves `place` as an exception."""
    for word in ("before", "unavailable", "rate", "reject", "invalid", "duplicate"):
        outcome = over(place=[word] * 9, query=["before"] * 99)[0].place(ORDER)
        assert isinstance(outcome, Refused | Unknown)
        assert isinstance(outcome.error, BrokerError)
