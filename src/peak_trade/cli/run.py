"""`peak run`: a dry-run session over a file of bars; `peak kill`: pull its kill switch."""

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import rich_click as click
from click.exceptions import Exit

from peak_trade.broker.ledger import LedgerDamaged
from peak_trade.broker.script import load, plain
from peak_trade.cli import findings
from peak_trade.cli.job import BUILTIN, Done, Job, collected, differences, drift_of, run, snapshot, snapshot_in
from peak_trade.cli.progress import bar
from peak_trade.evidence.artifacts import METRICS, Snapshot
from peak_trade.journal.errors import JournalHalted, JournalRefusal
from peak_trade.lang.source import Source
from peak_trade.market.problems import MalformedBars
from peak_trade.market.strategy import StrategyError
from peak_trade.session.assembly import KILL_SWITCH
from peak_trade.session.config import Config, parse_config
from peak_trade.session.inputs import EXTERNAL, FileDrift, no_drift
from peak_trade.session.killswitch import KillSwitch, is_switch

STEPS_MAX = 10_000_000
STEPS = 100_000
ORDERLY = frozenset({"ended", "operator_stop"})
"""Reasons to stop that are no violation."""

ONLY_NEW = ("bars", "steps", "seed", "config_path", "faults", "fault_plan", "strategy")
"""Options of a new run: a resumed or verified one takes them from what the first left."""


@click.command("run")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Folder of a new run.")
@click.option("--bars", default=BUILTIN, show_default=True, help="CSV of bars (OHLCV, timestamp), or the shipped ones.")
@click.option("--steps", type=click.IntRange(1, STEPS_MAX), default=STEPS, show_default=True, help="Steps at most.")
@click.option("--seed", type=click.IntRange(0), help="Seed of the venue's fills and faults; overrides the config's.")
@click.option("--config", "config_path", type=click.Path(path_type=Path, dir_okay=False), help="YAML or JSON file.")
@click.option(
    "--faults", type=click.IntRange(0, 1000), help="Orders hit by a fault, per mille; overrides the config's."
)
@click.option(
    "--fault-plan",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="YAML or JSON file of faults, one for each; a written fault beats a drawn one in its place.",
)
@click.option("--strategy", help="module:factory of your own strategy; overrides the config's.")
@click.option("--resume", type=click.Path(path_type=Path, file_okay=False), help="Go on with the run in this folder.")
@click.option("--verify", type=click.Path(path_type=Path, file_okay=False), help="Run again and compare the artifacts.")
@click.option("--rearm", default="", metavar="OPERATOR", help="Re-arm a latched kill switch in this operator's name.")
@click.option(
    "--kill-switch",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A switch shared by several runs; a new one begins with --rearm, as a missing one counts as latched.",
)
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(**options: Any) -> None:  # noqa: ANN401 - click's own options
    """Run a dry-run session over a file of bars, against the mock venue and nothing else.

    Exits 0 when it stops at the end of its bars or by an operator's stop (or PASS with --verify), 1 when it ends
    otherwise, 2 for wrong input, 3 when --verify cannot tell.
    """
    chosen = [name for name in ("out", "resume", "verify") if options[name]]
    if len(chosen) != 1:
        raise click.UsageError("give exactly one of --out (new run), --resume and --verify")
    if not options["out"]:
        _expect_no_more(options)
    try:
        if options["verify"]:
            _verify(options["verify"], options["style"])
        else:
            _run(_job(options), options["style"])
    except MalformedBars as error:
        click.echo(f"{error}\nnext: mend the rows, then the same command again", err=True)
        raise Exit(2) from error
    except JournalHalted as error:
        click.echo(
            f"HALTED · {error}\nnext: mend the disk, then peak run --resume {options['out'] or options['resume']}",
            err=True,
        )
        raise Exit(1) from error
    except (StrategyError, LedgerDamaged) as error:
        raise click.UsageError(str(error)) from error
    except (FileExistsError, FileNotFoundError, JournalRefusal, ValueError, OSError) as error:
        raise click.UsageError(str(error)) from error


def _expect_no_more(options: dict[str, Any]) -> None:
    """Refuse options that a resumed or verified run would ignore."""
    defaults = {"bars": BUILTIN, "steps": STEPS}
    given = [name for name in ONLY_NEW if options[name] not in (None, defaults.get(name))]
    if options["rearm"]:
        given.append("rearm")  # what was killed is over: a new run starts with --out and --rearm
    if given:
        names = ", ".join("--" + name.removesuffix("_path").replace("_", "-") for name in given)
        raise click.UsageError(f"expected no {names} with --resume or --verify: the first run decided that")


def _job(options: dict[str, Any]) -> Job:
    if options["resume"]:
        kept = snapshot_in(options["resume"])
        return Job(options["resume"], kept, resume=True, kill_switch=options["kill_switch"], drift=drift_of(kept))
    config, drift = _config(options)
    if options["bars"] != BUILTIN and not Path(options["bars"]).is_file():
        raise FileNotFoundError(f"expected a file of bars, was {options['bars']}, which is not there")
    asked = snapshot(options["bars"], options["steps"], config)
    if isinstance(drift, FileDrift):
        asked = asked.model_copy(update={"config_file": str(drift.path), "config_file_sha256": drift.sha256})
    return Job(options["out"], asked, rearm=options["rearm"], kill_switch=options["kill_switch"], drift=drift)


