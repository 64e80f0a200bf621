"""`peak run`, `kill`, `journal` and `report` as a person calls them."""

import gzip
import importlib.resources
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from peak_trade.cli import demo, journal, report
from peak_trade.cli.run import command, kill
from peak_trade.evidence.artifacts import FIVE


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first years of two of the shipped stocks."""
    packed = importlib.resources.files("peak_trade") / "data" / "stocks.csv.gz"
    lines = gzip.decompress(packed.read_bytes()).decode().splitlines()
    kept = [line for line in lines[1:] if line.startswith(("IBM,", "MSFT,")) and line.split(",")[1] < "2001-03"]
    path = tmp_path_factory.mktemp("bars") / "two.csv"
    path.write_text("\n".join([lines[0], *kept]) + "\n")
    return path


def call(*arguments: object) -> Result:
    """Call `peak run` in this process."""
    return CliRunner().invoke(command, [str(item) for item in arguments])


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, bars: Path) -> Path:
    """A finished run over those bars, with faults."""
    out = tmp_path_factory.mktemp("runs") / "a"
    result = call("--bars", bars, "--out", out, "--seed", 7, "--faults", 200)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("STOPPED · ended")
    assert "all flat" in result.output
    return out


def test_two_runs_give_the_same_bytes(done: Path, bars: Path, tmp_path: Path) -> None:
    """The same command into another folder gives five identical artifacts."""
    assert call("--bars", bars, "--out", tmp_path / "b", "--seed", 7, "--faults", 200).exit_code == 0
    for name in FIVE:
        assert (tmp_path / "b" / name).read_bytes() == (done / name).read_bytes()


def test_another_seed_gives_another_run(done: Path, bars: Path, tmp_path: Path) -> None:
    """The bytes depend on the seed: the comparison above can fail."""
    assert call("--bars", bars, "--out", tmp_path / "b", "--seed", 8, "--faults", 200).exit_code == 0
    assert (tmp_path / "b" / "trades.csv").read_bytes() != (done / "trades.csv").read_bytes()


def test_verify_passes_and_names_the_first_difference(done: Path) -> None:
    """`--verify` runs again: PASS on what is there, the place of the first difference after a change."""
    result = call("--verify", done)
    assert (result.exit_code, result.output[:4]) == (0, "PASS")
    kept = (done / "trades.csv").read_text()
    lines = kept.splitlines()
    lines[3] = lines[3].replace(",", ";", 1)
    (done / "trades.csv").write_text("\n".join(lines) + "\n")
    result = call("--verify", done)
    (done / "trades.csv").write_text(kept)
    assert result.exit_code == 1
    assert "trades.csv:4: expected" in result.output


def test_the_result_as_json(bars: Path, tmp_path: Path) -> None:
    """`--format json` gives one document with the state, the reason and the metrics."""
    result = call("--bars", bars, "--out", tmp_path / "j", "--steps", 60, "--format", "json")
    data = json.loads(result.output)
    assert (data["state"], data["schema_version"]) == ("STOPPED", 1)
    assert data["metrics"]["steps"] == 60


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("enable_live_broker: true\n", "flag_on"),
        ("broker_allowlist: []\n", "allowlist_empty"),
        ("adapter: ib\n", "adapter_not_mock"),
    ],
)
def test_a_config_that_may_not_start_says_so(tmp_path: Path, bars: Path, text: str, reason: str) -> None:
    """Each forbidden configuration ends in PREFLIGHT_FAILED, exit 1, with its reason here and in the journal."""
    (tmp_path / "c.yaml").write_text(text)
    result = call("--bars", bars, "--out", tmp_path / "p", "--config", tmp_path / "c.yaml")
    assert result.exit_code == 1
    assert result.output.startswith(f"PREFLIGHT_FAILED · {reason}")
    shown = CliRunner().invoke(journal.command, ["show", str(tmp_path / "p"), "--kind", "session"])
    assert "PREFLIGHT_FAILED" in shown.output


def test_an_unwritable_journal_says_so(tmp_path: Path, bars: Path) -> None:
    """With something in the way of the journal the run ends in PREFLIGHT_FAILED and names it."""
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "journal").write_text("in the way")
    result = call("--bars", bars, "--out", tmp_path / "p")
    assert result.exit_code == 1
    assert result.output.startswith("PREFLIGHT_FAILED · journal_unwritable")
    assert "in the way" not in result.output
    assert "journal" in result.output.splitlines()[1]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--out", "x", "--resume", "x"),
        ("--out", "x", "--bars", "missing.csv"),
        ("--resume", "missing"),
        ("--verify", "missing"),
        ("--out", "x", "--seed", "-1"),
        ("--out", "x", "--strategy", "no.such:thing"),
    ],
)
def test_wrong_input_is_refused_with_a_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    """Wrong options end in exit 2 with a sentence and no traceback, and leave no folder behind."""
    monkeypatch.chdir(tmp_path)
    result = call(*arguments)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    assert not (tmp_path / "x" / "journal").exists()


def test_malformed_bars_are_named_row_by_row(tmp_path: Path) -> None:
    """Every malformed row is reported with its line, all at once, before anything runs."""
    bad = tmp_path / "bad.csv"
    bad.write_text("date,open,high,low,close,volume\n2020-01-01,1,2,1,x,5\n2020-01-02,1,0.5,1,1,5\n")
    result = call("--bars", bad, "--out", tmp_path / "x")
    assert result.exit_code == 2
    assert "bad.csv:2" in result.output
    assert "bad.csv:3" in result.output


def test_the_kill_command_latches(done: Path) -> None:
    """`peak kill` latches the switch of a run in an operator's name."""
    result = CliRunner().invoke(kill, [str(done), "--by", "ada"])
    assert result.exit_code == 0
    assert json.loads((done / "kill_switch.json").read_text()) == {"by": "ada", "latched": True}


