"""The DOT text: complete, the same on every run, and faithful to the declaration."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from peak_trade.backends.arcs import ARROWS_MAX, SHARED_MIN, arcs, placed
from peak_trade.backends.dot import dot
from peak_trade.backends.label import anchor, ident
from peak_trade.backends.overlay import Overlay, follow
from peak_trade.lang.machine import Machine

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import sys
from pathlib import Path
from peak_trade.backends.dot import dot
from peak_trade.backends.table import table
from peak_trade.lang.parse import parse_file
machine = parse_file(Path(sys.argv[1])).machine
sys.stdout.buffer.write((dot(machine) + table(machine)).encode())
"""


def anchors(machine: Machine) -> Counter[str]:
    """Return each id under which a transition is to be drawn."""
    return Counter(anchor(item, source) for item in machine.transitions for source in item.sources)


def test_each_transition_stands_once_for_each_source(machine: Machine) -> None:
    """No transition is missing, none is drawn twice, and no two share an id."""
    assert Counter(re.findall(r'<TD [^>]*\bID="([^"]*)"', dot(machine))) == anchors(machine)
    assert max(anchors(machine).values()) == 1


def test_each_state_is_one_node(machine: Machine) -> None:
    """Every state is a node with its own id, and nothing else is."""
    found = Counter(re.findall(r'id="(state-[^"]*)"', dot(machine)))
    assert found == Counter(f"state-{ident(state.name)}" for state in machine.states)


def test_arrows_are_the_arcs(machine: Machine) -> None:
    """There is one arrow for each pair of states that a transition joins, and one to the initial state.

    In a picture of many arrows, what leads from many states to one is no arrow.
    """
    drawn = re.findall(r'id="edge-([^"]*)"', dot(machine))
    ends = [(item, source) for item in machine.transitions for source in item.sources]
    leaving = [(item, source) for item, source in ends if item.target not in {None, source}]
    if len({(source, item.target) for item, source in leaving}) > ARROWS_MAX:
        starts = Counter(item.name for item, _ in leaving)
        leaving = [(item, source) for item, source in leaving if starts[item.name] < SHARED_MIN]
    joined = {(source, item.target) for item, source in leaving}
    assert sorted(drawn) == sorted(f"{source}--{target}" for source, target in joined)
    assert dot(machine).count('"~start" ->') == 1


def test_arcs_hold_each_transition_once(machine: Machine) -> None:
    """Grouping by the two states loses nothing and doubles nothing."""
    grouped = Counter(anchor(item, arc.source) for arc in arcs(machine) for item in arc.transitions)
    assert grouped == anchors(machine)


def test_a_card_or_an_arrow_holds_each_transition_once(machine: Machine) -> None:
    """However many arrows there would be, each transition is in the card of its source or on one arrow."""
    cards, arrows = placed(machine)
    drawn = Counter(anchor(item, name) for name, items in cards.items() for item in items)
    drawn += Counter(anchor(item, arc.source) for arc in arrows for item in arc.transitions)
    assert drawn == anchors(machine)
    text = dot(machine)
    for name, items in cards.items():
        led = [item.target for item in items if item.target not in {None, name}]
        card = text.partition(f'id="state-{ident(name)}"')[0].rpartition("label=<")[2]
        assert Counter(re.findall(r"\N{RIGHTWARDS ARROW} (\w+)</FONT>", card)) == Counter(led)


def test_a_ball_of_wool_is_unwound(wool: Machine) -> None:
    """Of ten states that all lead to each other the arrows are few; into the live one each is drawn, none floats."""
    _, arrows = placed(wool)
    assert {arc.target for arc in arrows} == set(wool.tagged("live"))
    assert len(arcs(wool)) > ARROWS_MAX > len(arrows)
    for state in wool.states:
        assert len(re.findall(rf"^\t.*\b{state.name}\b.* -> |-> {state.name}\b", dot(wool), re.MULTILINE)) >= 1


def test_same_bytes_for_any_hash_seed() -> None:
    """No order of a set or address of an object reaches the text."""
    texts = set()
    for seed in ("0", "1", "4242"):
        env = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", PROGRAM, str(ROOT / "spec/session.yaml")]
        texts.add(subprocess.run(command, env=env, capture_output=True, check=True, timeout=60).stdout)
    assert len(texts) == 1


def test_arrows_into_live_are_marked_and_no_others(session: Machine) -> None:
    """Exactly the arrows that enter a live state are thick, of class live, and list every lock."""
    edges = re.findall(r'id="edge-[^"]*--([^"]*)"', dot(session))
    marked = re.findall(r'class=live color="#d55e00" id="edge-[^"]*--([^"]*)" penwidth=3\.5', dot(session))
    assert marked == [target for target in edges if target in session.tagged("live")] != []
    gate = session.transition("S22")
    assert dot(session).count("◆") == len(gate.require)


def test_zones_only_where_something_is_live(session: Machine, lone: Machine) -> None:
    """A machine without a live state has no zones to tell apart."""
    assert dot(session).count("subgraph cluster_") == 2
    assert "cluster_" not in dot(lone)


def test_overlay_marks_the_path_and_nothing_else(gate: Machine) -> None:
    """What the run did is counted and blue; what it did not do is grey."""
    text = dot(gate, follow(gate, ["G1", "G2", "G3", "G3", "G5"]))
    assert sorted(re.findall(r'class="([^"]*)"[^<>]* id="state-(\w+)"', text)) == [
        ("state live visited", "open"),
        ("state operator visited current", "stuck"),
        ("state terminal unvisited", "gone"),
        ("state visited", "closed"),
    ]
    assert re.findall(r'ID="([^"]*)" TOOLTIP="[^"]*taken (\d+) times"', text) == [
        ("G1", "1"),
        ("G3", "2"),
        ("G2", "1"),
        ("G5--open", "1"),
    ]


@pytest.mark.parametrize(
    "overlay",
    [Overlay({"nowhere": 1}, {}), Overlay({}, {"G5": 1}), Overlay({}, {}, "nowhere")],
    ids=["state", "transition without its source", "current"],
)
def test_foreign_overlay_is_refused(gate: Machine, overlay: Overlay) -> None:
    """An overlay of another machine, or one that hides which source it means, is no picture."""
    with pytest.raises(ValueError, match="expected an overlay of gate"):
        dot(gate, overlay)
