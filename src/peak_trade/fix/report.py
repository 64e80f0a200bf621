"""A message becomes a typed value iff each field that it must have is there, once, and within its range.

Requests are ours (35=D, F, G, H), reports the venue's (35=8, 35=9); session messages pass without a look inside. What
an order's life rests on is read: ids, statuses, quantities. Quantities are whole lots, 0 to QTY_LOTS_MAX.

Raises:
    Malformed: names the place, the field, what was expected and what was found.
Limits: prices, accounts, instruments and times are not read; nor are fields of which FIX 4.4 allows several.
"""

import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from peak_trade.broker.messages import ID_CHARS_MAX, QTY_LOTS_MAX, Status
from peak_trade.fix.malformed import Fault, Malformed, Place, shown
from peak_trade.fix.reader import Message
from peak_trade.fix.tags import (
    ASKED,
    EXEC_TYPES,
    FLAGS,
    ORD_TYPES,
    SESSION_TYPES,
    SIDES,
    STATUSES,
    TIMES_IN_FORCE,
    Asked,
    ExecType,
    Tag,
)

_T = TypeVar("_T")
_QTY: Final = re.compile(rb"([0-9]{1,15})(?:\.0{0,9})?")
_MONEY: Final = re.compile(rb"[0-9]{1,15}(?:\.[0-9]{0,9})?")
_ID: Final = re.compile(rb"[!-~]{1,%d}" % ID_CHARS_MAX)
_REASON: Final = re.compile(rb"[0-9]{1,4}")


@dataclass(frozen=True, slots=True)
class NewOrderSingle:
    """We sent an order (35=D); `order_lots` is None iff it was sent with a sum of money."""

    place: Place
    cl_ord_id: str
    order_lots: int | None
    possible_resend: bool


@dataclass(frozen=True, slots=True)
class OrderCancelRequest:
    """We asked to cancel the rest (35=F); `cl_ord_id` names the request, `orig_id` the order."""

    place: Place
    cl_ord_id: str
    orig_id: str
    possible_resend: bool


@dataclass(frozen=True, slots=True)
class OrderReplaceRequest:
    """We asked to replace the order (35=G); `order_lots` is the new OrderQty, fills included."""

    place: Place
    cl_ord_id: str
    orig_id: str
    order_lots: int
    possible_resend: bool


@dataclass(frozen=True, slots=True)
class OrderStatusRequest:
    """We asked what the venue knows of an order (35=H)."""

    place: Place
    cl_ord_id: str


@dataclass(frozen=True, slots=True)
class ExecutionReport:
    """What the venue says of an order (35=8). An empty id is one that the message has not; `order_lots` may lack."""

    place: Place
    cl_ord_id: str
    orig_id: str
    order_id: str
    exec_id: str
    ref_id: str
    exec_type: ExecType
    status: Status
    order_lots: int | None
    cum_lots: int
    leaves_lots: int
    last_lots: int
    reason: str
    possible_resend: bool


@dataclass(frozen=True, slots=True)
class OrderCancelReject:
    """The venue refused a request to cancel or replace (35=9); `status` is what the order is all the same."""

    place: Place
    cl_ord_id: str
    orig_id: str
    order_id: str
    status: Status
    asked: Asked
    reason: str
    possible_resend: bool


@dataclass(frozen=True, slots=True)
class SessionMessage:
    """A message of the session, not of an order; `kind` is its MsgType."""

    place: Place
    kind: str


Request: TypeAlias = NewOrderSingle | OrderCancelRequest | OrderReplaceRequest | OrderStatusRequest
Typed: TypeAlias = Request | ExecutionReport | OrderCancelReject | SessionMessage

KINDS: Final[Mapping[type[Typed], str]] = {
    NewOrderSingle: "D",
    OrderCancelRequest: "F",
    OrderReplaceRequest: "G",
    OrderStatusRequest: "H",
    ExecutionReport: "8",
    OrderCancelReject: "9",
}
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


