"""A fault plan: what goes wrong at the venue, and when. Data, so that it can be printed, kept and replayed.

A fault strikes one order, named by its ordinal among the distinct ids that the venue sees (from 1), or the whole venue
for a window of steps. Several may strike one order in different phases of its life; two in one phase are a mistake, and
so are two windows of one kind that overlap.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

ORDERS_MAX: Final = 10_000_000
STEPS_MAX: Final = 10_000_000
SKEW_STEPS_MAX: Final = 1_000


class Phase(StrEnum):
    """The part of an order's life that a fault strikes; a fault of `venue` strikes every order for some steps."""

    PLACING = "placing"
    CANCELING = "canceling"
    REPLACING = "replacing"
    EXECUTING = "executing"
    REPORTING = "reporting"
    VENUE = "venue"


class FaultKind(StrEnum):
    """What goes wrong; `KINDS` says in a sentence what each does."""

    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    RATE_LIMITED = "rate_limited"
    UNAVAILABLE = "unavailable"
    REJECT = "reject"
    CANCEL_TIMEOUT_BEFORE = "cancel_timeout_before"
    CANCEL_TIMEOUT_AFTER = "cancel_timeout_after"
    CANCEL_REJECTED = "cancel_rejected"
    CANCEL_RACE = "cancel_race"
    LATE_FILL = "late_fill"
    REPLACE_REJECTED = "replace_rejected"
    REPLACE_RACE = "replace_race"
    PARTIAL_FILLS = "partial_fills"
    OVERFILL = "overfill"
    BUST = "bust"
    CORRECTION = "correction"
    UNSOLICITED_CANCEL = "unsolicited_cancel"
    REDUCTION = "reduction"
    SUSPENSION = "suspension"
    STOPPED = "stopped"
    DONE_FOR_DAY = "done_for_day"
    LOST_REPORT = "lost_report"
    LATE_REPORT = "late_report"
    DUPLICATE_REPORT = "duplicate_report"
    REORDERED_REPORT = "reordered_report"
    OUTAGE = "outage"
    WRONG_SNAPSHOT = "wrong_snapshot"
    RESTART = "restart"
    CLOCK_SKEW = "clock_skew"


class Lie(StrEnum):
    """How a snapshot is wrong."""

    OMIT = "omit"
    INVENT = "invent"
    MISSTATE = "misstate"


@dataclass(frozen=True, slots=True)
class About:
    """The phase that a kind of fault strikes, and what it does in a sentence."""

    phase: Phase
    does: str


KINDS: Final[Mapping[FaultKind, About]] = {
    FaultKind.TIMEOUT_BEFORE: About(Phase.PLACING, "The first attempt to place the order times out and never arrives."),
    FaultKind.TIMEOUT_AFTER: About(Phase.PLACING, "The order is accepted, and the answer is lost."),
    FaultKind.RATE_LIMITED: About(Phase.PLACING, "The first attempt to place the order is over the rate limit."),
    FaultKind.UNAVAILABLE: About(Phase.PLACING, "The first attempt to place the order finds the venue unavailable."),
    FaultKind.REJECT: About(Phase.PLACING, "The venue rejects the order, each time that it is sent."),
    FaultKind.CANCEL_TIMEOUT_BEFORE: About(Phase.CANCELING, "The first request to cancel times out and never arrives."),
    FaultKind.CANCEL_TIMEOUT_AFTER: About(Phase.CANCELING, "The cancel is done, and the answer is lost."),
    FaultKind.CANCEL_REJECTED: About(
        Phase.CANCELING,
        "In the step of the first request to cancel every such request is rejected; later they are not.",
    ),
    FaultKind.CANCEL_RACE: About(
        Phase.CANCELING,
        "The cancel is pending for a step in which the order trades once more; then the rest is canceled, or the "
        "cancel is rejected as too late if nothing is left.",
    ),
    FaultKind.LATE_FILL: About(
        Phase.CANCELING, "An execution from before the cancel is reported a step after the cancel is."
    ),
    FaultKind.REPLACE_REJECTED: About(Phase.REPLACING, "The venue rejects the first replacement of the order."),
    FaultKind.REPLACE_RACE: About(
        Phase.REPLACING,
        "The first replacement is pending for a step in which the order trades once more; its quantity is amended to "
        "what was executed if that is more.",
    ),
    FaultKind.PARTIAL_FILLS: About(
        Phase.EXECUTING, "Each execution of two lots or more is reported in two or three parts."
    ),
    FaultKind.OVERFILL: About(Phase.EXECUTING, "After the last fill comes another execution, beyond what was ordered."),
    FaultKind.BUST: About(
        Phase.EXECUTING, "The first execution is busted a step later; unless closed, the order is open for it again."
    ),
    FaultKind.CORRECTION: About(
        Phase.EXECUTING, "The quantity and price of the first execution are corrected a step later."
    ),
    FaultKind.UNSOLICITED_CANCEL: About(Phase.EXECUTING, "The venue cancels the order a step later, unasked."),
    FaultKind.REDUCTION: About(Phase.EXECUTING, "The venue restates the order a step later with a smaller quantity."),
    FaultKind.SUSPENSION: About(Phase.EXECUTING, "The order is suspended a step later, and resumed the step after."),
    FaultKind.STOPPED: About(
        Phase.EXECUTING, "The venue guarantees the order a step later, and executes all of it the step after."
    ),
    FaultKind.DONE_FOR_DAY: About(
        Phase.EXECUTING,
        "The order is done for the day: good-till-cancel rests for a step and is restated, another ends so instead of "
        "expiring.",
    ),
    FaultKind.LOST_REPORT: About(
        Phase.REPORTING,
        "The order's reports are missing from the stream in the step in which they were made; who asks later, from a "
        "cursor before them, gets them.",
    ),
    FaultKind.LATE_REPORT: About(
        Phase.REPORTING, "The order's reports, and all after them, come a step later than they were made."
    ),
    FaultKind.DUPLICATE_REPORT: About(Phase.REPORTING, "Each report of the order comes twice in a row."),
    FaultKind.REORDERED_REPORT: About(
        Phase.REPORTING, "In the step in which they were made, the order's reports come after their successors."
    ),
    FaultKind.OUTAGE: About(Phase.VENUE, "Every call is answered as unavailable, for some steps."),
    FaultKind.WRONG_SNAPSHOT: About(
        Phase.VENUE,
        "For some steps open orders and status lie about the oldest open order (omit, misstate), or show one that "
        "nobody placed (invent); reports and fills do not.",
    ),
    FaultKind.RESTART: About(
        Phase.VENUE,
        "The venue restarts at the beginning of a step: it keeps orders and reports, and forgets cancels and "
        "replacements that are pending, as are all of the step before.",
    ),
    FaultKind.CLOCK_SKEW: About(Phase.VENUE, "For some steps reports carry a step that is wrong by a constant."),
}
assert KINDS.keys() == set(FaultKind)

