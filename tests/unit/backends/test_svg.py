"""The SVG: well formed, every id there once, nothing of the computer that drew it, and no text on another."""

import os
import re
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from itertools import combinations
from pathlib import Path
from typing import NoReturn
from xml.etree import ElementTree as ET

import pytest

from peak_trade.backends import svg as module
from peak_trade.backends.card import TIMES
from peak_trade.backends.dot import dot
from peak_trade.backends.label import anchor, ident
from peak_trade.backends.overlay import follow
from peak_trade.backends.palette import TONES
from peak_trade.backends.svg import RenderError, renderer, svg
from peak_trade.lang.machine import Machine

NS = "{http://www.w3.org/2000/svg}"
FAKE_DOT = """#!{python}
import sys
if "-V" in sys.argv:
    sys.stderr.write("dot - graphviz version 0.0\\n")
    sys.exit(0)
from pygraphviz import AGraph
sys.stdout.buffer.write(AGraph(string=sys.stdin.buffer.read().decode()).draw(format="svg", prog="dot"))
"""


@pytest.fixture(scope="module")
def drawn(machine: Machine) -> str:
    """The finished picture of each machine."""
    return svg(dot(machine))


def tree(text: str) -> ET.Element:
    """Return the elements of a picture."""
    return ET.fromstring(text)  # noqa: S314 - our own output


def box(points: str) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of a list of points or a path."""
    numbers = [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?", points)]
    return min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """True iff two boxes share more than half a point each way."""
    across = min(one[2], other[2]) - max(one[0], other[0])
    down = min(one[3], other[3]) - max(one[1], other[1])
    return across > 0.5 and down > 0.5


def test_ids_are_unique_and_complete(machine: Machine, drawn: str) -> None:
    """Every state and every transition from each of its sources can be found by its id, and only once."""
    ids = [element.get("id") for element in tree(drawn).iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    wanted = {anchor(item, source) for item in machine.transitions for source in item.sources}
    assert wanted | {f"state-{ident(state.name)}" for state in machine.states} <= set(ids)


def test_rows_say_all_of_their_transition(machine: Machine, drawn: str) -> None:
    """Each row has a hint with the declared reason's sentence, and shows id and event."""
    rows = {row.get("id"): row for row in tree(drawn).iter(f"{NS}g") if row.get("class") == "row"}
    docs = {reason.name: reason.doc for reason in machine.reasons}
    for item in machine.transitions:
        for source in item.sources:
            row = rows[anchor(item, source)]
            hint = row.findtext(f"{NS}title") or ""
            seen = "".join(row.find(f"{NS}text").itertext())  # type: ignore[union-attr]
            assert item.name in seen.split()
            assert item.event in seen.split()
            assert docs.get(item.reason, "") in hint


def test_picture_scales_and_has_a_name(machine: Machine, drawn: str) -> None:
    """A screen reader hears what it is, and any width fits."""
    root = tree(drawn)
    assert root.get("role") == "img"
    assert root.get("aria-label") == f"State machine {machine.name}, version {machine.version}"
    assert [child.tag for child in root][:3] == [f"{NS}title", f"{NS}desc", f"{NS}style"]
    assert machine.summary in (root.findtext(f"{NS}desc") or "")
    assert root.get("height") is None
    assert root.get("viewBox", "").startswith("0 0 ")


def test_nothing_of_the_renderer_is_left(drawn: str) -> None:
    """No version, document type, link or font measure of the computer that drew it."""
    assert not re.search(r"(?i)graphviz|doctype|xlink|\?xml", drawn)
    assert drawn.count("<!--") == 1
    assert "<!-- Generated" in drawn.splitlines()[0]


def test_every_colour_has_a_dark_one(drawn: str) -> None:
    """A colour outside the palette would stay light on a dark page."""
    used = set(re.findall(r'(?:fill|stroke)="([^"]*)"', drawn.split("</style>")[1])) - {"none"}
    assert used <= {tone.light for tone in TONES}


def test_no_text_lies_on_another(drawn: str) -> None:
    """Rows do not overlap each other, and the rows of an arrow do not overlap a state."""
    root = tree(drawn)
    groups = list(root.iter(f"{NS}g"))
    kinds = {kind: [g for g in groups if kind in g.get("class", "").split()] for kind in ("row", "edge", "state")}
    rows = {row.get("id"): box(row.find(f"{NS}polygon").get("points", "")) for row in kinds["row"]}  # type: ignore[union-attr]
    assert not [pair for pair in combinations(rows, 2) if overlap(rows[pair[0]], rows[pair[1]])]
    states = [box(next(iter(state.iter(f"{NS}path"))).get("d", "")) for state in kinds["state"]]
    labels = [rows[row.get("id")] for edge in kinds["edge"] for row in edge.iter(f"{NS}g") if row.get("id") in rows]
    assert not [1 for label in labels for state in states if overlap(label, state)]


