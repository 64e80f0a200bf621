"""`peak diff` as a person calls it: files, names and revisions; text, JSON and picture; exit codes."""

import json
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from peak_trade.cli.app import command

SPEC = Path(__file__).parents[3] / "spec" / "session.yaml"
LOCK = "      flag_off: live_flag\n"
LAMP = """\
machine: lamp
version: 1
summary: A lamp that wears out.
context:
  count: {type: int, min: 0, init: 0, doc: How often it was lit}
states:
  whole: {initial: true, doc: It can be lit}
events:
  light: {origin: operator, doc: Somebody lights it}
reasons:
  worn: It is worn out.
transitions:
  - {id: L1, from: whole, on: light, when: count < 3, set: {count: count + 1}}
refuse:
  - {in: whole, on: light, when: count >= 3, reason: worn}
properties:
  - {id: LAMP-1, always: count <= 3, says: Three times at most., answers: [C9]}
"""


def peak(*arguments: object) -> Result:
    """Run `peak diff` in this process."""
    return CliRunner().invoke(command, ["diff", *map(str, arguments)], prog_name="peak")


@pytest.fixture
def loose(tmp_path: Path) -> Path:
    """The session without the flag's lock on the live gate."""
    head, gate = SPEC.read_text().split("- id: S22\n", 1)
    assert LOCK in gate
    path = tmp_path / "loose.yaml"
    path.write_text(f"{head}- id: S22\n{gate.replace(LOCK, '', 1)}")
    return path


def test_the_same_twice_is_exit_zero() -> None:
    """Of a machine and itself nothing differs."""
    result = peak("session", SPEC)
    assert (result.exit_code, result.stdout) == (0, "session: nothing differs\n")


def test_a_loosened_clause_is_exit_one_with_its_claim(loose: Path) -> None:
    """The transition, the word, an example and the clause are told; the other way round nothing is loosened."""
    result = peak("session", loose, "--no-proofs")
    assert result.exit_code == 1
    assert "± S22  looser  (lock flag_off is gone)" in result.stdout
    assert "✗ transition S22 loosens C0.1, H-unintended-live" in result.stdout
    assert "not kept by the step itself: SES-1" in result.stdout
    assert result.stderr.startswith("next: peak prove")
    back = peak(loose, "session", "--no-proofs")
    assert back.exit_code == 0
    assert "± S22  stricter  (lock flag_off is new)" in back.stdout
    assert back.stdout.endswith("nothing is loosened\n")


def test_a_renamed_transition_is_exit_zero(tmp_path: Path) -> None:
    """Another id is told as such and loosens nothing."""
    path = tmp_path / "renamed.yaml"
    path.write_text(SPEC.read_text().replace("id: S22\n", "id: S99\n"))
    result = peak("session", path)
    assert result.exit_code == 0
    assert "= S99  was S22" in result.stdout


def test_the_proofs_of_both_are_compared(tmp_path: Path) -> None:
    """A claim that was proved and is refuted is named; without the proofs only the step is."""
    old, new = tmp_path / "old.yaml", tmp_path / "new.yaml"
    old.write_text(LAMP)
    new.write_text(LAMP.replace("when: count < 3", "when: count < 4").replace("when: count >= 3", "when: count >= 4"))
    told = json.loads(peak(old, new, "--format", "json").stdout)
    assert [(item["kind"], item["name"], item["clauses"]) for item in told["loosened"]] == [
        ("transition", "L1", ["C9"]),
        ("proof", "LAMP-1", ["C9"]),
    ]
    bare = json.loads(peak(old, new, "--format", "json", "--no-proofs").stdout)
    assert {item["kind"] for item in bare["loosened"]} == {"transition"}


def test_json_says_the_same(loose: Path) -> None:
    """One document with the exit code, the changed transitions with examples, cells, properties and clauses."""
    told = json.loads(peak("session", loose, "--format", "json", "--no-proofs").stdout)
    assert told["exit_code"] == 1
    (shift,) = told["transitions"]
    assert (shift["old"], shift["word"], shift["effect"]) == ("S22", "looser", "same")
    assert shift["gained"]["values"]["live_flag"] is False
    assert {item["was"] for item in told["cells"]} == {"refused flag_off"}
    assert told["loosened"][0]["clauses"] == ["C0.1", "H-unintended-live"]


def test_both_are_drawn_as_one(loose: Path, tmp_path: Path) -> None:
    """`--svg` writes the picture, with the change marked."""
    out = tmp_path / "pictures" / "both.svg"
    assert peak("session", loose, "--no-proofs", "--svg", out).exit_code == 1
    assert "± S22" in out.read_text()


def test_a_revision_is_read_from_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`REF:path` is the file as it was then; an unknown revision or path is exit 2."""
    monkeypatch.chdir(tmp_path)
    author = ["-c", "user.name=t", "-c", "user.email=t@localhost"]
    (tmp_path / "s.yaml").write_bytes(SPEC.read_bytes())
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "one"]):
        subprocess.run(["git", *author, *words], check=True)
    (tmp_path / "s.yaml").write_text(SPEC.read_text().replace("id: S22\n", "id: S99\n"))
    result = peak("HEAD:s.yaml", "s.yaml", "--no-proofs")
    assert (result.exit_code, "was S22" in result.stdout) == (0, True)
    for place in ("nowhere:s.yaml", "HEAD:other.yaml", "--upload-pack=x:s.yaml", "other.yaml"):
        assert peak("--", place, "s.yaml").exit_code == 2


def test_a_specification_with_mistakes_is_exit_two(tmp_path: Path) -> None:
    """What is no machine is not compared."""
    path = tmp_path / "bad.yaml"
    path.write_text("machine: x\n")
    result = peak("session", path)
    assert result.exit_code == 2
    assert "specification without mistakes" in result.stderr
