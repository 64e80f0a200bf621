"""A log replayed: each message whole or not at all, each report once, each figure beside ours."""

from collections.abc import Callable
from dataclasses import asdict, replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.fixlog import SESSION, change, message, refusal, report, single

from peak_trade.backends.kernel import compile_kernel
from peak_trade.backends.statemachine import Driver
from peak_trade.cli.specs import machine_named
from peak_trade.fix.engine import Engine, Stepped
from peak_trade.fix.malformed import Place
from peak_trade.fix.reader import SOH, read
from peak_trade.fix.replay import replay
from peak_trade.fix.row import Replayed, Row

NOWHERE = Place(0, 0, 0)


@cache
def maker() -> Callable[[], Engine]:
    """What makes an order's machine."""
    kernel = compile_kernel(machine_named("order"))
    return lambda: Stepped(kernel)


def replayed(*log: bytes) -> Replayed:
    """What the replay of these messages says."""
    return replay(read(b"".join(log)), maker())


def last(*log: bytes) -> Row:
    """The row of the last of these messages, none of which is malformed."""
    done = replayed(*log)
    assert not done.faults, list(map(str, done.faults))
    return done.rows[-1]


def unplaced(done: Replayed) -> tuple[tuple[Row, ...], object]:
    """Rows without their places, and the orders."""
    return tuple(replace(row, place=NOWHERE) for row in done.rows), done.orders


NEW = (single(), report("00", (100, 0, 100), "E1"))
PART = (*NEW, report("F1", (100, 20, 80), "E2", last=20))


def test_a_session_that_agrees() -> None:
    """Every report of a sound session is taken and agrees; the order ends as the venue says."""
    done = replayed(*SESSION)
    assert (done.verdict, done.judged, done.differing) == ("agrees", 7, 0)
    assert {row.answer for row in done.rows} == {"taken"}
    (order,) = done.orders
    assert asdict(order.facts) == {"status": "filled", "order_lots": 90, "cum_lots": 90, "leaves_lots": 0}
    assert (order.order, order.external, order.reports) == ("X", False, 7)


def test_equal_logs_give_equal_replays() -> None:
    """The same bytes, or the same messages with another delimiter, say the same; both engines do."""
    first = replayed(*SESSION)
    assert first == replayed(*SESSION)
    assert unplaced(first) == unplaced(replayed(*(item.replace(SOH, b"|") for item in SESSION)))
    kernel = compile_kernel(machine_named("order"))
    assert replay(read(b"".join(SESSION)), lambda: Driver(kernel)) == first


@given(st.lists(st.integers(0, len(SESSION) - 1), max_size=4))
def test_reports_told_again_count_once(again: list[int]) -> None:
    """Execution reports may come again: the orders end the same, and nothing differs."""
    reports = [number for number in again if SESSION[number].find(b"\x0135=8\x01") > 0]
    log = [*SESSION, *(SESSION[number] for number in reports)]
    done = replayed(*log)
    assert done.verdict == "agrees"
    assert [row.note for row in done.rows[len(SESSION) :]] == ["repeated"] * len(reports)
    assert [order.facts for order in done.orders] == [order.facts for order in replayed(*SESSION).orders]


@given(st.integers(0, len(SESSION) - 1), st.data())
@settings(max_examples=150)
def test_a_malformed_message_leaves_the_book_untouched(at: int, data: st.DataObject) -> None:
    """A damaged message anywhere in the log is a fault, and all else is as if it were not there."""
    victim = data.draw(st.sampled_from(SESSION))
    damaged = _damaged(victim, data.draw(st.integers(10, len(victim) - 9)), data.draw(st.integers(1, 255)))
    done = replayed(*SESSION[:at], damaged, *SESSION[at:])
    assert done.verdict == "malformed"
    assert unplaced(done) == unplaced(replayed(*SESSION))


def _damaged(victim: bytes, at: int, by: int) -> bytes:
    """One byte of the message's body changed."""
    start = victim.index(b"35=")
    at = start + at % (len(victim) - start - 8)
    return victim[:at] + bytes([(victim[at] + by) % 256]) + victim[at + 1 :]


@given(
    st.lists(
        st.sampled_from(
            [
                *SESSION,
                *PART,
                report("44", (100, 0, 0), "E8"),
                report("89", (100, 0, 0), "E9"),
                b"8=FIX",
                refusal("8", "Q", "P"),
            ]
        ),
        max_size=15,
    )
)
def test_any_order_of_messages_is_judged_and_crashes_nothing(log: list[bytes]) -> None:
    """However messages are lost, doubled and shuffled: the replay ends, and no order is filled beyond its OrderQty."""
    done = replayed(*log)
    assert len(done.rows) + len(done.faults) + done.session_messages >= len([item for item in log if item != b"8=FIX"])
    for order in done.orders:
        assert 0 <= order.facts.cum_lots <= order.facts.order_lots  # type: ignore[operator]


