"""The timeline leaves out routine and nothing else."""

from collections.abc import Callable
from pathlib import Path

from peak_trade.evidence.compare import valid
from peak_trade.evidence.story import QUIET
from peak_trade.evidence.timeline import ROWS_MAX, Row, detection, shortened, timeline
from peak_trade.journal.record import Body, Record


def rows_of(run: Path) -> list[Row]:
    """The timeline of a run's journal."""
    return timeline(valid(run / "journal" / "journal.jsonl"))


def test_every_change_and_refusal_is_in_it(run: Path) -> None:
    """Each session record that changes the state or was not taken has a row; a tick that changes nothing has none."""
    shown, state = {row.seq for row in rows_of(run)}, "INIT"
    for record in valid(run / "journal" / "journal.jsonl"):
        if record.kind != "session":
            continue
        event, outcome, after = record.body["event"], record.body["outcome"], record.body["state"]
        assert (record.seq in shown) == (after != state or outcome != "taken" or event not in QUIET)
        state = after


def test_a_quiet_run_has_no_alarm(run: Path) -> None:
    """A run that went well and ended detects nothing."""
    assert detection(rows_of(run), ended=True) == []
    assert rows_of(run)[-1].what == "ended in STOPPED"


def test_the_kill_switch_and_the_missing_end_are_detected(stopped: Callable[[str, int], Path]) -> None:
    """A kill is named with its step and record; a journal without an end says that the process is gone."""
    rows = rows_of(stopped("kill", 9))
    first, last = detection(rows, ended=False)
    assert "kill switch was pulled" in first
    assert "step 8" in first
    assert "no end record" in last


def test_trips_denials_recoveries_and_differences_are_alarms() -> None:
    """Whatever a rail, a tripwire, a recovery or the reconciler finds is a detection; an accepted order is routine."""
    order = {"order": "o-1", "outcome": "taken", "by": "O01", "state": "denied", "step": 3}
    records = [
        Record(0, "order", {**order, "event": "deny", "rail": "order_lots"}),
        Record(1, "order", {**order, "event": "accept", "state": "new"}),
        Record(2, "order", {**order, "event": "fill", "outcome": "refused"}),
        Record(3, "trip", {"step": 3, "wire": "counts_differ"}),
        Record(4, "recovered", {"step": 4, "records": 4, "cut_bytes": 17}),
        Record(5, "difference", {"code": "ghost_order", "subject": "o-2", "book_lots": 0, "venue_lots": 5}),
        Record(
            6, "session", {"event": "invariant_broken", "outcome": "taken", "by": "S45", "state": "STOPPING", "step": 5}
        ),
    ]
    rows = timeline(records)
    assert [row.seq for row in rows] == [0, 2, 3, 4, 5, 6]
    assert [row.seq for row in rows if row.alarm] == [0, 2, 3, 4, 5]
    assert "17 bytes cut" in rows[3].what
    assert rows[-1].what == "invariant_broken taken (S45): INIT → STOPPING"


def test_a_long_timeline_keeps_both_ends() -> None:
    """At most ROWS_MAX rows are shown, the first and the last of them, and the rest is counted."""
    rows = [Row(number, number, "", "x") for number in range(ROWS_MAX + 7)]
    kept, left_out = shortened(rows)
    assert len(kept) == ROWS_MAX
    assert left_out == 7
    assert kept[0] is rows[0]
    assert kept[-1] is rows[-1]
    assert shortened(kept) == (kept, 0)


def test_what_heals_by_itself_is_told_and_no_alarm() -> None:
    """A comparison in mid-run that agrees is routine; a planned query is no alarm, one for the operator is."""
    agreed = {"step": 2, "orders": 1, "differences": 0, "asked": True, "closing": False, "behind": 0}
    differ = {"code": "status", "subject": "o1", "book_lots": 0, "venue_lots": 0, "book": "new", "venue": "filled"}
    bust = {
        "order": "o1",
        "event": "bust",
        "outcome": "taken",
        "by": "O16",
        "ref_id": "e1",
        "position_lots": -3,
        "step": 2,
    }
    bodies: list[tuple[str, Body]] = [
        ("reconciled", agreed),
        ("difference", differ | {"action": "query"}),
        ("difference", differ | {"action": "stop_for_operator"}),
        ("order", bust),
        ("breaker", {"step": 2, "state": "open", "failures": 4, "waited": 0, "opened": 1}),
        ("reconciled", agreed | {"closing": True}),
    ]
    rows = timeline(Record(seq, kind, body) for seq, (kind, body) in enumerate(bodies))
    assert [row.what for row in rows] == [
        "status o1: book new, venue filled; planned: query",
        "status o1: book new, venue filled",
        "order o1: bust of e1, position -3 lots",
        "the circuit breaker is open after 4 failures",
        "book and venue compared, 1 orders: 0 differences",
    ]
    assert [row.what for row in rows if row.alarm] == ["status o1: book new, venue filled"]
