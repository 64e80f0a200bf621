"""`peak replay --fix FILE`: what a person and a program see, and the exit codes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from strategies.fixlog import SESSION, report, single

from peak_trade.cli import capture
from peak_trade.cli.replay import command as replay

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = ROOT / "docs" / "examples" / "session.fix"


def call(*arguments: str) -> Result:
    """What `peak replay` makes of these arguments."""
    return CliRunner().invoke(replay, arguments)


def written(folder: Path, *log: bytes) -> str:
    """The file of a log of these messages."""
    file = folder / "log.fix"
    file.write_bytes(b"".join(log))
    return str(file)


CASES = {
    0: (SESSION, "✓ 7 of 7 reports agree with our book in every figure"),
    1: ((single(), report("00", (100, 0, 90), "E1")), "≠ 90"),
    2: ((*SESSION, b"8=FIX.4.4|"), "✗ 1 malformed message refused whole, the book untouched · 7 of 7 reports agree"),
    3: ((single(),), "! no execution report in the log"),
}


@pytest.mark.parametrize("code", CASES)
def test_exit_codes_and_the_verdict(code: int, tmp_path: Path) -> None:
    """All agree 0, a difference 1, malformed 2, nothing to judge 3; what fails ends with the command to run next."""
    log, said = CASES[code]
    file = written(tmp_path, *log)
    done = call("--fix", file)
    assert done.exit_code == code, done.output
    assert said in done.output
    assert ("next: peak replay --fix" in done.output) == (code > 0)
    document = json.loads(call("--fix", file, "--format", "json").output)
    assert document["exit_code"] == code
    assert len(document["rows"]) == len([item for item in log if item != b"8=FIX.4.4|"])


def test_the_sample_agrees() -> None:
    """The log in the docs is replayed with every report in agreement, one told twice, one order of somebody else's."""
    done = call("--fix", str(SAMPLE))
    assert done.exit_code == 0, done.output
    assert "✓ 12 of 12 reports agree" in done.output
    assert "possible resend" in done.output
    assert "somebody else" in done.output


def test_json_has_the_venue_s_figures_beside_ours(tmp_path: Path) -> None:
    """Each row has what is printed and what we have; each fault its place, field and reason."""
    file = written(tmp_path, single(), report("00", (100, 0, 90), "E1"), b"noise")
    document = json.loads(call("--fix", file, "--format", "json").output)
    row = document["rows"][1]
    assert row["differs"] == ["LeavesQty"]
    assert (row["printed"]["leaves_lots"], row["ours"]["leaves_lots"]) == (90, 100)
    (fault,) = document["faults"]
    assert fault["place"] == {"line": 1, "message": 3, "offset": len(single()) + row_bytes(file)}
    assert (fault["field"], fault["was"]) == ("message", "'noise'")


def row_bytes(file: str) -> int:
    """How long the second message of the file is."""
    return len(Path(file).read_bytes()) - len(single()) - len(b"noise")


def test_a_long_log_shows_what_differs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more rows than fit only those that differ are shown, and the title says of how many."""
    monkeypatch.setattr(capture, "ROWS_MAX", 3)
    shown = call("--fix", written(tmp_path, *SESSION, report("F2", (90, 90, 0), "E9", id="Y", last=1))).output
    assert "Messages that differ · 1 of 1 shown, of 11 in all" in shown
    assert "refused: overfill" in shown
    assert "submit" not in shown


def test_many_faults_are_counted(tmp_path: Path) -> None:
    """Beyond some faults the rest are counted."""
    shown = call("--fix", written(tmp_path, *[b"8=FIX.4.2|9=1|\n"] * 25)).output
    assert shown.count("expected 'FIX.4.4'") == capture.FAULTS_SHOWN_MAX
    assert "and 5 more" in shown


def test_requests_that_our_book_would_not_have_sent_are_counted(tmp_path: Path) -> None:
    """A second order under one id is shown, and is no difference."""
    done = call("--fix", written(tmp_path, *SESSION, single("X", 70)))
    assert done.exit_code == 0
    assert "1 request that our book would not have sent" in done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "expected PACK or --fix FILE"),
        ((str(SAMPLE), "--fix", str(SAMPLE)), "one of the two"),
        (("--fix", "nowhere.fix"), "does not exist"),
        (("--fix", str(SAMPLE), "--spec", "session"), "expected a specification of the order, was session"),
    ],
)
def test_wrong_usage_is_said(arguments: tuple[str, ...], said: str) -> None:
    """A log or a pack is needed, not both; the specification is the order's."""
    done = call(*arguments)
    assert done.exit_code == 2
    assert said in done.output
