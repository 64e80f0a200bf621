"""`peak reconcile` as a person calls it: on finished runs and on killed ones, with the ledger and with a file."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from peak_trade.cli import job
from peak_trade.cli.app import COMMANDS
from peak_trade.cli.job import Job
from peak_trade.cli.reconcile import command
from peak_trade.evidence import artifacts
from peak_trade.evidence.collect import write
from peak_trade.evidence.policy import NOTHING
from peak_trade.market.synthetic import walk
from peak_trade.session.assembly import open_session
from peak_trade.session.config import Config, StrategyPart, VenuePart

STEPS, BARS = 40, walk(11, 5, 40, volume_lots=40_000)
CONFIG = Config(
    seed=11,
    cash_ticks=10**10,
    fault_permille=150,
    wind_down_steps=8,
    strategy=StrategyPart(params={"fast_bars": 2, "slow_bars": 5, "budget_ticks": 200_000_000}),
    venue=VenuePart(participation_permille_min=5, participation_permille_max=40),
)


def call(*arguments: object) -> Result:
    """Call `peak reconcile` in this process."""
    return CliRunner().invoke(command, [str(item) for item in arguments], env={"COLUMNS": "200"})


def made(folder: Path, steps: int) -> Path:
    """A run that took so many steps; with more than it has, a finished one."""
    asked = Job(folder, job.snapshot("builtin", STEPS, CONFIG))
    folder.mkdir(parents=True)
    write(folder, {artifacts.CONFIG: artifacts.json_text(asked.snapshot)})
    session = open_session(job.setup_of(asked, BARS), resume=False)
    session.start()
    session.run(steps)
    session.close()
    return folder


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is over."""
    return made(tmp_path_factory.mktemp("runs") / "finished", 400)


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that nobody went on with."""
    return made(tmp_path_factory.mktemp("runs") / "killed", 25)


@pytest.fixture
def snapshot(finished: Path, tmp_path: Path) -> Path:
    """What the venue of the finished run told."""
    path = tmp_path / "told.json"
    assert call(finished, "--write-snapshot", path).exit_code == 0
    return path


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, by path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def changed(path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The snapshot at `path` with something in it changed."""
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data, indent=1))
    return path


def test_a_finished_run_agrees_with_its_ledger(finished: Path) -> None:
    """Orders and executions are compared both ways, nothing differs, and nothing is written into the run."""
    before = contents(finished)
    result = call(finished)
    assert result.exit_code == 0, result.output
    found = re.fullmatch(r"agree: (\d+) orders and (\d+) executions compared\n", result.output)
    assert found is not None
    assert int(found[1]) > 30
    assert int(found[2]) > 30
    assert contents(finished) == before


def test_a_killed_run_is_compared_as_far_as_it_came(killed: Path) -> None:
    """What a run that is not over has still to read is no difference; its folder stays as it is."""
    before = contents(killed)
    result = call(killed, "--format", "json")
    data = json.loads(result.stdout)
    assert result.exit_code == 0, result.output
    assert (data["verdict"], data["ended"]) == ("agree", False)
    assert data["head_cursor"] >= data["cursor"] > 0
    assert contents(killed) == before


def test_a_journal_whose_last_write_was_torn_is_read_to_there(killed: Path, tmp_path: Path) -> None:
    """Half a record at the end is what a kill leaves; it is left out."""
    run = Path(shutil.copytree(killed, tmp_path / "run"))
    path = run / "journal" / "journal.jsonl"
    with path.open("ab") as file:
        file.write(path.read_bytes().splitlines()[-1][:40])
    assert call(run).exit_code == 0


def test_a_snapshot_that_was_written_is_read_again(finished: Path, snapshot: Path) -> None:
    """The file made from the ledger says the same as the ledger."""
    assert call(finished, "--snapshot", snapshot).output == call(finished).output
    with_ledger, with_file = (
        json.loads(call(finished, "--format", "json", *more).stdout) for more in ((), ("--snapshot", snapshot))
    )
    assert with_file == with_ledger


def _lose(data: dict[str, Any]) -> None:
    """Let the venue forget its last execution."""
    order = data["orders"][0]["client_order_id"]
    data["orders"] = [item for item in data["orders"] if item["client_order_id"] != order]
    kept = [item for item in data["reports"] if item["client_order_id"] != order]
    data["reports"] = [{**item, "cursor": number} for number, item in enumerate(kept, 1)]
    data["head_cursor"] = len(kept)


def _stray(data: dict[str, Any]) -> None:
    data["orders"].append({**data["orders"][0], "client_order_id": "stray", "cum_lots": 0, "status": "canceled"})


def _dearer(data: dict[str, Any]) -> None:
    next(item for item in data["reports"] if item["kind"] == "trade")["last_ticks"] += 1


def _held(data: dict[str, Any]) -> None:
    data["positions_lots"]["GOLD"] = 3


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], None], set[str]]] = {
    "a stranger": (_stray, {"ghost"}),
    "another price": (_dearer, {"price"}),
    "a position": (_held, {"position"}),
    "a lost order": (_lose, {"cursor_ahead"}),
}


