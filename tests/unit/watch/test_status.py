"""`peak status` shows any run folder once, writes what it saw if asked, and its exit code says how the run is."""

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from peak_trade.cli.app import command
from peak_trade.session.assembly import KILL_SWITCH
from peak_trade.session.killswitch import KillSwitch
from peak_trade.watch.health import Switch
from peak_trade.watch.lexicon import Lexicon
from peak_trade.watch.seen import look
from peak_trade.watch.status import document, view

CLEAR = Switch(latched=False, why="clear")

WRITTEN = {
    "dryrun_health_snapshot.json",
    "dryrun_status_snapshot.json",
    "dryrun_metrics_snapshot.json",
    "health.json",
    "status.json",
    "metrics.prom",
    "status.html",
}


def status(folder: Path, *options: str) -> Result:
    """Run the command on `folder`."""
    return CliRunner().invoke(command, ["status", str(folder), *options])


@pytest.mark.parametrize(("name", "code"), [("plain", 0), ("killed", 3), ("denied", 0), ("unstarted", 1)])
def test_the_exit_code_is_the_health(name: str, code: int, runs: dict[str, Path]) -> None:
    """0 if every check passes, 3 if one warns, 1 if one fails; the state stands in the first lines."""
    found = status(runs[name])
    assert found.exit_code == code, found.output
    state = "PREFLIGHT_FAILED" if name == "unstarted" else "STOPPED"
    assert state in "".join(found.output.splitlines()[:3])
    assert ("next: " in found.output) == (code != 0)


def test_the_terminal_shows_what_a_person_asks(troubled: Path) -> None:
    """Open orders, differences with what to do, trips, rails and the last events are on the terminal."""
    KillSwitch(troubled / KILL_SWITCH).create()
    found = status(troubled)
    assert found.exit_code == 1
    for part in ("lost-1", "stray-9", "report_refused 1", "order_quantity", "Last audit events", "another session"):
        assert part in found.output


def test_json_is_one_document_and_the_written_one(runs: dict[str, Path], tmp_path: Path) -> None:
    """With --format json standard output is exactly status.json; the rest goes to standard error."""
    folder = Path(shutil.copytree(runs["plain"], tmp_path / "run"))
    found = status(folder, "--format", "json", "--write")
    assert json.loads(found.stdout)["status"] == "pass"
    assert found.stdout == (folder / "status.json").read_text()
    assert "written: " in found.stderr


def test_write_adds_seven_files_and_changes_none(runs: dict[str, Path], tmp_path: Path) -> None:
    """--write leaves its files beside the run's, whole, and touches nothing that was there; a second time, the same."""
    folder = Path(shutil.copytree(runs["plain"], tmp_path / "run"))
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert status(folder, "--write").exit_code == 0
    after = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert {path.name for path in after.keys() - before.keys()} == WRITTEN
    assert before.items() <= after.items()
    assert status(folder, "--write").exit_code == 0
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == after


def test_without_write_nothing_is_written(runs: dict[str, Path]) -> None:
    """A look leaves no trace."""
    before = {path: path.stat().st_mtime_ns for path in runs["plain"].rglob("*")}
    status(runs["plain"])
    assert {path: path.stat().st_mtime_ns for path in runs["plain"].rglob("*")} == before


def test_an_empty_folder_is_a_clear_message(tmp_path: Path) -> None:
    """A folder without a run is a failure that says what was expected, and no traceback."""
    found = status(tmp_path)
    assert found.exit_code == 1
    assert "expected a journal" in found.output
    assert found.exception is None or isinstance(found.exception, SystemExit)


def test_a_latched_kill_switch_warns(runs: dict[str, Path], tmp_path: Path) -> None:
    """The kill switch is read from its file: latched, or missing, is a warning."""
    folder = Path(shutil.copytree(runs["plain"], tmp_path / "run"))
    KillSwitch(folder / KILL_SWITCH).latch("Ann")
    assert status(folder).exit_code == 3
    (folder / KILL_SWITCH).unlink()
    assert status(folder).exit_code == 3


def test_proofs_stand_on_the_page(runs: dict[str, Path], tmp_path: Path) -> None:
    """With --prove the page carries verdicts of the very specifications that drove the run."""
    folder = Path(shutil.copytree(runs["plain"], tmp_path / "run"))
    status(folder, "--write", "--prove")
    text = (folder / "status.html").read_text()
    assert "Of the very specifications that drove this run" in text
    assert "SES-1" in text


def test_open_is_what_has_a_rest_or_no_answer(reopened: Path, words: Lexicon) -> None:
    """A filled order that was opened again is open, one that is finished for the day is not, one unanswered is."""
    found = view(look(reopened, (words.session, words.order)), words, CLEAR)
    assert [line.order for line in found.open_lines] == ["back-1", "sent-1"]
    plain = json.loads(document(found))
    assert plain["trading"] == "reducing"
    assert plain["breaker"] == {"state": "open", "failures": 4, "opened": 1, "waited": 0}
    (item,) = plain["differences"]
    assert (item["book"], item["venue"], item["planned"]) == ("done", "new", "query")
    grades = {check.name: check.grade for check in found.checks}
    assert grades["orders_leave"] == grades["reconciler_last_ok_ts"] == "warn"
    assert [note.what for note in found.notes if note.kind in ("order", "breaker", "difference")] == [
        "back-1: bust taken by O16",
        "the circuit breaker is open, 4 failures in a row",
        "status of done-1; planned: query",
    ]


@pytest.mark.parametrize("name", ["plain", "killed", "denied", "unstarted"])
def test_as_many_orders_are_open_as_the_account_says(name: str, runs: dict[str, Path], words: Lexicon) -> None:
    """On runs of the session itself the open orders are those that the book counted."""
    found = view(look(runs[name], (words.session, words.order)), words, CLEAR)
    accounts = found.seen.story.accounts
    assert sum(line.leaves > 0 for line in found.open_lines) == (accounts[-1].open_orders if accounts else 0)
