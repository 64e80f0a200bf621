"""The venue's log of reports: cursors from 1 without a gap, each report with the order's quantities after it."""

from typing import Final

from peak_trade.broker.delivery import Sent
from peak_trade.broker.faults import FaultKind, Phase
from peak_trade.broker.held import Held
from peak_trade.broker.messages import Report, ReportKind
from peak_trade.broker.schedule import Schedule

OVERTAKING: Final = (None, FaultKind.DUPLICATE_REPORT)
"""What strikes a report that arrives before one that is reordered."""


class Log:
    """All reports, when each was made, and of which order it is; `now` is the step that reports are made in."""

    def __init__(self, schedule: Schedule) -> None:
        self.reports: list[Report] = []
        self.now = 0
        self._schedule = schedule
        self._made: list[int] = []
        self._of: list[Held] = []

    def write(
        self, held: Held, kind: ReportKind, execution: tuple[int, int, int] = (0, 0, 0), ref_id: str = ""
    ) -> None:
        """Report what the order is now; `execution` is its lots, price and fee in ticks."""
        cursor = len(self.reports) + 1
        lots, ticks, fee = execution
        self.reports.append(
            Report(
                cursor=cursor,
                client_order_id=held.request.client_order_id,
                venue_order_id=held.venue_order_id,
                exec_id=f"e{cursor}",
                kind=kind,
                last_lots=lots,
                last_ticks=ticks,
                fee_ticks=fee,
                cum_lots=held.cum_lots,
                leaves_lots=held.leaves_lots,
                step=self._stamp() if self._schedule.skewed else self.now,
                order_lots=held.terms.qty_lots,
                ref_id=ref_id,
            )
        )
        if self._schedule.reporting:
            self._strike(held)
        self._made.append(self.now)
        self._of.append(held)

    def sent(self, cursor: int) -> list[Sent]:
        """Return the reports after the cursor, each with what strikes its way."""
        ways = zip(self.reports[cursor:], self._made[cursor:], self._of[cursor:], strict=True)
        return [Sent(report, made, held.fault(Phase.REPORTING)) for report, made, held in ways]

    def _stamp(self) -> int:
        """Return what the venue's clock says."""
        skew = self._schedule.window(FaultKind.CLOCK_SKEW, self.now)
        if skew is None:
            return self.now
        self._schedule.fired.add(skew)
        return max(0, self.now + skew.by)

    def _strike(self, held: Held) -> None:
        """Note that the way of a report is struck; one is reordered when another one of its step overtakes it."""
        fault = held.fault(Phase.REPORTING)
        if fault not in (None, FaultKind.REORDERED_REPORT):
            self._schedule.strike(fault, held.ordinal)
        at = len(self._made) - 1
        while fault in OVERTAKING and at >= 0 and self._made[at] == self.now:
            if self._of[at].fault(Phase.REPORTING) is not FaultKind.REORDERED_REPORT:
                return
            self._schedule.strike(FaultKind.REORDERED_REPORT, self._of[at].ordinal)
            at -= 1
