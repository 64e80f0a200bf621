"""The executions of one order by ExecID: each counts once, and what is taken back or corrected must be one of them.

A bust or a correction names the execution that it undoes in ExecRefID (FIX 19), by its first ExecID or by that of its
last correction. A restatement that changes CumQty, such as a split, changes the size of executions too: those before it
are no longer known by size.
"""

from dataclasses import dataclass, field
from typing import Final, TypeAlias

from peak_trade.fix.report import ExecutionReport
from peak_trade.fix.tags import ExecType

Told: TypeAlias = tuple[object, ...]
"""What makes two reports with one ExecID the same report."""

NO_EXECUTION: Final = "0"
"""ExecID (17) of a report that tells of no execution, as an order status does: not unique (FIX 4.4, 35=8)."""


@dataclass(slots=True)
class Executions:
    """What was told of one order's executions; `firsts` leads from each ExecID to the first of its execution."""

    told: dict[str, Told] = field(default_factory=dict)
    firsts: dict[str, str] = field(default_factory=dict)
    lots: dict[str, int] = field(default_factory=dict)

    def repeated(self, report: ExecutionReport) -> bool | None:
        """Return true iff the same report was told before, None iff another one was under its ExecID."""
        before = self.told.get(report.exec_id)
        if before is None:
            return False
        return True if before == _told(report) else None

    def expected_lots(self, report: ExecutionReport, cum_lots: int) -> int | None:
        """Return the CumQty after a bust or a correction of a known execution, None of anything else."""
        first = self.firsts.get(report.ref_id)
        if first is None or first not in self.lots:
            return None
        if report.exec_type is ExecType.TRADE_CANCEL:
            return cum_lots - self.lots[first]
        if report.exec_type is ExecType.TRADE_CORRECT:
            return cum_lots - self.lots[first] + report.last_lots
        return None

    def enter(self, report: ExecutionReport, cum_before_lots: int) -> None:
        """Remember `report`, which was applied to an order whose CumQty was `cum_before_lots`."""
        kind, exec_id = report.exec_type, report.exec_id
        if kind is ExecType.ORDER_STATUS or exec_id == NO_EXECUTION:
            return
        self.told[exec_id] = _told(report)
        if kind is ExecType.TRADE:
            self.firsts[exec_id], self.lots[exec_id] = exec_id, report.last_lots
        elif kind in (ExecType.TRADE_CANCEL, ExecType.TRADE_CORRECT):
            first = self.firsts.setdefault(exec_id, self.firsts.get(report.ref_id, exec_id))
            self.lots[first] = report.last_lots if kind is ExecType.TRADE_CORRECT else 0
        elif kind is ExecType.RESTATED and report.cum_lots != cum_before_lots:
            self.lots.clear()


def _told(report: ExecutionReport) -> Told:
    quantities = report.order_lots, report.cum_lots, report.leaves_lots, report.last_lots
    return (report.exec_type, report.status, report.ref_id, *quantities)
