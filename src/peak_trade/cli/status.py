"""`peak status`: one look at a run, from its journal alone. It reads; with --write it leaves what it saw as files."""

from collections.abc import Sequence
from pathlib import Path

import rich_click as click
from click.exceptions import Exit

from peak_trade.cli.board import board, console
from peak_trade.cli.prove import Timed
from peak_trade.cli.ran import claim, prove_all
from peak_trade.cli.specs import machine_named
from peak_trade.evidence.collect import write
from peak_trade.lang.pretty import fingerprint
from peak_trade.rails.differences import ACTIONS
from peak_trade.rails.limits import Rail
from peak_trade.rails.tripwires import HARD, Tripwire
from peak_trade.session.assembly import KILL_SWITCH
from peak_trade.session.killswitch import KillSwitch
from peak_trade.watch.health import Grade, Switch
from peak_trade.watch.lexicon import Lexicon
from peak_trade.watch.page import Verdicts
from peak_trade.watch.seen import look
from peak_trade.watch.snapshot import PAGE, snapshots
from peak_trade.watch.status import View, document, view

CODES: dict[Grade, int] = {"pass": 0, "fail": 1, "warn": 3}


@click.command("status")
@click.argument("run", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--write", "writes", is_flag=True, help="Write page, health, status and metrics into the run's folder.")
@click.option(
    "--prove/--no-prove", "proves", default=False, help="With --write: prove the specifications for the page."
)
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(run: Path, style: str, *, writes: bool, proves: bool) -> None:
    """Show the run in RUN once: state, rails, orders, differences, events, and how healthy it is.

    Exits 0 if every check passes, 1 if one fails, 3 if one warns or lacks evidence.
    """
    found = seen(run)
    if style == "json":
        click.echo(document(found), nl=False)
    else:
        console().print(board(found))
    if writes:
        write(run, snapshots(found, verdicts(prove_all()) if proves else Verdicts()))
        click.echo(f"written: {run / PAGE}", err=style == "json")
    if style == "text" and found.grade != "pass":
        click.echo(f"next: peak journal show {run} --last 20")
    raise Exit(CODES[found.grade])


def seen(run: Path) -> View:
    """Return the view of the run in folder `run`, whatever is there."""
    words = lexicon()
    reading = KillSwitch(run / KILL_SWITCH).read()
    return view(look(run, (words.session, words.order)), words, Switch(reading.latched, reading.why))


def lexicon() -> Lexicon:
    """Return the words of the shipped specifications and of the rails."""
    return Lexicon(
        machine_named("session"),
        machine_named("order"),
        tuple(rail.value for rail in Rail),
        {wire.value: wire in HARD for wire in Tripwire},
        {code.value: action for code, action in ACTIONS.items()},
    )


def verdicts(results: Sequence[Timed]) -> Verdicts:
    """Return the verdicts of `results`, and what they are about."""
    machines = {item.machine.name: item.machine for item in results}
    return Verdicts([claim(item) for item in results], {name: fingerprint(item) for name, item in machines.items()})
