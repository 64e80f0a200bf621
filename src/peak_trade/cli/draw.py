"""`peak diagram` and `peak table`: a machine as a picture and as its full decision table."""

from pathlib import Path
from typing import Final

import rich_click as click

from peak_trade.backends.dot import dot
from peak_trade.backends.mermaid import mermaid
from peak_trade.backends.overlay import Weight, Weights
from peak_trade.backends.parts import parts
from peak_trade.backends.rulebook import rulebook
from peak_trade.backends.svg import svg
from peak_trade.backends.table import table as markdown
from peak_trade.cli.specs import is_system, machine_at, system_at
from peak_trade.lang.machine import Machine

NO_ROLES: Final = "a system's diagram and table show no roles; those of its machines do"


@click.command("diagram")
@click.argument("machine", default="session")
@click.option("--format", "style", type=click.Choice(["svg", "dot", "mermaid"]), default="svg", show_default=True)
@click.option("--roles", is_flag=True, help="Show by colour and line style what the claims rest on.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write; else standard output.")
def diagram(machine: str, style: str, out: Path | None, *, roles: bool) -> None:
    """Draw MACHINE: a shipped machine or system by name, or a specification file."""
    if is_system(machine):
        _system(machine, style, out, roles=roles)
        return
    found = machine_at(machine)
    if roles and style == "mermaid":
        raise click.UsageError("a Mermaid diagram shows no roles; choose --format svg or dot")
    laid = weights(found) if roles else None
    ways = {"svg": lambda: svg(dot(found, weights=laid)), "dot": lambda: dot(found, weights=laid)}
    _write((ways | {"mermaid": lambda: mermaid(found)})[style](), out)


def _system(place: str, style: str, out: Path | None, *, roles: bool) -> None:
    if roles or style == "mermaid":
        raise click.UsageError(NO_ROLES if roles else "a system has no Mermaid diagram; choose --format svg or dot")
    text = parts(system_at(place))
    _write(svg(text) if style == "svg" else text, out)


def weights(machine: Machine) -> Weights:
    """Return the strongest role of each part of `machine` to any of its claims."""
    from peak_trade.proof.doubt.roles import roles  # noqa: PLC0415 - the solver is loaded by the commands that need it

    found = roles(machine)
    return Weights({part.name: Weight(found.best(part.name).value) for part in found.parts})


@click.command("table")
@click.argument("machine", default="session")
@click.option("--roles", is_flag=True, help="Add what each guard, lock and update is to the claims.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write; else standard output.")
def table(machine: str, out: Path | None, *, roles: bool) -> None:
    """Print MACHINE's full state × event matrix, refusals included, as Markdown; of a system its rules and claims."""
    if is_system(machine):
        if roles:
            raise click.UsageError(NO_ROLES)
        _write(rulebook(system_at(machine)), out)
        return
    found = machine_at(machine)
    _write(markdown(found, weights=weights(found) if roles else None), out)


def _write(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(text, nl=not text.endswith("\n"))
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    click.echo(str(out))
