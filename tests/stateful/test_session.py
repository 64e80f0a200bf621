"""Hypothesis drives real sessions: the project's own, and the strategy that the guide shows."""

from pathlib import Path
from typing import Any

from peak_trade.cli.specs import machine_named
from peak_trade.fuzz.drawn.rules import session_rules
from peak_trade.fuzz.world import Machines

ROOT = Path(__file__).resolve().parents[2]
MACHINES = Machines(machine_named("session"), machine_named("order"), machine_named("breaker"))


def test_whatever_is_drawn_a_session_keeps_the_law() -> None:
    """Orders, faults, hands, operators and deaths in any order: journal, specification, book and venue agree."""
    rules = session_rules(MACHINES)
    rules.examine(16, 20, shrinks=False)
    assert rules.counts["steps"] > 60
    assert rules.counts["deaths"] > 5
    assert rules.counts["end STOPPED"] > 5
    assert len([name for name in rules.counts if name.startswith("fault ")]) >= 3


def test_the_strategy_of_the_guide_keeps_it_too() -> None:
    """The second block of code of the guide runs as it stands."""
    page = (ROOT / "docs" / "how-to" / "stateful.md").read_text().split("```python\n")[2].partition("```")[0]
    found: dict[str, Any] = {"__name__": "page"}
    exec(page, found)  # noqa: S102 - the guide's own code
    rules = found["DipRules"]
    rules.examine(6, 15, shrinks=False)
    assert rules.counts["steps"] > 10
