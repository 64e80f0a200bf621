"""The timeline holds every record that is not daily routine: each change of state, refusal, trip, drift and recovery.

Routine is a tick, a batch or a count that was taken without a change of the session's state, an order event that was
taken, a comparison in the middle of the run that agrees, and the account of a step. That an execution is taken back or
corrected is none. Rows are in the journal's order; `ts` is session time, there is no other clock.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from peak_trade.evidence.story import HEALING, QUIET, UNDOING
from peak_trade.journal.record import Body, Record

ROWS_MAX: Final = 1_000
FIRST_ROWS: Final = 200
OUTSIDE: Final = {
    "kill": "the kill switch was pulled",
    "config_drift": "the configuration file was changed under the session",
    "health_failed": "a health check failed",
    "abort": "an operator aborted",
    "stop": "an operator stopped it",
    "cancel_session": "an operator cancelled the session",
}
"""What comes from outside and is a detection, in words."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the timeline; `alarm` iff it is something that detected the trouble."""

    seq: int
    step: int
    ts: str
    what: str
    alarm: str = ""


def timeline(records: Iterable[Record]) -> list[Row]:
    """Return the timeline of `records`, which may be any prefix of a journal."""
    rows, state, ts, step = [], "INIT", "", 0
    for record in records:
        body = record.body
        ts, step = str(body.get("ts") or ts), int(body.get("step") or step)
        what, alarm = _told(record, state)
        if record.kind == "session":
            state = str(body["state"])
        if what:
            rows.append(Row(record.seq, step, ts, what, alarm))
    return rows


def shortened(rows: list[Row]) -> tuple[list[Row], int]:
    """Return at most `ROWS_MAX` rows, the first and the last, and how many were left out between."""
    if len(rows) <= ROWS_MAX:
        return rows, 0
    return rows[:FIRST_ROWS] + rows[FIRST_ROWS - ROWS_MAX :], len(rows) - ROWS_MAX


def detection(rows: Iterable[Row], *, ended: bool) -> list[str]:
    """Return what noticed the trouble, in order: rails, tripwires, kill switch, drift, refusals, recoveries."""
    found = [
        f"step {row.step} ({row.ts or 'before the first bars'}), record {row.seq}: {row.alarm}"
        for row in rows
        if row.alarm
    ]
    if not ended:
        found.append("the journal has no end record: the process was killed, is still running, or halted on its disk")
    return found


def _told(record: Record, state: str) -> tuple[str, str]:  # noqa: PLR0911 - one answer for each kind of record
    """Return what a record is in words, empty if it is routine, and the alarm in it, if any."""
    body = record.body
    match record.kind:
        case "session":
            return _session(body, state)
        case "order":
            return _order(body)
        case "trip":
            what = f"tripwire {body['wire']} tripped{' on ' + str(body['order']) if body.get('order') else ''}"
            return what, what
        case "recovered":
            what = f"an earlier process was recovered: {body['records']} records kept, {body['cut_bytes']} bytes cut"
            return what, what
        case "reconciled":
            return _compared(body)
        case "difference":
            return _difference(body)
        case "breaker":
            return f"the circuit breaker is {body['state']} after {body['failures']} failures", ""
        case "run":
            return f"run {body['run']} by version {body['version']}, seed {body['seed']}", ""
        case "end":
            return f"ended in {body['state']}", ""
        case _:
            return "", ""


def _order(body: Body) -> tuple[str, str]:
    if body["outcome"] != "taken" or body["event"] == "deny":
        rail = f", denied by rail {body['rail']}" if body.get("rail") else ""
        what = f"order {body['order']}: {body['event']} {body['outcome']} ({body['by']}){rail}"
        return what, what if rail or body["outcome"] in ("refused", "broken") else ""
    if body["event"] in UNDOING:
        return f"order {body['order']}: {body['event']} of {body['ref_id']}, position {body['position_lots']} lots", ""
    return "", ""


def _compared(body: Body) -> tuple[str, str]:
    """Comparisons in the middle of the run that agree are routine."""
    if body["asked"] and not body["differences"] and body.get("closing") is False:
        return "", ""
    asked = f"{body['differences']} differences" if body["asked"] else "the venue gave no answer"
    return f"book and venue compared, {body['orders']} orders: {asked}", ""


def _difference(body: Body) -> tuple[str, str]:
    """An alarm unless what heals it is planned: then the next comparison says whether it did."""
    book, venue = (body.get(side) or f"{body[f'{side}_lots']} lots" for side in ("book", "venue"))
    what = f"{body['code']} {body['subject']}: book {book}, venue {venue}"
    planned = str(body.get("action") or "")
    return (f"{what}; planned: {planned}", "") if planned in HEALING else (what, what)


def _session(body: object, state: str) -> tuple[str, str]:
    assert isinstance(body, dict)
    event, outcome, after = str(body["event"]), str(body["outcome"]), str(body["state"])
    if event in QUIET and outcome == "taken" and after == state:
        return "", ""
    who = f" by operator {body['operator']}" if body.get("operator") else ""
    moved = f"{state} → {after}" if after != state else f"stays {after}"
    what = f"{event} {outcome} ({body['by']}){who}: {moved}"
    if outcome == "broken":
        return what, f"the session machine's property {body['by']} was broken by {event}"
    if event in OUTSIDE:
        return what, f"{OUTSIDE[event]} ({event}, {body['by']})"
    return what, f"preflight failed ({body['by']})" if after == "PREFLIGHT_FAILED" != state else ""
