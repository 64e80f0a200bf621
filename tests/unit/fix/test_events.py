"""Every report is an event that the order's machine has, with a payload that fits it; ids and executions are kept."""

from dataclasses import replace
from itertools import product

import pytest

from peak_trade.backends.kernel import Kernel, compile_kernel
from peak_trade.broker.messages import Status
from peak_trade.cli.specs import machine_named
from peak_trade.fix.events import adoption_of, events_of, is_unknown, refusal_of
from peak_trade.fix.executions import Executions
from peak_trade.fix.ids import Crossed, Ids
from peak_trade.fix.malformed import Place
from peak_trade.fix.report import ExecutionReport, OrderCancelReject
from peak_trade.fix.tags import Asked, ExecType

PLACE = Place(1, 1, 0)
REPORT = ExecutionReport(
    PLACE, "X", "", "V1", "E1", "", ExecType.TRADE, Status.PARTIALLY_FILLED, 100, 20, 80, 20, "", False
)


@pytest.fixture(scope="module")
def kernel() -> Kernel:
    """The kernel of the order's machine."""
    return compile_kernel(machine_named("order"))


def fits(kernel: Kernel, event: str, payload: tuple[int | bool, ...]) -> bool:
    """Whether the machine has the event, and the payload is of its sorts."""
    return event in kernel.checks and kernel.checks[event](payload) is None


def test_every_report_is_an_event_of_the_machine(kernel: Kernel) -> None:
    """For each ExecType, OrdStatus, state and known quantity, all events exist and their payloads fit."""
    for kind, status, state, known in product(ExecType, Status, kernel.table, (0, 100)):
        for order_lots in (None, 100) if kind not in (ExecType.REPLACED, ExecType.RESTATED) else (100,):
            report = replace(REPORT, exec_type=kind, status=status, order_lots=order_lots)
            events = events_of(report, state, known)
            assert events
            assert all(fits(kernel, *event) for event in events), events


def test_every_adoption_is_of_events_of_the_machine(kernel: Kernel) -> None:
    """However an order of somebody else is first told of, it is submitted first, and every event fits."""
    for kind, status in product(ExecType, Status):
        events = adoption_of(replace(REPORT, exec_type=kind, status=status), 100)
        assert events[0] == ("submit", (100,))
        assert all(fits(kernel, *event) for event in events), events


def test_every_refusal_is_an_event_of_the_machine(kernel: Kernel) -> None:
    """A refused request is a cancel_reject or a replace_reject, as it says itself."""
    refusals = {asked: OrderCancelReject(PLACE, "Y", "X", "V1", Status.NEW, asked, "", False) for asked in Asked}
    found = {asked: refusal_of(refusal) for asked, refusal in refusals.items()}
    assert found == {Asked.CANCEL: ("cancel_reject", ()), Asked.REPLACE: ("replace_reject", ())}
    assert all(fits(kernel, *event) for event in found.values())


def test_a_second_order_refused_for_its_id_moves_nothing() -> None:
    """Rejected with a living status informs of the first order (FIX 4.4, F.1.a)."""
    report = replace(REPORT, exec_type=ExecType.REJECTED)
    assert events_of(report, "partially_filled", 100) == (("inform", (100, 20)),)
    assert events_of(replace(report, status=Status.REJECTED), "new", 100) == (("reject", ()),)


def test_money_is_converted_once() -> None:
    """The first report with a quantity converts the money; a refusal does not."""
    report = replace(REPORT, exec_type=ExecType.NEW, status=Status.NEW)
    assert events_of(report, "pending_new", 0) == (("convert", (100,)), ("accept", ()))
    assert events_of(report, "pending_new", 100) == (("accept", ()),)
    rejected = replace(REPORT, exec_type=ExecType.REJECTED, status=Status.REJECTED)
    assert events_of(rejected, "pending_new", 0) == (("reject", ()),)


def test_a_halt_ends_with_the_first_report_of_an_order_at_work() -> None:
    """A suspended order that is reported new, restated or traded at work is resumed; one still suspended is not."""
    assert events_of(replace(REPORT, exec_type=ExecType.NEW), "suspended", 100) == (("resume", ()),)
    assert events_of(REPORT, "suspended", 100) == (("resume", ()), ("fill", (20,)))
    assert events_of(replace(REPORT, status=Status.SUSPENDED), "suspended", 100) == (("fill", (20,)),)


def test_only_the_reason_makes_an_order_unknown() -> None:
    """An order status that is Rejected for an unknown order says so; another rejection does not."""
    status = replace(REPORT, exec_type=ExecType.ORDER_STATUS, status=Status.REJECTED, reason="5")
    assert is_unknown(status)
    assert not is_unknown(replace(status, reason="99"))
    assert not is_unknown(replace(status, status=Status.NEW))
    assert events_of(status, "unknown", 100) == (("not_found", ()),)


def test_a_chain_of_ids_leads_to_one_order() -> None:
    """Each id of a chain, and the venue's, leads to the order; an id that leads somewhere stays; NONE is no id."""
    ids = Ids()
    ids.learn("X", "X", "V1")
    ids.learn("X", "Y", "NONE")
    ids.learn("A", "A", "V2")
    ids.learn("A", "Y", "V1")
    assert [ids.find("X"), ids.find("Y"), ids.find("", "", "V1"), ids.find("Z", "Y", "V9")] == ["X"] * 4
    assert ids.find("Z") is None
    assert ids.find("", "", "NONE") is None
    with pytest.raises(Crossed) as caught:
        ids.find("X", "", "V2")
    assert caught.value.keys == ("X", "A")


def test_what_is_taken_back_is_what_was_executed() -> None:
    """CumQty after a bust or a correction follows from the execution named, by its first id or its last."""
    known = Executions()
    known.enter(REPORT, 0)
    fixed = replace(REPORT, exec_type=ExecType.TRADE_CORRECT, exec_id="E2", ref_id="E1", last_lots=15)
    assert known.expected_lots(fixed, 20) == 15
    known.enter(fixed, 20)
    for ref in ("E1", "E2"):
        bust = replace(REPORT, exec_type=ExecType.TRADE_CANCEL, exec_id="E3", ref_id=ref, last_lots=0)
        assert known.expected_lots(bust, 50) == 35
    assert known.expected_lots(replace(fixed, ref_id="E9"), 20) is None


def test_a_split_changes_what_is_known_of_sizes() -> None:
    """After a restatement that changes CumQty, executions before it are not held to their old size."""
    known = Executions()
    known.enter(REPORT, 0)
    bust = replace(REPORT, exec_type=ExecType.TRADE_CANCEL, exec_id="E9", ref_id="E1", last_lots=0)
    known.enter(replace(REPORT, exec_type=ExecType.RESTATED, exec_id="E2", cum_lots=20), 20)
    assert known.expected_lots(bust, 20) == 0
    known.enter(replace(REPORT, exec_type=ExecType.RESTATED, exec_id="E3", cum_lots=40), 20)
    assert known.expected_lots(bust, 40) is None


def test_an_exec_id_is_told_once() -> None:
    """The same report again is a repetition, another one under its id is neither; an order status repeats no id."""
    known = Executions()
    known.enter(REPORT, 0)
    assert known.repeated(REPORT) is True
    assert known.repeated(replace(REPORT, cum_lots=40)) is None
    assert known.repeated(replace(REPORT, exec_id="E2")) is False
    status = replace(REPORT, exec_type=ExecType.ORDER_STATUS, exec_id="0")
    known.enter(status, 20)
    assert known.repeated(status) is False
