"""What the journal may hold: the allowlist of kinds and fields, taken from the specs' payload types."""

from collections.abc import Callable
from typing import Final, Protocol, assert_never

from peak_trade.broker.messages import OrderRequest
from peak_trade.journal.record import Body, Record, Value
from peak_trade.journal.redact import Rule, Schema, Text, Truth, Whole, Words
from peak_trade.lang.machine import Field, Machine
from peak_trade.lang.sorts import BoolSort, EnumSort, IntSort
from peak_trade.lang.step import BUILT_IN, Broken, Ignored, Outcome, Refused, Taken
from peak_trade.proof.warrant.inside import declared
from peak_trade.rails.differences import Action, Code
from peak_trade.rails.limits import Rail
from peak_trade.rails.tripwires import Tripwire

RUN: Final = "run"
SESSION: Final = "session"
ORDER: Final = "order"
ACCOUNT: Final = "account"
TRIP: Final = "trip"
RECONCILED: Final = "reconciled"
DIFFERENCE: Final = "difference"
END: Final = "end"
BREAKER: Final = "breaker"
RECOVERED: Final = "recovered"
RESUMED: Final = "resumed"
ANNOTATIONS: Final = frozenset({RECOVERED, RESUMED})
"""Kinds that belong to one process and not to the run: a resumed run has them, an uninterrupted one has not."""

BREAKER_STATES: Final = frozenset({"closed", "open", "half_open"})
OUTCOMES: Final = frozenset({"taken", "ignored", "refused", "broken"})
_HEX: Final = r"[0-9a-f]{64}"
_TS: Final = r"[0-9TZ:.+-]{10,40}"
_SYMBOL: Final = r"[!-~]{1,32}"
_SUBJECT: Final = r"[!-~]{1,129}"
_PHRASE: Final = r"[a-z0-9_ ]{1,64}"


class Recorder(Protocol):
    """What a session writes to: a tape over a journal, or memory where no journal can be opened."""

    @property
    def replaying(self) -> bool:
        """True iff an earlier process's records are left."""

    def peek(self) -> Record | None:
        """Return the next of those records, or None."""

    def append(self, kind: str, body: Body) -> None:
        """Write a record of the run, or compare it with the one that is there."""

    def note(self, kind: str, body: Body) -> None:
        """Write an annotation, unless replaying."""

    def outcome(self, kind: str, perform: Callable[[], Body]) -> Body:
        """Return what `perform` gives and write it, or what is there instead of performing."""

    def commit(self) -> object:
        """Make durable what was written."""


def schema(session: Machine, order: Machine) -> Schema:
    """Return the allowlist: any field that is not in it never reaches the disk."""
    return {
        RUN: {
            "run": Text(),
            "session_spec": Text(_HEX),
            "order_spec": Text(_HEX),
            "breaker_spec": Text(_HEX),
            "config": Text(_HEX),
            "data": Text(_HEX),
            "version": Text(),
            **_wholes("seed", "steps_max"),
        },
        SESSION: {
            **_payloads(session),
            **_outcome(session),
            "step": Whole(),
            "ts": Text(_TS),
            "operator": Text(r"[A-Za-z0-9_.@ -]{1,64}"),
        },
        ORDER: {**_payloads(order), **_outcome(order), **_order()},
        ACCOUNT: {
            "ts": Text(_TS),
            **_wholes("step", "equity_ticks", "cash_ticks", "realized_ticks", "fees_ticks", "drawdown_ticks"),
            **_wholes("open_orders", "gross_lots"),
        },
        TRIP: {
            "wire": Words(frozenset(Tripwire)),
            "order": Text(),
            "clause": Words(_clauses(session) | _clauses(order)),
            **_wholes("step", "cursor"),
        },
        RECONCILED: _compared(),
        DIFFERENCE: _difference(),
        END: {"state": Words(_states(session)), **_wholes("step", "equity_ticks", "cash_ticks")},
        BREAKER: {"state": Words(BREAKER_STATES), **_wholes("step", "failures", "waited", "opened")},
        RECOVERED: _wholes("step", "records", "cut_bytes"),
        RESUMED: {**_compared(), **_difference()},
    }