def test_a_journal_is_verified_and_shown(done: Path) -> None:
    """`peak journal verify` passes on an intact journal and fails on one with a changed byte."""
    runner = CliRunner()
    good = runner.invoke(journal.command, ["verify", str(done)])
    assert (good.exit_code, good.output.split()[0]) == (0, "intact")
    path = done / "journal" / "journal.jsonl"
    kept = path.read_bytes()
    path.write_bytes(kept.replace(b'"step":30', b'"step":31', 1))
    bad = runner.invoke(journal.command, ["verify", str(done), "--format", "json"])
    path.write_bytes(kept)
    assert bad.exit_code == 1
    assert json.loads(bad.output)["verdict"] == "corrupt"
    shown = runner.invoke(journal.command, ["show", str(done), "--last", "2"])
    assert shown.output.splitlines()[-1].split()[1:3] == [shown.output.splitlines()[-1].split()[1], "end"]


def test_the_report_is_one_page_without_requests(done: Path) -> None:
    """The page says what is proved first, has no script and no address, and shows every order's path."""
    result = CliRunner().invoke(report.command, [str(done)])
    assert result.exit_code == 0, result.output
    text = (done / "report.html").read_text()
    body = text.split("<body>")[1]
    assert body.index("NO-LIVE: proved") < body.index("<h1")
    assert "<script" not in text
    assert "default-src 'none'" in text
    assert not any(mark in text.replace("http://www.w3.org/", "") for mark in ("http://", "https://", "url("))


def test_a_page_without_proofs_claims_nothing(done: Path) -> None:
    """Without proofs the first line says that there is no evidence."""
    assert CliRunner().invoke(report.command, [str(done), "--no-proofs"]).exit_code == 0
    assert "NO-LIVE: no evidence" in (done / "report.html").read_text()


def test_the_demo_leaves_a_stranger_s_folder_alone(tmp_path: Path) -> None:
    """`peak demo --out` of a folder that holds something other than a run is refused, and nothing is deleted."""
    (tmp_path / "thesis.txt").write_text("years of work")
    result = CliRunner().invoke(demo.command, ["--out", str(tmp_path)])
    assert result.exit_code == 2
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
