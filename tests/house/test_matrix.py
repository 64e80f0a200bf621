"""Every row of the failure matrix is executed, says what was seen, and can fail."""

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner

from peak_trade.broker.faults import FaultKind
from peak_trade.cli import matrix
from peak_trade.cli.specs import machine_named, spec_folder, system_at
from peak_trade.cli.spread import machines
from peak_trade.evidence.contract import contract
from peak_trade.fuzz.matrix import Ran, crash_row, failures, run_row
from peak_trade.fuzz.page import done, matrix_page
from peak_trade.fuzz.rows import Row, rows

CONTRACT = "contract.yaml"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "failure-matrix.md"
ROWS = {row.id: row for row in rows()}


@pytest.fixture(scope="module")
def ran() -> dict[str, Ran]:
    """Each row executed once, with the seed that the page shows."""
    with ProcessPoolExecutor(2) as executor:
        found = executor.map(partial(matrix.executed, seeds=1), rows(), chunksize=5)
        return {item.row: item for (item,) in found}


def test_every_row_holds(ran: dict[str, Ran]) -> None:
    """What has to be seen was seen, no other alarm was, and book and venue differ in nothing unreported."""
    assert ran.keys() == ROWS.keys()
    assert {item.row: item.problems for item in failures(ran.values())} == {}


def test_the_page_shows_what_was_seen(ran: dict[str, Ran]) -> None:
    """The committed page is what the rows of today show; `peak matrix --write docs/failure-matrix.md` writes it."""
    assert PAGE.read_text(encoding="utf-8") == matrix_page((row, ran[row.id]) for row in rows())


def test_the_matrix_is_large_and_each_row_says_something() -> None:
    """At least 32 rows, numbered without a gap; each does something, and names what must be seen or taken."""
    assert len(ROWS) >= 32
    assert list(ROWS) == [f"FM-{number:02d}" for number in range(1, len(ROWS) + 1)]
    assert [row.id for row in rows() if not done(row)] == []
    assert [row.id for row in rows() if not (row.sees or row.takes)] == []


def test_every_kind_of_fault_has_a_row() -> None:
    """Nothing that the mock venue can do wrong is missing."""
    assert {str(fault["kind"]) for row in rows() for fault in row.faults} == {str(kind) for kind in FaultKind}


def test_what_a_row_names_exists() -> None:
    """Clauses and hazards are those of the contract, claims and transitions those of the specifications."""
    text = (spec_folder() / CONTRACT).read_text(encoding="utf-8")
    declared = {clause.id for clause in contract(CONTRACT, text).contract}
    found = [machine_named(name) for name in ("session", "order", "breaker")]
    claims = {item.name for machine in found for item in machine.properties}
    claims |= {item.name for item in system_at("system").properties}
    taken = {item.name for machine in found for item in machine.transitions}
    for row in rows():
        assert set(row.answers) <= declared, row.id
        assert set(row.claims) <= claims, row.id
        assert set(row.takes) <= taken, row.id


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"sees": ["wire:cash_negative"]}, "expected wire:cash_negative, was not seen"),
        ({"sees": []}, "expected no wire:"),
        ({"end": "STOPPED"}, "expected the end STOPPED"),
        ({"takes": ["S01"]}, "expected the transition S01"),
        ({"faults": [{"kind": "overfill", "order": 1}, {"kind": "bust", "order": 9}]}, "bust never took effect"),
    ],
)
def test_a_row_that_says_something_else_fails(change: dict[str, object], problem: str) -> None:
    """The matrix can fail: whatever a row declares wrongly is named."""
    wrong = ROWS["FM-12"].model_copy(update=change)
    assert any(problem in item for item in run_row(wrong, 1, machines()).problems)


def test_a_session_is_killed_at_its_writes_and_ends_as_it_would_have() -> None:
    """A few of the writes of a row in which the venue's answer is lost; the command does all of them, in all rows."""
    found = list(crash_row(ROWS["FM-04"], machines(), 12))
    assert [item.crash for item in found] == list(range(1, 13))
    assert failures(found) == ()


def test_the_command_names_rows_and_refuses_others() -> None:
    """One row can be asked for; one that is none is refused with the nearest name."""
    asked = CliRunner().invoke(matrix.command, ["--row", "FM-04", "--seeds", "1", "--jobs", "1"])
    assert asked.exit_code == 0
    assert "✓ FM-04" in asked.stdout
    assert "PASS: 1 rows, 1 sessions" in asked.stdout
    wrong = CliRunner().invoke(matrix.command, ["--row", "FM-4"])
    assert wrong.exit_code == 2
    assert "did you mean" in wrong.stderr
    assert Row.model_validate(ROWS["FM-04"].model_dump()) == ROWS["FM-04"]
