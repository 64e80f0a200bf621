"""A fault plan, laid out so that the venue finds what strikes an order or a step without looking through it."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from peak_trade.broker.faults import Fault, FaultKind, Phase, PlanError

Struck: TypeAlias = Mapping[Phase, FaultKind]
"""What strikes one order, by phase."""

UNHARMED: Final[Struck] = MappingProxyType({})


class Schedule:
    """The plan `faults`, indexed, with the faults that fired so far.

    Raises:
        PlanError: two faults of one order are in the same phase, or two windows of a kind overlap.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        self.fired: set[Fault] = set()
        self._orders: dict[int, dict[Phase, FaultKind]] = {}
        self._windows: dict[FaultKind, list[Fault]] = {}
        self._named = {(fault.kind, fault.place): fault for fault in self.faults}
        for fault in sorted(self.faults, key=lambda fault: (fault.place, fault.kind)):
            self._window(fault) if fault.phase is Phase.VENUE else self._order(fault)
        self.reporting = any(fault.phase is Phase.REPORTING for fault in self.faults)
        self.skewed = FaultKind.CLOCK_SKEW in self._windows

    def _order(self, fault: Fault) -> None:
        found = self._orders.setdefault(fault.order, {})
        if fault.phase in found:
            kinds = f"{found[fault.phase]} and {fault.kind}"
            problem = f"expected one fault while {fault.phase}, was {kinds}"
            raise PlanError(f"order {fault.order}", problem, "remove one; one would silently win")
        found[fault.phase] = fault.kind

    def _window(self, fault: Fault) -> None:
        found = self._windows.setdefault(fault.kind, [])
        if found and fault.step < found[-1].end:
            problem = f"expected windows apart, was {fault.kind} from {found[-1].step} to {found[-1].end - 1} too"
            raise PlanError(f"step {fault.step}", problem, "move or shorten one")
        found.append(fault)

    def of(self, ordinal: int) -> Struck:
        """Return what strikes the order with this ordinal."""
        return self._orders.get(ordinal, UNHARMED)

    def window(self, kind: FaultKind, step: int) -> Fault | None:
        """Return the window of `kind` that `step` lies in."""
        windows = self._windows.get(kind)
        if not windows:
            return None
        at = bisect_right(windows, step, key=lambda fault: fault.step)
        return windows[at - 1] if at and step < windows[at - 1].end else None

    def named(self, kind: str, place: int) -> Fault:
        """Return the planned fault of this kind at this order or first step.

        Raises:
            ValueError: there is none.
        """
        fault = self._named.get((FaultKind(kind), place))
        if fault is None:
            raise ValueError(f"expected a planned fault, was {kind} at {place}; open the venue with its own plan")
        return fault

    def strike(self, kind: FaultKind, place: int) -> None:
        """Note that the planned fault fired."""
        self.fired.add(self.named(kind, place))

    def counts(self) -> dict[FaultKind, int]:
        """Return how many faults of each planned kind fired: 0 is one that was planned and never did."""
        fired = Counter(fault.kind for fault in self.fired)
        return {kind: fired[kind] for kind in sorted({fault.kind for fault in self.faults})}
