"""`peak prove --out` and `peak replay FILE`: a trace as a folder, replayed, and kept as a test."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from peak_trade.cli.prove import command as prove
from peak_trade.cli.replay import command as replay

MODELS = Path(__file__).resolve().parents[3] / "docs" / "models"
SPEC = str(MODELS / "knight.yaml")
FILES = {"trace.itf.json", "steps.txt", "sequence.svg", "sequence.mmd", "path.svg", "README.txt"}


def call(*arguments: str) -> Result:
    """What `peak replay` makes of these arguments."""
    return CliRunner().invoke(replay, arguments)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the counterexample of Knight Capital's flag."""
    out = tmp_path_factory.mktemp("proof")
    done = CliRunner().invoke(prove, [SPEC, "--out", str(out)])
    assert done.exit_code == 1, done.output
    return out / "knight" / "KNI-1"


@pytest.fixture
def file(folder: Path, tmp_path: Path) -> Path:
    """A copy of its trace that a test may damage."""
    copy = tmp_path / "trace.itf.json"
    copy.write_bytes((folder / "trace.itf.json").read_bytes())
    return copy


def test_the_folder_has_what_is_promised(folder: Path) -> None:
    """Each trace has its file, its steps, its pictures, and a page that ends in the command to replay it."""
    assert {path.name for path in folder.iterdir()} == FILES
    page = (folder / "README.txt").read_text().splitlines()
    assert page[-1] == f"peak replay {folder / 'trace.itf.json'} --spec {SPEC}"
    steps = (folder / "steps.txt").read_text()
    assert "1  switch_on()  K2  → trading" in steps
    assert "it would lead to  wild := 1" in steps
    assert "×1" in (folder / "path.svg").read_text()


def test_the_same_proof_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    """Proved again, every file has the same bytes, but for the folder that the page names."""
    CliRunner().invoke(prove, [SPEC, "--out", str(tmp_path)])
    for path in folder.iterdir():
        again = (tmp_path / "knight" / "KNI-1" / path.name).read_text()
        assert again.replace(str(tmp_path), str(folder.parents[1])) == path.read_text()


def test_the_command_of_the_page_replays_the_trace(folder: Path) -> None:
    """The last line of the page, given as it stands, passes in all three engines."""
    _, _, *arguments = (folder / "README.txt").read_text().splitlines()[-1].split()
    done = call(*arguments)
    assert done.exit_code == 0, done.output
    assert [line[0] for line in done.output.splitlines()[1:]] == ["✓"] * 4
    assert "python-statemachine  2 steps as recorded" in done.output


def test_a_program_can_read_it(file: Path) -> None:
    """As JSON it has what was told, what each engine did, and the trace."""
    done = call(str(file), "--spec", SPEC, "--format", "json")
    data = json.loads(done.stdout)
    assert data["exit_code"] == done.exit_code == 0
    assert data["told"]["property"] == "KNI-1"
    assert {item["engine"]: item["agrees"] for item in data["engines"]} == {
        "lang.step": True,
        "kernel": True,
        "python-statemachine": True,
    }
    assert data["shown"] is True
    assert [step["event"] for step in data["trace"]["steps"]] == ["switch_on", "parent_order"]


def test_a_forged_trace_is_a_violation(file: Path) -> None:
    """Another value at a step: each engine says where it differs, and the command after it is named."""
    data = json.loads(file.read_text())
    data["states"][1]["updated"] = {"#bigint": "8"}
    file.write_text(json.dumps(data))
    done = call(str(file), "--spec", SPEC)
    assert done.exit_code == 1
    assert done.output.count("step 1: expected") == 3
    assert done.output.splitlines()[-1] == f"next: peak prove {SPEC} --only KNI-1"


def test_a_claim_that_is_not_shown_is_a_violation(file: Path) -> None:
    """A trace cut short replays, and shows nothing."""
    data = json.loads(file.read_text())
    data["states"] = data["states"][:2]
    file.write_text(json.dumps(data))
    done = call(str(file), "--spec", SPEC)
    assert done.exit_code == 1
    assert done.output.count("✓") == 3
    assert "✗ the trace does not show that KNI-1 is refuted" in done.output


def test_a_shipped_machine_is_found_by_its_name(tmp_path: Path) -> None:
    """The trace of a shipped machine needs no --spec."""
    CliRunner().invoke(prove, ["order", "--only", "ORD-W4", "--out", str(tmp_path)])
    file = tmp_path / "order" / "ORD-W4" / "trace.itf.json"
    assert (file.parent / "README.txt").read_text().endswith(f"\n\npeak replay {file}\n")
    done = call(str(file))
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("edit", "options", "said"),
    [
        ({}, [], "expected a shipped machine"),
        ({}, ["--spec", str(MODELS / "vending.yaml")], "expected machine knight, was vending"),
        ({"fingerprint": "0" * 64}, ["--spec", SPEC], "--any-version"),
        ({"property": "KNI-9"}, ["--spec", SPEC], "expected a claim of knight"),
        ({"verdict": "guilty"}, ["--spec", SPEC], "expected one of proved, refuted, not inductive"),
        ({"machine": "../../x"}, [], "expected a shipped machine"),
        ({"format": "x"}, ["--spec", SPEC], "expected format 'ITF'"),
    ],
)
def test_what_cannot_be_replayed_is_said(file: Path, edit: dict[str, str], options: list[str], said: str) -> None:
    """Another machine, another version, no such claim: a usage error that says what was expected, no traceback."""
    data = json.loads(file.read_text())
    data["#meta"] |= edit
    file.write_text(json.dumps(data))
    done = call(str(file), *options)
    assert done.exit_code == 2
    assert said in " ".join(done.output.replace("│", " ").split())


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    """A file that is no text is bad input."""
    file = tmp_path / "x.json"
    file.write_bytes(b"\xff\xfe")
    assert call(str(file)).exit_code == 2


def test_another_version_can_be_replayed_all_the_same(file: Path, tmp_path: Path) -> None:
    """Asked to, the trace is offered to a machine that has changed: here the lock refuses its first step."""
    text = (MODELS / "knight-gated.yaml").read_text().replace("machine: knight_gated", "machine: knight")
    mended = tmp_path / "knight.yaml"
    mended.write_text(text.replace("KNG-1", "KNI-1"))
    assert call(str(file), "--spec", str(mended)).exit_code == 2
    done = call(str(file), "--spec", str(mended), "--any-version")
    assert done.exit_code == 1
    assert "not_everywhere" in done.output


def test_a_test_is_written_and_never_over_another_file(file: Path, tmp_path: Path) -> None:
    """The test finds its specification from where it is, may be written again, and spares a file of somebody else."""
    test = tmp_path / "tests" / "test_knight.py"
    for _ in range(2):
        done = call(str(file), "--spec", SPEC, "--save-test", str(test))
        assert done.exit_code == 0, done.output
    found: dict[str, object] = {"__file__": str(test)}
    exec(compile(test.read_text(), str(test), "exec"), found)  # noqa: S102 - our own text
    assert Path(str(found["SPEC"])).resolve() == Path(SPEC)
    with pytest.raises(AssertionError, match="KNI-1 is broken after 2 steps"):
        found["test_knight_kni_1"]()  # type: ignore[operator]
    test.write_text("# mine\n")
    assert call(str(file), "--spec", SPEC, "--save-test", str(test)).exit_code == 2
    assert test.read_text() == "# mine\n"