ALL: Final = tuple(FaultKind)

SEVEN: Final = (
    FaultKind.TIMEOUT_BEFORE,
    FaultKind.TIMEOUT_AFTER,
    FaultKind.UNAVAILABLE,
    FaultKind.RATE_LIMITED,
    FaultKind.REJECT,
    FaultKind.DUPLICATE_REPORT,
    FaultKind.LATE_REPORT,
)
"""Kinds that an adapter and a cursor mend without a word."""

HARSH: Final = frozenset(
    {FaultKind.OVERFILL, FaultKind.WRONG_SNAPSHOT, FaultKind.BUST, FaultKind.CORRECTION, FaultKind.LATE_FILL}
)
"""Kinds after which a session may have to ask the operator.

More is held or owed than was ordered, a sale stands without its purchase, or the venue contradicts itself.
"""

HEALING: Final = tuple(kind for kind in FaultKind if kind not in HARSH)
"""Kinds after which a session ends in order: what they do heals, or was the venue's right."""


class PlanError(ValueError):
    """A fault plan that makes no sense: where, what is wrong, and the remedy."""

    def __init__(self, place: str, problem: str, remedy: str) -> None:
        super().__init__(place, problem, remedy)
        self.place, self.problem, self.remedy = place, problem, remedy

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class Fault:
    """One planned fault: `order` is an ordinal from 1, or `step` and `steps` a window; `by` skews, `how` lies.

    Raises:
        PlanError: an argument is missing, out of range, or not one of this kind.
    """

    kind: FaultKind
    order: int = 0
    step: int = 0
    steps: int = 0
    by: int = 0
    how: Lie | None = None

    def __post_init__(self) -> None:
        for name, low, high in _ranges(self.kind):
            value = getattr(self, name)
            if type(value) is not int or not low <= value <= high:
                raise PlanError(self.kind, f"{name}: expected {low} to {high}, was {value!r:.40}", "correct it")
        if (self.kind is FaultKind.CLOCK_SKEW) == (self.by == 0):
            raise PlanError(self.kind, f"by: a skew has one, and no other kind, was {self.by!r:.40}", "correct it")
        if (self.kind is FaultKind.WRONG_SNAPSHOT) == (self.how is None):
            words = ", ".join(Lie)
            raise PlanError(self.kind, f"how: expected {words}, or none, was {self.how!r:.40}", "correct it")

    @property
    def phase(self) -> Phase:
        """The part of an order's life that it strikes."""
        return KINDS[self.kind].phase

    @property
    def place(self) -> int:
        """The order or the first step that it strikes."""
        return self.order or self.step

    @property
    def end(self) -> int:
        """The first step after the window."""
        return self.step + self.steps

    def overlaps(self, other: "Fault") -> bool:
        """Return true iff both are windows of one kind and have a step in common."""
        return self.kind is other.kind and self.step < other.end and other.step < self.end


def _ranges(kind: FaultKind) -> tuple[tuple[str, int, int], ...]:
    """Return the least and greatest value of each number; 0 and 0 if the kind does not take it."""
    skew = SKEW_STEPS_MAX if kind is FaultKind.CLOCK_SKEW else 0
    if KINDS[kind].phase is not Phase.VENUE:
        return ("order", 1, ORDERS_MAX), ("step", 0, 0), ("steps", 0, 0), ("by", 0, 0)
    steps_max = 1 if kind is FaultKind.RESTART else STEPS_MAX
    return ("order", 0, 0), ("step", 1, STEPS_MAX), ("steps", 1, steps_max), ("by", -skew, skew)


def merged(plan: Iterable[Fault], drawn: Iterable[Fault]) -> tuple[Fault, ...]:
    """Return `plan` with those of `drawn` that are in the way of none of it."""
    first = tuple(plan)
    taken = {(fault.order, fault.phase) for fault in first if fault.order}
    windows = [fault for fault in first if not fault.order]
    free = (fault for fault in drawn if (fault.order, fault.phase) not in taken)
    return (*first, *(fault for fault in free if fault.order or not any(fault.overlaps(other) for other in windows)))
