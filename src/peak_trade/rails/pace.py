"""How much happened of late: counts over a window of steps, which say the same after a run was resumed.

Steps are the only clock here. The current step belongs to the window: one of 1 step is the step itself.
"""

from collections import Counter, deque
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


@dataclass(slots=True)
class Window(Generic[Key]):
    """Counts by key over the last `steps` steps; with 0 steps nothing is ever counted.

    Limits: each count costs constant time, when it enters and when it leaves; memory is what the window holds.
    """

    steps: int
    _entered: deque[tuple[int, Key, int]] = field(default_factory=deque)
    _counts: Counter[Key] = field(default_factory=Counter)

    def advance(self, step: int) -> None:
        """Let `step` be the current one; what is older than the window leaves it."""
        oldest = step - self.steps
        while self._entered and self._entered[0][0] <= oldest:
            _, key, count = self._entered.popleft()
            self._counts[key] -= count
            if not self._counts[key]:
                del self._counts[key]

    def add(self, step: int, key: Key, count: int = 1) -> None:
        """Count `key` in `step`, which is not before the last one counted."""
        if self.steps and count:
            self._entered.append((step, key, count))
            self._counts[key] += count

    def clear(self) -> None:
        """Forget everything."""
        self._entered.clear()
        self._counts.clear()

    @property
    def counts(self) -> Mapping[Key, int]:
        """The counts of the window, as they are and as they become; keys without any are absent."""
        return MappingProxyType(self._counts)


@dataclass(slots=True)
class Streaks:
    """How the venue answered the last orders: refused in a row, and lost in a row.

    An order counts as lost once, however often it is asked for; that its outcome is found out later does not take that
    back, and an order that is answered at once ends the row.
    """

    rejects: int = 0
    unknowns: int = 0
    _lost: str = ""

    def note(self, order: str, event: str) -> None:
        """Take one event of the order machine that was taken for `order`."""
        if event == "time_out":
            self.unknowns += order != self._lost
            self._lost = order
        elif event in ("accept", "reject"):
            self.rejects = self.rejects + 1 if event == "reject" else 0
            self.unknowns = self.unknowns if order == self._lost else 0

    def clear(self) -> None:
        """Begin anew, as after an operator has looked."""
        self.rejects = self.unknowns = 0
        self._lost = ""