def test_fonts_of_the_computer_do_not_matter(session: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """With no fonts at all the bytes are the same."""
    usual = svg(dot(session))
    empty = tmp_path / "fonts.conf"
    empty.write_text('<?xml version="1.0"?><fontconfig></fontconfig>')
    monkeypatch.setenv("FONTCONFIG_FILE", str(empty))
    assert svg(dot(session)) == usual


def test_overlay_keeps_the_geometry(session: Machine) -> None:
    """Pictures with and without a run differ in colours, widths and counts, never in a place."""
    run = follow(session, ["S02", "S09", "S11", *["S30"] * 2000, "S40"])
    plain, marked = tree(svg(dot(session))), tree(svg(dot(session, run)))
    assert plain.get("viewBox") == marked.get("viewBox")
    assert _places(plain) == _places(marked)
    assert "".join(marked.itertext()).count(f"{TIMES}2k") == 1


def _places(root: ET.Element) -> dict[str, list[str]]:
    """Return the place of each card, row and arrow by its id; heads of thick arrows are larger and left out."""
    found = {}
    for group in root.iter(f"{NS}g"):
        if group.get("class", "").startswith("row"):
            found[group.get("id", "")] = [item.get("points", "") for item in group.findall(f"{NS}polygon")]
        if "state" in group.get("class", "").split():
            found[group.get("id", "")] = [item.get("d", "") for item in group.findall(f"{NS}path")][:1]
    return found


def test_hostile_texts_stay_texts(hostile: Machine) -> None:
    """What looks like markup is read as it was written, and adds no element."""
    root = tree(svg(dot(hostile)))
    flat = " ".join(hostile.summary.split())
    assert flat in (root.findtext(f"{NS}desc") or "").replace("\n", " ")
    tags = {element.tag.removeprefix(NS) for element in root.iter()}
    assert tags <= {"svg", "g", "title", "desc", "style", "text", "tspan", "path", "polygon", "polyline", "ellipse"}
    hints = [" ".join((title.text or "").split()) for title in root.iter(f"{NS}title")]
    assert any(hint.endswith(f"r&1: {flat}") for hint in hints)
    assert f'x:y" {flat}' in hints
    assert 's<1>" → x:y": T"1' in hints
    seen = " ".join("".join(text.itertext()) for text in root.iter(f"{NS}text"))
    assert all(word in seen for word in flat.split())


def test_one_state_is_a_picture(lone: Machine) -> None:
    """The smallest machine has its state, its step and its start."""
    ids = {element.get("id") for element in tree(svg(dot(lone))).iter()}
    assert {"machine-lone", "state-only", "L1", "initial-lone"} <= ids


def _missing(_: str) -> NoReturn:
    raise PackageNotFoundError


def test_a_dot_program_serves_where_the_wheel_is_missing(
    gate: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without the wheel the program on the path draws, and says which one it is."""
    with_wheel = svg(dot(gate))
    program = tmp_path / "dot"
    program.write_text(FAKE_DOT.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setattr(module, "version", _missing)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert renderer() == "dot - graphviz version 0.0"
    assert svg(dot(gate)) == with_wheel


def test_no_renderer_is_said(gate: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the wheel and without a program there is an error with the remedy, and no empty picture."""
    monkeypatch.setattr(module, "version", _missing)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert renderer() == ""
    with pytest.raises(RenderError, match="peak doctor"):
        svg(dot(gate))


def test_broken_dot_text_is_an_error() -> None:
    """What Graphviz cannot read is reported with what it said."""
    with pytest.raises(RenderError) as caught:
        svg("digraph { a -> ")
    assert caught.value.said


def test_a_slow_renderer_is_stopped(gate: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """No drawing holds the program up for longer than the limit."""

    def late(command: list[str], **_: object) -> NoReturn:
        raise subprocess.TimeoutExpired(command, module.RENDER_SECONDS_MAX)

    monkeypatch.setattr(subprocess, "run", late)
    with pytest.raises(RenderError, match="no answer in 30 s"):
        svg(dot(gate))
