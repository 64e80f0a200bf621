"""An alarm has a cause in its world, and who interferes is heard: what a session may say and do of itself, and when.

A session that stops for the operator is safe, whatever stopped it; so a bug of ours that trips a wire would pass for a
fault of the venue. Hence each alarm here needs one of the faults that can cause it, and some need what never happens.

Limits: a difference that patience or a lost answer explains is not looked at; a planned fault counts as one that struck
in a session that died, as what an earlier process's venue counted is gone with it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final

from peak_trade.broker.faults import FaultKind
from peak_trade.fuzz.world import Deed, World
from peak_trade.journal.record import Record
from peak_trade.rails.differences import Code
from peak_trade.rails.tripwires import Tripwire
from peak_trade.session.recording import DIFFERENCE, ORDER, RECONCILED, SESSION, TRIP

STRANGERS: Final = frozenset({"place", "take_id"})
"""Deeds by which the venue has orders that are not the session's."""
STOPPING: Final = frozenset({"kill", "stop", "abort", "health_failed", "config_drift"})
"""Deeds after which no order leaves."""
IN_DOUBT: Final = "outcome_unknown"
"""The order machine's reason for refusing what is said of an order whose answer was lost: safe, and for a person."""
_MORE: Final = frozenset({FaultKind.OVERFILL, FaultKind.BUST, FaultKind.CORRECTION, FaultKind.LATE_FILL})
"""Faults after which more is held or owed than was ordered, or less."""
_ODD: Final = frozenset({FaultKind.OVERFILL, *STRANGERS})
CAUSES: Final[Mapping[str, frozenset[str]]] = {
    Tripwire.REPORT_REFUSED: _ODD,
    Tripwire.OVERFILLED: frozenset({FaultKind.OVERFILL}),
    Tripwire.SHORT_POSITION: _MORE,
    Tripwire.CASH_NEGATIVE: _MORE,
    Tripwire.POSITION_BEYOND_LIMIT: _MORE | {"replace", "replace_all"},
    Tripwire.FILLS_DIFFER_FROM_POSITION: frozenset(),
    Tripwire.COUNTS_DIFFER: frozenset(),
    Tripwire.VALUE_OUTSIDE_INVARIANT: frozenset(),
    Tripwire.TRACE_NOT_ALLOWED: frozenset(),
    Code.GHOST: frozenset({FaultKind.WRONG_SNAPSHOT, *STRANGERS}),
    Code.LOST_FILL: _ODD,
    Code.PHANTOM_FILL: frozenset(),
    Code.DUPLICATE_FILL: frozenset(),
    Code.PRICE: frozenset(),
}
"""What can cause an alarm, faults and deeds; nothing in any world causes those without a cause."""


def causeless(world: World, records: Iterable[Record], struck: Collection[str] | None) -> Iterator[str]:
    """Yield each alarm of a journal that nothing in its world can have caused.

    `struck` are the faults that took effect, None if that is not known.
    """
    present = {str(fault["kind"]) for fault in world.config.faults} if struck is None else set(struck)
    present |= {deed.what for deed in world.deeds}
    kept = list(records)
    doubted = {str(record.body["order"]) for record in kept if record.kind == ORDER and record.body["by"] == IN_DOUBT}
    for alarm, order in dict.fromkeys(_alarms(kept)):
        causes = CAUSES.get(alarm)
        if causes is not None and present.isdisjoint(causes) and order not in doubted:
            yield f"{order}: " * bool(order) + f"{alarm} is said, and nothing in this world causes it"


def unanswered(records: Iterable[Record], answered: Collection[int]) -> Iterator[str]:
    """Yield each comparison that counts although the venue, in this step, gave no answer to what it asks.

    The adapter of a process that goes on is in step 0 until its first step begins.
    """
    for record in records:
        if record.kind == RECONCILED and record.body["asked"] and {record.body["step"], 0}.isdisjoint(answered):
            yield f"in step {record.body['step']} a comparison counts that the venue did not answer"


def _alarms(records: Iterable[Record]) -> Iterator[tuple[str, str]]:
    for record in records:
        if record.kind == TRIP:
            yield str(record.body["wire"]), str(record.body.get("order") or "")
        elif record.kind == DIFFERENCE:
            yield str(record.body["code"]), str(record.body["subject"]).partition("/")[0]


def unheard(deeds: Iterable[Deed], records: Iterable[Record]) -> Iterator[str]:
    """Yield who interfered and was not heard: a step after its deed orders leave, or the deed is not on record."""
    due = [deed for deed in deeds if deed.what in STOPPING]
    if not due:
        return
    kept = list(records)
    heard = {str(record.body["event"]) for record in kept if record.kind == SESSION}
    last = max((int(record.body["step"] or 0) for record in kept if record.kind == ORDER), default=0)
    left = [int(record.body["step"] or 0) for record in kept if record.body.get("event") == "submit"]
    for deed in due:
        if last >= deed.step and deed.what not in heard:
            yield f"{deed.what} came before step {deed.step} and is not on record"
        if any(step >= deed.step for step in left):
            yield f"orders left after {deed.what} before step {deed.step}"
