"""The operator's page: one self-contained HTML file that shows a run and can do nothing to it.

It makes no request, runs no script, has no form and no control, and reads in light and dark, by eye and by ear.

Limits: the newest ORDERS_MAX orders (open ones first) and the newest lines of the timeline; the journal has the rest.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from peak_trade.backends.card import HERE
from peak_trade.evidence.chart import Point, line, money
from peak_trade.evidence.page import Claim
from peak_trade.evidence.policy import bare, sealed
from peak_trade.evidence.story import Line
from peak_trade.watch.health import Check, Grade
from peak_trade.watch.picture import drawn
from peak_trade.watch.room import Gauge
from peak_trade.watch.seen import verdict_text
from peak_trade.watch.spark import Span, bar, life, strip
from peak_trade.watch.status import View

ORDERS_MAX: Final = 150
SYMBOLS: Final[Mapping[Grade, tuple[str, str]]] = {"pass": ("✓", "good"), "warn": ("!", "unsure"), "fail": ("✗", "bad")}
HEADS: Final[Mapping[Grade, str]] = {
    "pass": "All is as it should be",
    "warn": "Look at this",
    "fail": "A person must look",
}


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What was proved, and the fingerprint of each specification that it was proved of; no claims is no evidence."""

    claims: Sequence[Claim] = ()
    spec_sha256: Mapping[str, str] = field(default_factory=dict)

    def age(self, run: Mapping[str, Any]) -> str:
        """Return whether the verdicts are about the specifications that drove `run`."""
        if not self.claims:
            return "No evidence: nothing was proved for this page. With --prove the page carries the verdicts."
        stale = [name for name, digest in self.spec_sha256.items() if run.get(f"{name}_spec") != digest]
        if stale:
            return f"Stale: these verdicts are of another {' and '.join(stale)} specification than the run's."
        shown = ", ".join(f"{name} {digest[:12]}…" for name, digest in self.spec_sha256.items())
        return f"Of the very specifications that drove this run ({shown}), for every number of steps and every payload."


def environment() -> Environment:
    """Return the templates of this package and, for the shared style sheet, those of the report."""
    folders = [Path(__file__).parent / "templates", Path(str(files("peak_trade.evidence"))) / "templates"]
    return Environment(loader=FileSystemLoader(folders), autoescape=True, undefined=StrictUndefined, trim_blocks=True)


def page(view: View, verdicts: Verdicts, home: str = "") -> str:
    """Return the HTML of the page, with a link to `home` if given; the same run and verdicts give the same bytes."""
    return sealed(environment().get_template("status.html").render({**_context(view, verdicts), "home": home}))


def _context(view: View, verdicts: Verdicts) -> dict[str, Any]:
    seen, tick = view.seen, _tick(view)
    accounts = seen.story.accounts
    picture, missing = drawn(view.lexicon.session, seen.tally)
    points = [Point(row.ts, row.equity_ticks) for row in accounts]
    return {
        "view": view,
        "run": seen.run,
        "story": seen.story,
        "banner": _banner(view),
        "facts": _facts(view, tick),
        "checks": [(check, *SYMBOLS[check.grade]) for check in view.checks],
        "picture": Markup(bare(picture)),  # noqa: S704 - our own SVG, escaped where it was made
        "picture_missing": missing,
        "here": HERE,
        "strip": Markup(strip(spans(view), _alarms(view), _doubts(view))),  # noqa: S704 - as above
        "rails": [(item, _amounts(item, tick), Markup(bar(item.used_permille, item.rail))) for item in view.gauges],  # noqa: S704 - as above
        "wires": [(name, hard, seen.tally.trips[name]) for name, hard in view.lexicon.wires.items()],
        "actions": view.lexicon.actions,
        "reconciled": _reconciled(view),
        "orders": [(item, Markup(_life(view, item))) for item in orders(view)],  # noqa: S704 - as above
        "money": lambda ticks: money(ticks, tick),
        "equity": Markup(line(points, "Equity", tick)),  # noqa: S704 - as above
        "extremes": _extremes(view),
        "verdicts": verdicts,
        "age": verdicts.age(seen.story.run),
        "journal": verdict_text(seen.verdict),
    }


