"""The files that a view of a run is written to: their names, and their texts from one view."""

from typing import Final

from peak_trade.watch import health, metrics, status
from peak_trade.watch.page import Verdicts, page
from peak_trade.watch.status import View

HEALTH: Final = "health.json"
STATUS: Final = "status.json"
PROMETHEUS: Final = "metrics.prom"
PAGE: Final = "status.html"
DRYRUN_HEALTH: Final = "dryrun_health_snapshot.json"
DRYRUN_STATUS: Final = "dryrun_status_snapshot.json"
DRYRUN_METRICS: Final = "dryrun_metrics_snapshot.json"
WATCHED: Final = (HEALTH, STATUS, PROMETHEUS, PAGE, DRYRUN_HEALTH, DRYRUN_STATUS, DRYRUN_METRICS)
"""Every file that `snapshots` gives."""


def snapshots(view: View, verdicts: Verdicts) -> dict[str, str]:
    """Return the text of each file by name; the runbook's names hold the same bytes as the short ones."""
    found, state = health.document(view.seen, view.checks), status.document(view)
    return {
        HEALTH: found,
        STATUS: state,
        PROMETHEUS: metrics.prometheus(view.seen, view.lexicon),
        DRYRUN_HEALTH: found,
        DRYRUN_STATUS: state,
        DRYRUN_METRICS: metrics.document(view.seen, view.lexicon),
        PAGE: page(view, verdicts),
    }
