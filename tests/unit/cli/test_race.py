"""`peak bench prove`: its shape with the smallest instance, with and without SPIN; no test looks at a clock."""

import json

import pytest
from click.testing import CliRunner

from peak_trade.cli import race


@pytest.mark.parametrize("spin", [None, "/nowhere/spin"])
def test_a_missing_spin_is_said_and_is_no_failure(monkeypatch: pytest.MonkeyPatch, spin: str | None) -> None:
    """Our own figures stand without it."""
    monkeypatch.setattr("shutil.which", lambda name: spin if name == "spin" else None)
    done = CliRunner().invoke(race.command, ["--rows", "1", "--format", "json"])
    assert done.exit_code == 0
    document = json.loads(done.stdout)
    assert (document["schema_version"], document["proved"], document["agreed"]) == (1, True, True)
    (row,) = document["rows"]
    assert (row["orders"], row["quantity"], row["states"]) == (1, 3, 297)
    assert row["spin"] == {"states": None, "compile_s": None, "run_s": None, "why": "not installed"}
    assert row["ratio"] is None


def test_the_counts_of_both_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where SPIN counts something else the command fails: one of the two is wrong."""
    monkeypatch.setattr(race, "_spin", lambda *_: race.Spin(298, 1.0, 0.5))
    done = CliRunner().invoke(race.command, ["--rows", "1"])
    assert done.exit_code == 1
    assert "298" in done.stdout


def test_what_spin_prints_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its one state before the quantities are chosen does not count."""
    said = "pan: ...\nState-vector 20 byte, depth reached 39, errors: 0\n      298 states, stored\n"
    monkeypatch.setattr("shutil.which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(race, "_run", lambda *_: said)
    done = CliRunner().invoke(race.command, ["--rows", "1", "--format", "json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["rows"][0]["spin"]["states"] == 297