class Fields:
    """The fields of one message, read by tag; each reading raises Malformed iff the field is not what it must be."""

    __slots__ = ("_values", "message")

    def __init__(self, message: Message) -> None:
        self.message = message
        self._values = message.first()

    def wrong(self, tag: Tag, expected: str, was: str) -> Malformed:
        """Return the exception that says what is wrong with the field `tag`."""
        remedy = "correct the sender or the capture; nothing of the message was applied"
        return Malformed(Fault(self.message.place, tag, expected, was, remedy))

    def once(self) -> None:
        """Raise Malformed iff a field that is read here stands in the message twice."""
        if len(self._values) != len(self.message.fields):
            tags = [tag for tag, _ in self.message.fields]
            twice = next((tag for tag in Tag if tags.count(tag) > 1), None)
            if twice is not None:
                raise self.wrong(twice, "it once", f"{tags.count(twice)} times")

    def code(self, tag: Tag, known: Mapping[str, _T]) -> _T:
        """Return what the code in `tag` means."""
        value = self._values.get(tag)
        try:
            return known[value.decode("latin-1")]  # type: ignore[union-attr]  # a missing field is told below
        except (KeyError, AttributeError):
            raise self._unknown(tag, known, value) from None

    def allowed(self, tag: Tag, known: AbstractSet[str]) -> None:
        """Raise Malformed iff `tag` is there with a code that is not in `known`."""
        value = self._values.get(tag)
        if value is not None and value.decode("latin-1") not in known:
            raise self._unknown(tag, known, value)

    def flag(self, tag: Tag) -> bool:
        """Return whether `tag` says Y."""
        return tag in self._values and self.code(tag, FLAGS)

    def word(self, tag: Tag) -> str:
        """Return the id in `tag`."""
        value = self._values.get(tag)
        if value is None or _ID.fullmatch(value) is None:
            raise self.wrong(tag, f"1 to {ID_CHARS_MAX} printable ASCII characters, no spaces", _found(value))
        return value.decode("ascii")

    def word_or_none(self, tag: Tag) -> str:
        """Return the id in `tag`, or an empty text if the message has none."""
        return self.word(tag) if tag in self._values else ""

    def reason(self, tag: Tag) -> str:
        """Return the number in `tag` as it is written, or an empty text if the message has none."""
        value = self._values.get(tag, b"0")
        if _REASON.fullmatch(value) is None:
            raise self.wrong(tag, "a number of a reason", _found(value))
        return value.decode("ascii") if tag in self._values else ""

    def lots(self, tag: Tag, least: int = 0) -> int:
        """Return the whole lots in `tag`, `least` to QTY_LOTS_MAX."""
        value = self._values.get(tag)
        found = None if value is None else _QTY.fullmatch(value)
        lots = -1 if found is None else int(found[1])
        if not least <= lots <= QTY_LOTS_MAX:
            raise self.wrong(tag, f"whole lots, {least} to {QTY_LOTS_MAX}", _found(value))
        return lots

    def lots_or_none(self, tag: Tag, least: int = 0) -> int | None:
        """Return the whole lots in `tag`, or None if the message has none."""
        return self.lots(tag, least) if tag in self._values else None

    def money(self, tag: Tag) -> bool:
        """Return whether `tag` has a sum of money."""
        value = self._values.get(tag)
        if value is not None and _MONEY.fullmatch(value) is None:
            raise self.wrong(tag, "a sum of money, such as 10000.50", _found(value))
        return value is not None

    def resent(self) -> bool:
        """Return whether the message may be one that was sent before (43 or 97 is Y)."""
        return self.flag(Tag.POSS_DUP_FLAG) | self.flag(Tag.POSS_RESEND)

    def _unknown(self, tag: Tag, known: Mapping[str, _T] | AbstractSet[str], value: bytes | None) -> Malformed:
        return self.wrong(tag, f"one of {' '.join(sorted(known))}", _found(value))


def _found(value: bytes | None) -> str:
    return "missing" if value is None else shown(value)


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
