"""A line of a run as SVG text: no script, no font of its own, readable in light and dark."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 960
HEIGHT: Final = 240
LEFT: Final = 92
BOTTOM: Final = 28
TOP: Final = 12
RIGHT: Final = 12
POINTS_MAX: Final = 1_200
GRID: Final = 4


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a series: what stands under it, and how high it is."""

    label: str
    value: int


def line(points: Sequence[Point], title: str, unit: float) -> str:
    """Return the series as one SVG line over a labelled grid; `unit` is what one tick is worth in money.

    Limits: more than POINTS_MAX points are thinned evenly, first and last kept.
    """
    if len(points) < 2:
        return f'<p class="empty">No {title.lower()} to draw: fewer than two steps.</p>'
    shown = _thinned(points)
    low, high = min(point.value for point in shown), max(point.value for point in shown)
    high = high if high > low else low + 1
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    xs = [LEFT + width * index / (len(shown) - 1) for index in range(len(shown))]
    ys = [TOP + height * (high - point.value) / (high - low) for point in shown]
    path = " ".join(f"{'L' if index else 'M'}{x:.1f} {y:.1f}" for index, (x, y) in enumerate(zip(xs, ys, strict=True)))
    rules = "".join(
        _rule(TOP + height * index / GRID, high - (high - low) * index / GRID, unit) for index in range(GRID + 1)
    )
    dates = "".join(_date(shown, share, width) for share in (0.0, 0.25, 0.5, 0.75, 1.0))
    label = f"{title}: from {money(shown[0].value, unit)} to {money(shown[-1].value, unit)}"
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{label}"><title>{label}</title>'
        f'{rules}{dates}<path class="series" d="{path}"/></svg>'
    )


def money(ticks: float, unit: float) -> str:
    """Return an amount of ticks as money with two decimals and grouped thousands; for display only."""
    return f"{ticks * unit:,.2f}"


def _thinned(points: Sequence[Point]) -> Sequence[Point]:
    if len(points) <= POINTS_MAX:
        return points
    last = len(points) - 1
    return [points[round(index * last / (POINTS_MAX - 1))] for index in range(POINTS_MAX)]


def _rule(y: float, value: float, unit: float) -> str:
    return (
        f'<line class="rule" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{money(value, unit)}</text>'
    )


def _date(points: Sequence[Point], share: float, width: int) -> str:
    point = points[round(share * (len(points) - 1))]
    anchor = {0.0: "start", 1.0: "end"}.get(share, "middle")
    x, y = LEFT + width * share, HEIGHT - 8
    return f'<text class="tick" x="{x:.1f}" y="{y}" text-anchor="{anchor}">{point.label[:10]}</text>'
