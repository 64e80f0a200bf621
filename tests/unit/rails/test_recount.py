"""Our side counted from journal records: what the order machine made of them, or the record at which it cannot be."""

from typing import Any

import pytest

from peak_trade.backends.kernel import compile_kernel
from peak_trade.broker.messages import ReportKind
from peak_trade.cli.specs import machine_named
from peak_trade.journal.record import Record
from peak_trade.rails.recount import BadBook, recount
from peak_trade.rails.sides import Known, Request

KERNEL = compile_kernel(machine_named("order"))
FIRST = {"symbol": "IBM", "side": "sell", "limit_ticks": 70, "tif": "gtc"}


def moved(events: list[tuple[str, dict[str, Any]]]) -> list[Record]:
    """The records of one order that takes these events, one a step."""
    value, records = KERNEL.initial, [Record(0, "run", {"run": "r1"})]
    for step, (event, facts) in enumerate(events, 1):
        _, value = KERNEL.step(value, event, tuple(facts[name] for name in KERNEL.fields[event]))
        body = {"order": "o1", "event": event, "outcome": "taken", "step": step, **facts}
        body |= {"state": value[0], "cum": value[2], "leaves": value[3]}
        records.append(Record(step, "order", body | (FIRST if step == 1 else {})))
    return records


SOLD = moved(
    [
        ("submit", {"order_qty": 9}),
        ("accept", {}),
        ("fill", {"last_qty": 4, "cursor": 1, "exec_id": "e1", "price_ticks": 71, "fee_ticks": 1, "position_lots": -4}),
        ("cancel", {}),
    ]
)


def test_an_order_is_counted_by_its_own_machine() -> None:
    """Quantities, executions, position, cursor and what is still unanswered come from the records alone."""
    found = recount(SOLD, KERNEL)
    ours = found.ours()
    asked = Known("o1", "IBM", -1, "partially_filled", 9, 4, 5, 70, Request.CANCEL, 4)
    assert ours.orders == {"o1": asked}
    assert (ours.positions_lots, ours.cursor, found.step, found.ended) == ({"IBM": -4}, 1, 4, False)
    [execution] = ours.executions
    assert (execution.kind, execution.exec_id, execution.last_lots) == (ReportKind.TRADE, "e1", 4)
    assert (execution.last_ticks, execution.fee_ticks, execution.cum_lots) == (71, 1, 4)


def test_a_bust_takes_its_execution_back() -> None:
    """A bust stands among the executions, with the one that it names."""
    facts = {"cum_qty": 0, "cursor": 2, "exec_id": "e2", "ref_id": "e1", "position_lots": 0}
    events: list[tuple[str, dict[str, Any]]] = [("submit", {"order_qty": 9}), ("accept", {})]
    events += [("fill", {"last_qty": 4, "cursor": 1, "exec_id": "e1", "position_lots": -4}), ("bust", facts)]
    ours = recount(moved(events), KERNEL).ours()
    assert [(item.kind, item.ref_id) for item in ours.executions][1] == (ReportKind.TRADE_CANCEL, "e1")
    assert (ours.orders["o1"].cum_lots, ours.positions_lots) == (0, {"IBM": 0})


def test_records_that_change_nothing_are_passed_over() -> None:
    """What was refused or ignored moved no order; an end says that the run is over."""
    body = {**SOLD[3].body, "outcome": "refused", "step": 5}
    found = recount([*SOLD, Record(5, "order", body), Record(6, "end", {"step": 6})], KERNEL)
    assert found.ours().orders == recount(SOLD, KERNEL).ours().orders
    assert found.ended


@pytest.mark.parametrize("change", [{"state": "new"}, {"cum": 5}, {"leaves": 4}, {"last_qty": 10}])
def test_a_record_that_cannot_follow_is_named(change: dict[str, Any]) -> None:
    """A journal that this machine cannot have made is refused at the record."""
    wrong = Record(3, "order", {**SOLD[3].body, **change})
    with pytest.raises(BadBook) as refused:
        recount([*SOLD[:3], wrong, *SOLD[4:]], KERNEL)
    assert refused.value.seq == 3
    assert "expected fill to lead to" in refused.value.problem


def test_a_record_without_its_payload_is_named() -> None:
    """One of another version, with other fields, is refused too."""
    body = {name: value for name, value in SOLD[3].body.items() if name != "last_qty"}
    with pytest.raises(BadBook, match="record 3: expected the order machine's fill with 'last_qty'"):
        recount([*SOLD[:3], Record(3, "order", body)], KERNEL)
