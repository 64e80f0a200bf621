"""Coverage as a picture and as a table: what was not seen is marked by a line and a word, not by colour alone."""

import re
from xml.etree import ElementTree as ET

import pytest

from peak_trade.backends.arcs import placed
from peak_trade.backends.dot import dot
from peak_trade.backends.label import anchor, ident
from peak_trade.backends.overlay import foreign
from peak_trade.backends.polish import SVG
from peak_trade.backends.svg import svg
from peak_trade.cli.specs import machine_named
from peak_trade.fuzz.cover.coverage import Coverage, Goal, Tally
from peak_trade.fuzz.cover.goals import goals, surroundings
from peak_trade.fuzz.cover.heat import DASHES, heat, overlay, table, text
from peak_trade.lang.machine import Machine

SEEN = {
    ("state", "closed"): (9, 0),
    ("state", "open"): (1, 5),
    ("transition", "B01"): (1200, 2),
    ("arc", "B01@closed"): (1200, 2),
    ("transition", "B04"): (12, 5),
    ("arc", "B04@closed"): (12, 5),
}


@pytest.fixture(scope="module")
def breaker() -> Machine:
    """A small machine."""
    return machine_named("breaker")


@pytest.fixture(scope="module")
def coverage() -> Coverage:
    """Some of the breaker was seen."""
    return Coverage({Goal(kind, "breaker", name): Tally(*seen) for (kind, name), seen in SEEN.items()})


def parsed(picture: str) -> dict[str, ET.Element]:
    """The groups of a picture by their ids."""
    root = ET.fromstring(picture)  # noqa: S314 - our own picture
    return {element.get("id", ""): element for element in root.iter(f"{{{SVG}}}g")}


def words(group: ET.Element) -> str:
    """The first line of text in a group."""
    line = group.find(f"{{{SVG}}}text")
    assert line is not None
    return "".join(line.itertext())


def hint(group: ET.Element) -> str:
    """What the pointer shows on a group."""
    title = group.find(f"{{{SVG}}}title")
    assert title is not None
    return (title.text or "").splitlines()[-1]


def test_what_was_not_seen_says_so(breaker: Machine, coverage: Coverage) -> None:
    """Each row and state has its count, or the word `never`, or `proved`; the hint has the first seed."""
    groups = parsed(heat(breaker, coverage, [Goal("transition", "breaker", "B22"), Goal("state", "breaker", "open")]))
    for item in breaker.transitions:
        row = groups[anchor(item, item.sources[0])]
        mark = {"B01": "", "B04": "", "B22": "proved"}.get(item.name, "never")
        assert (words(row).split()[-1] == mark) is bool(mark)
        assert not re.search("never|proved", words(row)) or mark
    assert hint(groups["B01"]) == "seen 1,200 times, first with seed 2"
    assert hint(groups["B22"]) == "never seen, and proved unreachable"
    assert hint(groups["B21"]) == "never seen"
    assert words(groups["state-half_open"]).endswith("never")
    assert words(groups["state-open"]) == "open"
    assert hint(groups["state-open"]) == "seen 1 times, first with seed 5"


def test_what_was_not_seen_is_dashed(breaker: Machine, coverage: Coverage) -> None:
    """An arrow is dashed iff no step of it was seen; the others are the wider the more often they were taken."""
    groups, laid = parsed(heat(breaker, coverage)), overlay(breaker, coverage)
    for one in placed(breaker)[1]:
        (path,) = groups[f"edge-{ident(one.source)}--{ident(one.target)}"].findall(f"{{{SVG}}}path")
        count = sum(laid.transitions[anchor(item, one.source)] for item in one.transitions)
        assert (path.get("stroke-dasharray") == DASHES) is (count == 0)
        assert count == 0 or path.get("stroke-width") == str(1 + len(str(count)))
    borders = groups["state-half_open"].findall(f"{{{SVG}}}path")
    assert {path.get("stroke-dasharray") for path in borders} == {DASHES}


def test_a_picture_has_the_geometry_of_one_without_marks(breaker: Machine, coverage: Coverage) -> None:
    """Nothing moves, equal coverages give equal bytes, and the description says how much was seen."""
    picture = heat(breaker, coverage)
    assert picture == heat(breaker, Coverage(dict(reversed(coverage.goals.items()))))
    plain = svg(dot(breaker, overlay(breaker, coverage)))
    assert re.findall(r' d="[^"]*"', picture) == re.findall(r' d="[^"]*"', plain)
    described = ET.fromstring(picture).find(f"{{{SVG}}}desc")  # noqa: S314 - our own picture
    assert described is not None
    assert "Seen: 2 of 3 states, 2 of 9 steps." in (described.text or "")


def test_counts_are_laid_where_they_were_counted() -> None:
    """A transition with several sources has each source's count; where an engine knows none, its total at each."""
    machine = machine_named("session")
    found = Coverage()
    for goal, count in (
        (Goal("transition", "session", "S10"), 5),
        (Goal("arc", "session", "S10@INIT"), 5),
        (Goal("transition", "session", "S20"), 7),
        (Goal("transition", "order", "S01"), 3),
        (Goal("state", "session", "STOPPED"), 2),
    ):
        found.hit(goal, 1, count)
    laid = overlay(machine, found)
    assert foreign(machine, laid) == ()
    assert {name: count for name, count in laid.transitions.items() if count} == {
        "S10--INIT": 5,
        "S20--PREFLIGHT_OK": 7,
        "S20--DRYRUN_ACTIVE": 7,
    }
    assert {name: count for name, count in laid.states.items() if count} == {"STOPPED": 2}


def test_the_table_has_a_line_for_each_kind(breaker: Machine, coverage: Coverage) -> None:
    """Reached, proved and missed add up to all; the least seen come first, with their seeds."""
    wanted = (*goals(breaker), *surroundings())
    proved = [Goal("state", "breaker", "half_open"), Goal("transition", "breaker", "B22")]
    lines = table(coverage, wanted, proved)
    assert [(line.machine, line.kind) for line in lines] == list(
        dict.fromkeys((goal.machine, goal.kind) for goal in wanted)
    )
    for line in lines:
        assert line.reached + line.unreachable + len(line.misses) == line.total
    states, transitions = lines[:2]
    assert (states.reached, states.unreachable, states.permille) == (2, 1, 1000)
    assert (transitions.reached, transitions.unreachable, transitions.permille) == (2, 1, 250)
    assert transitions.least == (
        (Goal("transition", "breaker", "B04"), Tally(12, 5)),
        (Goal("transition", "breaker", "B01"), Tally(1200, 2)),
    )


def test_the_table_as_text(breaker: Machine, coverage: Coverage) -> None:
    """A line says the share and the seldom seen; a kind of which nothing was seen says never."""
    lines = list(text(table(coverage, (*goals(breaker), *surroundings()), [Goal("transition", "breaker", "B22")])))
    transition = next(line for line in lines if line.split()[1] == "transition")
    assert transition.split("  ")[-1] == "B04 (12, 5), B01 (1,200, 2); 1 proved unreachable"
    assert "2 / 8  25.0 %" in transition
    fault = next(line for line in lines if line.split()[1] == "fault")
    assert fault.startswith("campaign")
    assert fault.endswith("0.0 %  never")