def _config(options: dict[str, Any]) -> tuple[Config, Any]:
    path: Path | None = options["config_path"]
    data = path.read_bytes() if path else b""
    overrides = {"seed": options["seed"], "fault_permille": options["faults"]}
    given: dict[str, Any] = {key: value for key, value in overrides.items() if value is not None}
    plan: Path | None = options["fault_plan"]
    if plan:
        given["faults"] = [
            plain(fault) for fault in load(plan.read_text(encoding="utf-8", errors="replace"), str(plan))
        ]
    if options["strategy"]:
        given["strategy"] = {"factory": options["strategy"], "params": {}}
    source = Source(str(path or "(defaults)"), data.decode("utf-8", "replace"))
    config, problems = parse_config(source, given)
    if config is None:
        click.echo(findings.text(problems), err=True)
        raise Exit(2)
    return config, FileDrift(path, hashlib.sha256(data).hexdigest()) if path else no_drift


def _run(job: Job, style: str) -> None:
    with bar(job.snapshot.steps_max, "starting") as show:
        done = run(job, show)
    click.echo(json.dumps(_facts(job, done), sort_keys=True, indent=2) if style == "json" else text(job, done))
    if done.state != "STOPPED" or done.why not in ORDERLY:
        raise Exit(1)


def _facts(job: Job, done: Done) -> dict[str, Any]:
    facts: dict[str, Any] = {"schema_version": 1, "state": done.state, "reason": done.why, "folder": str(job.folder)}
    if done.problem:
        facts["problem"] = done.problem
    if done.collected is not None:
        facts["metrics"] = json.loads(done.collected.texts[METRICS])
    return facts


def text(job: Job, done: Done) -> str:
    """Return what a person reads at the end of a run: how it ended, what it did, and what to do next."""
    lines = [f"{done.state}{f' · {done.why}' if done.why else ''}"]
    if done.problem:
        lines.append(f"  {done.problem}")
    if done.collected is not None:
        story = done.collected.story
        denied = sum(1 for line in story.lines.values() if line.rail)
        held = {symbol: lots for symbol, lots in sorted(story.positions.items()) if lots}
        placed, doubts = len(story.lines) - denied, story.events["time_out"]
        flat = ", ".join(f"{symbol} {lots:+,}" for symbol, lots in held.items()) or "all flat"
        counts = f"fills {len(story.trades):,} · records {story.records:,}"
        lines.append(f"  steps {story.steps:,} · orders {placed:,} placed, {denied:,} denied · {counts}")
        trips = dict(story.trips) or "none"
        lines.append(f"  positions: {flat} · trips: {trips} · lost answers: {doubts:,}")
        compared = story.reconciled.get("orders", 0) if story.reconciled.get("asked") else "no"
        lines.append(f"  book and venue: {compared} orders compared, {len(story.differences)} differences")
    lines.append(f"next: {_next(job.folder, done)}")
    return "\n".join(lines)


def _next(folder: Path, done: Done) -> str:
    if done.state == "PREFLIGHT_FAILED" and done.why == "journal_unwritable":
        return f"peak journal verify {folder}"
    if done.state == "PREFLIGHT_FAILED" and done.why == "kill_switch_latched":
        return "once a person has looked, into a new --out folder with --rearm OPERATOR"
    if done.state == "PREFLIGHT_FAILED":
        return "mend the configuration, then run into a new --out folder"
    if done.state == "STOPPED":
        return f"peak report {folder}"
    return f"peak journal show {folder} --last 20"


def _verify(folder: Path, style: str) -> None:
    asked = snapshot_in(folder)
    with tempfile.TemporaryDirectory(prefix="peak-verify-") as scratch, bar(asked.steps_max, "again") as show:
        done = run(Job(Path(scratch) / "again", asked), show)
    texts = dict(done.collected.texts) if done.collected is not None else {}
    found = differences(folder, texts) if texts else [done.problem or "the second run left no journal"]
    outside = _outside(folder, asked)
    if found and outside:
        click.echo(f"INCONCLUSIVE: {', '.join(outside)} came from outside and does not come again; see peak replay")
        raise Exit(3)
    if style == "json":
        verdict = {"schema_version": 1, "verdict": "FAIL" if found else "PASS", "differences": found}
        click.echo(json.dumps(verdict, sort_keys=True, indent=2))
    elif found:
        click.echo("FAIL\n" + "\n".join(f"  {line}" for line in found))
        click.echo(f"next: peak journal verify {folder}")
    else:
        click.echo(f"PASS · five artifacts of {folder} are byte for byte those of a second run")
    if found:
        raise Exit(1)


def _outside(folder: Path, asked: Snapshot) -> list[str]:
    """Return the events from outside that the run in `folder` took."""
    story = collected(folder, asked, "").story
    return sorted({item.event for item in story.happenings if item.outcome == "taken"} & (EXTERNAL | {"rearm"}))


@click.command("kill")
@click.argument("run", type=click.Path(path_type=Path, exists=True))
@click.option("--by", required=True, metavar="OPERATOR", help="Who pulls it.")
def kill(run: Path, by: str) -> None:
    """Latch a kill switch: that of the folder RUN, or the shared switch file RUN.

    A running session cancels what is open and stops at its next step; none starts with it until `--rearm OPERATOR`.
    """
    path = run / KILL_SWITCH if run.is_dir() else run
    if not is_switch(path):
        raise click.UsageError(f"expected a run's folder or a kill switch file, was {run}, which holds no switch")
    KillSwitch(path).latch(by)
    click.echo(f"latched by {by}" + (f"\nnext: peak status {run}" if run.is_dir() else ""))
