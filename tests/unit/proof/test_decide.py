"""Cells that nothing decides, that two rows decide, and rows that decide nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest

from peak_trade.lang.check import check
from peak_trade.lang.parse import parse, parse_file
from peak_trade.lang.source import Diagnostic, Source
from peak_trade.proof.decide import decide
from peak_trade.proof.solve import Limits

SPEC = Path(__file__).resolve().parents[3] / "spec"
Write = Callable[..., str]


def judged(text: str, limits: Limits | None = None) -> tuple[Diagnostic, ...]:
    """The diagnostics of a text that the checks without a solver pass."""
    source = Source("test.yaml", text)
    parsed = parse(source)
    assert parsed.machine is not None, parsed.diagnostics
    assert check(parsed.machine, source) == ()
    return decide(parsed.machine, source, limits or Limits())


@pytest.mark.parametrize("name", ["order", "session"])
def test_the_shipped_machines_decide_every_cell_once(name: str) -> None:
    """Each cell of a shipped machine has, for any values, exactly one row."""
    parsed = parse_file(SPEC / f"{name}.yaml")
    assert parsed.machine is not None
    assert decide(parsed.machine, parsed.source) == ()


def test_a_decided_machine_has_no_findings(counter: Write) -> None:
    """Guards that complement each other, and rows that always apply, are fine."""
    assert judged(counter()) == ()


def test_an_undecided_cell_names_values_and_place(counter: Write) -> None:
    """Values that no row decides are PT050 at the first row of the cell, with the values and only those that matter."""
    text = counter("", ("when: count + amount > limit", "when: count + amount > limit + 1"))
    (found,) = judged(text)
    assert (found.code, found.excerpt.split(",")[0]) == ("PT050", "  - {id: T1")
    assert found.span.line == next(n for n, line in enumerate(text.splitlines(), 1) if "id: T1" in line)
    words = found.message.partition("when ")[2]
    values = {name: int(value) for name, _, value in (part.partition("=") for part in words.split(", "))}
    assert values.keys() == {"count", "limit", "amount"}
    assert values["count"] + values["amount"] == values["limit"] + 1
    assert 0 <= values["count"] <= 9
    assert values["amount"] >= 1


def test_overlapping_rows_name_both_and_values(counter: Write) -> None:
    """Values that two rows decide are PT051 at the later row, whatever the order in the file would say."""
    text = counter("", ("when: count + amount > limit", "when: count + amount >= limit"))
    (found,) = judged(text)
    assert found.code == "PT051"
    assert "reason: full" in found.excerpt
    assert "`T1`" in found.message
    assert "`full`" in found.message
    values = {
        part.partition("=")[0]: int(part.partition("=")[2]) for part in found.message.split("when ")[1].split(", ")
    }
    assert values["count"] + values["amount"] == values["limit"]


def test_overlaps_of_transitions_are_found_too(counter: Write) -> None:
    """Two transitions from one state on one event, both without a guard, overlap for all values."""
    extra = "  - {id: T3, from: open, on: close, to: shut}\nrefuse:"
    (found,) = judged(counter("", ("refuse:", extra)))
    assert (found.code, "whatever the values" in found.message) == ("PT051", True)
    assert "id: T3" in found.excerpt


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("when: count + amount <= limit", "when: count + amount <= limit and amount < 1", "id: T1"),
        ("require: {soon: count > 0}", "require: {soon: count > 9}", "id: T2"),
    ],
)
def test_a_dead_row_is_found(counter: Write, old: str, new: str, place: str) -> None:
    """A row whose guard, or guard and locks, contradict the sorts is PT052 at the row."""
    rest = ("when: count + amount > limit", "when: otherwise")
    (found,) = judged(counter("", (old, new), rest))
    assert found.code == "PT052"
    assert place in found.excerpt


def test_otherwise_decides_the_rest_and_can_be_dead(counter: Write) -> None:
    """`otherwise` fills what the other rows leave, and is a dead row if they leave nothing."""
    assert judged(counter("", ("when: count + amount > limit", "when: otherwise"))) == ()
    extra = "  - {in: open, on: add, when: otherwise, reason: soon}\n  - {in: shut, on: [add"
    (found,) = judged(counter("", ("  - {in: shut, on: [add", extra)))
    assert (found.code, "reason: soon" in found.excerpt) == ("PT052", True)


def test_cells_with_the_same_rows_are_one_finding(counter: Write) -> None:
    """A row that covers several states is reported once, with the states."""
    both = ("  - {in: shut, on: [add, close]", "  - {in: shut, on: close")
    wide = ("{in: open, on: add, when: count + amount > limit", "{in: [open, shut], on: add, when: amount > limit")
    (found,) = judged(counter("", both, wide, ("from: open, on: add", "from: [open, shut], on: add")))[:1]
    assert found.code == "PT050"
    assert "`open`, `shut`" in found.message


def test_giving_up_is_no_pass(counter: Write) -> None:
    """Within a budget of next to nothing the answer is PT053, never silence."""
    found = judged(counter(), Limits(question_rlimit=1))
    assert found
    assert {item.code for item in found} == {"PT053"}


def test_the_same_text_gives_the_same_findings(counter: Write) -> None:
    """Findings, example values included, do not change from run to run."""
    text = counter("", ("when: count + amount > limit", "when: count + amount > limit + 1"))
    assert judged(text) == judged(text)
