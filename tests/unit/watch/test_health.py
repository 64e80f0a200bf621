"""Health is the worst of its checks, no evidence is never a pass, and the document has the shape it says."""

import json
from itertools import product
from pathlib import Path

import pytest

from peak_trade.journal.chain import START, Break
from peak_trade.journal.scan import Fault
from peak_trade.journal.verify import Corrupt, Intact, RolledBack, Torn, Unanchored, Verdict
from peak_trade.lang.machine import Machine
from peak_trade.watch.health import (
    NEVER_STARTED,
    ORDERLY,
    Check,
    Grade,
    Switch,
    checks,
    document,
    overall,
    path_reasons,
)
from peak_trade.watch.lexicon import Lexicon
from peak_trade.watch.seen import Seen, look

CLEAR = Switch(latched=False, why="clear")
RUNBOOK = ("orchestrator_state", "last_audit_event_ts", "reconciler_last_ok_ts", "safety_rail_trips_total")
GRADES: tuple[Grade, ...] = ("pass", "warn", "fail")
FAULT = Fault("torn", 3, 50, 7, Break("crc", "a", "b"))


def read(folder: Path, words: Lexicon) -> Seen:
    """What is read of the run in `folder`."""
    return look(folder, (words.session, words.order))


def graded(seen: Seen, words: Lexicon, switch: Switch = CLEAR) -> dict[str, Grade]:
    """The grade of each check by its name."""
    return {check.name: check.grade for check in checks(seen, words, switch)}


@pytest.mark.parametrize("grades", list(product(GRADES, repeat=3)))
def test_health_is_the_worst_of_its_checks(grades: tuple[Grade, ...]) -> None:
    """One failure fails the whole, one warning warns, and only passes pass."""
    found = tuple(Check(str(place), None, grade, "") for place, grade in enumerate(grades))
    assert overall(found) == max(grades, key=GRADES.index)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("plain", {}),
        ("killed", {"orchestrator_state": "warn"}),
        ("denied", {}),
        (
            "unstarted",
            {"orchestrator_state": "fail", "last_audit_event_ts": "warn", "reconciler_last_ok_ts": "warn"},
        ),
    ],
)
def test_each_run_is_graded(name: str, expected: dict[str, Grade], runs: dict[str, Path], words: Lexicon) -> None:
    """A run in order passes everything; a kill warns; a run that never started fails and has no evidence."""
    found = graded(read(runs[name], words), words)
    assert {check: grade for check, grade in found.items() if grade != "pass"} == expected


def test_a_run_in_trouble_fails(troubled: Path, words: Lexicon) -> None:
    """A hard trip, a difference and a halt fail; an unknown order, foreign specs and no configuration warn."""
    found = graded(read(troubled, words), words, Switch(latched=True, why="latched by Ann"))
    assert found == {
        "orchestrator_state": "fail",
        "last_audit_event_ts": "pass",
        "reconciler_last_ok_ts": "fail",
        "safety_rail_trips_total": "fail",
        "audit_journal": "pass",
        "live_guards": "warn",
        "kill_switch": "warn",
        "orders_leave": "pass",
        "orders_unknown": "warn",
        "unread_parts": "warn",
    }


def test_nothing_at_all_is_no_pass(words: Lexicon) -> None:
    """Of an empty folder no check about the run passes."""
    found = graded(Seen(), words)
    assert {name for name, grade in found.items() if grade == "pass"} == {
        "safety_rail_trips_total",
        "kill_switch",
        "orders_unknown",
        "unread_parts",
    }
    assert found["audit_journal"] == "fail"


@pytest.mark.parametrize(
    ("verdict", "ended", "grade"),
    [
        (Intact(START, 0), False, "pass"),
        (Unanchored(START), True, "warn"),
        (Torn(START, FAULT, anchored=True), False, "warn"),
        (Torn(START, FAULT, anchored=True), True, "fail"),
        (RolledBack(START, 0, START), False, "fail"),
        (Corrupt(START, Path("journal.jsonl"), FAULT), False, "fail"),
        (None, False, "fail"),
    ],
)
def test_only_an_intact_journal_passes(verdict: Verdict | None, ended: bool, grade: Grade, words: Lexicon) -> None:
    """Every verdict on the journal has its grade; a torn one may still be written while the run goes on."""
    seen = Seen(verdict=verdict)
    seen.story.ended = ended
    assert graded(seen, words)["audit_journal"] == grade


def test_a_soft_trip_warns_and_an_unknown_one_fails(words: Lexicon) -> None:
    """A tripwire that is not hard warns; one that nobody knows counts as hard."""
    for wire, grade in (("loss_beyond_limit", "warn"), ("cash_negative", "fail"), ("foreign", "fail")):
        seen = Seen()
        seen.tally.trips[wire] = 1
        assert graded(seen, words)["safety_rail_trips_total"] == grade


def test_an_open_flag_fails(runs: dict[str, Path], words: Lexicon) -> None:
    """A configuration with the flag on, or without the mock, fails whatever the run did."""
    for change in ({"enable_live_broker": True}, {"adapter": "foreign"}, {"enable_live_broker": None}):
        seen = read(runs["plain"], words)
        assert seen.snapshot is not None
        seen.snapshot = seen.snapshot.model_copy(update={"config": seen.snapshot.config | change})
        assert graded(seen, words)["live_guards"] == "fail"


def test_the_document_has_the_shape(runs: dict[str, Path], troubled: Path, words: Lexicon) -> None:
    """Status, version, and for each check a list of one with value and status; output unless it passes."""
    for folder, status in ((runs["plain"], "pass"), (troubled, "fail")):
        seen = read(folder, words)
        found = json.loads(document(seen, checks(seen, words, CLEAR)))
        assert found["status"] == status
        assert set(RUNBOOK) <= found["checks"].keys()
        for items in found["checks"].values():
            assert len(items) == 1
            assert items[0]["status"] in GRADES
            assert ("output" in items[0]) == (items[0]["status"] != "pass")
    state = json.loads(document(read(runs["plain"], words), checks(read(runs["plain"], words), words, CLEAR)))
    assert state["checks"]["orchestrator_state"][0]["observedValue"] == "STOPPED"
    assert state["checks"]["reconciler_last_ok_ts"][0]["observedValue"] == "2000-02-12T00:00:00Z"


def test_the_reasons_of_the_moves(runs: dict[str, Path], words: Lexicon) -> None:
    """Why a session is where it is: the reasons of its moves, in order."""
    reasons = {name: path_reasons(read(folder, words), words) for name, folder in runs.items()}
    assert reasons == {
        "plain": ("ended", "drained"),
        "killed": ("killed", "drained"),
        "denied": ("ended", "drained"),
        "unstarted": ("allowlist_empty",),
    }


def test_the_names_that_health_knows_are_declared(words: Lexicon) -> None:
    """The state and the reasons that the checks treat apart are those of the specification."""
    session: Machine = words.session
    assert NEVER_STARTED in {state.name for state in session.states}
    assert {*ORDERLY} - {""} <= {reason.name for reason in session.reasons}
