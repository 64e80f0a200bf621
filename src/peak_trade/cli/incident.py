"""`peak incident`: pack what is known of an incident, so that others can look at it and run it again."""

import tempfile
from pathlib import Path
from typing import Any

import rich_click as click

from peak_trade.cli.evidence import expect_new
from peak_trade.cli.gather import Asked, Refused, gather, still
from peak_trade.evidence.compare import valid
from peak_trade.evidence.exhibit import INCIDENT, JOURNAL_FILE
from peak_trade.evidence.incident import incident_name, make
from peak_trade.evidence.paper import SEVERITIES
from peak_trade.evidence.provenance import changes
from peak_trade.journal.errors import JournalRefusal
from peak_trade.market.strategy import StrategyError
from peak_trade.session.clock import this_minute


@click.group("incident")
def command() -> None:
    """Pack what is known of an incident."""


@command.command("new")
@click.option("--run", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder of the run.")
@click.option("--severity", required=True, type=click.Choice(list(SEVERITIES)), help="S0 is the worst.")
@click.option("--tag", required=True, help="Last part of its id, for example KILLED-SESSION.")
@click.option("--at", help="YYYYMMDD-HHMM in UTC; by default now.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), default=Path("out/evidence"), show_default=True,
    help="Folder of packs.",
)  # fmt: skip
@click.option("--proofs/--no-proofs", default=True, show_default=True, help="Prove the specifications for it.")
@click.option("--replay/--no-replay", default=True, show_default=True, help="Run the run again for it and compare.")
def new(**options: Any) -> None:  # noqa: ANN401 - click's own options
    """Make an incident pack of a run, killed or not: timeline, detection, snapshots, and what is needed to replay it.

    Hypotheses, what people did, and corrective actions are left empty. Nothing in the run's folder is changed.
    """
    run: Path = options["run"]
    try:
        name = incident_name(options["at"] or this_minute(), options["tag"])
        expect_new(options["out"] / name)
        asked = Asked(name, INCIDENT, strict=False, proofs=options["proofs"], replay=options["replay"])
        with tempfile.TemporaryDirectory(prefix="peak-incident-") as scratch:
            copy = still(run, Path(scratch))
            records = valid(copy / JOURNAL_FILE)
            folder, digest = make(gather(copy, asked), options["severity"], changes(), options["out"], records)
    except (Refused, JournalRefusal, StrategyError, OSError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    click.echo(f"{folder}\ndigest {digest}\nnext: peak replay {folder}")
