"""`peak simulate`: one page on which a machine can be clicked through, in any browser, without a server."""

from collections.abc import Iterator
from pathlib import Path

import rich_click as click

from peak_trade.backends.dot import dot
from peak_trade.backends.svg import RenderError, svg
from peak_trade.cli.prove import trace_of, word
from peak_trade.cli.specs import machine_at
from peak_trade.evidence.simulator import Shown, page
from peak_trade.lang.machine import Machine
from peak_trade.proof.prove import prove
from peak_trade.proof.verdict import Report


@click.command("simulate")
@click.argument("machine", default="session")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The page to write.")
@click.option(
    "--traces/--no-traces", default=True, show_default=True, help="Prove the claims, and put their runs on the page."
)
def command(machine: str, out: Path, *, traces: bool) -> None:
    """Write a page that steps MACHINE: a shipped one by name, or a specification file.

    Each event can be offered with any payload; the page says which part of which condition or lock decides, and steps
    through witnesses, counterexamples and ITF traces.
    """
    found = machine_at(machine)
    shown = list(told(found, prove(found))) if traces else []
    try:
        picture, missing = svg(dot(found)), ""
    except RenderError as error:
        picture, missing = "", str(error)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page(found, picture, shown, missing), encoding="utf-8")
    click.echo(str(out))


def told(machine: Machine, report: Report) -> Iterator[Shown]:
    """Yield the traces of `report` on `machine`: witnesses, counterexamples, steps that no invariant excludes."""
    for result in report.results:
        trace = trace_of(machine, result.verdict)
        if trace is not None:
            title = f"{result.property}: {word(result.verdict)}, {len(trace.links)} steps"
            yield Shown(title, f"{result.property} ({word(result.verdict)}): {result.says}", trace)
