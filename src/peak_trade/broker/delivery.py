"""The stream in which reports reach us: the venue's log, with what the plan does to its way.

A function of log, plan and step alone, so asking again in the same step gives the same, also after a crash.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from peak_trade.broker.faults import FaultKind
from peak_trade.broker.messages import Report


@dataclass(frozen=True, slots=True)
class Sent:
    """A report on its way: when it was made, whatever it says itself, and what strikes it."""

    report: Report
    made: int
    fault: FaultKind | None


def delivered(log: Iterable[Sent], step: int) -> Iterator[Report]:
    """Yield the reports of `log` as they arrive in `step`.

    A report is late, lost or reordered only in the step in which it was made; a duplicate always comes twice.
    """
    held: list[Report] = []
    for sent in log:
        fault, fresh = sent.fault, sent.made >= step
        if fault is FaultKind.LATE_REPORT and fresh:
            break
        if fault is FaultKind.LOST_REPORT and fresh:
            continue
        if fault is FaultKind.REORDERED_REPORT and fresh:
            held.append(sent.report)
            continue
        yield sent.report
        if fault is FaultKind.DUPLICATE_REPORT:
            yield sent.report
        yield from held
        held.clear()
    yield from held
