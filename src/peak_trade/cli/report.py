"""`peak report`: the page of a run, or with `--site` the whole review of the specifications and of a run."""

from pathlib import Path

import rich_click as click
from click.exceptions import Exit

from peak_trade.cli.prove import INCONCLUSIVE
from peak_trade.cli.ran import prove_all, prove_whole, report, seen_in
from peak_trade.cli.site import build


@click.command("report")
@click.argument("run", required=False, type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--proofs/--no-proofs", default=True, show_default=True, help="Prove the specifications for the page.")
@click.option("--site", type=click.Path(path_type=Path, file_okay=False), help="Write the whole review there.")
@click.option("--cache/--no-cache", default=True, show_default=True, help="With --site: use verdicts that are known.")
def command(run: Path | None, site: Path | None, *, proofs: bool, cache: bool) -> None:
    """Write report.html into the folder of RUN and say where it is.

    With --site write the review of the specifications instead: machines, proofs, contract, threats, models, simulators,
    and RUN if it is given. Exits 3 if something of the run could not be read; what could be is shown.
    """
    if run is None and site is None:
        raise click.UsageError("expected a run, or --site DIR for the review of the specifications; see `peak run`")
    found = None if run is None else seen_in(run)
    if site is not None:
        click.echo(str(build(site, prove_whole(known=cache) if proofs else [], run)))
    elif run is not None:
        click.echo(str(report(run, prove_all() if proofs else [])))
    if found is not None and found.problems:
        click.echo("\n".join((*found.problems, f"next: peak journal verify {run}")), err=True)
        raise Exit(INCONCLUSIVE)