def orders(view: View) -> list[Line]:
    """Return the orders of the table: the open ones, then the newest others, ORDERS_MAX in all."""
    names = {item.order for item in view.open_lines}
    others = [item for item in view.seen.story.lines.values() if item.order not in names]
    newest = [*view.open_lines[::-1], *others[::-1]]
    return newest[:ORDERS_MAX]


def spans(view: View) -> list[Span]:
    """Return the states in which the session was, in order, each from one step to another."""
    tags = {state.name: state.tags[0] if state.tags else "" for state in view.lexicon.session.states}
    found, state, first = [], view.lexicon.session.initial.name, 0
    for item in view.seen.story.happenings:
        if item.state != state:
            found.append(Span(state, tags.get(state, ""), first, item.step))
            state, first = item.state, item.step
    return [*found, Span(state, tags.get(state, ""), first, view.seen.tally.step)]


def _tick(view: View) -> float:
    """Return what one tick is worth, for display; 1 if no configuration says it."""
    config = view.seen.snapshot.config if view.seen.snapshot else {}
    return float(config.get("market", {}).get("tick", 1))


def _banner(view: View) -> dict[str, str]:
    mark, tone = SYMBOLS[view.grade]
    told: Iterable[Check] = [check for check in view.checks if check.grade == view.grade]
    text = "; ".join(f"{check.name}: {check.why}" for check in told) if view.grade != "pass" else "every check passes"
    return {"mark": mark, "tone": tone, "head": HEADS[view.grade], "text": text}


def _facts(view: View, tick: float) -> list[tuple[str, str]]:
    seen, last = view.seen, view.seen.story.accounts[-1:]
    return [
        ("state", view.state),
        ("why", view.why or "–"),
        ("step", f"{seen.tally.step:,}"),
        ("session time", seen.tally.last_ts or "–"),
        ("equity", money(last[0].equity_ticks, tick) if last else "–"),
        ("trading", seen.story.trading),
        ("breaker", view.breaker),
        ("open orders", f"{len(view.open_lines):,}"),
        ("orders placed", f"{seen.tally.places:,}"),
        ("trips", f"{sum(seen.tally.trips.values()):,}"),
    ]


def _amounts(item: Gauge, tick: float) -> tuple[str, str, str]:
    """Return limit, now and nearest as texts in the rail's unit; a dash is not known."""

    def text(value: int | None) -> str:
        if value is None:
            return "–"
        if item.unit == "ticks":
            return money(value, tick)
        return f"{value / 10:.1f} %" if item.unit == "permille" else f"{value:,} {item.unit}"

    return text(item.limit), text(item.now), text(item.nearest)


def _life(view: View, item: Line) -> str:
    marks = view.seen.tally.lives.get(item.order, [])
    return life(marks, item.qty, frozenset(view.lexicon.order.tagged("closed")))


def _alarms(view: View) -> list[int]:
    return sorted({note.step for note in view.notes if note.alarm})


def _doubts(view: View) -> list[int]:
    marks = (mark for life_ in view.seen.tally.lives.values() for mark in life_)
    return sorted({mark.step for mark in marks if mark.state == "unknown"})


def _reconciled(view: View) -> str:
    return next(check.why for check in view.checks if check.name == "reconciler_last_ok_ts")


def _extremes(view: View) -> list[tuple[str, Any]]:
    """Return the first and last account and those of highest and lowest equity: what a chart's reader looks for."""
    accounts = view.seen.story.accounts
    if not accounts:
        return []
    named = {
        "first": accounts[0],
        "highest": max(accounts, key=lambda row: row.equity_ticks),
        "lowest": min(accounts, key=lambda row: row.equity_ticks),
        "deepest drawdown": max(accounts, key=lambda row: row.drawdown_ticks),
        "last": accounts[-1],
    }
    return list(named.items())
