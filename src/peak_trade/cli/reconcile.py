"""`peak reconcile`: one report from the journal of a run and a snapshot of the venue. It never writes into the run."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import rich_click as click
from click.exceptions import Exit
from pydantic import ValidationError
from rich.table import Table

from peak_trade.backends.kernel import Kernel, compile_kernel
from peak_trade.broker.ledger import LedgerDamaged
from peak_trade.cli.board import console
from peak_trade.cli.specs import machine_named
from peak_trade.evidence.artifacts import CONFIG, Snapshot
from peak_trade.evidence.reconciliation import Reconciliation, Row, page
from peak_trade.journal.errors import JournalRefusal
from peak_trade.journal.record import Record
from peak_trade.journal.scan import read
from peak_trade.journal.verify import Corrupt, RolledBack, verify
from peak_trade.lang.pretty import fingerprint
from peak_trade.rails.differences import RULES, WORDS, Difference, Severity
from peak_trade.rails.reconcile import reconcile
from peak_trade.rails.recount import BadBook, Recount, recount
from peak_trade.rails.told import BadSnapshot, Told, dump, load
from peak_trade.session.assembly import JOURNAL, VENUE
from peak_trade.session.config import Config
from peak_trade.session.replica import told_by
from peak_trade.watch.seen import verdict_text

FILE: Final = "journal.jsonl"
AGREE, DIFFER, INCONCLUSIVE = "agree", "differ", "inconclusive"
CODES: Final = {AGREE: 0, DIFFER: 1, INCONCLUSIVE: 3}
ROWS_MAX: Final = 100


@dataclass(slots=True)
class Found:
    """What was compared and what differs; `problems` are why nothing can be concluded, if anything."""

    book: Recount
    told: Told | None
    differences: tuple[Difference, ...]
    problems: list[str]

    @property
    def verdict(self) -> str:
        """Agree iff everything was there and nothing differs; what a run that is not over has still to read is none."""
        if self.problems:
            return INCONCLUSIVE
        expected = not self.book.ended
        differs = any(not expected or item.severity is not Severity.INFO for item in self.differences)
        return DIFFER if differs else AGREE

    @property
    def why(self) -> str:
        """The verdict's sentence."""
        if self.problems:
            return "; ".join(self.problems)
        if self.verdict == DIFFER:
            return f"book and venue differ in {len(self.differences)} places"
        late = f"; reports that are still to be read explain {len(self.differences)} more" if self.differences else ""
        return f"{len(self.book.lines):,} orders and {len(self.book.executions):,} executions compared{late}"


