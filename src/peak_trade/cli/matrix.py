"""`peak matrix`: every row of the failure matrix, executed."""

import json
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import rich_click as click
from click.exceptions import Exit

from peak_trade.cli.job import fenced
from peak_trade.cli.spread import machines, spread
from peak_trade.fuzz.matrix import Ran, crash_row, crashes, failures, run_row
from peak_trade.fuzz.page import matrix_page
from peak_trade.fuzz.rows import Row, rows
from peak_trade.lang.source import suggestion

PASS, VIOLATION = 0, 1
SEEDS_MAX: Final = 10_000


@click.command("matrix")
@click.option("--row", "chosen", help="Only the row of this id, such as FM-04.")
@click.option("--seeds", type=click.IntRange(1, SEEDS_MAX), default=10, show_default=True, help="Seeds for each row.")
@click.option("--crash", is_flag=True, help="Also kill each row's session at every write to its journal.")
@click.option("--jobs", type=click.IntRange(1, 64), default=lambda: os.cpu_count() or 1, help="Processes; all cores.")
@click.option("--write", type=click.Path(path_type=Path, dir_okay=False), help="File to write the page to.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(**options: Any) -> None:  # noqa: ANN401 - click's own options
    """Execute the failure matrix: each row is a session in which one thing goes wrong.

    Exits 0 if in each row what has to be seen was seen, nothing else was, the session ended as stated, and book and
    venue differ in nothing that it did not report; 1 if not.
    """
    fenced()
    wanted = _wanted(options["chosen"])
    work = partial(executed, seeds=options["seeds"], crash=options["crash"])
    jobs = min(options["jobs"], len(wanted))
    found = list(zip(wanted, spread(work, wanted, jobs, "rows", chunk=1), strict=True))
    if options["write"] is not None:
        options["write"].write_text(matrix_page((row, rans[0]) for row, rans in found), encoding="utf-8")
        click.echo(f"written: {options['write']}", err=True)
    failed = failures(ran for _, rans in found for ran in rans)
    code = VIOLATION if failed else PASS
    if options["style"] == "json":
        click.echo(json.dumps(_plain(found, code), sort_keys=True, indent=2))
    else:
        click.echo("\n".join(_lines(found)))
    if failed:
        click.echo(f"next: peak matrix --row {failed[0].row} --seeds {failed[0].seed}", err=True)
    raise Exit(code)


def executed(row: Row, *, seeds: int, crash: bool = False) -> list[Ran]:
    """Return the executions of a row: one for each seed from 1, then one for each write at which it is killed."""
    ours = machines()
    rans = [run_row(row, seed, ours) for seed in range(1, seeds + 1)]
    if crash and crashes(row):
        rans += crash_row(row, ours, rans[0].operations)
    return rans


def _wanted(chosen: str | None) -> tuple[Row, ...]:
    if chosen is None:
        return rows()
    found = tuple(row for row in rows() if row.id == chosen)
    if not found:
        names = {row.id for row in rows()}
        hint = suggestion(chosen, names) or f"they are {min(names)} to {max(names)}"
        raise click.UsageError(f"no row is called `{chosen}`; {hint}")
    return found


def _lines(found: list[tuple[Row, list[Ran]]]) -> Iterator[str]:
    for row, rans in found:
        bad = failures(rans)
        killed = sum(ran.crash > 0 for ran in rans)
        counts = f"{len(rans) - killed} seeds" + (f", killed at {killed} writes" if killed else "")
        yield f"{'✗' if bad else '✓'} {row.id}  {rans[0].end:<24} {counts:<28} {row.mode}"
        yield f"         seen: {', '.join(rans[0].words) or '-'}; taken: {' '.join(rans[0].takes) or '-'}"
        for ran in bad[:3]:
            where = f"killed at write {ran.crash}, " if ran.crash else ""
            yield from (f"    {where}seed {ran.seed}: {problem}" for problem in ran.problems)
    every = [ran for _, rans in found for ran in rans]
    bad = failures(every)
    yield (
        f"{'FAIL' if bad else 'PASS'}: {len(found)} rows, {len(every):,} sessions, "
        f"{sum(ran.crash > 0 for ran in every):,} of them killed and started again; {len(bad):,} failed"
    )


def _plain(found: list[tuple[Row, list[Ran]]], code: int) -> dict[str, Any]:
    every = [ran for _, rans in found for ran in rans]
    return {
        "schema_version": 1,
        "exit_code": code,
        "rows": {row.id: _row(row, rans) for row, rans in found},
        "sessions": len(every),
        "killed": sum(ran.crash > 0 for ran in every),
        "failed": len(failures(every)),
    }


def _row(row: Row, rans: list[Ran]) -> dict[str, Any]:
    return {
        "mode": row.mode,
        "incident": row.incident,
        "answers": row.answers,
        "claims": row.claims,
        "faults": row.faults,
        "end": rans[0].end,
        "seen": list(rans[0].words),
        "taken": list(rans[0].takes),
        "sessions": len(rans),
        "killed": sum(ran.crash > 0 for ran in rans),
        "failed": [{"seed": ran.seed, "crash": ran.crash, "problems": list(ran.problems)} for ran in failures(rans)],
    }
