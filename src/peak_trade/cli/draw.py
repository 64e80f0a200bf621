"""`peak diagram` and `peak table`: a machine as a picture and as its full decision table."""

from pathlib import Path

import rich_click as click

from peak_trade.backends.dot import dot
from peak_trade.backends.mermaid import mermaid
from peak_trade.backends.svg import svg
from peak_trade.backends.table import table as markdown
from peak_trade.cli.specs import machine_at


@click.command("diagram")
@click.argument("machine", default="session")
@click.option("--format", "style", type=click.Choice(["svg", "dot", "mermaid"]), default="svg", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write; else standard output.")
def diagram(machine: str, style: str, out: Path | None) -> None:
    """Draw MACHINE: a shipped one by name, or a specification file."""
    found = machine_at(machine)
    text = {"svg": lambda: svg(dot(found)), "dot": lambda: dot(found), "mermaid": lambda: mermaid(found)}[style]()
    _write(text, out)


@click.command("table")
@click.argument("machine", default="session")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write; else standard output.")
def table(machine: str, out: Path | None) -> None:
    """Print MACHINE's full state × event matrix, refusals included, as Markdown."""
    _write(markdown(machine_at(machine)), out)


def _write(text: str, out: Path | None) -> None:
    if out is None:
        click.echo(text, nl=not text.endswith("\n"))
        return
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    click.echo(str(out))
