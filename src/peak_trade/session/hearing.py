"""A venue's report as an event of the order machine: which one, with which payload, and whether it can be believed.

A report is believed iff it says what the book has, but for what it is about; terms that nobody here asked for, only if
they leave no more to fill than was left. It is the rule of `spec/system.yaml`; what does not fit is not applied.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from peak_trade.broker.messages import Report, ReportKind
from peak_trade.journal.redact import ID_PATTERN

EVENTS: Final[Mapping[ReportKind, str]] = {
    ReportKind.TRADE: "fill",
    ReportKind.TRADE_CANCEL: "bust",
    ReportKind.TRADE_CORRECT: "correct",
    ReportKind.CANCELED: "cancel_accept",
    ReportKind.EXPIRED: "expire",
    ReportKind.REJECTED: "reject",
    ReportKind.PENDING_CANCEL: "pend_cancel",
    ReportKind.CANCEL_REJECTED: "cancel_reject",
    ReportKind.PENDING_REPLACE: "pend_replace",
    ReportKind.REPLACED: "replaced",
    ReportKind.REPLACE_REJECTED: "replace_reject",
    ReportKind.RESTATED: "restate",
    ReportKind.DONE_FOR_DAY: "finish_day",
    ReportKind.STOPPED: "guarantee",
    ReportKind.SUSPENDED: "suspend",
    ReportKind.RESUMED: "resume",
}
"""The order machine's event for each kind of report."""
KINDS: Final = {event: kind for kind, event in EVENTS.items()}
TRADE: Final = ReportKind.TRADE
"""By far the most frequent kind: it is looked at first."""
UNDOING: Final = frozenset({ReportKind.TRADE_CANCEL, ReportKind.TRADE_CORRECT})

assert EVENTS.keys() == set(ReportKind)
assert len(KINDS) == len(EVENTS)

_PAYLOADS: Final[Mapping[ReportKind, Callable[[Report], tuple[int, ...]]]] = {
    ReportKind.TRADE_CANCEL: lambda report: (report.cum_lots,),
    ReportKind.TRADE_CORRECT: lambda report: (report.cum_lots,),
    ReportKind.REPLACED: lambda report: (report.order_lots,),
    ReportKind.RESTATED: lambda report: (report.order_lots, report.cum_lots),
    ReportKind.DONE_FOR_DAY: lambda report: (report.leaves_lots > 0,),
}


class Execution(NamedTuple):
    """What one execution did to the book; signless lots, price and fee in ticks."""

    order: str
    lots: int
    ticks: int
    fee_ticks: int


def payload(report: Report) -> tuple[int, ...]:
    """Return the payload of the report's event, in the order of the specification."""
    if report.kind is TRADE:
        return (report.last_lots,)
    made = _PAYLOADS.get(report.kind)
    return made(report) if made else ()


_is_id: Final = re.compile(rf"(?:{ID_PATTERN})?", re.ASCII).fullmatch
"""An id as the journal writes it, or none."""


def fits(report: Report, value: tuple[Any, ...], undone: Execution | None) -> bool:
    """Return true iff the report can be believed of an order with this value of the order machine.

    `undone` is the execution that a bust or a correction names, None if the book has none of that name. A report whose
    ids the journal cannot write down is not believed: the run could not be told again.
    """
    if not (_is_id(report.exec_id) and (not report.ref_id or _is_id(report.ref_id))):
        return False
    qty: int = value[1]
    cum: int = value[2]
    if report.kind is TRADE:
        return report.cum_lots == cum + report.last_lots and report.order_lots == qty
    return _fits(report, (qty, cum), undone, asked=value[5] > 0)


def _fits(report: Report, terms: tuple[int, int], undone: Execution | None, *, asked: bool) -> bool:
    """Return true iff a report that is no trade can be believed of an order with these OrderQty and CumQty.

    `asked` iff the venue has a request of ours to replace the order.
    """
    qty, cum = terms
    left = report.order_lots - report.cum_lots
    match report.kind:
        case ReportKind.TRADE_CANCEL | ReportKind.TRADE_CORRECT:
            if undone is None or undone.order != report.client_order_id or report.order_lots != qty:
                return False
            kept = report.last_lots if report.kind is ReportKind.TRADE_CORRECT else 0
            return report.cum_lots == cum - undone.lots + kept
        case ReportKind.RESTATED:
            return left <= qty - cum
        case ReportKind.REPLACED:
            return report.cum_lots == cum and (asked or left <= qty - cum)
        case _:
            return report.order_lots == qty and report.cum_lots == cum


def recorded(body: Mapping[str, Any], qty: int, step: int) -> Report:
    """Return the report that a record of the tape was written for; what it said of quantities is what they became."""
    return Report(
        cursor=int(body["cursor"]),
        client_order_id=str(body["order"]),
        venue_order_id=str(body.get("venue_order") or ""),
        exec_id=str(body.get("exec_id") or ""),
        kind=KINDS[str(body["event"])],
        last_lots=int(body.get("last_qty") or 0),
        last_ticks=int(body.get("price_ticks") or 0),
        fee_ticks=int(body.get("fee_ticks") or 0),
        cum_lots=int(body.get("cum_qty", body["cum"])),
        leaves_lots=int(body["leaves"]),
        step=step,
        order_lots=int(body.get("order_qty", qty)),
        ref_id=str(body.get("ref_id") or ""),
    )
