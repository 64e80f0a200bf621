"""A message becomes a typed value iff each field that it must have is there, once, and within its range.

What an order's life rests on is read: ids, statuses, quantities.

Raises:
    Malformed: names the place, the field, what was expected and what was found.
Limits: prices, accounts, instruments and times are not read; nor are fields of which FIX 4.4 allows several.
"""

from collections.abc import Callable, Mapping
from typing import Final

from peak_trade.fix.fields import Fields
from peak_trade.fix.malformed import shown
from peak_trade.fix.reader import Message
from peak_trade.fix.report import (
    ExecutionReport,
    NewOrderSingle,
    OrderCancelReject,
    OrderCancelRequest,
    OrderReplaceRequest,
    OrderStatusRequest,
    SessionMessage,
    Typed,
)
from peak_trade.fix.tags import (
    ASKED,
    EXEC_TYPES,
    ORD_TYPES,
    SESSION_TYPES,
    SIDES,
    STATUSES,
    TIMES_IN_FORCE,
    ExecType,
    Tag,
)

LOTS_TYPES: Final = frozenset({ExecType.REPLACED, ExecType.RESTATED})
"""These say a new OrderQty, so they must have one."""

TRADE_TYPES: Final = frozenset({ExecType.TRADE, ExecType.TRADE_CORRECT})
"""These have a LastQty."""


def typed(message: Message) -> Typed:
    """Return what `message` says; Malformed iff a field that it must have lacks, or one is out of its range."""
    fields = Fields(message)
    kind = message.kind.decode("latin-1")
    if kind in SESSION_TYPES:
        return SessionMessage(message.place, kind)
    reader = _READERS.get(kind)
    if reader is None:
        known = " ".join(sorted((*_READERS, *SESSION_TYPES)))
        raise fields.wrong(Tag.MSG_TYPE, f"one of {known}", shown(kind))
    return reader(fields)


def _single(fields: Fields) -> NewOrderSingle:
    fields.once()
    _codes(fields)
    for tag in (Tag.SIDE, Tag.ORD_TYPE):
        fields.word(tag)
    cash = fields.money(Tag.CASH_ORDER_QTY)
    lots = fields.lots_or_none(Tag.ORDER_QTY, 1)
    if lots is None and not cash:
        raise fields.wrong(Tag.ORDER_QTY, "a quantity here, or money in 152 CashOrderQty", "missing")
    return NewOrderSingle(fields.message.place, fields.word(Tag.CL_ORD_ID), lots, fields.resent())


def _cancel(fields: Fields) -> OrderCancelRequest:
    fields.once()
    _codes(fields)
    ids = fields.word(Tag.CL_ORD_ID), fields.word(Tag.ORIG_CL_ORD_ID)
    return OrderCancelRequest(fields.message.place, *ids, fields.resent())


def _replace(fields: Fields) -> OrderReplaceRequest:
    fields.once()
    _codes(fields)
    ids = fields.word(Tag.CL_ORD_ID), fields.word(Tag.ORIG_CL_ORD_ID)
    return OrderReplaceRequest(fields.message.place, *ids, fields.lots(Tag.ORDER_QTY, 1), fields.resent())


def _status(fields: Fields) -> OrderStatusRequest:
    fields.once()
    return OrderStatusRequest(fields.message.place, fields.word(Tag.CL_ORD_ID))


def _refusal(fields: Fields) -> OrderCancelReject:
    fields.once()
    return OrderCancelReject(
        place=fields.message.place,
        cl_ord_id=fields.word(Tag.CL_ORD_ID),
        orig_id=fields.word(Tag.ORIG_CL_ORD_ID),
        order_id=fields.word(Tag.ORDER_ID),
        status=fields.code(Tag.ORD_STATUS, STATUSES),
        asked=fields.code(Tag.CXL_REJ_RESPONSE_TO, ASKED),
        reason=fields.reason(Tag.CXL_REJ_REASON),
        possible_resend=fields.resent(),
    )


def _execution(fields: Fields) -> ExecutionReport:
    fields.once()
    _codes(fields)
    exec_type = fields.code(Tag.EXEC_TYPE, EXEC_TYPES)
    trades = exec_type in TRADE_TYPES
    return ExecutionReport(
        place=fields.message.place,
        cl_ord_id=fields.word_or_none(Tag.CL_ORD_ID),
        orig_id=fields.word_or_none(Tag.ORIG_CL_ORD_ID),
        order_id=fields.word(Tag.ORDER_ID),
        exec_id=fields.word(Tag.EXEC_ID),
        ref_id=fields.word_or_none(Tag.EXEC_REF_ID),
        exec_type=exec_type,
        status=fields.code(Tag.ORD_STATUS, STATUSES),
        order_lots=fields.lots(Tag.ORDER_QTY, 1) if exec_type in LOTS_TYPES else fields.lots_or_none(Tag.ORDER_QTY),
        cum_lots=fields.lots(Tag.CUM_QTY),
        leaves_lots=fields.lots(Tag.LEAVES_QTY),
        last_lots=fields.lots(Tag.LAST_QTY, 1) if trades else fields.lots_or_none(Tag.LAST_QTY) or 0,
        reason=fields.reason(Tag.ORD_REJ_REASON),
        possible_resend=fields.resent(),
    )


def _codes(fields: Fields) -> None:
    """Hold the codes that are not used further to those of the standard, where they stand."""
    for tag, known in ((Tag.SIDE, SIDES), (Tag.ORD_TYPE, ORD_TYPES), (Tag.TIME_IN_FORCE, TIMES_IN_FORCE)):
        fields.allowed(tag, known)


_READERS: Final[Mapping[str, Callable[[Fields], Typed]]] = {
    "8": _execution,
    "9": _refusal,
    "D": _single,
    "F": _cancel,
    "G": _replace,
    "H": _status,
}
