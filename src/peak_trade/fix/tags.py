"""The tags and codes of FIX 4.4 that are read here, each with its name in the standard and its word in our book.

Source: FIX 4.4, Volumes 1 and 4. `Triggered` is FIX 5.0's, and venues with 4.4 sessions send it.
Limits: codes without a counterpart in an order's life here (Calculated, Accepted for Bidding, Replaced as OrdStatus)
are not known, so a report with one is refused rather than guessed at.
"""

from collections.abc import Mapping
from enum import IntEnum, StrEnum
from typing import Final

from peak_trade.broker.messages import Status

BEGIN_STRING: Final = b"FIX.4.4"


class Tag(IntEnum):
    """The fields that are read; `label` is the standard's name."""

    BEGIN_STRING = 8
    BODY_LENGTH = 9
    CHECK_SUM = 10
    CL_ORD_ID = 11
    CUM_QTY = 14
    EXEC_ID = 17
    EXEC_REF_ID = 19
    LAST_QTY = 32
    MSG_SEQ_NUM = 34
    MSG_TYPE = 35
    ORDER_ID = 37
    ORDER_QTY = 38
    ORD_STATUS = 39
    ORD_TYPE = 40
    ORIG_CL_ORD_ID = 41
    POSS_DUP_FLAG = 43
    SENDER_COMP_ID = 49
    SENDING_TIME = 52
    SIDE = 54
    SYMBOL = 55
    TARGET_COMP_ID = 56
    TIME_IN_FORCE = 59
    POSS_RESEND = 97
    CXL_REJ_REASON = 102
    ORD_REJ_REASON = 103
    EXEC_TYPE = 150
    LEAVES_QTY = 151
    CASH_ORDER_QTY = 152
    CXL_REJ_RESPONSE_TO = 434

    @property
    def label(self) -> str:
        """The name that the standard gives the field, such as ClOrdID."""
        return "".join(word.capitalize() for word in self.name.split("_")).replace("Id", "ID")


def label_of(tag: int) -> str:
    """Return the standard's name of `tag`, or an empty text if it is not read here."""
    return Tag(tag).label if tag in _TAGS else ""


_TAGS: Final = frozenset(Tag)


class ExecType(StrEnum):
    """What an execution report tells (FIX 150)."""

    NEW = "new"
    DONE_FOR_DAY = "done for day"
    CANCELED = "canceled"
    REPLACED = "replace"
    PENDING_CANCEL = "pending cancel"
    STOPPED = "stopped"
    REJECTED = "rejected"
    SUSPENDED = "suspended"
    PENDING_NEW = "pending new"
    EXPIRED = "expired"
    RESTATED = "restated"
    PENDING_REPLACE = "pending replace"
    TRADE = "trade"
    TRADE_CORRECT = "trade correct"
    TRADE_CANCEL = "trade cancel"
    ORDER_STATUS = "order status"
    TRIGGERED = "triggered"


EXEC_TYPES: Final[Mapping[str, ExecType]] = {
    "0": ExecType.NEW,
    "3": ExecType.DONE_FOR_DAY,
    "4": ExecType.CANCELED,
    "5": ExecType.REPLACED,
    "6": ExecType.PENDING_CANCEL,
    "7": ExecType.STOPPED,
    "8": ExecType.REJECTED,
    "9": ExecType.SUSPENDED,
    "A": ExecType.PENDING_NEW,
    "C": ExecType.EXPIRED,
    "D": ExecType.RESTATED,
    "E": ExecType.PENDING_REPLACE,
    "F": ExecType.TRADE,
    "G": ExecType.TRADE_CORRECT,
    "H": ExecType.TRADE_CANCEL,
    "I": ExecType.ORDER_STATUS,
    "L": ExecType.TRIGGERED,
}

STATUSES: Final[Mapping[str, Status]] = {
    "0": Status.NEW,
    "1": Status.PARTIALLY_FILLED,
    "2": Status.FILLED,
    "3": Status.DONE_FOR_DAY,
    "4": Status.CANCELED,
    "6": Status.PENDING_CANCEL,
    "7": Status.STOPPED,
    "8": Status.REJECTED,
    "9": Status.SUSPENDED,
    "A": Status.PENDING_NEW,
    "C": Status.EXPIRED,
    "E": Status.PENDING_REPLACE,
}


class Asked(StrEnum):
    """Which request a refusal answers (FIX 434, CxlRejResponseTo)."""

    CANCEL = "cancel"
    REPLACE = "replace"


ASKED: Final[Mapping[str, Asked]] = {"1": Asked.CANCEL, "2": Asked.REPLACE}
FLAGS: Final[Mapping[str, bool]] = {"Y": True, "N": False}
SIDES: Final = frozenset("123456789ABCDEFG")
ORD_TYPES: Final = frozenset("123456789ABCDEFGHIJKLMP")
TIMES_IN_FORCE: Final = frozenset("01234567")
SESSION_TYPES: Final = frozenset("012345A")
"""Heartbeat, test, resend, reject, sequence reset, logout, logon: of the session, not of an order."""

UNKNOWN_ORDER_CXL: Final = "1"
"""CxlRejReason (102): unknown order."""

UNKNOWN_ORDER: Final = "5"
"""OrdRejReason (103): unknown order."""

NO_ORDER: Final = "NONE"
"""OrderID (37) where the venue has no order."""
