"""The mock venue of a run as its ledger tells it, read from a copy: the run's folder is never written to.

Limits: orders and reports are held in memory. A torn last line of the ledger was never answered, and is left out.
"""

import shutil
import tempfile
from pathlib import Path

from peak_trade.broker.faults import merged
from peak_trade.broker.floor import Floor
from peak_trade.broker.held import Held
from peak_trade.broker.ledger import Ledger, LedgerDamaged
from peak_trade.broker.schedule import Schedule
from peak_trade.broker.swarm import seeded
from peak_trade.rails.told import OrderPart, ReportPart, Told
from peak_trade.session.config import Config


def told_by(ledger: Path, config: Config, steps_max: int, run: str) -> Told:
    """Return everything that the venue with this `ledger` knows, whatever its fault plan lets it say.

    Raises:
        LedgerDamaged: the ledger cannot be read, or was written under another configuration.
        FileNotFoundError: there is none.
    """
    drawn = seeded(config.seed, config.fault_orders, steps_max, config.fault_permille, config.fault_kinds)
    floor = Floor(Schedule(merged(config.plan(), drawn)), config.venue.fee_permille)
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(shutil.copyfile(ledger, Path(scratch) / ledger.name))
        opened = Ledger(copy)
        opened.close()
    for number, entry in enumerate(opened.entries, 1):
        try:
            floor.apply(entry)
        except (KeyError, ValueError, TypeError, IndexError) as error:
            raise LedgerDamaged(ledger, number, str(entry)) from error
    return Told(
        run=run,
        head_cursor=len(floor.log.reports),
        step=floor.step,
        orders=[_order(held) for held in floor.orders.values()],
        reports=[
            ReportPart.model_validate({name: getattr(report, name) for name in ReportPart.model_fields})
            for report in floor.log.reports
        ],
        positions_lots=dict(sorted(floor.tally.positions_lots().items())),
    )


def _order(held: Held) -> OrderPart:
    told = held.told()
    facts = {name: getattr(told, name) for name in OrderPart.model_fields if name != "limit_ticks"}
    return OrderPart.model_validate({**facts, "side": told.side.value, "limit_ticks": held.terms.limit_ticks})
