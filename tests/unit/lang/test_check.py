"""Well-formedness: mistakes that only follow from others are not told, all others are."""

from dataclasses import replace
from pathlib import Path

import pytest

from peak_trade.lang.check import CHOICES_MAX, check, examine
from peak_trade.lang.machine import Machine
from peak_trade.lang.parse import parse
from peak_trade.lang.source import Source

SOUND = (Path(__file__).parents[2] / "golden" / "spec" / "sound.yaml").read_text()
NOWHERE = Source("none", "")


def codes(old: str, new: str) -> list[str]:
    """Return the codes of the sound specification with `old` replaced."""
    assert old in SOUND
    return [item.code for item in examine(parse(Source("text", SOUND.replace(old, new))))]


def test_the_shipped_machines_are_well_formed(shipped: Machine) -> None:
    """Both specifications pass, as values too: the checks need no source."""
    assert check(shipped, NOWHERE) == ()


def test_a_cell_without_a_row_is_told_for_any_row_left_out(shipped: Machine) -> None:
    """Whichever dismissal is dropped, the cells that only it decided are told, by the event's name."""
    for dropped in shipped.dismissals:
        rest = tuple(row for row in shipped.dismissals if row is not dropped)
        found = check(replace(shipped, dismissals=rest), NOWHERE)
        covered = {
            (state, event)
            for row in (*rest, *shipped.transitions)
            for state in (row.states if hasattr(row, "states") else row.sources)
            for event in (row.events if hasattr(row, "events") else (row.event,))
        }
        lost = {event for state in dropped.states for event in dropped.events if (state, event) not in covered}
        told = {item.message.split("`")[1] for item in found if item.code == "PT050"}
        assert told == lost


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("doc: How often it was pressed", "dok: How often it was pressed", ["PT010"]),
        ("type: int, min: 0, init: 0", "type: 7, min: 0, init: 0", ["PT012"]),
        ("Colour: [red, green]", "Colour: 7", ["PT012"]),
        ("type: Colour", "type: Color", ["PT024"]),
        ("tags: [terminal]", "tags: terminal", ["PT012"]),
        ("tags: [terminal]", "tgas: [terminal]", ["PT010"]),
        ("{initial: true, doc: Dark}", "{initial: 1, doc: Dark}", ["PT012"]),
        ("{type: int, min: 1, doc: How hard}", "{type: int, min: one, doc: How hard}", ["PT012"]),
        ("payload:", "payload: 7\n    paylaod:", ["PT012", "PT010"]),
        ("worn_out: The lamp is broken.", "worn_out: 7", ["PT012"]),
        ("on: press, set: {lit: false, hue: green}", "on: press, from: ON, sets: {lit: false}", ["PT004", "PT010"]),
        ("set: {lit: false}, to: BROKEN", "set: {lit: false}, goto: BROKEN, colour: red", ["PT010", "PT010"]),
        ("{in: BROKEN, on: fail, reason: worn_out}", "{in: BROKEN, on: fail}", ["PT011"]),
        ("{in: BROKEN, on: fail, reason: worn_out}", "BROKEN", ["PT012"]),
        ("always: is_shining == lit", "always: is_shinning == lit", ["PT032"]),
        ("summary: A lamp that wears out.\n", "", ["PT011"]),
        ("version: 1", "version: 0", ["PT012"]),
        ("machine: lamp", "machine: 7up", ["PT013"]),
    ],
)
def test_one_mistake_is_told_once(old: str, new: str, expected: list[str]) -> None:
    """What stands in for a misshapen part causes no diagnostics of its own."""
    assert codes(old, new) == expected


def test_a_mistake_in_one_row_does_not_hide_an_undecided_cell_of_another() -> None:
    """Only the cells that the wrong row names are left undecided; the others are judged."""
    text = SOUND.replace("on: fail, reason: worn_out", "on: fail, reason: worn")
    text = text.replace('refuse:\n  - {in: "@terminal", on: press, reason: worn_out}\n', "")
    found = [item.code for item in examine(parse(Source("text", text)))]
    assert sorted(found) == ["PT023", "PT050"]


def test_a_flood_of_rows_ends_at_the_limit() -> None:
    """Rows for more cells than the limit are refused before a table is made of them."""
    states = "".join(f"  s{number}: {{doc: d, tags: [t]}}\n" for number in range(200))
    events = "".join(f"  e{number}: {{origin: clock, doc: d}}\n" for number in range(200))
    names = ", ".join(f"e{number}" for number in range(200))
    rows = f'  - {{in: "@t", on: [{names}], reason: r}}\n' * (CHOICES_MAX // 40_000 + 1)
    text = (
        f"machine: m\nversion: 1\nsummary: s\nstates:\n  i: {{initial: true, doc: d}}\n{states}events:\n{events}"
        f"reasons: {{r: r}}\ntransitions:\n  - {{id: T, from: i, on: e0, to: s0}}\nignore:\n{rows}"
    )
    assert [item.code for item in examine(parse(Source("flood", text)))] == ["PT002"]