@click.command("reconcile")
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--snapshot",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="What the venue told, as JSON; else the ledger in the run's folder.",
)
@click.option(
    "--write-snapshot",
    "copy",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what the ledger tells into this file, to start from.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the report as a page, too.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(run: Path, snapshot: Path | None, copy: Path | None, out: Path | None, style: str) -> None:
    """Compare the book of the run in RUN, as its journal tells it, with what the venue told: both ways, once.

    Exits 0 if they agree, 1 if they differ, 2 if the snapshot is refused, 3 if nothing can be concluded: no answer, a
    truncated snapshot, a journal that does not verify. Nothing is written into RUN.
    """
    for path in (copy, out):
        if path is not None and run.resolve() in path.resolve().parents:
            raise click.UsageError(f"expected a file outside {run}, was {path}; a run's folder is evidence")
    if snapshot is not None and copy is not None:
        raise click.UsageError("expected --snapshot or --write-snapshot, was both; the copy is made from the ledger")
    found = compared(run, snapshot)
    if copy is not None and found.told is not None:
        copy.write_text(dump(found.told), encoding="utf-8")
        click.echo(f"written: {copy}", err=True)
    if out is not None:
        out.write_text(page(_report(found)), encoding="utf-8")
        click.echo(f"written: {out}", err=True)
    _show(run, found, style)
    raise Exit(CODES[found.verdict])


def compared(run: Path, snapshot: Path | None) -> Found:
    """Return what the run's book and the venue's snapshot come to; UsageError iff the input is wrong."""
    kernel = compile_kernel(machine_named("order"))
    settings, problems = _settings(run), list[str]()
    book = _book(run, kernel, problems)
    told = None
    if snapshot is not None:
        told = _given(snapshot, book)
    elif not problems:
        told = _ledger(run, settings, book, problems)
    if told is None or problems:
        return Found(book, told, (), problems)
    if told.truncated:
        problems.append("the snapshot says that it is truncated")
    patience_steps = Config.model_validate(settings.config).patience_steps
    return Found(book, told, reconcile(book.ours(), told.snapshot(), patience_steps), problems)


def _settings(run: Path) -> Snapshot:
    try:
        found = Snapshot.model_validate_json((run / CONFIG).read_bytes())
        Config.model_validate(found.config)
    except FileNotFoundError as error:
        raise click.UsageError(f"expected {CONFIG} in {run}, was none; make a run with peak run --out DIR") from error
    except (OSError, ValidationError) as error:
        raise click.UsageError(f"expected a {CONFIG} of this version in {run}: {str(error)[:200]}") from error
    return found


def _book(run: Path, kernel: Kernel, problems: list[str]) -> Recount:
    """Return our side as far as the journal verifies; what keeps it from being whole becomes a problem."""
    try:
        verdict = verify(run / JOURNAL)
        if isinstance(verdict, RolledBack | Corrupt):
            problems.append(f"the journal is {': '.join(verdict_text(verdict))}")
        found = recount(_records(run / JOURNAL / FILE), kernel)
    except FileNotFoundError as error:
        raise click.UsageError(f"expected a journal in {run}, was none; make a run with peak run --out DIR") from error
    except BadBook as error:
        problems.append(str(error))
        return Recount(kernel)
    if not found.run:
        problems.append("the journal does not say which run it is")
    elif found.run.get("order_spec") != fingerprint(kernel.machine):
        problems.append("the run was made by another order specification than this one")
    return found


def _records(path: Path) -> Iterator[Record]:
    with suppress(JournalRefusal):  # the verdict says where it ends
        yield from read(path)


def _given(path: Path, book: Recount) -> Told:
    try:
        told = load(path.read_bytes())
    except BadSnapshot as error:
        raise click.UsageError(f"{path}:{error.line}: {error.path}: {error.problem}") from error
    if book.run and told.run != book.run.get("run"):
        raise click.UsageError(f"{path}: $.run: expected {book.run.get('run')}, was {told.run}: of another run")
    return told


def _ledger(run: Path, settings: Snapshot, book: Recount, problems: list[str]) -> Told | None:
    config = Config.model_validate(settings.config)
    try:
        return told_by(run / VENUE, config, settings.steps_max, str(book.run.get("run")))
    except FileNotFoundError:
        problems.append(f"the venue gave no answer: there is no {VENUE} in the run's folder; give --snapshot FILE")
    except LedgerDamaged as error:
        problems.append(f"the venue gave no answer: {error}")
    return None


def _show(run: Path, found: Found, style: str) -> None:
    if style == "json":
        click.echo(json.dumps(_plain(found), sort_keys=True, indent=2, ensure_ascii=False))
        return
    if found.differences:
        console().print(_table(found))
    click.echo(f"{found.verdict}: {found.why}")
    if found.verdict == DIFFER:
        click.echo(f"next: peak journal show {run} --last 20")
    elif found.verdict == INCONCLUSIVE:
        click.echo(f"next: peak journal verify {run}")


def _table(found: Found) -> Table:
    rest = f" ({ROWS_MAX} of {len(found.differences):,})" if len(found.differences) > ROWS_MAX else ""
    table = Table(title=f"Differences{rest}", title_justify="left", title_style="bold", box=None, pad_edge=False)
    for name in ("code", "subject", "book", "venue", "severity", "action"):
        table.add_column(name, justify="right" if name in ("book", "venue") else "left", overflow="fold")
    for item in found.differences[:ROWS_MAX]:
        sides = (str(item.book), str(item.venue))
        table.add_row(item.code.value, item.subject, *sides, item.severity.value, item.action.value)
    return table


def _plain(found: Found) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "exit_code": CODES[found.verdict],
        "verdict": found.verdict,
        "why": found.why,
        "run": found.book.run.get("run"),
        "ended": found.book.ended,
        "orders": len(found.book.lines),
        "executions": len(found.book.executions),
        "cursor": found.book.cursor,
        "head_cursor": None if found.told is None else found.told.head_cursor,
        "step": None if found.told is None else found.told.step,
        "differences": [
            {
                "code": item.code.value,
                "subject": item.subject,
                "book": item.book,
                "venue": item.venue,
                "action": item.action.value,
                "severity": item.severity.value,
            }
            for item in found.differences
        ],
    }


def _report(found: Found) -> Reconciliation:
    told, book = found.told, found.book
    facts = {
        "orders": f"{len(book.lines):,}",
        "executions": f"{len(book.executions):,}",
        "our cursor": f"{book.cursor:,}",
        "venue's head": "no answer" if told is None else f"{told.head_cursor:,}",
        "session step": f"{book.step:,}",
        "run is over": "yes" if book.ended else "no",
    }
    rows = [
        Row(
            item.code.value,
            item.subject,
            str(item.book),
            str(item.venue),
            WORDS[item.action],
            item.severity.value,
            RULES[item.code].meaning,
        )
        for item in found.differences
    ]
    return Reconciliation(str(book.run.get("run", "unknown")), found.verdict, found.why, facts, rows)
