"""The report page of a run: one self-contained HTML file, made from its story, its verdicts and its diagrams."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from peak_trade.evidence.chart import Point, line, money
from peak_trade.evidence.policy import bare, sealed, wide
from peak_trade.evidence.story import Account, Story
from peak_trade.lang.machine import Machine

ROWS_MAX: Final = 400
ORDERS_MAX: Final = 500
LIVE_CLAUSE: Final = "C0.1"


@dataclass(frozen=True, slots=True)
class Claim:
    """A property and what became of it; `verdict` is proved, refuted, not inductive or unknown."""

    machine: str
    name: str
    kind: str
    says: str
    verdict: str
    method: str
    clauses: tuple[str, ...]

    @property
    def tone(self) -> str:
        """The class under which the page shows the verdict."""
        return {"proved": "good", "refuted": "bad"}.get(self.verdict, "unsure")

    @property
    def mark(self) -> str:
        """A glyph beside the colour, so that the verdict needs no colour."""
        return {"proved": "✓", "refuted": "✗"}.get(self.verdict, "?")


@dataclass(frozen=True, slots=True)
class Drawing:
    """A machine, its SVG with the run's path on it, and the legend under it; `missing` is why there is no SVG."""

    machine: Machine
    svg: str
    legend: Sequence[str]
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Contents:
    """All that stands on the page. `claims` is empty if nothing was proved for this run's specifications.

    `problems` says what of the run could not be read, `home` is the page to go back to, if there is one.
    """

    story: Story
    session: Drawing
    order: Drawing
    claims: Sequence[Claim]
    claims_stale: bool
    tick: float
    journal_text: str
    files: Mapping[str, str]
    data_name: str
    verify_command: str
    problems: Sequence[str] = ()
    home: str = ""


def banner(contents: Contents) -> dict[str, str]:
    """Return the first line of the page. It says proved iff every clause about the live gate is, for these specs."""
    gate = [claim for claim in contents.claims if LIVE_CLAUSE in claim.clauses]
    return gate_banner(gate, "the specification changed since" if contents.claims_stale else "")


def gate_banner(gate: Sequence[Claim], void: str = "") -> dict[str, str]:
    """Return the banner that the claims about the live gate give; `void` is why they are no evidence, if so."""
    if not gate or void:
        why = void or "nothing was proved for this page"
        return {"tone": "unsure", "mark": "?", "head": "NO-LIVE: no evidence", "text": f"{why}; run peak prove."}
    if all(claim.verdict == "proved" for claim in gate):
        names = ", ".join(claim.name for claim in gate)
        text = (
            f"No live state is ever entered while a lock is closed: {names}, for every number of steps and any payload."
        )
        return {"tone": "good", "mark": "✓", "head": "NO-LIVE: proved", "text": text}
    failed = ", ".join(f"{claim.name} {claim.verdict}" for claim in gate if claim.verdict != "proved")
    return {"tone": "bad", "mark": "✗", "head": "NO-LIVE: not proved", "text": failed}


