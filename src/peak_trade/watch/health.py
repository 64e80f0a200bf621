"""A run's health in the shape of application/health+json: every check passes, warns or fails, for a reason.

The shape is that of draft-inadarei-api-health-check-06, which expired and has no successor. No evidence is a warning
and never a pass. Times are session time.

Limits: without a clock a run that hangs looks like a run that goes on; the last record's time is shown so that a reader
with a clock can tell.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from peak_trade.evidence.story import HEALING
from peak_trade.journal.verify import Intact, Torn, Unanchored
from peak_trade.watch.instant import rfc
from peak_trade.watch.lexicon import Lexicon, reason_of
from peak_trade.watch.seen import Seen, verdict_text

Grade: TypeAlias = Literal["pass", "warn", "fail"]
PASS: Final[Grade] = "pass"  # noqa: S105 - a grade, no password
WARN: Final[Grade] = "warn"
FAIL: Final[Grade] = "fail"
WORST: Final = (FAIL, WARN, PASS)
NEVER_STARTED: Final = "PREFLIGHT_FAILED"
ORDERLY: Final = frozenset({"", "ended", "operator_stop", "drained", "canceled_before_start"})
"""Reasons of a session's moves after which nobody has to look."""


@dataclass(frozen=True, slots=True)
class Switch:
    """The kill switch as the caller read it from its file."""

    latched: bool
    why: str


@dataclass(frozen=True, slots=True)
class Check:
    """One check: what was observed, what that means, and why; `ts` is the session time of what was observed."""

    name: str
    observed: str | int | bool | None
    grade: Grade
    why: str
    ts: str = ""


def checks(seen: Seen, lexicon: Lexicon, switch: Switch) -> tuple[Check, ...]:
    """Return every check of a run, in a fixed order; the overall health is the worst of them."""
    return tuple(_checks(seen, lexicon, switch))


def overall(found: tuple[Check, ...]) -> Grade:
    """Return the worst grade."""
    grades = {check.grade for check in found}
    return next(grade for grade in WORST if grade in grades or grade == PASS)


