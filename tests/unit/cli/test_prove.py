"""`peak prove`, `peak explore` and `peak agree --specs`: limits, engines, cache, exit codes."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from peak_trade.cli import agree, explore, prove
from peak_trade.cli.agree import _scores
from peak_trade.proof.lockstep.contest import Clash, Contest, plain

SPEC = """\
machine: lamp
version: 1
summary: A lamp that counts.
context:
  count: {type: int, min: 0, max: 3, init: 0, doc: x}
states:
  off: {initial: true, doc: x}
  on: {doc: x}
events:
  press: {origin: operator, doc: x}
transitions:
  - {id: T1, from: off, on: press, set: {count: 3 if count > 2 else count + 1}, to: on}
  - {id: T2, from: on, on: press, to: off}
properties:
  - {id: A, always: count <= 3, says: x}
  - {id: W, witness: count == 3, says: x}
"""


@pytest.fixture
def lamp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A specification in a folder of its own, which is the working folder."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "lamp.yaml"
    path.write_text(SPEC, encoding="utf-8")
    return path


def run(*arguments: str) -> Result:
    """What `peak prove` does."""
    return CliRunner().invoke(prove.command, arguments)


def known(folder: Path) -> dict[Path, dict[str, object]]:
    """What is kept in a folder, without what Z3 spent: that depends on what else it was asked in the same call."""
    texts = {path: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.json"))}
    return {path: {key: data[key] for key in data if key != "rlimit"} for path, data in texts.items()}


def test_a_second_call_knows(lamp: Path) -> None:
    """The second call reads what the first one kept beside the working folder; `--no-cache` keeps nothing."""
    assert run(str(lamp), "--no-cache").exit_code == 0
    assert not (lamp.parent / ".peak-cache").exists()
    first = run(str(lamp))
    assert first.exit_code == 0, first.output
    kept = known(lamp.parent / ".peak-cache")
    assert len(kept) == 4
    assert run(str(lamp)).exit_code == 0
    next(iter(kept)).write_text("damage", encoding="utf-8")
    again = run(str(lamp))
    assert again.exit_code == 0
    assert "is damaged" in again.stderr
    assert known(lamp.parent / ".peak-cache") == kept


def test_limits_that_are_too_small_leave_it_open(lamp: Path) -> None:
    """Too few steps for a witness are inconclusive, exit code 3, and the next command is named."""
    found = run(str(lamp), "--no-cache", "--steps", "2", "--engine", "bmc")
    assert found.exit_code == 3, found.output
    assert "not reached within 2 steps" in found.stdout
    assert "next: " in found.stdout


@pytest.mark.parametrize(("engine", "method"), [("explore", "exploration"), ("induction", "induction")])
def test_an_engine_can_be_forced(lamp: Path, engine: str, method: str) -> None:
    """Only the engine that is asked for answers, and the result says which it was."""
    found = run(str(lamp), "--no-cache", "--engine", engine, "--only", "A", "--format", "json")
    assert found.exit_code == 0, found.output
    assert [row["why"] for row in json.loads(found.stdout)["results"]] == [method]


def test_processes_give_the_same(lamp: Path) -> None:
    """Two machines by two processes: the same verdicts in the same order."""
    other = lamp.with_name("other.yaml")
    other.write_text(SPEC.replace("lamp", "other"), encoding="utf-8")
    rows = []
    for jobs in ("1", "2"):
        found = run(str(lamp), str(other), "--no-cache", "--jobs", jobs, "--format", "json")
        assert found.exit_code == 0, found.output
        rows.append([{**row, "time_ms": 0} for row in json.loads(found.stdout)["results"]])
    assert rows[0] == rows[1]


def test_a_claim_that_nobody_makes_is_a_usage_error(lamp: Path) -> None:
    """A wrong id is refused, whatever else is right."""
    found = run(str(lamp), "--no-cache", "--only", "A", "--only", "B")
    assert found.exit_code == 2
    assert "was B" in found.stderr


def test_exploring_counts_exactly(lamp: Path) -> None:
    """The counts of a machine that can be counted by hand, and the verdicts on them."""
    found = CliRunner().invoke(explore.command, [str(lamp), "--format", "json"])
    assert found.exit_code == 0, found.output
    data = json.loads(found.stdout)
    assert (data["states"], data["transitions"], data["depth"], data["complete"]) == (7, 7, 6, True)
    assert {row["verdict"] for row in data["results"]} == {"proved"}


def test_bounds_prove_nothing(lamp: Path) -> None:
    """Cut down, the same machine is inconclusive; an unknown name or a wrong bound is a usage error."""
    call = CliRunner().invoke
    cut = call(explore.command, [str(lamp), "--bound", "count=1"])
    assert cut.exit_code == 3, cut.output
    assert "nothing is proved" in cut.stdout
    assert call(explore.command, [str(lamp), "--bound", "cuont=1"]).exit_code == 2
    assert call(explore.command, [str(lamp), "--bound", "count"]).exit_code == 2


def test_a_campaign_of_made_up_machines() -> None:
    """Few machines, one worker: every engine answers for every claim, and nothing contradicts."""
    found = CliRunner().invoke(agree.command, ["--specs", "2", "--workers", "1", "--format", "json"])
    assert found.exit_code == 0, found.output
    data = json.loads(found.stdout)
    assert data["contradiction"] is None
    assert {sum(words.values()) for words in data["engines"].values()} == {data["claims"]}
    assert CliRunner().invoke(agree.command, ["order", "--specs", "2"]).exit_code == 2


def test_a_contradiction_is_exit_code_4(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clash is shown with its machine, and is an internal error."""
    clash = Contest(7, 1, 1, 1, first=Clash(3, "induction: proved, bmc: refuted", "machine: small\n"))
    monkeypatch.setattr(agree, "contest", lambda *_: clash)
    found = CliRunner().invoke(agree.command, ["--specs", "4", "--workers", "1"])
    assert found.exit_code == 4
    assert "machine: small" in found.stderr
    assert "--specs 4 --seed 7" in found.stderr
    assert "contradict" in _scores(plain(clash))
