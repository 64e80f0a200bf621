"""What a message is once it is read: immutable, in whole lots, named as in FIX 4.4.

Requests are ours (35=D, F, G, H), reports the venue's (35=8, 35=9); messages of the session are not looked into.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from peak_trade.broker.messages import Status
from peak_trade.fix.malformed import Place
from peak_trade.fix.tags import Asked, ExecType


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
