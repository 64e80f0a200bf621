"""`peak fuzz`: a campaign of whole sessions and of the specification's own machines, and what came of it."""

import json
import os
from pathlib import Path
from typing import Any, Final, NoReturn

import rich_click as click
from click.exceptions import Exit

from peak_trade.cli.campaign import SUBJECTS, Asked, fingerprints, judge, judged, line, merged, played, written
from peak_trade.cli.crashes import command as crashes
from peak_trade.cli.disks import command as disks
from peak_trade.cli.finding import replay, shrink
from peak_trade.cli.fleets import LOCAL, shard_of
from peak_trade.cli.job import fenced
from peak_trade.cli.rates import beside
from peak_trade.cli.secrets import command as secrets
from peak_trade.cli.spread import SEED_MAX, rated
from peak_trade.fuzz.campaign.digest import CanaryLives
from peak_trade.fuzz.campaign.night import ENGINES, Plan
from peak_trade.fuzz.campaign.summary import Summary, lines, plain
from peak_trade.fuzz.cover.gate import BadRequirement, Requirement, Verdict, parse
from peak_trade.session.clock import wall_ns

CODES: Final = {Verdict.PASS: 0, Verdict.FAIL: 1, Verdict.INCONCLUSIVE: 3}
MINUTES_MAX: Final = 7 * 24 * 60
SESSIONS_MAX: Final = 10_000_000
REQUIRED: Final = "states=100%,transitions=100%,clauses=95%,faults=100%"
"""What is required of a whole campaign, unless it says otherwise."""
REQUIRED_SESSIONS: Final = "faults=100%"
"""What is required where only sessions are played."""


@click.group("fuzz", invoke_without_command=True)
@click.option(
    "--sessions",
    "count",
    type=click.IntRange(1, SESSIONS_MAX),
    default=480,
    show_default=True,
    help="So many sessions, and the jobs of the other engines that belong to them.",
)
@click.option(
    "--minutes",
    type=click.FloatRange(0, MINUTES_MAX, min_open=True),
    help="Instead, as many jobs as can be begun in so many minutes.",
)
@click.option(
    "--seed", type=click.IntRange(0, SEED_MAX), default=1, show_default=True, help="Seed of the first session."
)
@click.option(
    "--engine", "chosen", type=click.Choice(ENGINES), multiple=True, help="Only these engines; by default all."
)
@click.option("--jobs", type=click.IntRange(1, 256), default=lambda: os.cpu_count() or 1, help="Processes; all cores.")
@click.option(
    "--executor", default=LOCAL, show_default=True, metavar="local|dask://HOST:PORT", help="Who does the jobs."
)
@click.option(
    "--shard",
    default="1/1",
    show_default=True,
    callback=shard_of,
    metavar="K/N",
    help="Only every N-th job, from the K-th.",
)
@click.option(
    "--require",
    default=None,
    metavar="KIND=PERCENT%,…",
    help=f"Coverage that is required; by default {REQUIRED} of all engines, and faults=100% of sessions alone.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out/fuzz"),
    show_default=True,
    help="Folder for report, result and findings.",
)
@click.option(
    "--canary/--no-canary", "with_canary", default=True, show_default=True, help="First refute a claim that is false."
)
@click.option(
    "--beside",
    type=click.IntRange(0, 3_600),
    default=0,
    metavar="SECONDS",
    help="Also measure the engines beside plain Hypothesis; told on stderr, and no part of the result.",
)
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.pass_context
def command(context: click.RichContext, /, **options: Any) -> None:  # noqa: ANN401 - click's options
    """Play a campaign: many seeded sessions in which anything goes wrong, and the specifications' own machines.

    Exits 0 if nothing was found and what is required was covered; 1 if something was found; 3 if less was covered, or
    not every job was done; 2 for a mistake in the call, 4 if the executor is not there or the canary lives. The result
    is the same bytes for the same jobs, whoever does them.
    """
    if context.invoked_subcommand is not None:
        return
    asked, since_ns = _asked(options), wall_ns()
    try:
        made = played(asked)
    except CanaryLives as error:
        _leave(f"{error}\nnext: peak fuzz --no-canary --sessions 1")
    written(asked.out, made, asked.plan.seed, line(asked))
    click.echo(rated(made.night.played, "sessions and all that belongs to them", since_ns), err=True)
    if options["beside"]:
        click.echo(beside(options["beside"]), err=True)
    _told(asked.out, made, options["style"], _next(asked, made))


@command.command("merge")
@click.argument("files", type=click.Path(path_type=Path, exists=True, dir_okay=False), nargs=-1, required=True)
@click.option(
    "--require", default=REQUIRED, show_default=True, metavar="KIND=PERCENT%,…", help="Coverage that is required."
)
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), default=Path("out/fuzz"), show_default=True)
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def merge(files: tuple[Path, ...], require: str, out: Path, style: str) -> None:
    """Judge the shards of a campaign together, from the result.json of each.

    Exits as the campaign itself would; 2 if a file is no result.
    """
    night = merged(files)
    fenced()
    made = judge(night, _required(require), out)
    command_line = f"peak fuzz merge {' '.join(file.as_posix() for file in files)}"
    seed = min((tally.seed for tally in night.sessions.goals.values()), default=0)
    written(out, made, seed, command_line)
    _told(out, made, style, f"less {(out / 'result.json').as_posix()}")


command.add_command(crashes)
command.add_command(disks)
command.add_command(secrets)
command.add_command(replay)
command.add_command(shrink)


def _asked(options: dict[str, Any]) -> Asked:
    chosen = tuple(name for name in ENGINES if name in (options["chosen"] or ENGINES))
    default = REQUIRED if chosen == ENGINES else REQUIRED_SESSIONS if "sessions" in chosen else ""
    wanted = default if options["require"] is None else options["require"]
    return Asked(
        plan=Plan(chosen, options["seed"], SUBJECTS, fingerprints()),
        shard=options["shard"],
        minutes=options["minutes"] or 0.0,
        sessions=options["count"],
        executor=options["executor"],
        jobs=options["jobs"],
        out=options["out"],
        required=_required(wanted),
        canary=options["with_canary"],
    )


def _required(text: str) -> tuple[Requirement, ...]:
    try:
        return parse(text, [item.name for item in judged()]) if text else ()
    except BadRequirement as error:
        raise click.UsageError(str(error)) from error


def _told(out: Path, made: Summary, style: str, following: str) -> NoReturn:
    """Print what a campaign comes to, and leave with its exit code."""
    code = CODES[made.verdict]
    if style == "json":
        click.echo(json.dumps({"exit_code": code, **plain(made)}, sort_keys=True, indent=2))
    else:
        click.echo("\n".join(lines(made)))
    click.echo(f"report: {(out / 'report.html').as_posix()}", err=True)
    if code:
        click.echo(f"next: {following}", err=True)
    raise Exit(code)


def _next(asked: Asked, made: Summary) -> str:
    """Return the command to run next."""
    folders = [item.folder for item in made.told if item.folder and not item.folder.endswith(".json")]
    if folders:
        return f"peak fuzz replay {(asked.out / 'findings' / folders[0]).as_posix()}"
    if made.told:
        return f"less {(asked.out / 'findings' / made.told[0].folder).as_posix()}"
    more = f"--minutes {asked.minutes * 4:g}" if asked.minutes else f"--sessions {asked.sessions * 4}"
    return f"peak fuzz {more} --seed {asked.plan.seed}"


def _leave(message: str) -> NoReturn:
    click.echo(message, err=True)
    raise Exit(4)