def _compared() -> dict[str, Rule]:
    """Return the fields of a comparison: how much was compared, what differs, and how far behind we were."""
    return {**_wholes("step", "orders", "differences", "behind"), "asked": Truth(), "closing": Truth()}


def _difference() -> dict[str, Rule]:
    """Return the fields of a difference: figures in lots, or words; and the planned action."""
    return {
        "code": Words(frozenset(Code)),
        "subject": Text(_SUBJECT, 2 * 64 + 1),
        "action": Words(frozenset(Action)),
        "book": Text(_PHRASE),
        "venue": Text(_PHRASE),
        **_wholes("book_lots", "venue_lots"),
    }


def _order() -> dict[str, Rule]:
    """Return the fields of an order's record that are not in the order machine: request, answer and report."""
    return {
        "order": Text(),
        "symbol": Text(_SYMBOL),
        "side": Words(frozenset({"buy", "sell"})),
        "tif": Words(frozenset({"day", "gtc", "ioc"})),
        "rail": Words(frozenset(Rail)),
        "venue_order": Text(),
        "exec_id": Text(),
        "ref_id": Text(),
        **_wholes("step", "limit_ticks", "cursor", "price_ticks", "fee_ticks", "realized_ticks", "position_lots"),
        **_wholes("cum", "leaves"),
    }


def _wholes(*names: str) -> dict[str, Rule]:
    return {name: Whole() for name in names}


def _states(machine: Machine) -> frozenset[str]:
    return frozenset(state.name for state in machine.states)


def _clauses(machine: Machine) -> frozenset[str]:
    """Return the id of every clause that a value can break."""
    invariant = declared(machine)
    return frozenset({invariant.sorts_name, *(claim.name for claim in invariant.clauses)})


def _outcome(machine: Machine) -> dict[str, Rule]:
    """Return the fields that say what an event did: every name that a step of `machine` can give."""
    names = {transition.name for transition in machine.transitions} | {item.name for item in machine.properties}
    reasons = {reason.name for reason in machine.reasons} | BUILT_IN
    details = names | {item.name for item in machine.variables} | set(_payloads(machine))
    return {
        "event": Words(frozenset(event.name for event in machine.events)),
        "outcome": Words(OUTCOMES),
        "by": Words(frozenset(names | reasons)),
        "detail": Words(frozenset(details | {""})),
        "state": Words(_states(machine)),
    }


def _payloads(machine: Machine) -> dict[str, Rule]:
    return {field.name: _rule(field) for event in machine.events for field in event.payload}


def _rule(field: Field) -> Rule:
    match field.sort:
        case BoolSort():
            return Truth()
        case EnumSort(_, members):
            return Words(frozenset(members))
        case IntSort(low, high):
            whole = Whole()
            return Whole(whole.low if low is None else low, whole.high if high is None else high)
        case _:
            assert_never(field.sort)


def terms(request: OrderRequest) -> dict[str, Value]:
    """Return what the tape keeps of an order's request, besides its id and quantity."""
    return {
        "symbol": request.symbol,
        "side": request.side.value,
        "limit_ticks": request.limit_ticks,
        "tif": request.tif.value,
    }


def said(outcome: Outcome) -> tuple[str, str, str]:
    """Return who decided (transition, reason or property), what was decided, and the detail."""
    if isinstance(outcome, Taken):  # nearly every step is
        return outcome.transition, "taken", ""
    match outcome:
        case Ignored(reason):
            return reason, "ignored", ""
        case Refused(reason, detail):
            return reason, "refused", detail
        case Broken(name):
            return name, "broken", ""
        case _:
            assert_never(outcome)