REFUSED = {
    "another report under an id": ((*PART, report("F1", (100, 40, 60), "E2", last=40)), "exec_id_reused: E2"),
    "a bust of the wrong size": (
        (*PART, report("H0", (100, 0, 100), "E3", (19, "E2")), report("H1", (100, 10, 90), "E4", (19, "E2"))),
        "executions_disagree: CumQty 0",
    ),
    "a correction of the wrong size": (
        (*PART, report("G1", (100, 30, 70), "E3", (19, "E2"), last=10)),
        "executions_disagree: CumQty 10",
    ),
    "more than ordered": ((*PART, report("F2", (100, 110, 0), "E3", last=90)), "overfill"),
    "a status that disagrees": ((*PART, report("I1", (100, 30, 70), "0")), "report_disagrees"),
    "ids of two orders": ((*PART, single("B"), report("00", (100, 0, 100), "E3", id="B")), "crossed_ids"),
    "a refusal of an order that is not ours": ((refusal("0", "Y", "X"),), "unknown_order"),
    "an order of somebody else without a size": (
        (message("8", ((37, "V"), (11, "S"), (17, "E"), (150, "0"), (39, "0"), (151, "0"), (14, "0"))),),
        "unknown_order",
    ),
    "an order of somebody else with more filled than ordered": (
        (report("F2", (100, 300, 0), "E1", last=10, id="S"),),
        "overfill",
    ),
    "a sent order that the venue never received": (
        (single(), report("I8", (100, 0, 0), "0", (103, "5"))),
        "answer_pending",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_our_machine_does_not_take_is_a_difference(name: str) -> None:
    """A report that contradicts what is known is refused with its reason, counts as a difference, and moves nothing."""
    log, reason = REFUSED[name]
    done = replayed(*log)
    row = done.rows[-1]
    assert (row.answer, row.reason) == ("refused", reason)
    assert row.differs[0] == "refused"
    assert done.verdict == "differs"
    before = replayed(*log[:-1])
    assert [order.facts for order in done.orders] == [order.facts for order in before.orders]


def test_figures_that_differ_are_named() -> None:
    """Each figure that the venue prints otherwise is named, and no other."""
    row = last(*NEW, report("FA", (110, 30, 70), "E2", last=20))
    assert row.answer == "taken"
    assert row.differs == ("OrdStatus", "OrderQty", "CumQty", "LeavesQty")
    assert last(*NEW, report("F1", (100, 20, 70), "E2", last=20)).differs == ("LeavesQty",)


def test_a_bust_by_the_id_of_a_correction() -> None:
    """An execution is corrected and then taken back, named by its first id or by the correction's; CumQty falls."""
    for ref in ("E2", "E3"):
        log = (
            *PART,
            report("G1", (100, 15, 85), "E3", (19, "E2"), last=15),
            report("H0", (100, 0, 100), "E4", (19, ref)),
        )
        assert replayed(*log).verdict == "agrees"


@pytest.mark.parametrize(
    ("first", "status"),
    [
        (report("00", (100, 0, 100), "E1", id="S"), "new"),
        (report("AA", (100, 0, 100), "E1", id="S"), "pending_new"),
        (report("88", (100, 0, 0), "E1", id="S"), "rejected"),
        (report("F1", (100, 50, 50), "E1", last=20, id="S"), "partially_filled"),
        (report("F2", (100, 100, 0), "E1", last=100, id="S"), "filled"),
        (report("44", (100, 50, 0), "E1", id="S"), "canceled"),
        (report("I1", (100, 50, 50), "0", id="S"), "partially_filled"),
        (report("H1", (100, 50, 50), "E1", (19, "E0"), id="S"), "partially_filled"),
        (report("D1", (100, 50, 50), "E1", id="S"), "partially_filled"),
        (report("66", (100, 50, 50), "E1", id="S"), "pending_cancel"),
        (report("EE", (100, 50, 50), "E1", id="S", orig="R"), "pending_replace"),
        (report("51", (100, 50, 50), "E1", id="S", orig="R"), "partially_filled"),
        (report("3" * 2, (100, 50, 0), "E1", id="S"), "done_for_day"),
        (report("00", (100, 0, 100), "E1", id=""), "new"),
    ],
)
def test_an_order_of_somebody_else_is_adopted(first: bytes, status: str) -> None:
    """Whatever is first told of an order that nobody here sent: it is adopted as told, and marked external."""
    done = replayed(first)
    assert done.verdict == "agrees"
    assert done.rows[0].note == "external"
    (order,) = done.orders
    assert (order.external, order.facts.status) == (True, status)


def test_an_order_without_our_id_is_known_by_the_venue_s() -> None:
    """Without ClOrdID an order is known by its OrderID from ExecType New on; an order of ours must have one."""
    done = replayed(report("00", (100, 0, 100), "E1", id=""), report("F1", (100, 20, 80), "E2", id="", last=20))
    assert done.verdict == "agrees"
    for log in (
        (report("F1", (100, 20, 80), "E2", id="", last=20),),
        (*NEW, report("F1", (100, 20, 80), "E2", id="", last=20)),
    ):
        (fault,) = replayed(*log).faults
        assert (fault.tag, fault.was) == (11, "missing")


def test_what_the_venue_does_not_know_moves_nothing() -> None:
    """Asked for an order that neither side has, the answer agrees and moves no order of ours (B.1.f, G.1.a)."""
    no = refusal("8", "Q", "P", "1", (102, "1"), order_id="NONE")
    done = replayed(*PART, change("F", "Q", "P"), no, message("H", ((11, "R"),)))
    assert done.verdict == "agrees"
    assert [(row.answer, row.order) for row in done.rows[3:]] == [("none", "")] * 3
    assert last(*PART, change("F", "Y", "X"), refusal("8", "Y", "X", "1", (102, "1"))).differs == ("OrdStatus",)


def test_a_request_may_be_sent_again() -> None:
    """A possible resend of a request is no second request; another request under its id is refused, and not judged."""
    again = (97, "Y")
    log = (
        *PART,
        single("X", 100, again),
        change("F", "Y", "X"),
        change("F", "Y", "X", 100, again),
        change("G", "Y", "X"),
    )
    done = replayed(*log, single("X", 70))
    told = [(row.answer, row.reason) for row in done.rows[3:]]
    ignored = ("ignored", "possible_resend")
    assert told == [ignored, ("taken", ""), ignored, ("refused", "duplicate_id"), ("refused", "already_submitted")]
    assert done.verdict == "agrees"


def test_a_refusal_told_again_is_not_compared_again() -> None:
    """A refusal that comes again as a possible duplicate is ignored, whatever the order has become."""
    no = (refusal("1", "Y", "X"), report("F2", (100, 100, 0), "E3", last=80), refusal("1", "Y", "X", "1", (43, "Y")))
    assert last(*PART, change("F", "Y", "X"), *no).note == "possible resend"
    assert last(*PART, change("F", "Y", "X"), *no[:2], refusal("1", "Y", "X")).differs == ("OrdStatus",)


def test_money_becomes_a_quantity() -> None:
    """An order sent with a sum of money has the quantity that the venue first says."""
    log = (
        single("X", None, (152, "2000")),
        report("00", (100, 0, 100), "E1"),
        report("F1", (100, 20, 80), "E2", last=20),
    )
    done = replayed(*log)
    assert done.verdict == "agrees"
    assert done.rows[1].event == "convert(100), accept"


def test_a_halt_and_its_end() -> None:
    """A suspended order is at work again as soon as a report says so; a guarantee is no execution."""
    halt = report("99", (100, 20, 80), "E3")
    assert last(*PART, halt).ours == last(*PART, halt).printed
    for end in (
        report("01", (100, 20, 80), "E4"),
        report("F1", (100, 50, 50), "E4", last=30),
        report("D1", (90, 20, 70), "E4"),
    ):
        assert replayed(*PART, halt, end).verdict == "agrees"
    assert replayed(*PART, report("77", (100, 20, 80), "E3", last=5)).verdict == "agrees"


def test_all_of_a_report_is_taken_or_nothing() -> None:
    """If the second event of a report is refused, the first is taken back."""
    halt, wrong = report("99", (100, 20, 80), "E3"), report("F1", (100, 120, 0), "E4", last=100)
    row = last(*PART, halt, wrong)
    assert (row.event, row.reason) == ("resume, fill(100)", "overfill")
    assert row.ours is not None
    assert row.ours.status == "suspended"


def test_nothing_to_judge_is_no_pass() -> None:
    """A log without reports is neither right nor wrong."""
    assert replayed().verdict == "nothing"
    assert replayed(single(), message("0", ())).verdict == "nothing"
    assert replayed(message("A", ())).session_messages == 1
