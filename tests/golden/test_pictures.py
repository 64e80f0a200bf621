"""The golden machine's texts and picture, byte for byte: a change of how machines look is seen in a diff."""

from pathlib import Path

import pytest

from peak_trade.backends.dot import dot
from peak_trade.backends.legend import legend
from peak_trade.backends.overlay import follow
from peak_trade.backends.svg import renderer, svg
from peak_trade.backends.table import table
from peak_trade.lang.machine import Machine
from peak_trade.lang.parse import parse_file

HERE = Path(__file__).parent
RENDERER = "pygraphviz 2.0.4"


@pytest.fixture(scope="module")
def gate() -> Machine:
    """The golden machine: every sign of a picture once."""
    parsed = parse_file(HERE / "gate.yaml")
    assert parsed.machine is not None, parsed.diagnostics
    return parsed.machine


def golden(name: str) -> str:
    """Return the committed text."""
    return (HERE / name).read_text(encoding="utf-8")


def test_dot(gate: Machine) -> None:
    """The DOT text is the committed one."""
    assert dot(gate) == golden("gate.dot")


def test_dot_with_a_run(gate: Machine) -> None:
    """The DOT text of a run is the committed one."""
    assert dot(gate, follow(gate, ["G1", "G2", "G3", "G3", "G5"])) == golden("gate-run.dot")


def test_page(gate: Machine) -> None:
    """The Markdown page, Mermaid included, is the committed one."""
    assert table(gate, "gate.svg") == golden("gate.md")


def test_legend(gate: Machine) -> None:
    """The legend is the committed one."""
    assert legend(gate) == golden("gate.txt")


@pytest.mark.skipif(renderer() != RENDERER, reason=f"the committed drawing is by {RENDERER}")
def test_svg(gate: Machine) -> None:
    """With the renderer of the lock the drawing is the committed one, on any computer."""
    assert svg(dot(gate)) == golden("gate.svg")
