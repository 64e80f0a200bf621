"""Two versions as one picture: each change is told by sign, by colour and by the kind of line."""

import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from peak_trade.backends.palette import TONES
from peak_trade.backends.union import ADDED, CHANGED, REMOVED, Mark, Pairs, picture, union
from peak_trade.backends.union import TONES as OWN
from peak_trade.lang.expr import TRUE
from peak_trade.lang.machine import Machine, State

NS = "{http://www.w3.org/2000/svg}"


def pairs(machine: Machine, **words: str) -> Pairs:
    """Every transition is the old one of its id; `words` say how some changed."""
    return Pairs({item.name: item.name for item in machine.transitions}, words)


def edge(text: str, name: str) -> str:
    """The DOT statement of the arrow with the id `name`."""
    found = next(part for part in text.split("\n\t") if f'id="edge-{name}"' in part or f"id=edge-{name} " in part)
    return found.replace('"', "")


@pytest.fixture
def changed(session: Machine) -> tuple[Machine, Machine, Pairs]:
    """The session; S22 without its first lock, S60 gone, S48 to another state, a new state with a way into it."""
    kept = []
    for item in session.transitions:
        if item.name == "S22":
            kept.append(replace(item, require=item.require[1:]))
        elif item.name == "S48":
            kept.append(replace(item, target="STOPPED"))
        elif item.name != "S60":
            kept.append(item)
    way = replace(session.transition("S60"), name="S99", target="PAUSED", when=TRUE)
    paused = State("PAUSED", "Something new", ("operator",))
    new = replace(session, states=(*session.states, paused), transitions=(*kept, way), version=2)
    matched = Pairs({item.name: item.name for item in kept}, {"S22": "looser", "S48": "other effect"})
    return session, new, matched


def test_nothing_is_marked_if_nothing_changed(machine: Machine) -> None:
    """Of a machine and itself no arrow is bold, dashed or dotted, and no row has a sign."""
    text = union(machine, machine, pairs(machine))
    assert not re.search(r"style=(bold|dotted)", text.replace("style=bold]", "").split("cluster")[0])
    assert not re.search(r">[+−±] ", text.split("LEGEND")[-1].split("faint: as it was")[-1])
    assert "0 added, 0 removed, 0 changed" in text


def test_each_change_has_sign_colour_and_line(changed: tuple[Machine, Machine, Pairs]) -> None:
    """Added is bold, green and `+`; removed dashed, red and `−`; changed dotted, amber and `±` with its word."""
    text = union(*changed)
    for name, tone, style, shown in (
        ("STOPPING--PAUSED", ADDED, "bold", "+ S99"),
        ("DRYRUN_ACTIVE--LIVE_ACTIVE", CHANGED, "dotted", "± S22"),
        ("LIVE_ACTIVE--STOPPED", ADDED, "bold", "+ S48"),
    ):
        found = edge(text, name)
        assert f"style={style}" in found
        assert f"color={tone.light}" in found
        assert shown in found
    gone = edge(text, "STOPPING--STOPPED")
    assert "− S60" in gone
    assert f"color={REMOVED.light}" in gone
    assert "style=dashed" in gone
    assert "− S48" in edge(text, "LIVE_ACTIVE--STOPPING")
    assert "looser" in edge(text, "DRYRUN_ACTIVE--LIVE_ACTIVE")


def test_what_was_written_and_what_is_now_is_shown(changed: tuple[Machine, Machine, Pairs]) -> None:
    """Below a changed transition stands the lock that only the old one had, as removed."""
    found = edge(union(*changed), "DRYRUN_ACTIVE--LIVE_ACTIVE")
    lock = changed[0].transition("S22").require[0]
    assert re.search(rf"− ◆ .*else {lock.reason}", found)


def test_states_are_marked(changed: tuple[Machine, Machine, Pairs]) -> None:
    """A state that only one version has is marked, and one whose tags changed shows both."""
    old, new, matched = changed
    assert "+ ⚑ PAUSED" in union(old, new, matched)
    back = Pairs({name: name for name in matched.old if name != "S99"}, {})
    assert "− ⚑ PAUSED" in union(new, old, back)
    states = tuple(
        replace(state, tags=(*state.tags, "calm")) if state.name == "INIT" else state for state in old.states
    )
    assert "± INIT" in union(old, replace(old, states=states), pairs(old))


def test_the_picture_is_well_formed_with_unique_ids(changed: tuple[Machine, Machine, Pairs]) -> None:
    """The SVG parses, each id is there once, each row is found by what became of it; equal inputs give equal bytes."""
    drawn = picture(*changed)
    root = ET.fromstring(drawn)  # noqa: S314 - our own output
    ids = [item.get("id") for item in root.iter() if item.get("id")]
    assert len(ids) == len(set(ids))
    assert {"changed-S22--DRYRUN_ACTIVE", "removed-S60--STOPPING", "added-S99--STOPPING"} <= set(ids)
    assert drawn == picture(*changed)


def test_every_colour_has_a_dark_twin(changed: tuple[Machine, Machine, Pairs]) -> None:
    """On a dark page each of the picture's own colours is exchanged, and no other picture's colour is taken."""
    drawn = picture(*changed)
    for tone in OWN:
        assert f'.picture [fill="{tone.light}"]{{fill:{tone.dark}}}' in drawn
    assert len({tone.light for tone in (*OWN, *TONES)}) == len(OWN) + len(TONES)


def test_no_text_breaks_the_markup(hostile: Machine) -> None:
    """A machine whose names and texts hold markup is drawn, added and removed."""
    empty = replace(hostile, transitions=())
    for old, new in ((hostile, empty), (empty, hostile), (hostile, hostile)):
        matched = Pairs({item.name: item.name for item in new.transitions if item in old.transitions}, {})
        assert ET.fromstring(picture(old, new, matched)).tag.endswith("svg")  # noqa: S314 - our own output


def test_the_signs_differ() -> None:
    """No two marks have the same sign."""
    assert len({mark.value for mark in Mark}) == len(Mark)