def page(contents: Contents) -> str:
    """Return the page's HTML; it makes no request, runs no script, and reads in light and dark."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return sealed(environment.get_template("report.html").render(_context(contents)))


def _context(contents: Contents) -> dict[str, Any]:
    story, tick = contents.story, contents.tick
    stamped = [row.ts for row in story.accounts if row.ts] or ["–"]
    points = [Point(row.ts, row.equity_ticks) for row in story.accounts]
    return {
        "run": story.run.get("run", "unknown"),
        "story": story,
        "banner": banner(contents),
        "data_name": contents.data_name,
        "first_ts": stamped[0],
        "last_ts": stamped[-1],
        "reasons": {reason.name: reason.doc for reason in contents.session.machine.reasons} | _by_transition(contents),
        "facts": _facts(contents),
        "rows_max": ROWS_MAX,
        "session_svg": Markup(bare(contents.session.svg)),  # noqa: S704 - our own SVG, escaped where it was made
        "session": contents.session,
        "order": contents.order,
        "problems": contents.problems,
        "home": contents.home,
        "order_svg": Markup(bare(contents.order.svg)),  # noqa: S704 - as above
        "order_wide": wide(contents.order.svg),
        "equity_svg": Markup(line(points, "Equity", tick)),  # noqa: S704 - numbers and dates only
        "equity_rows": _years(story.accounts),
        "money": lambda ticks: money(ticks, tick),
        "start_money": money(points[0].value, tick) if points else "–",
        "end_money": money(points[-1].value, tick) if points else "–",
        "drawdown_money": money(max((row.drawdown_ticks for row in story.accounts), default=0), tick),
        **_ends(contents),
        "lines": list(story.lines.values())[:ORDERS_MAX],
        "refusals": _refusals(contents),
        "claims": contents.claims,
        "claims_text": _claims_text(contents),
        "files": [{"name": name, "sha256": digest} for name, digest in contents.files.items()],
        "journal_text": contents.journal_text,
        "verify_command": contents.verify_command,
    }


def _by_transition(contents: Contents) -> dict[str, str]:
    """Return the sentence of each transition's reason, by the transition's id."""
    docs = {reason.name: reason.doc for reason in contents.session.machine.reasons}
    return {item.name: docs[item.reason] for item in contents.session.machine.transitions if item.reason in docs}


def _facts(contents: Contents) -> list[dict[str, Any]]:
    story = contents.story
    denied = sum(1 for item in story.lines.values() if item.rail)
    proved = sum(claim.verdict == "proved" for claim in contents.claims)
    return [
        {"name": "final state", "value": story.state, "small": False},
        {"name": "orders placed", "value": f"{len(story.lines) - denied:,}", "small": False},
        {"name": "denied by rails", "value": f"{denied:,}", "small": False},
        {"name": "fills that stand", "value": f"{len(story.trades):,}", "small": False},
        {
            "name": "busted · corrected",
            "value": f"{story.undone['bust']:,} · {story.undone['correct']:,}",
            "small": False,
        },
        {"name": "unknown outcomes met", "value": f"{story.events['time_out']:,}", "small": False},
        {"name": "rails tripped", "value": f"{sum(story.trips.values()):,}", "small": False},
        {"name": "properties proved", "value": f"{proved} of {len(contents.claims)}", "small": False},
        {"name": "journal", "value": contents.journal_text, "small": True},
    ]


def _years(accounts: Sequence[Account]) -> list[Account]:
    """Return the first account of each year, and the last of all."""
    seen: dict[str, Account] = {}
    for row in accounts:
        seen.setdefault(row.ts[:4], row)
    return [*seen.values(), *accounts[-1:]]


def _ends(contents: Contents) -> dict[str, Any]:
    story = contents.story
    held = {symbol: lots for symbol, lots in sorted(story.positions.items()) if lots}
    why = "the session stopped before its orders could sell all of it" if story.ended else "the run is not over"
    traded = len(story.positions)
    if not story.reconciled.get("asked"):
        reconciled = "Book and venue were not compared: the venue gave no answer, so there is no evidence."
    else:
        at = "at the end" if story.reconciled.get("closing", True) else f"last at step {story.reconciled['step']:,}"
        differ = f"{len(story.differences)} differences:" if story.differences else "no difference."
        reconciled = f"Book and venue were compared {at}, {story.reconciled['orders']:,} orders both ways: {differ}"
    return {
        "positions_text": f"{traded - len(held)} of {traded} traded symbols are flat."
        if traded
        else "Nothing was traded.",
        "open_positions": [{"symbol": symbol, "lots": f"{lots:+,}", "why": why} for symbol, lots in held.items()],
        "reconcile_text": reconciled,
        "differences": story.differences,
        "orders_text": ", ".join(f"{count:,} {state}" for state, count in sorted(_end_states(story).items())) + ".",
    }


def _end_states(story: Story) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in story.lines.values():
        found[item.state] = found.get(item.state, 0) + 1
    return found


def _refusals(contents: Contents) -> list[dict[str, Any]]:
    rows = []
    for drawing in (contents.session, contents.order):
        docs = {reason.name: reason.doc for reason in drawing.machine.reasons}
        for name, count in sorted(contents.story.refused[drawing.machine.name].items()):
            doc = docs.get(name.rpartition(" · ")[2], "the language's own check of payload and bounds")
            rows.append({"machine": drawing.machine.name, "name": name, "doc": doc, "count": f"{count:,}"})
    return rows


def _claims_text(contents: Contents) -> str:
    if not contents.claims:
        return "Nothing was proved for this page, so it claims nothing. Run peak report with the proofs."
    if contents.claims_stale:
        return "These verdicts are of the specifications as they are now, not as they were when the run was made."
    return (
        "Each claim stands in the specification that the run was driven by. Proved means: for every number of steps, "
        "every payload and every quantity. A witness is a run that shows that something is possible."
    )
