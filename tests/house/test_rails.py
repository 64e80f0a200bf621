"""The page of the rails, the code and the tests say the same: each rail has hazard, place, source and a test."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from peak_trade.rails.limits import Rail
from peak_trade.rails.register import AFTER, BEFORE, Entry, kind, unit
from peak_trade.rails.trading import EVENTS, Severity
from peak_trade.rails.tripwires import Tripwire
from peak_trade.session.config import LimitsPart

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "rails.md"
RAILS: tuple[Rail | Tripwire, ...] = (*Rail, *Tripwire)
DENIED = "tests/unit/session/test_decide.py::test_without_the_check_the_whole_batch_would_leave"
TRIPPED = "tests/unit/session/test_risk.py::test_without_the_wire_the_session_goes_on"
IDENTIFIER = re.compile(r"\bid: ([A-Z][A-Z0-9-]*)\b")


def table(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    text = PAGE.read_text().split(f"\n{heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def entry_of(rail: Rail | Tripwire) -> Entry:
    """The entry of a rail; a limit and a tripwire may have the same name."""
    return AFTER[rail] if isinstance(rail, Tripwire) else BEFORE[rail]


def shown(rail: Rail | Tripwire) -> list[str]:
    """The row that the code gives."""
    entry = entry_of(rail)
    limits = "<br>".join(f"`{name}` {unit(name)}".strip() for name in entry.limits) or "–"
    test = TRIPPED if isinstance(rail, Tripwire) else DENIED
    return [f"`{rail}`", kind(rail), limits, entry.hazard, entry.place, entry.source, f"`{test}[{rail}]`"]


def test_the_page_has_a_row_for_each_rail_in_its_order() -> None:
    """Names, kinds, limits, hazards, places, sources and tests of the page are those of the code."""
    assert table("## Before an order leaves") == [shown(rail) for rail in Rail]
    assert table("## After the reports of a step") == [shown(wire) for wire in Tripwire]


def test_the_page_has_every_limit_with_its_default() -> None:
    """Name, unit, default and description of each limit are those of the configuration."""
    rows = []
    for name, item in LimitsPart.model_fields.items():
        default = str(item.default).lower() if isinstance(item.default, bool) else f"{item.default:,}"
        rows.append([f"`{name}`", unit(name) or "–", default, item.description])
    assert table("## The limits") == rows


def test_the_page_has_the_event_of_each_severity() -> None:
    """What a severity takes away is told with the session machine's own event."""
    rows = [line.strip("|").split("|") for line in PAGE.read_text().splitlines() if line.startswith("|")]
    found = {row[0].strip(): row[2].strip() for row in rows[2 : 2 + len(Severity)]}
    assert found == {severity.value: f"`{event}`" for severity, event in EVENTS.items()}


def test_every_limit_has_a_rail() -> None:
    """No limit of the configuration is without a rail that it is a limit of, and no rail has a limit that is none."""
    assert {name for rail in RAILS for name in entry_of(rail).limits} == set(LimitsPart.model_fields)


@pytest.mark.parametrize("rail", RAILS, ids=lambda rail: f"{type(rail).__name__}-{rail}")
def test_hazard_and_place_are_declared(rail: Rail | Tripwire) -> None:
    """The hazard stands in the threat model, the place in the specification of the session or of the system."""
    entry = entry_of(rail)
    assert entry.hazard in IDENTIFIER_OF_HAZARDS
    assert entry.place in IDENTIFIERS


IDENTIFIERS = {
    name for spec in ("session", "system") for name in IDENTIFIER.findall((ROOT / "spec" / f"{spec}.yaml").read_text())
}
IDENTIFIER_OF_HAZARDS = set(re.findall(r"id: (H-[a-z-]+)", (ROOT / "spec" / "contract.yaml").read_text()))


def test_every_named_test_is_there() -> None:
    """The tests that the page names are those that pytest finds, one for each rail."""
    files = [name.split("::")[0] for name in (DENIED, TRIPPED)]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:cacheprovider", *files]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    named = {shown(rail)[-1].strip("`") for rail in RAILS}
    assert named <= set(done.stdout.splitlines())
    assert {line for line in done.stdout.splitlines() if line.startswith((DENIED, TRIPPED))} == named
