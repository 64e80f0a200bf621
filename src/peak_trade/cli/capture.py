"""A captured FIX log replayed and shown: each message, what it was to our book, and where the venue says otherwise."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, Literal

import rich_click as click
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from peak_trade.backends.kernel import compile_kernel
from peak_trade.cli.board import STYLES, console
from peak_trade.cli.specs import machine_at
from peak_trade.fix.engine import Stepped
from peak_trade.fix.reader import LOG_BYTES_MAX, read
from peak_trade.fix.replay import replay
from peak_trade.fix.row import LABELS, Ended, Facts, Replayed, Row, Verdict
from peak_trade.lang.machine import Machine

ROWS_MAX: Final = 200
FAULTS_SHOWN_MAX: Final = 20
CODES: Final[Mapping[Verdict, int]] = {"agrees": 0, "differs": 1, "malformed": 2, "nothing": 3}
TONES: Final[Mapping[Verdict, str]] = {"agrees": "good", "differs": "bad", "malformed": "bad", "nothing": "unsure"}
NEXT: Final[Mapping[Verdict, str]] = {
    "differs": "peak replay --fix {file} --format json   has the venue's figures of every row",
    "malformed": "peak replay --fix {file}   again, after the capture is mended",
    "nothing": "peak replay --fix FILE   with a log that has execution reports (35=8)",
}
RIGHT: Final = frozenset({"line", "OrderQty", "CumQty", "LeavesQty", "reports", "differing"})
FIGURES: Final = frozenset(label for label, _ in LABELS)
ANSWERS: Final = {"taken": "green", "ignored": "dim", "refused": "red", "none": "dim"}


def captured(file: Path, spec: str | None, style: str) -> int:
    """Show what the replay of the FIX log in `file` says, and return the exit code.

    That is 0 if every report agrees with our book, 1 if one differs, 2 if a message is malformed, 3 if there is none.
    """
    machine = _order(spec)
    kernel = compile_kernel(machine)
    try:
        with file.open("rb") as log:
            data = log.read(LOG_BYTES_MAX + 1)
    except OSError as error:
        raise click.UsageError(f"cannot read {file}: {error.strerror}") from error
    done = replay(read(data), lambda: Stepped(kernel))
    if style == "json":
        click.echo(json.dumps(document(done), sort_keys=True, indent=2))
    else:
        console().print(board(done, file.name))
        if done.verdict in NEXT:
            click.echo(f"next: {NEXT[done.verdict].format(file=file)}")
    return CODES[done.verdict]


def document(done: Replayed) -> dict[str, Any]:
    """Return the replay as JSON has it: every row with the venue's figures and ours."""
    return {
        "schema_version": 1,
        "exit_code": CODES[done.verdict],
        "verdict": done.verdict,
        "reports": done.judged,
        "differing": done.differing,
        "session_messages": done.session_messages,
        "rows": [asdict(row) for row in done.rows],
        "orders": [asdict(order) for order in done.orders],
        "faults": [asdict(fault) | {"field": fault.field} for fault in done.faults],
    }


def board(done: Replayed, name: str) -> Group:
    """Return the tables of a replay: the log row by row, its orders, what was refused, and the verdict."""
    return Group(*_log(done.rows), *_orders(done.orders), *_faults(done), _verdict(done, name))


def _order(spec: str | None) -> Machine:
    """Return the order's machine; UsageError iff another one was given."""
    machine = machine_at(spec or "order")
    if machine.name != "order":
        raise click.UsageError(f"--spec: expected a specification of the order, was {machine.name}")
    return machine


def _log(rows: tuple[Row, ...]) -> Iterable[RenderableType]:
    if not rows:
        return
    shown, title = rows, "Messages · figures are ours; ≠ says what the venue prints"
    if len(rows) > ROWS_MAX:
        differing = [row for row in rows if row.differs]
        shown = tuple(differing[:ROWS_MAX])
        title = f"Messages that differ · {len(shown)} of {len(differing):,} shown, of {len(rows):,} in all"
    table = _table(title, ("line", "35", "ClOrdID", "event", "answer", *(label for label, _ in LABELS)))
    for row in shown:
        why = f": {_words(row.reason)}" if row.reason else ""
        answer = Text(f"{row.answer}{why}", style=ANSWERS[row.answer])
        note = f" · {row.note}" if row.note else ""
        told = row.event + note if row.event else row.note
        table.add_row(str(row.place.line), row.kind, row.cl_ord_id or "–", told, answer, *_figures(row))
    yield table
    yield Text()


def _figures(row: Row) -> Iterable[Text]:
    """Return the four figures of a row: ours, and in red what the venue prints if that is another."""
    for label, name in LABELS:
        ours, printed = _figure(row.ours, name), _figure(row.printed, name)
        if label in row.differs:
            yield Text(f"{ours}\n≠ {printed}", style="bold red")
        else:
            yield Text(ours if row.printed is not None else "")


def _figure(facts: Facts | None, name: str) -> str:
    if facts is None:
        return "–"
    value = getattr(facts, name)
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else _words(value)


def _words(name: str) -> str:
    return name.replace("_", " ")


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _orders(orders: tuple[Ended, ...]) -> Iterable[RenderableType]:
    if not orders:
        return
    rest = f" ({ROWS_MAX} of {len(orders):,})" if len(orders) > ROWS_MAX else ""
    columns = ("order", "sent by", *(label for label, _ in LABELS), "reports", "differing")
    table = _table(f"Orders at the end{rest}", columns)
    for order in orders[:ROWS_MAX]:
        differing = Text(f"{order.differing:,}", style="bold red" if order.differing else "green")
        figures = (_figure(order.facts, name) for _, name in LABELS)
        sender = "somebody else" if order.external else "us"
        table.add_row(order.order, sender, *figures, f"{order.reports:,}", differing)
    yield table
    yield Text()


def _faults(done: Replayed) -> Iterable[Text]:
    for fault in done.faults[:FAULTS_SHOWN_MAX]:
        yield Text(f"✗ {fault}", style="red")
    if len(done.faults) > FAULTS_SHOWN_MAX:
        yield Text(f"  and {len(done.faults) - FAULTS_SHOWN_MAX:,} more; --format json has all")


def _verdict(done: Replayed, name: str) -> Panel:
    agreeing = done.judged - done.differing
    counted = f"{agreeing:,} of {_count(done.judged, 'report')} agree with our book in every figure"
    said = {
        "agrees": f"✓ {counted}",
        "differs": f"✗ {counted}; {done.differing:,} differ",
        "malformed": f"✗ {_count(len(done.faults), 'malformed message')} refused whole, the book untouched · {counted}",
        "nothing": "! no execution report in the log, so there is nothing to judge",
    }[done.verdict]
    refused = sum(row.printed is None and row.answer == "refused" for row in done.rows)
    own = f"\n{_count(refused, 'request')} that our book would not have sent" if refused else ""
    strange = sum(order.external for order in done.orders)
    orders = f"{_count(len(done.orders), 'order')}, {strange:,} of them sent by somebody else"
    messages = f"{_count(len(done.rows), 'message')} of orders, {done.session_messages:,} of the session"
    text = f"{said}\n{messages} · {orders}{own}"
    return Panel(Text(text), title=name, title_align="left", border_style=STYLES[TONES[done.verdict]])


def _table(title: str, columns: Iterable[str]) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for name in columns:
        justify: Literal["left", "right"] = "right" if name in RIGHT else "left"
        table.add_column(name, justify=justify, overflow="fold", no_wrap=name in FIGURES)
    return table
