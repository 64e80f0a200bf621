"""How a book and a venue can differ: the codes, what each means, how it is seen, and what is to be done about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Code(StrEnum):
    """The kind of a difference."""

    MISSING = "missing"
    GHOST = "ghost"
    STATUS = "status"
    QTY = "qty"
    CUM = "cum"
    LEAVES = "leaves"
    PRICE = "price"
    DUPLICATE_FILL = "duplicate_fill"
    LOST_FILL = "lost_fill"
    PHANTOM_FILL = "phantom_fill"
    UNKNOWN_OUTCOME = "unknown_outcome"
    STUCK_PENDING = "stuck_pending"
    POSITION = "position"
    CANCEL_RACE = "cancel_race"
    CURSOR_AHEAD = "cursor_ahead"
    LAGGING = "lagging"


class Action(StrEnum):
    """What is to be done about a difference. None of them changes the book: only the venue's reports do."""

    READ_ON = "read_on"
    QUERY = "query"
    CANCEL_AGAIN = "cancel_again"
    ASK_OPERATOR = "ask_operator"
    STOP_FOR_OPERATOR = "stop_for_operator"


class Severity(StrEnum):
    """Whether a difference is to be expected (info), may heal by its action (soft), or stops the session (hard)."""

    INFO = "info"
    SOFT = "soft"
    HARD = "hard"


WORDS: Final[Mapping[Action, str]] = {
    Action.READ_ON: "read the reports from the cursor on; if it stays, the operator",
    Action.QUERY: "ask the venue by the order's id; if it stays, the operator",
    Action.CANCEL_AGAIN: "ask for the cancel again under the same id; if it stays, the operator",
    Action.ASK_OPERATOR: "patience is over: stop and ask the operator",
    Action.STOP_FOR_OPERATOR: "stop for the operator; no fill is ever invented to make it agree",
}
assert WORDS.keys() == set(Action)

OPERATOR: Final = frozenset({Action.ASK_OPERATOR, Action.STOP_FOR_OPERATOR})
"""Actions that only a person can take."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One code: what it means, how it is detected, what is planned for it, how grave it is, and whence it is known."""

    meaning: str
    detection: str
    action: Action
    severity: Severity
    source: str


_STOP: Final = Action.STOP_FOR_OPERATOR
_HARD: Final = Severity.HARD
_SOFT: Final = Severity.SOFT
_INFO: Final = Severity.INFO