def document(seen: Seen, found: tuple[Check, ...]) -> str:
    """Return the checks as one application/health+json document."""
    shown = {}
    for check in found:
        item: dict[str, Any] = {"componentType": "system", "observedValue": check.observed, "status": check.grade}
        if rfc(check.ts):
            item["time"] = rfc(check.ts)
        if check.grade != PASS:
            item["output"] = check.why
        shown[check.name] = [item]
    health = {
        "status": overall(found),
        "version": "1",
        "releaseId": str(seen.story.run.get("version") or "unknown"),
        "serviceId": seen.run,
        "description": "health of one dry-run session, from its journal; times are session time",
        "notes": list(seen.problems),
        "checks": shown,
    }
    return json.dumps(health, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def path_reasons(seen: Seen, lexicon: Lexicon) -> tuple[str, ...]:
    """Return the reasons of the session's moves from state to state, in order; those without a reason are left out."""
    taken = [item for item in seen.story.happenings if item.outcome == "taken"]
    states = [lexicon.session.initial.name, *(item.state for item in taken)]
    moved = [item for before, item in zip(states, taken, strict=False) if before != item.state]
    return tuple(reason for item in moved if (reason := reason_of(lexicon.session, item.by)))


def _checks(seen: Seen, lexicon: Lexicon, switch: Switch) -> Iterator[Check]:
    yield _state(seen, lexicon)
    yield _audit(seen)
    yield _reconciler(seen)
    yield _trips(seen, lexicon)
    yield _journal(seen)
    yield _guards(seen)
    observed, grade = ("latched", WARN) if switch.latched else ("clear", PASS)
    yield Check("kill_switch", observed, grade, switch.why)
    yield _leaving(seen)
    doubtful = sum(line.state == "unknown" for line in seen.story.lines.values())
    why = "orders were sent and nobody knows whether the venue has them" if doubtful else "every outcome is known"
    yield Check("orders_unknown", doubtful, WARN if doubtful else PASS, why)
    count = len(seen.problems)
    yield Check(
        "unread_parts",
        count,
        WARN if count else PASS,
        f"{count} things could not be read as they should be" if count else "all was read",
    )


def _state(seen: Seen, lexicon: Lexicon) -> Check:
    state, ts = seen.tally.state, seen.tally.last_ts
    name = "orchestrator_state"
    if not seen.story.run:
        return Check(name, None, WARN, "no run is in the journal, so there is no evidence")
    if state in (*lexicon.session.tagged("operator"), *lexicon.session.tagged("live"), NEVER_STARTED):
        return Check(name, state, FAIL, "a person must look: see the timeline", ts)
    disorder = [reason for reason in path_reasons(seen, lexicon) if reason not in ORDERLY]
    if disorder:
        return Check(name, state, WARN, f"the session left its course: {', '.join(disorder)}", ts)
    return Check(name, state, PASS, "as it should be", ts)


def _leaving(seen: Seen) -> Check:
    """Warn iff something keeps orders of an active session from leaving as they would."""
    if not seen.story.run:
        return Check("orders_leave", None, WARN, "no run is in the journal, so there is no evidence")
    trading, breaker = seen.story.trading, str(seen.story.breaker.get("state", "closed"))
    shut = [f"trading is {trading}"] if trading != "active" else []
    shut += [f"the circuit breaker is {breaker}"] if breaker != "closed" else []
    why = "; ".join(shut) or "trading is active and the circuit breaker closed"
    return Check("orders_leave", f"{trading}, {breaker}", WARN if shut else PASS, why)


def _audit(seen: Seen) -> Check:
    ts = seen.tally.last_ts
    why = "the last record that carries a time" if ts else "no record carries a time"
    return Check("last_audit_event_ts", rfc(ts) or None, PASS if rfc(ts) else WARN, why, ts)


def _reconciler(seen: Seen) -> Check:
    story, tally = seen.story, seen.tally
    name, observed, ts = "reconciler_last_ok_ts", rfc(tally.last_ok_ts) or None, tally.last_ok_ts
    if not story.reconciled:
        return Check(name, observed, WARN, "book and venue have not been compared, so there is no evidence", ts)
    if not story.reconciled.get("asked"):
        return Check(name, observed, WARN, "at the last comparison the venue gave no answer: no evidence", ts)
    if story.reconciled.get("differences"):
        open_now = [item["planned"] for item in story.differences]
        heals = bool(open_now) and HEALING.issuperset(open_now)
        why = f"book and venue differ in {story.reconciled['differences']} places"
        return Check(name, observed, WARN if heals else FAIL, f"{why}; it may heal" if heals else why, ts)
    at = "" if story.reconciled.get("closing", True) else f", last at step {story.reconciled['step']:,}"
    return Check(name, observed, PASS, f"{story.reconciled['orders']:,} orders compared{at}, no difference", ts)


def _trips(seen: Seen, lexicon: Lexicon) -> Check:
    trips = seen.tally.trips
    hard = any(lexicon.wires.get(wire, True) for wire in trips)
    grade: Grade = FAIL if hard else WARN if trips else PASS
    why = ", ".join(f"{wire} {count}" for wire, count in sorted(trips.items())) or "none tripped"
    return Check("safety_rail_trips_total", sum(trips.values()), grade, why)


def _journal(seen: Seen) -> Check:
    word, why = verdict_text(seen.verdict)
    match seen.verdict:
        case Intact():
            grade: Grade = PASS
        case Unanchored():
            grade = WARN
        case Torn():
            grade = FAIL if seen.story.ended else WARN  # while a run goes on, a write in flight looks torn
        case _:
            grade = FAIL
    return Check("audit_journal", word, grade, why)


def _guards(seen: Seen) -> Check:
    if seen.snapshot is None:
        return Check("live_guards", None, WARN, "the configuration is not there, so there is no evidence")
    config = seen.snapshot.config
    shut = config.get("enable_live_broker") is False and config.get("adapter") == "mock"
    why = "the flag is off and the adapter is the mock" if shut else "the flag is on or the adapter is not the mock"
    return Check("live_guards", "closed" if shut else "open", PASS if shut else FAIL, why)
