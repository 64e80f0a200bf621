"""A run as tables for a terminal, from the view that the page shows too."""

from collections.abc import Iterable, Sequence

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from peak_trade.watch.page import SYMBOLS
from peak_trade.watch.seen import verdict_text
from peak_trade.watch.status import View

ROWS_MAX = 12
PLAIN_COLUMNS = 110
BAR_CHARS = 16
STYLES = {"good": "green", "unsure": "yellow", "bad": "red"}


def console() -> Console:
    """Return a console on standard output; not on a terminal it is PLAIN_COLUMNS wide."""
    found = Console(highlight=False)
    return found if found.is_terminal else Console(highlight=False, width=PLAIN_COLUMNS)


def board(view: View) -> Group:
    """Return all that a person sees of a run at a glance: what needs a look first."""
    return Group(
        _head(view),
        *[Text(f"! {text}", style="yellow") for text in view.seen.problems],
        _checks(view),
        _rails(view),
        *_orders(view),
        *_differences(view),
        _events(view),
    )


def _head(view: View) -> Panel:
    mark, tone = SYMBOLS[view.grade]
    seen = view.seen
    held = ", ".join(f"{symbol} {lots:+,}" for symbol, lots in view.positions.items()) or "all flat"
    trips = ", ".join(f"{name} {count}" for name, count in sorted(seen.tally.trips.items())) or "none"
    traffic = f"orders {seen.tally.places:,} placed, {len(view.open_lines):,} open · fills {seen.tally.fills:,}"
    lines = [
        f"{mark} {view.grade} · {view.state}{f' · {view.why}' if view.why else ''}",
        f"step {seen.tally.step:,} · {seen.tally.last_ts or 'no time yet'} · {traffic}",
        f"positions: {held} · trips: {trips}",
        f"journal {' · '.join(verdict_text(seen.verdict))}",
    ]
    return Panel(Text("\n".join(lines)), title=f"Run {seen.run}", title_align="left", border_style=STYLES[tone])


def _checks(view: View) -> Table:
    table = _table("Health", ("check", "result", "why"))
    for check in view.checks:
        mark, tone = SYMBOLS[check.grade]
        table.add_row(check.name, Text(f"{mark} {check.grade}", style=STYLES[tone]), check.why)
    return table


def _rails(view: View) -> Table:
    table = _table("Rails", ("rail", "limit", "now", "nearest", "used", "denied"), right=("limit", "now", "nearest"))
    for item in view.gauges:
        amounts = ["–" if value is None else f"{value:,}" for value in (item.limit, item.now, item.nearest)]
        used = item.used_permille
        bar = "not known" if used is None else f"{_bar(used)} {used / 10:.1f} %"
        name = f"{item.rail} ({item.unit})" if item.unit else item.rail
        table.add_row(name, *amounts, Text(bar, style="red" if used and used >= 1000 else ""), str(item.denied))
    return table


def _bar(permille: int) -> str:
    filled = min(BAR_CHARS, permille * BAR_CHARS // 1000)
    return "█" * filled + "░" * (BAR_CHARS - filled)


def _orders(view: View) -> Iterable[Table]:
    if not view.open_lines:
        return
    title = f"Open orders{_rest(len(view.open_lines))}"
    table = _table(title, ("order", "symbol", "side", "lots", "filled", "state"), right=("lots", "filled"))
    for line in view.open_lines[-ROWS_MAX:]:
        table.add_row(line.order, line.symbol, line.side, f"{line.qty:,}", f"{line.cum:,}", line.state)
    yield table


def _differences(view: View) -> Iterable[Table]:
    found = view.seen.story.differences
    if not found:
        return
    table = _table(f"Open differences{_rest(len(found))}", ("code", "subject", "book", "venue", "what is to be done"))
    for item in found[:ROWS_MAX]:
        action = view.lexicon.actions.get(str(item["code"]), "stop for the operator")
        table.add_row(str(item["code"]), str(item["subject"]), str(item["book"]), str(item["venue"]), action)
    yield table


def _events(view: View) -> Table:
    table = _table(f"Last audit events{_rest(len(view.notes))}", ("record", "step", "time", "what", "state"))
    for note in view.notes[-ROWS_MAX:]:
        what = Text(f"▲ {note.what}" if note.alarm else note.what, style="red" if note.alarm else "")
        table.add_row(str(note.seq), str(note.step), note.ts, what, note.state)
    return table


def _rest(count: int) -> str:
    return f" ({ROWS_MAX} of {count:,})" if count > ROWS_MAX else ""


def _table(title: str, columns: Sequence[str], right: Sequence[str] = ()) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return table
