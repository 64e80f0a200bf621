"""What a campaign saw, in the words of the specification: each goal with how often, and the first seed that reached it.

Coverages are merged in any order to the same sum, so that jobs may come back as they like.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

KINDS: Final = (
    "state",
    "transition",
    "arc",
    "pair",
    "clause",
    "mcdc",
    "refusal",
    "fault",
    "rail",
    "tripwire",
    "difference",
)
"""Every kind of goal.

`state` and `transition` by name; `arc` a transition from one of its sources, `ID@STATE`; `pair` two transitions one
after the other, `A>B`; `clause` one guard clause with one outcome, `ID.when.N=true`; `mcdc` the same where it alone
decided its row (`backends.guards`); `refusal` a reason with which an event was refused or ignored; the others by their
codes.
"""


class Goal(NamedTuple):
    """One thing that may be seen; `machine` is empty for what belongs to none, as faults and rails do."""

    kind: str
    machine: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.machine}{'.' if self.machine else ''}{self.name}"


class Tally(NamedTuple):
    """How often, and the smallest seed with which."""

    times: int
    seed: int


@dataclass(slots=True)
class Coverage:
    """What was seen so far."""

    goals: dict[Goal, Tally] = field(default_factory=dict)

    def hit(self, goal: Goal, seed: int, count: int = 1) -> None:
        """Count a goal as seen `count` times with `seed`; nothing for a count of 0."""
        if count:
            old = self.goals.get(goal)
            self.goals[goal] = Tally(count, seed) if old is None else Tally(old.times + count, min(old.seed, seed))

    def merge(self, other: "Coverage") -> None:
        """Add what another job saw."""
        for goal, (count, seed) in other.goals.items():
            self.hit(goal, seed, count)

    def count(self, goal: Goal) -> int:
        """How often the goal was seen."""
        return self.goals[goal].times if goal in self.goals else 0

    def missed(self, wanted: Iterable[Goal]) -> tuple[Goal, ...]:
        """Return the goals of `wanted` that were never seen, in their order."""
        return tuple(goal for goal in wanted if goal not in self.goals)

    def plain(self) -> list[list[str | int]]:
        """Return it as JSON has it, sorted."""
        return [[*goal, *seen] for goal, seen in sorted(self.goals.items())]

    @classmethod
    def of(cls, plain: Iterable[Any]) -> "Coverage":
        """Return what `plain` said."""
        return cls({Goal(*item[:3]): Tally(*item[3:]) for item in plain})


def counts_of(coverage: Coverage, kind: str, machine: str) -> Mapping[str, int]:
    """Return the counts of one kind and machine by name."""
    return {goal.name: seen.times for goal, seen in coverage.goals.items() if goal[:2] == (kind, machine)}
