"""`peak mutate`, `peak roles` and `peak cuts` on a small machine."""

import json
from pathlib import Path

import pytest
import rich_click as click
from click.testing import CliRunner

from peak_trade.cli import cuts, mutate, roles
from peak_trade.cli.mutate import reasons_for

TEXT = """\
machine: latch
version: 1
summary: A latch that is shut once.
context:
  ready: {type: bool, init: false, doc: May be shut}
states:
  up: {initial: true, doc: Open}
  shut: {doc: Shut}
events:
  arm: {origin: operator, doc: Make it ready}
  close: {origin: operator, doc: Shut it}
reasons:
  early: Not ready.
  late: Too late.
transitions:
  - {id: L1, from: up, on: arm, set: {ready: "true"}}
  - {id: L2, from: up, on: close, require: {early: ready}, to: shut}
refuse:
  - {in: shut, on: [arm, close], reason: late}
properties:
  - {id: A, always: state != shut or ready, says: Never shut before it is ready.}
  - {id: B, step: state == up, says: Nothing happens after that.}
  - {id: C, step: event != arm or next_ready and next_state == up, says: Arming makes it ready.}
  - {id: D, step: event != close or next_state == shut, says: Closing shuts it.}
"""


@pytest.fixture
def latch(tmp_path: Path) -> Path:
    """The file of the machine."""
    path = tmp_path / "latch.yaml"
    path.write_text(TEXT)
    return path


def run(command: click.Command, *arguments: str) -> tuple[int, str]:
    """What a command answers."""
    done = CliRunner().invoke(command, arguments)
    return done.exit_code, done.stdout


def test_a_machine_whose_claims_notice_everything_passes(latch: Path, tmp_path: Path) -> None:
    """Exit 0, no survivor; the evidence is written, and the same bytes again."""
    first, second = tmp_path / "one.json", tmp_path / "two.json"
    code, out = run(mutate.command, str(latch), "--write", str(first))
    run(mutate.command, str(latch), "--write", str(second))
    assert code == 0, out
    assert "survive:" not in out
    assert first.read_bytes() == second.read_bytes()
    found = json.loads(first.read_text())["machines"]["latch"]
    assert found["properties"]["A"]["cut"] == {"order": 1, "dropped": ["L2.require.early"], "exact": True, "steps": 1}
    assert found["parts"]["L2.require.early"]["role"] == "must"
    assert found["real"] == found["noticed"] > 0


def test_a_survivor_without_a_reason_is_a_violation(latch: Path) -> None:
    """With a claim less a fault survives: exit 1, and it is named."""
    latch.write_text("\n".join(line for line in TEXT.splitlines() if "id: B" not in line) + "\n")
    code, out = run(mutate.command, str(latch))
    assert code == 1
    assert "No reason is written." in out


def test_a_claim_about_nothing_is_a_violation(latch: Path) -> None:
    """A claim whose case no run reaches does not pass, however many faults are noticed."""
    latch.write_text(TEXT + "  - {id: E, always: not (ready and not ready) or state == up, says: Nothing.}\n")
    code, out = run(mutate.command, str(latch))
    assert (code, "E: never interesting" in out) == (1, True)


def test_roles_and_cuts_are_told(latch: Path) -> None:
    """The lock is what the claim rests on, and its loss is a cut that is shown."""
    code, out = run(roles.command, str(latch), "--format", "json")
    assert json.loads(out)["parts"]["L2.require.early"]["must"] == ["A"]
    assert code == 0
    code, out = run(cuts.command, str(latch), "--property", "A")
    assert code == 0
    assert "order 1: L2.require.early" in out
    assert "close()  would break A" in out
    assert run(cuts.command, str(latch), "--property", "NONE")[0] == 2


def test_reasons_are_read_by_name(tmp_path: Path) -> None:
    """Each name of a group has the group's reason; a file of another shape is a mistake of the caller."""
    path = tmp_path / "survivors.yaml"
    path.write_text(
        "latch:\n  survivors:\n    - {mutants: [a, b], because: Why.}\n  idle:\n    - {parts: [c], because: So.}\n"
    )
    found = reasons_for("latch", path)
    assert (found.survivors, found.idle) == ({"a": "Why.", "b": "Why."}, {"c": "So."})
    assert reasons_for("other", path).survivors == {}
    path.write_text("latch:\n  survivors:\n    - {names: [a]}\n")
    with pytest.raises(click.UsageError, match="expected lists"):
        reasons_for("latch", path)
