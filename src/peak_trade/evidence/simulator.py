"""A machine to click through: one file that needs no server, makes no request, and steps as the machine that runs.

The page holds the machine's generated JavaScript, its picture and its full table; the last two are there without
JavaScript too. Nothing on the page is styled or scripted but by texts whose hashes stand in its policy.

Limits: TRACES_MAX traces; a page without a picture says why.
"""

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, assert_never

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from peak_trade.backends.javascript import Raw, javascript, literal
from peak_trade.backends.label import anchor, ident
from peak_trade.evidence.policy import WIDE_PX
from peak_trade.lang.cells import Choice, cells
from peak_trade.lang.machine import Dismissal, Machine, Transition
from peak_trade.lang.pretty import fingerprint
from peak_trade.lang.trace import Trace

TEMPLATES: Final = Path(__file__).parent / "templates"
TRACES_MAX: Final = 100
_STYLED: Final = re.compile(r'(<svg[^>]*?) style="max-width:(\d+)px;height:auto"')
_SHEET: Final = re.compile(r"<style>(.*?)</style>", re.DOTALL)
WIDTH_PX: Final = 1600
"""The width of a picture that does not say its own."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A trace to step through: `title` for the list, `says` for who has chosen it."""

    title: str
    says: str
    trace: Trace


def page(machine: Machine, picture: str, shown: Sequence[Shown] = (), picture_missing: str = "", home: str = "") -> str:
    """Return the HTML; equal arguments give equal bytes. `picture` is the SVG of `machine`, or nothing.

    `home` is the page to go back to, if there is one.
    """
    templates = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined)
    drawn, width = _unstyled(picture)
    style = _file("style.css") + _file("simulator.css").replace("{{ width_px }}", str(width))
    script = "\n".join((javascript(machine), _data(machine, shown), _file("simulator.js")))
    sheets = [style, *_SHEET.findall(drawn)]
    context: dict[str, Any] = {
        "machine": machine,
        "fingerprint": fingerprint(machine),
        "home": home,
        "style": Markup(style),  # noqa: S704 - our own file
        "script": Markup(script),  # noqa: S704 - our own text, in which `literal` has escaped every `<` of a text
        "style_hashes": Markup(" ".join(f"'{_hash(text)}'" for text in sheets)),  # noqa: S704 - base64
        "script_hash": Markup(_hash(script)),  # noqa: S704 - base64
        "picture": Markup(drawn),  # noqa: S704 - our own SVG, escaped where it was made
        "picture_missing": picture_missing,
        "wide": width > WIDE_PX,
        "matrix": list(_matrix(machine)),
    }
    return templates.get_template("simulator.html").render(context) + "\n"


def _file(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """Return what a policy calls a text that may stand in the page."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _unstyled(picture: str) -> tuple[str, int]:
    """Return the picture without its own style attribute, which the policy would not let work, and its width."""
    found = _STYLED.search(picture)
    if found is None:
        return picture, WIDTH_PX
    return _STYLED.sub(r"\1", picture, count=1).partition("-->")[2], int(found[2])


def _data(machine: Machine, shown: Sequence[Shown]) -> str:
    """Return the constants of the page's script: where things are in the picture, and the traces."""
    places = {
        "states": _map((state.name, f"state-{ident(state.name)}") for state in machine.states),
        "rows": _map((f"{row.name}\n{source}", anchor(row, source)) for row, source in _arcs(machine)),
        "edges": _map(
            (f"{source}\n{row.target}", f"edge-{ident(source)}--{ident(row.target)}")
            for row, source in _arcs(machine)
            if row.target is not None
        ),
    }
    traces = [_trace(item) for item in shown[:TRACES_MAX]]
    return f"const PLACES = {literal(places)};\nconst TRACES = {literal(traces)};"


def _arcs(machine: Machine) -> Iterable[tuple[Transition, str]]:
    return ((row, source) for row in machine.transitions for source in row.sources)


def _map(pairs: Iterable[tuple[str, str]]) -> Raw:
    return Raw(f"new Map({literal(sorted(set(pairs)))})")


def _trace(item: Shown) -> dict[str, Any]:
    start = item.trace.start
    return {
        "title": item.title,
        "says": item.says,
        "start": {"state": start.state, "context": start.context},
        "offers": [(link.event, link.payload) for link in item.trace.links],
    }


def _matrix(machine: Machine) -> Iterable[tuple[str, list[list[str]]]]:
    """Yield each event and, for each state, the lines that say what it does there."""
    table = cells(machine)
    for event in machine.events:
        yield event.name, [[_line(item) for item in table[state.name, event.name]] for state in machine.states]


def _line(choice: Choice) -> str:
    match choice.row:
        case Transition(name=name, target=target, require=locks):
            return f"{name}{f' ◆{len(locks)}' if locks else ''} {f'→ {target}' if target else '↻'}"
        case Dismissal(reason=reason, refused=refused):
            return f"{'✗' if refused else '·'} {reason}"
        case _:
            assert_never(choice.row)