@pytest.mark.parametrize("case", list(CHANGES))
def test_what_differs_is_named(finished: Path, snapshot: Path, case: str) -> None:
    """A venue that tells something else differs: by code, in the table, in JSON and on the page; exit 1."""
    change, expected = CHANGES[case]
    page = snapshot.with_suffix(".html")
    result = call(finished, "--snapshot", changed(snapshot, change), "--out", page)
    assert result.exit_code == 1, result.output
    data = json.loads(call(finished, "--snapshot", snapshot, "--format", "json").stdout)
    codes = {item["code"] for item in data["differences"]}
    assert expected <= codes
    assert {item["severity"] for item in data["differences"]} >= {"hard"}
    assert all(code in result.stdout and code in page.read_text() for code in codes)
    assert f"differ: book and venue differ in {len(data['differences'])} places" in result.stdout
    assert "next: peak journal show" in result.stdout


def test_the_page_is_self_contained(finished: Path, tmp_path: Path) -> None:
    """It makes no request, and says what was compared."""
    page = tmp_path / "page.html"
    assert call(finished, "--out", page).exit_code == 0
    text = page.read_text()
    assert NOTHING in text
    assert "✓ Agree" in text
    assert not re.search(r"(?:src|href)=", text)


def test_another_runs_snapshot_is_refused(finished: Path, snapshot: Path) -> None:
    """Whose it is stands in it; nothing is compared and nothing written."""
    page = snapshot.with_suffix(".html")
    other = changed(snapshot, lambda data: data.update(run="r00000000"))
    result = call(finished, "--snapshot", other, "--out", page)
    assert result.exit_code == 2
    assert "of another run" in result.output
    assert not page.exists()


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (lambda data: data["reports"][0].update(client_order_id="nobody"), "$.reports[0].client_order_id"),
        (lambda data: data["orders"][1].update(cum_lots=-1), "$.orders[1].cum_lots"),
        (lambda data: data["orders"][1].update(qty_lots=2.5), "$.orders[1].qty_lots"),
        (lambda data: data.update(head_cursor=1), "$.reports[1].cursor"),
    ],
)
def test_bad_input_is_refused_with_its_place(
    finished: Path, snapshot: Path, change: Callable[[dict[str, Any]], None], place: str
) -> None:
    """Unknown ids, negative and fractional quantities and cursors from the future: file, line, path; exit 2."""
    before = contents(finished)
    result = call(finished, "--snapshot", changed(snapshot, change), "--out", snapshot.with_suffix(".html"))
    assert result.exit_code == 2
    assert re.search(rf"told\.json:\d+: {re.escape(place)}: ", result.output.replace("\n", ""))
    assert not snapshot.with_suffix(".html").exists()
    assert contents(finished) == before


def test_malformed_json_is_refused(finished: Path, tmp_path: Path) -> None:
    """A text that is no JSON has a line."""
    path = tmp_path / "told.json"
    path.write_text('{\n"run": }')
    result = call(finished, "--snapshot", path)
    assert result.exit_code == 2
    assert "told.json:2:" in result.output


def test_a_truncated_snapshot_proves_nothing(finished: Path, snapshot: Path) -> None:
    """One that says that something is missing is no agreement, even if nothing differs; exit 3."""
    result = call(finished, "--snapshot", changed(snapshot, lambda data: data.update(truncated=True)))
    assert result.exit_code == 3
    assert result.stdout.startswith("inconclusive: the snapshot says that it is truncated")


def test_no_answer_is_no_agreement(finished: Path, tmp_path: Path) -> None:
    """Without a ledger, or with a damaged one, nothing can be concluded; exit 3."""
    run = Path(shutil.copytree(finished, tmp_path / "run"))
    ledger = run / "venue.jsonl"
    lines = ledger.read_bytes().splitlines(keepends=True)
    ledger.write_bytes(b"".join([*lines[:3], *lines[4:]]))
    damaged = call(run)
    ledger.unlink()
    missing = call(run)
    assert (damaged.exit_code, missing.exit_code) == (3, 3)
    assert "the venue gave no answer" in damaged.stdout
    assert "give --snapshot FILE" in missing.stdout


def test_a_journal_that_does_not_verify_proves_nothing(finished: Path, tmp_path: Path) -> None:
    """A changed record, and a journal shorter than its checkpoint knew, are inconclusive; exit 3."""
    for name in ("changed", "shorter"):
        run = Path(shutil.copytree(finished, tmp_path / name))
        path = run / "journal" / "journal.jsonl"
        lines = path.read_bytes().splitlines(keepends=True)
        if name == "changed":
            lines[20] = lines[20].replace(b'"step":', b'"stop":')
        path.write_bytes(b"".join(lines if name == "changed" else lines[:-3]))
        result = call(run)
        assert result.exit_code == 3, result.output
        assert "the journal is" in result.stdout


def test_a_run_of_another_specification_proves_nothing(finished: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The book is counted by the order machine that made it, or not at all."""
    monkeypatch.setattr("peak_trade.cli.reconcile.fingerprint", lambda _: "0" * 64)
    result = call(finished)
    assert result.exit_code == 3
    assert "another order specification" in result.stdout


def test_nothing_is_written_into_a_run(finished: Path, tmp_path: Path) -> None:
    """A run's folder is evidence: a copy or a page in it is refused, and so is a folder without a run."""
    for option in ("--write-snapshot", "--out"):
        result = call(finished, option, finished / "journal" / "x")
        assert result.exit_code == 2
    assert call(tmp_path).exit_code == 2
    both = call(finished, "--snapshot", finished / "venue.jsonl", "--write-snapshot", tmp_path / "x")
    assert both.exit_code == 2


def test_it_is_a_command_of_peak() -> None:
    """The program knows it by its name."""
    assert COMMANDS["reconcile"][0] == "reconcile:command"
