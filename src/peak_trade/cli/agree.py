"""`peak agree`: the definition, the kernel and python-statemachine in lock step over random events."""

import json
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import rich_click as click
from click.exceptions import Exit

from peak_trade.cli.progress import bar
from peak_trade.cli.specs import machine_at, spec_names
from peak_trade.lang.machine import Machine
from peak_trade.lang.trace import text
from peak_trade.proof.lockstep.agree import Agreement, agree, plain
from peak_trade.proof.lockstep.contest import contest
from peak_trade.proof.lockstep.contest import plain as contested

EVENTS_MAX = 1_000_000_000
SPECS_MAX = 1_000_000
INTERNAL = 4


@click.command("agree")
@click.argument("machines", nargs=-1)
@click.option(
    "--events", type=click.IntRange(1, EVENTS_MAX), default=1_000_000, show_default=True, help="For each machine."
)
@click.option("--seed", type=click.IntRange(0), default=7, show_default=True)
@click.option(
    "--workers", type=click.IntRange(1, 256), default=2, show_default=True, help="Processes; same result for any."
)
@click.option(
    "--specs",
    type=click.IntRange(1, SPECS_MAX),
    default=None,
    help="Instead: judge so many made-up machines by all engines of proof.",
)
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(machines: tuple[str, ...], **options: Any) -> None:  # noqa: ANN401 - click's own options
    """Offer the same random events, valid and not, to all three engines of MACHINES and compare every outcome.

    Exits 0 if they agree on everything, 1 at the first disagreement, 3 if a transition was never taken. With --specs
    the engines that prove judge made-up machines: exits 4 at the first contradiction, and shows the machine.
    """
    if options["specs"] is not None:
        raise Exit(_contest(machines, options))
    found = []
    with ProcessPoolExecutor(options["workers"]) as executor:
        for name in machines or spec_names():
            machine = machine_at(name)
            with bar(options["events"], machine.name) as show:
                found.append((machine, agree(machine, options["events"], options["seed"], show, executor)))
    if options["style"] == "json":
        document = {"schema_version": 1, "machines": [plain(agreement) for _, agreement in found]}
        click.echo(json.dumps(document, sort_keys=True, indent=2))
    else:
        click.echo("\n".join(_line(machine, agreement) for machine, agreement in found))
    raise Exit(max(_code(machine, agreement) for machine, agreement in found))


def _contest(machines: tuple[str, ...], options: dict[str, Any]) -> int:
    """Let the engines of proof judge made-up machines; return the exit code."""
    if machines:
        raise click.UsageError("expected either MACHINES or --specs, was both; --specs makes its own machines")
    specs, seed = options["specs"], options["seed"]
    with ProcessPoolExecutor(options["workers"]) as executor, bar(specs, "specifications") as show:
        found = contest(specs, seed, show, executor)
    data = contested(found)
    if options["style"] == "json":
        click.echo(json.dumps({"schema_version": 1} | data, sort_keys=True, indent=2))
    else:
        click.echo(_scores(data))
    if found.first is None:
        return 0
    click.echo(f"{found.first.said}\n{found.first.document}", err=True)
    click.echo(f"next: peak agree --specs {found.first.number + 1} --seed {seed} --workers 1", err=True)
    return INTERNAL


def _scores(data: dict[str, Any]) -> str:
    mark = "✓" if data["contradiction"] is None else "✗"
    what = "no contradiction" if data["contradiction"] is None else "the engines contradict each other"
    counts = f"{data['specifications']:,} machines, {data['claims']:,} claims, {data['steps']:,} steps against Z3"
    lines = [f"{mark} {counts}: {what}; seed {data['seed']}"]
    for engine, words in data["engines"].items():
        lines.append(f"  {engine:<11} " + ", ".join(f"{count:,} {word}" for word, count in words.items()))
    return "\n".join(lines)


def _missing(machine: Machine, found: Agreement) -> list[str]:
    return [item.name for item in machine.transitions if not found.transitions[item.name]]


def _code(machine: Machine, found: Agreement) -> int:
    if found.first is not None:
        return 1
    return 3 if _missing(machine, found) else 0


def _line(machine: Machine, found: Agreement) -> str:
    refused = sum(found.refused.values())
    counts = f"{found.taken:,} taken, {found.ignored:,} ignored, {refused:,} refused, {found.broken:,} broken"
    head = f"{machine.name}: {found.events:,} events, {counts}; seed {found.seed}"
    if found.first is not None:
        said = "\n".join(f"  {engine}: {outcome} {value}" for engine, (outcome, value) in found.first.said)
        return f"{head}\n✗ the engines disagree:\n{text(machine, found.first.trace)}\n{said}"
    missing = _missing(machine, found)
    if missing:
        return f"{head}\n? no disagreement, but never taken: {', '.join(missing)}; offer more --events"
    return f"✓ {head}; 0 disagreements, all {len(machine.transitions)} transitions taken"
