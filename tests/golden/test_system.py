"""What the reader says about wrong systems, as a person sees it.

`PEAK_GOLDEN=write pytest tests/golden/test_system.py` writes the expectations again; read the difference.
"""

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from peak_trade.cli.app import command
from peak_trade.cli.findings import text
from peak_trade.cli.specs import assembled
from peak_trade.lang.codes import CODES

FOLDER = Path(__file__).parent / "system"
CASES = sorted(path.stem for path in FOLDER.glob("*.yaml") if path.stem not in ("counter", "inner", "sound"))


@pytest.mark.parametrize("case", CASES)
def test_the_diagnostics_are_as_expected(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each case gives exactly the diagnostics that were read and approved, all of the code in its name."""
    monkeypatch.chdir(FOLDER)
    found = assembled(FOLDER / f"{case}.yaml")
    assert found.system is None
    assert {item.code for item in found.diagnostics} == {case.partition("_")[0]}
    expected, actual = FOLDER / f"{case}.expect", text(found.diagnostics) + "\n"
    if os.environ.get("PEAK_GOLDEN") == "write":
        expected.write_text(actual, encoding="utf-8")
    assert actual == expected.read_text(encoding="utf-8")


def test_every_code_of_systems_has_a_case() -> None:
    """Each code that only systems have is provoked by a case of its name."""
    assert {case.partition("_")[0] for case in CASES} >= {code for code in CODES if code.startswith("PT07")}


def test_a_sound_system_is_proved_for_any_number() -> None:
    """The system that all cases are variations of has no mistake, and what it claims holds of any number."""
    runner = CliRunner()
    checked = runner.invoke(command, ["check", str(FOLDER / "sound.yaml")])
    assert checked.exit_code == 0, checked.output
    assert "any number" in checked.output
    proved = runner.invoke(command, ["prove", str(FOLDER / "sound.yaml"), "--no-cache"])
    assert proved.exit_code == 0, proved.output
    assert "6 of 6 proved" in proved.output


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_system_is_wrong_input(case: str) -> None:
    """Checking it and proving it both exit with 2 and say what to run next; neither shows a traceback."""
    for words in (["check"], ["prove", "--no-cache"]):
        outcome = CliRunner().invoke(command, [*words, str(FOLDER / f"{case}.yaml")])
        assert outcome.exit_code == 2, outcome.output
        assert "Traceback" not in outcome.output


def test_a_system_is_no_machine() -> None:
    """What asks for a machine says so, and how to have two side by side."""
    outcome = CliRunner().invoke(command, ["explore", str(FOLDER / "sound.yaml")])
    assert outcome.exit_code == 2
    assert "sound.yaml@2" in outcome.output
