"""`peak fuzz replay` and `peak fuzz shrink`: a finding again, and a failing seed made small enough to read."""

import json
from pathlib import Path
from typing import Any, Final

import rich_click as click
from click.exceptions import Exit

from peak_trade.cli.job import fenced
from peak_trade.cli.spread import SEED_MAX, SHOWN_MAX, machines
from peak_trade.fuzz.campaign.digest import programmed
from peak_trade.fuzz.found.findings import Again, Finding, FindingError, Kept, Replayed, kept, put
from peak_trade.fuzz.found.findings import replay as played_again
from peak_trade.fuzz.found.program import ProgramError
from peak_trade.fuzz.found.regression import save
from peak_trade.fuzz.found.shrink import shrink as smaller
from peak_trade.fuzz.found.trial import tried

PASS, VIOLATION, INCONCLUSIVE = 0, 1, 3
CODES: Final = {
    Again.SAME: VIOLATION,
    Again.OTHER: VIOLATION,
    Again.PASSES: PASS,
    Again.INCOMPARABLE: INCONCLUSIVE,
}
BUDGET_MAX: Final = 100_000
ENGINE: Final = "sessions"


@click.command("replay")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--save-regression", type=click.Path(path_type=Path, file_okay=False), metavar="DIR",
    help="Write a test that plays its program from now on.",
)  # fmt: skip
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def replay(folder: Path, save_regression: Path | None, style: str) -> None:
    """Play the program of the finding in FOLDER again.

    Exits 1 if it still fails, in the same way or another; 0 if it passes now; 3 if it does not fail as it did and the
    specifications are others now; 2 if FOLDER is no finding.
    """
    fenced()
    found = _kept(folder)
    again = played_again(found, machines())
    test = None if save_regression is None else save(save_regression, found)
    code = CODES[again.again]
    plain = _plain(found, again, code) | ({} if test is None else {"test": test.as_posix()})
    click.echo(json.dumps(plain, sort_keys=True, indent=2) if style == "json" else _text(found, again))
    if test is not None:
        click.echo(f"wrote {test}", err=True)
    if code == INCONCLUSIVE:
        click.echo(f"next: peak fuzz shrink --seed {found.seed}", err=True)
    elif code:
        click.echo(f"next: less {(folder / 'README.md').as_posix()}", err=True)
    raise Exit(code)


@click.command("shrink")
@click.option("--seed", type=click.IntRange(0, SEED_MAX), required=True, help="The seed of the session.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("out/findings"), show_default=True,
    help="Where the finding's folder is made.",
)  # fmt: skip
@click.option(
    "--executions", type=click.IntRange(1, BUDGET_MAX), default=1_000, show_default=True,
    help="How many programs may be played.",
)  # fmt: skip
def shrink(seed: int, out: Path, executions: int) -> None:
    """Shrink the session of a seed that fails to the smallest program that fails in the same way; keep it as a finding.

    Exits 0 if the session has no problem, 1 if it has: the folder of the finding is the last line.
    """
    fenced()
    ours = machines()
    first, program = programmed(seed, ours)
    if not first.problems:
        click.echo(f"seed {seed}: no problem, so nothing to shrink")
        raise Exit(PASS)
    found = smaller(program, lambda one: tried(one, ours), executions)
    was = found.sizes[0]
    figures = {"executions": found.executions, "complete": found.complete, "was_events": was.events}
    folder = put(out, Finding(ENGINE, seed, found.kind, found.program, figures), ours)
    for size in found.sizes:
        line = f"{size.stage:<9} {size.faults:>4} faults {size.events:>4} events {size.steps:>4} steps"
        click.echo(f"{line}   after {size.executions:,} executions", err=True)
    click.echo("\n".join((*(f"✗ {problem}" for problem in found.trial.problems[:SHOWN_MAX]), folder.as_posix())))
    click.echo(f"next: peak fuzz replay {folder.as_posix()}", err=True)
    raise Exit(VIOLATION)


def _kept(folder: Path) -> Kept:
    try:
        return kept(folder)
    except (FindingError, ProgramError) as error:
        raise click.UsageError(str(error)) from error


def _plain(found: Kept, again: Replayed, code: int) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "exit_code": code,
        "finding": found.folder.as_posix(),
        "kind": found.kind,
        "again": again.again.value,
        "problems": list(again.problems),
        "changed": list(again.changed),
    }


def _text(found: Kept, again: Replayed) -> str:
    lines = [f"{found.folder.name}: {again.again.value}", f"  it failed with: {found.kind}"]
    lines += [f"  ✗ {problem}" for problem in again.problems[:SHOWN_MAX]]
    lines += [f"  the machine {name} is another one now" for name in again.changed]
    return "\n".join(lines)
