"""`peak cuts`: how many things must fail together before a claim does."""

import json

import rich_click as click
from click.exceptions import Exit

from peak_trade.cli.progress import bar
from peak_trade.cli.specs import machine_at
from peak_trade.lang.trace import text
from peak_trade.proof.doubt.anatomy import without
from peak_trade.proof.doubt.cuts import Cut, NoCut, cuts
from peak_trade.proof.doubt.exam import cut_plain

PASS, INCONCLUSIVE = 0, 3


@click.command("cuts")
@click.argument("machine", default="session")
@click.option("--property", "only", multiple=True, metavar="ID", help="Only this claim; may be given again.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(machine: str, only: tuple[str, ...], style: str) -> None:
    """Find for each claim of MACHINE the fewest guards, locks and updates whose loss refutes it, with a run.

    Exits 3 if some set of failures is neither survived by proof nor shown to be a cut.
    """
    item = machine_at(machine)
    unknown = set(only) - {claim.name for claim in item.properties}
    if unknown:
        raise click.UsageError(f"{item.name} has no claim {', '.join(sorted(unknown))}")
    with bar(len(only) or len(item.properties), f"{item.name}: cuts") as show:
        done: list[str] = []

        def progress(name: str) -> None:
            done.append(name)
            show(len(done), name)

        found = cuts(item, frozenset(only) or None, progress=progress)
    if style == "json":
        rows = {cut.property: cut_plain(cut) for cut in found}
        document = {"schema_version": 1, "machine": item.name, "cuts": rows}
        click.echo(json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False))
    else:
        for cut in found:
            click.echo(_line(cut))
            if only and isinstance(cut, Cut):
                click.echo(text(without(item, cut.dropped), cut.trace))
    raise Exit(INCONCLUSIVE if any(isinstance(cut, NoCut) and cut.open for cut in found) else PASS)


def _line(cut: Cut | NoCut) -> str:
    match cut:
        case Cut(name, order, dropped, _, exact):
            return f"{name:<14} order {'' if exact else '≤ '}{order}: {', '.join(dropped)}"
        case NoCut(name, None):
            return f"{name:<14} stands whatever fails"
        case NoCut(name, least, undecided):
            open_ = f"; undecided: {'; '.join(', '.join(one) for one in undecided)}" if undecided else ""
            return f"{name:<14} order ≥ {least}{open_}"
