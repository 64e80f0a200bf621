"""What the reader says about wrong specifications, as a person sees it: place, line, carets, remedy.

`PEAK_GOLDEN=write pytest tests/golden/test_spec.py` writes the expectations again; read the difference.
"""

import os
from pathlib import Path

import pytest

from peak_trade.cli.findings import text
from peak_trade.lang.check import examine
from peak_trade.lang.codes import CODES
from peak_trade.lang.parse import parse_file
from peak_trade.lang.source import Diagnostic

FOLDER = Path(__file__).parent / "spec"
CASES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
BY_SOLVER = {"PT052", "PT053"}
OF_SYSTEMS = {"PT070", "PT071", "PT072", "PT073", "PT074"}


def found(case: str) -> tuple[Diagnostic, ...]:
    """Return the diagnostics of the case called `case`."""
    return examine(parse_file(FOLDER / f"{case}.yaml", f"{case}.yaml"))


@pytest.mark.parametrize("case", CASES)
def test_the_diagnostics_are_as_expected(case: str) -> None:
    """Each case gives exactly the diagnostics that were read and approved, at their places."""
    expected, actual = FOLDER / f"{case}.expect", text(found(case)) + "\n"
    if os.environ.get("PEAK_GOLDEN") == "write":
        expected.write_text(actual, encoding="utf-8")
    assert actual == expected.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", [case for case in CASES if case.startswith("PT") and not case.startswith("PT007")])
def test_one_mistake_gives_its_own_code_and_no_other(case: str) -> None:
    """A file with one kind of mistake is told of that kind only: nothing follows from a mistake that is named."""
    assert {item.code for item in found(case)} == {case.partition("_")[0]}


def test_every_code_has_a_case() -> None:
    """Each code of the catalogue that needs no solver and no system is provoked by a case of its name."""
    mine = {case.partition("_")[0] for case in CASES if case.startswith("PT")}
    assert mine == CODES.keys() - BY_SOLVER - OF_SYSTEMS


def test_a_sound_specification_has_no_diagnostics() -> None:
    """The machine that all cases are variations of is well formed."""
    assert found("sound") == ()


def test_ten_mistakes_of_ten_kinds_are_told_in_one_run() -> None:
    """Each of ten planted mistakes is reported once, at its line and column, and nothing else is."""
    lines = (FOLDER / "ten_mistakes.yaml").read_text().splitlines()
    planted = {
        "PT012": "one",
        "PT004": "unit: times",
        "PT042": "hue: {type",
        "PT010": "dco",
        "PT045": "unheard",
        "PT032": "forse",
        "PT020": "OF}",
        "PT023": "worn_oat",
        "PT033": "is_shining == count",
        "PT031": "next_count.real",
    }
    expected = {
        (code, number, line.index(words) + 1)
        for code, words in planted.items()
        for number, line in enumerate(lines, 1)
        if words in line
    }
    reported = [(item.code, item.span.line, item.span.column) for item in found("ten_mistakes")]
    assert len(expected) == len(reported) == 10
    assert set(reported) == expected
