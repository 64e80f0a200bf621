"""Reading what was written gives the same value."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from strategies.expressions import (
    COLOUR,
    GUARD_NAMES,
    PAYLOAD,
    STEP_NAMES,
    WIDE,
    expressions,
    tower,
    wide_guards,
    wide_steps,
)
from strategies.machines import machines

from peak_trade.lang.elaborate import DEPTH_MAX, Names, elaborate
from peak_trade.lang.expr import Expr
from peak_trade.lang.machine import Machine
from peak_trade.lang.parse import parse, parse_file
from peak_trade.lang.pretty import document, expression, fingerprint
from peak_trade.lang.sorts import BOOL, INT, Sort
from peak_trade.lang.source import Findings, Source, Span
from peak_trade.lang.syntax import Text

SPEC = Path(__file__).parents[3] / "spec"


def read(text: str, names: Names, sort: Sort) -> Expr | None:
    """Return the expression that `text` denotes, and fail with its diagnostic if it denotes none."""
    findings = Findings(Source("text", text))
    found = elaborate(findings, Text(text, Span(1, 1)), names, sort)
    assert not findings.items, (text, findings.items)
    return found


@given(wide_guards)
def test_a_guard_survives_writing_and_reading(expr: Expr) -> None:
    """Parse after pretty is the identity on guards."""
    assert read(expression(expr), GUARD_NAMES, BOOL) == expr


@given(wide_steps)
def test_a_step_claim_survives_writing_and_reading(expr: Expr) -> None:
    """Parse after pretty is the identity where names before and after the step occur."""
    assert read(expression(expr), STEP_NAMES, BOOL) == expr


@given(expressions(INT, (*WIDE, *PAYLOAD)))
def test_a_number_survives_writing_and_reading(expr: Expr) -> None:
    """Parse after pretty is the identity on sums, differences, products and choices."""
    assert read(expression(expr), GUARD_NAMES, INT) == expr


@given(expressions(COLOUR, WIDE))
def test_a_member_survives_writing_and_reading(expr: Expr) -> None:
    """Parse after pretty is the identity on expressions of an enumeration."""
    assert read(expression(expr), GUARD_NAMES, COLOUR) == expr


def test_the_deepest_expression_survives() -> None:
    """What the reader admits at its limit it admits again after writing."""
    deepest = tower(DEPTH_MAX)
    assert read(expression(deepest), GUARD_NAMES, BOOL) == deepest


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(machines())
def test_a_machine_survives_writing_and_reading(machine: Machine) -> None:
    """Parse after pretty is the identity on machines, well formed or not; the fingerprint follows from the machine."""
    parsed = parse(Source("random", document(machine)))
    assert parsed.diagnostics == ()
    assert parsed.machine == machine
    assert fingerprint(parsed.machine) == fingerprint(machine)


@pytest.mark.parametrize("name", ["session", "order"])
def test_a_shipped_specification_survives_writing_and_reading(name: str) -> None:
    """The canonical text of a shipped machine declares that machine, and is its own canonical text."""
    machine = parse_file(SPEC / f"{name}.yaml").machine
    assert machine is not None
    again = parse(Source("canonical", document(machine))).machine
    assert again == machine
    assert document(again) == document(machine)
