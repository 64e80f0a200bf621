"""`peak check` and `peak explain` as a person calls them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from peak_trade.cli.app import command
from peak_trade.cli.catalogue import CODES
from peak_trade.cli.findings import FORMATS
from peak_trade.cli.spec import check_all, check_file

GOLDEN = Path(__file__).parents[2] / "golden" / "spec"
SPEC = Path(__file__).parents[3] / "spec"


def peak(*arguments: str) -> Result:
    """Return what the command prints and its exit code."""
    return CliRunner().invoke(command, arguments)


def test_the_shipped_specifications_pass() -> None:
    """Without arguments the project's own specifications are checked, one line each, exit 0."""
    result = peak("check")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    names = ["breaker.yaml", "order.yaml", "session.yaml", "system.yaml", "venue.yaml"]
    assert [Path(line.partition(":")[0]).name for line in lines] == names
    assert all(": ok · " in line and line.endswith(("cells decided", "any number")) for line in lines)
    assert "15 states · 27 events · 405 cells decided" in lines[1]


def test_a_wrong_specification_is_exit_2_with_the_next_command() -> None:
    """Mistakes are told on stdout with their places, the next command on stderr."""
    result = peak("check", str(GOLDEN / "ten_mistakes.yaml"))
    assert result.exit_code == 2
    assert result.stdout.count(": PT0") == 10
    assert "ten_mistakes.yaml: 10 mistakes" in result.stdout
    assert result.stderr == "next: peak explain PT012\n"


def test_the_solver_and_the_reader_tell_in_one_run(tmp_path: Path) -> None:
    """An overlap that only the solver sees is told together with a misspelt name elsewhere."""
    text = (GOLDEN / "sound.yaml").read_text()
    text = text.replace("next_count >= count", "next_cuont >= count").replace(
        '  - {in: "@terminal", on: press, reason: worn_out}',
        '  - {in: "@terminal", on: press, when: force > 1, reason: worn_out}\n'
        '  - {in: "@terminal", on: press, when: force < 3, reason: too_weak}',
    )
    path = tmp_path / "both.yaml"
    path.write_text(text)
    assert [item.code for item in check_file(path).found] == ["PT051", "PT032"]


@pytest.mark.parametrize("case", sorted(GOLDEN.glob("*.yaml")), ids=lambda case: case.stem)
def test_the_solver_adds_nothing_to_a_mistake_that_is_told(case: Path) -> None:
    """For each case the solver finds no follow-up of the one mistake, and no sound part that it calls wrong."""
    expected = case.with_suffix(".expect").read_text().count(f"{case.name}:")
    assert len(check_file(case).found) == expected


def test_a_folder_is_all_its_specifications(tmp_path: Path) -> None:
    """A folder stands for the YAML files in it; without one nothing was checked, which is no pass."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "sound.yaml").write_bytes((GOLDEN / "sound.yaml").read_bytes())
    (tmp_path / "notes.txt").write_text("no specification")
    assert check_all([tmp_path]) == 0
    (tmp_path / "inner" / "sound.yaml").unlink()
    result = peak("check", str(tmp_path))
    assert result.exit_code == 2
    assert "nothing checked is no pass" in result.stderr


@pytest.mark.parametrize("style", FORMATS)
def test_every_format_has_the_same_exit_code(style: str) -> None:
    """The format changes how it is told, not what is."""
    sound, wrong = str(GOLDEN / "sound.yaml"), str(GOLDEN / "PT032_unknown_name.yaml")
    assert peak("check", "--format", style, sound).exit_code == 0
    result = peak("check", "--format", style, sound, wrong)
    assert result.exit_code == 2
    assert "PT032" in result.stdout


def test_json_is_one_document_for_all_files() -> None:
    """The document says of each file whether it is sound."""
    data = json.loads(
        peak("check", "--format", "json", str(GOLDEN / "sound.yaml"), str(GOLDEN / "PT032_unknown_name.yaml")).stdout
    )
    assert [item["ok"] for item in data["files"]] == [True, False]
    assert data["exit_code"] == 2
    assert len(data["diagnostics"]) == 1


def test_a_file_that_is_not_there_is_a_usage_error() -> None:
    """A wrong path is exit 2 and names the path."""
    result = peak("check", "nowhere.yaml")
    assert result.exit_code == 2
    assert "nowhere.yaml" in result.stderr


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_is_explained(code: str) -> None:
    """`peak explain` prints the page of each code, in either case of letters."""
    assert peak("explain", code).stdout == peak("explain", code.lower()).stdout
    assert CODES[code].explanation in peak("explain", code).stdout


def test_explain_lists_all_codes() -> None:
    """Without a code there is one line for each."""
    assert [line.split()[0] for line in peak("explain").stdout.splitlines()] == sorted(CODES)


def test_an_unknown_code_is_exit_2_with_a_suggestion() -> None:
    """A misspelt code is told with the nearest one."""
    result = peak("explain", "PT3")
    assert result.exit_code == 2
    assert "did you mean `PT0" in result.stderr