RULES: Final[Mapping[Code, Rule]] = {
    Code.MISSING: Rule(
        "We work an order that the venue does not show.",
        "acknowledged and open here, not among the venue's orders; absence from a list is no evidence, an answer is",
        Action.QUERY,
        _SOFT,
        "nautilus_trader #4730, #4479; hummingbot #2480",
    ),
    Code.GHOST: Rule(
        "The venue has an order, or an execution, that is not ours.",
        "an id of an order or a report that we never sent",
        _STOP,
        _HARD,
        "Lean.Brokerages.InteractiveBrokers #189; hummingbot #493",
    ),
    Code.STATUS: Rule(
        "An order is open on one side and closed on the other, closed in two ways, or told in contradiction to itself.",
        "OrdStatus against our state, and OrdStatus against OrderQty, CumQty and LeavesQty of the same message",
        _STOP,
        _HARD,
        "nautilus_trader #4787; FIX 4.4 tag 39",
    ),
    Code.QTY: Rule(
        "OrderQty differs.",
        "the venue's OrderQty at our cursor against ours",
        _STOP,
        _HARD,
        "nautilus_trader #4564; FIX 4.4 tag 38",
    ),
    Code.CUM: Rule(
        "CumQty differs, and no single execution explains it.",
        "the venue's CumQty at our cursor against ours, less what lost, phantom and doubled fills explain",
        _STOP,
        _HARD,
        "Lean #3709, #5472; FIX 4.4 tag 14",
    ),
    Code.LEAVES: Rule(
        "LeavesQty differs, although OrderQty and CumQty agree.",
        "the venue's LeavesQty at our cursor against ours",
        _STOP,
        _HARD,
        "Lean.Brokerages.TradeStation #84; FIX 4.4 tag 151",
    ),
    Code.PRICE: Rule(
        "The limit of an order, or the price or fee of an execution, differs.",
        "the limit told against ours; LastPx and fee of each execution by its id",
        _STOP,
        _HARD,
        "FIX 4.4 tags 44 and 31; nautilus_trader #4564",
    ),
    Code.DUPLICATE_FILL: Rule(
        "One execution was counted more than once.",
        "the same execution id of the same order is in the book twice",
        _STOP,
        _HARD,
        "Lean.Brokerages.Alpaca #61; QuantDinger #231; nautilus_trader #3493",
    ),
    Code.LOST_FILL: Rule(
        "The venue executed what is not in our book, although we read beyond it.",
        "an execution up to our cursor whose id the book has not",
        _STOP,
        _HARD,
        "Lean.Brokerages.InteractiveBrokers #249; nautilus_trader #3869",
    ),
    Code.PHANTOM_FILL: Rule(
        "Our book has an execution that the venue has not, or has taken back.",
        "an execution id in the book that is not among the venue's, busts and corrections applied",
        _STOP,
        _HARD,
        "nautilus_trader #3476, #3493; FIX 4.4 ExecType Trade Cancel",
    ),
    Code.UNKNOWN_OUTCOME: Rule(
        "Nobody knows yet whether the venue has the order.",
        "our order is in its unknown state",
        Action.QUERY,
        _SOFT,
        "nautilus_trader #4160; ccxt #1880; catalyst #317",
    ),
    Code.STUCK_PENDING: Rule(
        "A request has had no answer for longer than patience.",
        "a new order, cancel or replace unanswered, and the order has not moved for `patience_steps`",
        Action.QUERY,
        _SOFT,
        "Alpaca-API #199; Lean.Brokerages.TradeStation #91; nautilus_trader #4152",
    ),
    Code.POSITION: Rule(
        "A position is not the sum of its fills, or not the venue's.",
        "our position against the CumQty of our orders; the venue's, where it tells one, against its own executions",
        _STOP,
        _HARD,
        "nautilus_trader #3476, #4160; Lean #5839",
    ),
    Code.CANCEL_RACE: Rule(
        "The venue filled an order while our cancel was on its way.",
        "a cancel is unanswered, and the venue tells a fill that we have not read",
        Action.READ_ON,
        _INFO,
        "FIX 4.4 matrix B.1.b; hftbacktest #239",
    ),
    Code.CURSOR_AHEAD: Rule(
        "We read reports that the venue does not have: it was restored, or it is another venue.",
        "our cursor is beyond the venue's head",
        _STOP,
        _HARD,
        "QuantDinger #231",
    ),
    Code.LAGGING: Rule(
        "The venue has reports that we have not read yet; they explain what differs.",
        "the venue's head is beyond our cursor",
        Action.READ_ON,
        _INFO,
        "nautilus_trader #3770, #4974",
    ),
}
"""What is known of each code; the sources are public issues of trading systems, and the standard."""
assert RULES.keys() == set(Code)

ACTIONS: Final[Mapping[Code, str]] = {code: WORDS[rule.action] for code, rule in RULES.items()}
"""What is first to be done about each code, in words."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: its code, what it is about, both sides' figure or word, and the planned action.

    `subject` is an order's id, `order/execution`, a symbol, or `cursor`.
    """

    code: Code
    subject: str
    book: int | str
    venue: int | str
    action: Action

    @property
    def severity(self) -> Severity:
        """How grave it is: hard iff only the operator can act, else what its code says, or soft."""
        if self.action in OPERATOR:
            return Severity.HARD
        severity = RULES[self.code].severity
        return Severity.SOFT if severity is Severity.HARD else severity
