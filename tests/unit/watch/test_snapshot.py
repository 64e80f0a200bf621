"""What is written beside a run is the same for the same run, and is what the view says."""

import json
from pathlib import Path

import pytest

from peak_trade.evidence.page import Claim
from peak_trade.lang.pretty import fingerprint
from peak_trade.watch.health import Switch
from peak_trade.watch.lexicon import Lexicon
from peak_trade.watch.page import Verdicts
from peak_trade.watch.seen import look
from peak_trade.watch.snapshot import snapshots
from peak_trade.watch.status import View, view

NAMES = {
    "dryrun_health_snapshot.json",
    "dryrun_status_snapshot.json",
    "dryrun_metrics_snapshot.json",
    "health.json",
    "status.json",
    "metrics.prom",
    "status.html",
}


def viewed(folder: Path, words: Lexicon) -> View:
    """The view of the run in `folder`."""
    return view(look(folder, (words.session, words.order)), words, Switch(latched=False, why="clear"))


def test_the_same_run_made_twice_gives_the_same_files(runs: dict[str, Path], words: Lexicon, again: Path) -> None:
    """Two runs of the same setup in different folders give the same bytes in every file."""
    first = snapshots(viewed(runs["plain"], words), Verdicts())
    second = snapshots(viewed(again, words), Verdicts())
    assert first.keys() == NAMES
    assert first == second


def test_status_says_what_the_run_is(runs: dict[str, Path], words: Lexicon) -> None:
    """State, reasons, positions, counters and guards stand in status.json."""
    found = json.loads(snapshots(viewed(runs["killed"], words), Verdicts())["status.json"])
    assert found["schema_version"] == 1
    assert found["state"] == "STOPPED"
    assert found["why"] == ["killed", "drained"]
    assert found["open_orders"] == []
    assert found["positions_lots"] == {}
    assert found["counters"]["orders_cancel_total"] > 0
    assert {guard["name"]: guard["shut"] for guard in found["guards"]} == {
        "enable_live_broker": True,
        "broker_allowlist": True,
        "adapter": True,
        "journal": True,
        "kill_switch": True,
        "live state": True,
    }


def test_status_of_trouble(troubled: Path, words: Lexicon) -> None:
    """An open order and a difference are listed, with what is to be done about it."""
    found = json.loads(snapshots(viewed(troubled, words), Verdicts())["status.json"])
    assert found["status"] == "fail"
    assert [line["order"] for line in found["open_orders"]] == ["lost-1"]
    assert found["differences"][0]["action"] == words.actions["ghost"]
    assert found["trips"] == {"report_refused": 1}
    assert {guard["name"]: guard["shut"] for guard in found["guards"]}["enable_live_broker"] is None


@pytest.mark.parametrize(("change", "expected"), [("", "Of the very"), ("x", "Stale"), (None, "No evidence")])
def test_verdicts_have_an_age(change: str | None, expected: str, runs: dict[str, Path], words: Lexicon) -> None:
    """Verdicts are of the run's specifications, or stale, or not there; nothing else."""
    claim = Claim("session", "SES-1", "always", "The session is never live.", "proved", "induction", ())
    proved = {machine.name: fingerprint(machine) + (change or "") for machine in (words.session, words.order)}
    verdicts = Verdicts() if change is None else Verdicts([claim], proved)
    found = viewed(runs["plain"], words)
    assert verdicts.age(found.seen.story.run).startswith(expected)
    assert expected in snapshots(found, verdicts)["status.html"]
