"""`peak journal`: verify a run's journal, walk it beside the specifications, and show it. Reads only."""

import json
from collections import deque
from pathlib import Path
from typing import Any

import rich_click as click
from click.exceptions import Exit

from peak_trade.cli.conforming import EXITS, facts, text, walked
from peak_trade.conform.walk import OtherSpec
from peak_trade.journal.errors import JournalCorrupt
from peak_trade.journal.record import Record
from peak_trade.journal.scan import read
from peak_trade.journal.verify import Corrupt, Intact, RolledBack, Torn, Unanchored, Verdict, verify

FILE = "journal.jsonl"


@click.group("journal")
def command() -> None:
    """Verify, walk or show the journal of a run."""


def _folder(path: Path) -> Path:
    """Return the journal's folder, given it, or the run that holds it."""
    inner = path / "journal"
    return inner if inner.is_dir() else path


@command.command("verify")
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def verify_command(run: Path, style: str) -> None:
    """Verify chain, checksums and checkpoint of the journal in RUN.

    Exits 0 if it is intact, 1 if it is torn, corrupt or rolled back, 3 if no checkpoint vouches for its end.
    """
    try:
        found = verify(_folder(run))
    except FileNotFoundError as error:
        raise click.UsageError(f"{error}; a journal was expected in {run}") from error
    code, facts = _told(found)
    if style == "json":
        click.echo(json.dumps({"schema_version": 1, "exit_code": code, **facts}, sort_keys=True, indent=2))
    else:
        click.echo(" · ".join(str(value) for value in facts.values()))
        if code:
            click.echo(f"next: peak journal show {run} --last 20")
    raise Exit(code)


def _told(found: Verdict) -> tuple[int, dict[str, Any]]:
    head = {"records": f"{found.head.records} records", "root": f"root {found.head.root[:16]}…"}
    match found:
        case Intact():
            return 0, {"verdict": "intact", **head}
        case Unanchored():
            return 3, {"verdict": "unanchored", **head, "why": "no checkpoint vouches for the end of it"}
        case Torn(_, fault, _):
            where = f"line {fault.line}, byte {fault.offset_bytes}: {fault.tail_bytes} bytes do not verify"
            return 1, {"verdict": "torn", **head, "where": where, "why": "a write was cut off; a resume cuts it"}
        case RolledBack(_, size, mark):
            why = f"the checkpoint knew {mark.records} records in {mark.size_bytes} bytes, the file has {size} bytes"
            return 1, {"verdict": "rolled back", **head, "why": why}
        case Corrupt(_, file, fault):
            why = f"expected {fault.difference.expected}, was {fault.difference.was}"
            where = f"{file.name}:{fault.line} byte {fault.offset_bytes}"
            return 1, {"verdict": "corrupt", **head, "where": where, "why": why}


@command.command("conform")
@click.argument("run", type=click.Path(path_type=Path, exists=True))
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def conform_command(run: Path, style: str) -> None:
    """Walk the journal of RUN (a run, a pack, a journal, or whole lines of one) beside the specifications.

    Each record must be what session, order and breaker allow there, and what they owe each other; the first that is not
    is named. Exits 0 if it conforms, 1 if it deviates, 2 if it is no journal or of other specifications, 3 if neither
    could be shown.
    """
    try:
        found, where = walked(run)
    except (OtherSpec, JournalCorrupt, OSError) as error:
        click.echo(f"{error}\nnext: peak journal verify {run}", err=True)
        raise Exit(2) from error
    if style == "json":
        click.echo(json.dumps(facts(found, where), sort_keys=True, indent=2))
    else:
        said = found.deviation
        shown = [_line(one, "text") for one in (*said.context, said.record)] if said else []
        click.echo(text(found, where, run, shown))
    raise Exit(EXITS[found.verdict])


@command.command("show")
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--kind", help="Only records of this kind: run, session, order, account, trip, end …")
@click.option("--order", help="Only records about this order.")
@click.option("--step", type=int, help="Only records of this step.")
@click.option("--last", type=click.IntRange(1, 100_000), help="Only the last N of them.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def show(run: Path, **options: Any) -> None:  # noqa: ANN401 - click's own options
    """Show the records of the journal in RUN, one a line; every value on it passed the redaction."""
    path = _folder(run) / FILE
    if not path.is_file():
        raise click.UsageError(f"expected a journal in {run}, was none")
    wanted = (record for record in read(path) if _fits(record, options))
    for record in deque(wanted, options["last"]) if options["last"] else wanted:
        click.echo(_line(record, options["style"]))


def _fits(record: Record, options: dict[str, Any]) -> bool:
    return (
        options["kind"] in (None, record.kind)
        and options["order"] in (None, record.body.get("order"))
        and options["step"] in (None, record.body.get("step"))
    )


def _line(record: Record, style: str) -> str:
    if style == "json":
        return json.dumps({"seq": record.seq, "kind": record.kind, "body": dict(record.body)}, sort_keys=True)
    head = ("order", "event", "outcome", "by", "state")
    parts = [str(record.body[name]) for name in head if name in record.body]
    rest = [f"{name}={_word(value)}" for name, value in sorted(record.body.items()) if name not in (*head, "step")]
    step = record.body.get("step")
    return f"{record.seq:>7} {'' if step is None else step:>6} {record.kind:<10} {' '.join([*parts, *rest])}"


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
