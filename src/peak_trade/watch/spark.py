"""Small pictures inside a table: an order's life, a rail's distance, a session's states over its steps. SVG text.

Colour never speaks alone: shapes and a text alternative say the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

from peak_trade.watch.tally import Mark

MARKS_MAX: Final = 12
STEP_PX: Final = 16
HEIGHT_PX: Final = 28
TOP_PX: Final = 6
BASE_PX: Final = 22
BAR_PX: Final = 120
STRIP_PX: Final = 960
LEAST_PX: Final = 4
CHAR_PX: Final = 7.6
FILLED: Final = "filled"
NEAR_PERMILLE: Final = 800
"""From here on a rail's bar warns."""

GRADES: Final = {"ready": "soft", "active": "series", "live": "bad", "draining": "unsure", "operator": "bad"}


@dataclass(frozen=True, slots=True)
class Span:
    """The session was in `state`, whose first tag is `tag`, from one step to another."""

    state: str
    tag: str
    first: int
    last: int


def life(marks: Sequence[Mark], qty_lots: int, closed: frozenset[str]) -> str:
    """Return an order's life as a line: one point a step of its machine, as high as it was filled.

    Circle: working. Diamond: unknown. Square: closed and filled. Cross: closed, not all of it filled. Triangle: opened
    again after it was closed.

    Limits: of more than MARKS_MAX steps the first and the last ones are drawn.
    """
    shown = [*marks[:1], *marks[1 - MARKS_MAX :]] if len(marks) > MARKS_MAX else list(marks)
    points = [(8 + STEP_PX * place, _height(mark, qty_lots)) for place, mark in enumerate(shown)]
    label = ", ".join(f"step {mark.step} {mark.state} {mark.cum_lots:,}" for mark in shown)
    path = " ".join(f"{x},{y}" for x, y in points)
    was = [False, *(mark.state in closed for mark in shown)]
    shapes = "".join(
        _reopened(at) if before and mark.state not in closed else _shape(mark, at, qty_lots, closed)
        for mark, at, before in zip(shown, points, was, strict=False)
    )
    width = 16 + STEP_PX * max(0, len(shown) - 1)
    return (
        f'<svg class="life" role="img" aria-label="{escape(label)} of {qty_lots:,} lots" width="{width}"'
        f' height="{HEIGHT_PX}" viewBox="0 0 {width} {HEIGHT_PX}"><polyline points="{path}"/>{shapes}</svg>'
    )


def _height(mark: Mark, qty_lots: int) -> int:
    return BASE_PX - (BASE_PX - TOP_PX) * min(mark.cum_lots, qty_lots) // max(1, qty_lots)


def _reopened(at: tuple[int, int]) -> str:
    x, y = at
    return f'<path class="doubt" d="M{x} {y - 5}l5 9h-10z"/>'


def _shape(mark: Mark, at: tuple[int, int], qty_lots: int, closed: frozenset[str]) -> str:
    x, y = at
    if mark.state == "unknown":
        return f'<path class="doubt" d="M{x} {y - 5}l5 5-5 5-5-5z"/>'
    if mark.state not in closed:
        return f'<circle cx="{x}" cy="{y}" r="3"/>'
    if mark.state == FILLED or (qty_lots and mark.cum_lots >= qty_lots):
        return f'<rect class="done" x="{x - 4}" y="{y - 4}" width="8" height="8"/>'
    return f'<path class="cut" d="M{x - 4} {y - 4}l8 8m0-8l-8 8"/>'


def bar(used_permille: int | None, name: str) -> str:
    """Return how much of a limit was used as a bar; past the limit it is full."""
    if used_permille is None:
        return ""
    tone = "bad" if used_permille >= 1000 else "unsure" if used_permille >= NEAR_PERMILLE else "good"
    width = BAR_PX * min(used_permille, 1000) // 1000
    label = f"{escape(name)}: {used_permille / 10:.1f} % of the limit used"
    return (
        f'<svg class="bar" role="img" aria-label="{label}" width="{BAR_PX}" height="12" viewBox="0 0 {BAR_PX} 12">'
        f'<rect class="track" x="0.5" y="0.5" width="{BAR_PX - 1}" height="11"/>'
        f'<rect class="{tone}" width="{width}" height="12"/></svg>'
    )


def strip(spans: Sequence[Span], alarms: Sequence[int], doubts: Sequence[int]) -> str:
    """Return the session's states over its steps as one strip; triangles are alarms, diamonds unknown outcomes."""
    end = max([1, *(span.last for span in spans)])
    label = "; ".join(f"{span.state} from step {span.first} to {span.last}" for span in spans)
    label += f"; {len(alarms)} alarms, {len(doubts)} unknown outcomes"
    boxes, left = [], 0.0
    room = STRIP_PX - LEAST_PX * len(spans)
    for span in spans:
        width = LEAST_PX + room * (span.last - span.first) / end
        text = span.state if len(span.state) * CHAR_PX < width else ""
        tone = GRADES.get(span.tag, "soft")
        boxes.append(
            f'<rect class="{tone}" x="{left:.1f}" y="18" width="{max(1.0, width - 1):.1f}" height="22"/>'
            f'<text class="on" x="{left + 6:.1f}" y="33">{escape(text)}</text>'
        )
        left += width
    marks = [f'<path class="alarm" d="M{_x(step, end):.1f} 4l5 9h-10z"/>' for step in alarms]
    marks += [f'<path class="doubt" d="M{_x(step, end):.1f} 44l4 4-4 4-4-4z"/>' for step in doubts]
    scale = '<text class="tick" x="0" y="66">step 0</text>'
    scale += f'<text class="tick" x="{STRIP_PX}" y="66" text-anchor="end">step {end:,}</text>'
    return (
        f'<svg class="strip" viewBox="0 0 {STRIP_PX} 70" role="img" aria-label="{escape(label)}">'
        f"{''.join(boxes)}{''.join(marks)}{scale}</svg>"
    )


def _x(step: int, end: int) -> float:
    return 6 + (STRIP_PX - 12) * step / end
