"""A requirement on coverage passes iff enough of what can be reached was; else it is inconclusive, and never fails.

`--require` says `KIND=PERCENT%` or `MACHINE.KIND=PERCENT%`, several with commas between them: `transitions=100%`,
`order.pairs=80%`. It is judged of each machine by itself. Goals that are proved unreachable are not counted; where
none is left, or none of them was ever seen, nothing was learned: inconclusive, whatever the percentage.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from peak_trade.fuzz.cover.coverage import Coverage, Goal
from peak_trade.fuzz.cover.goals import OWN
from peak_trade.lang.source import suggestion

KINDS: Final = {
    "states": "state",
    "transitions": "transition",
    "arcs": "arc",
    "pairs": "pair",
    "clauses": "clause",
    "mcdc": "mcdc",
    "refusals": "refusal",
    "faults": "fault",
    "rails": "rail",
    "tripwires": "tripwire",
    "differences": "difference",
}
"""What a requirement calls each kind of goal."""
WHOLE_PERMILLE: Final = 1000
_PERCENT: Final = re.compile(r"([0-9]{1,3})(?:\.([0-9]))?%")


class BadRequirement(ValueError):  # noqa: N818 - named by what the text is
    """A text is no requirement; `column` (from 1) is where in it, and `hint` what may have been meant."""

    def __init__(self, text: str, column: int, expected: str, meant: str = "") -> None:
        self.text, self.column, self.expected, self.hint = text, column, expected, meant
        lines = (f"--require, column {column}: expected {expected}", f"  {text}", f"  {' ' * (column - 1)}^", meant)
        super().__init__("\n".join(line for line in lines if line))


class Contradicted(RuntimeError):  # noqa: N818 - said of proofs
    """Goals were seen that are proved unreachable: a proof or a run is wrong, and neither may be believed."""

    def __init__(self, goals: Sequence[Goal]) -> None:
        self.goals = tuple(goals)
        names = ", ".join(map(str, self.goals[:5]))
        super().__init__(f"expected nothing that is proved unreachable, was {names}; replay the seed, and report it")


class Verdict(StrEnum):
    """What came of a campaign, or of a requirement, which never fails; only PASS is a pass."""

    PASS = "PASS"  # noqa: S105 - no password
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"


@dataclass(frozen=True, slots=True)
class Requirement:
    """At least `permille` of the goals of a kind; `machine` is empty iff it is meant of every machine."""

    kind: str
    machine: str
    permille: int

    def __str__(self) -> str:
        word = next(word for word, kind in KINDS.items() if kind == self.kind)
        whole, tenth = divmod(self.permille, 10)
        return f"{self.machine}{'.' if self.machine else ''}{word}={whole}{f'.{tenth}' if tenth else ''}%"


@dataclass(frozen=True, slots=True)
class Row:
    """What came of a requirement on one machine: of `total` goals so many were reached, so many proved unreachable.

    `misses` are the others, in the order of the goals.
    """

    requirement: Requirement
    machine: str
    reached: int
    total: int
    unreachable: int
    misses: tuple[Goal, ...]

    @property
    def can(self) -> int:
        """How many goals there are that nobody has proved unreachable."""
        return self.total - self.unreachable

    @property
    def verdict(self) -> Verdict:
        """The verdict in one word."""
        enough = self.reached * WHOLE_PERMILLE >= self.requirement.permille * self.can
        return Verdict.PASS if self.reached and enough else Verdict.INCONCLUSIVE

    @property
    def why(self) -> str:
        """The verdict's reason in a sentence."""
        name = next(word for word, kind in KINDS.items() if kind == self.requirement.kind)
        whose = f"{self.machine} {name}" if self.machine else name
        if not self.total:
            return f"there are no {whose}, so nothing can be required of them"
        if not self.can:
            return f"all {self.total} {whose} are proved unreachable, so nothing was learned"
        if not self.reached:
            return f"none of {self.can} {whose} was ever seen, so nothing was learned"
        proved = f", {self.unreachable} proved unreachable" if self.unreachable else ""
        return f"{self.reached} of {self.can} {whose}{proved}"


def parse(text: str, machines: Collection[str]) -> tuple[Requirement, ...]:
    """Return the requirements that `text` says; `machines` are the names that there are.

    Raises:
        BadRequirement: it says none.
    """
    found, column = [], 1
    for part in text.split(","):
        found.append(_parse(text, part, column, machines))
        column += len(part) + 1
    return tuple(found)


def judge(
    requirements: Iterable[Requirement], coverage: Coverage, wanted: Sequence[Goal], unreachable: Collection[Goal] = ()
) -> tuple[Row, ...]:
    """Return what came of each requirement, a row for each machine; `wanted` are all goals, `unreachable` the proved.

    Raises:
        Contradicted: something unreachable was seen.
    """
    proved = frozenset(unreachable)
    seen = sorted(proved & coverage.goals.keys())
    if seen:
        raise Contradicted(seen)
    return tuple(row for item in requirements for row in _rows(item, coverage, wanted, proved))


def worst(rows: Iterable[Row]) -> Verdict:
    """Return the verdict of all rows together: PASS iff each passes, and none at all is no pass."""
    return Verdict.PASS if {row.verdict for row in rows} == {Verdict.PASS} else Verdict.INCONCLUSIVE


def _rows(item: Requirement, coverage: Coverage, wanted: Sequence[Goal], proved: frozenset[Goal]) -> Iterator[Row]:
    own = [goal for goal in wanted if goal.kind == item.kind and item.machine in ("", goal.machine)]
    for machine in dict.fromkeys(goal.machine for goal in own) or (item.machine,):
        of_it = [goal for goal in own if goal.machine == machine]
        missed = coverage.missed(of_it)
        misses = tuple(goal for goal in missed if goal not in proved)
        yield Row(item, machine, len(of_it) - len(missed), len(of_it), len(missed) - len(misses), misses)


def _parse(text: str, part: str, column: int, machines: Collection[str]) -> Requirement:
    column += len(part) - len(part.lstrip())
    subject, equals, percent = part.strip().partition("=")
    if not equals:
        raise BadRequirement(
            text, column, f"KIND=PERCENT%, was {part.strip()!r}", f"for example {subject or 'states'}=100%"
        )
    machine, dot, word = subject.rpartition(".")
    place = column + len(machine) + len(dot)
    if word not in KINDS:
        raise BadRequirement(text, place, f"a kind of goal, was {word!r}", suggestion(word, KINDS))
    kind = KINDS[word]
    if dot and kind not in OWN:
        raise BadRequirement(text, column, f"{word} of no machine, was {machine!r}", f"say {word}={percent}")
    if dot and machine not in machines:
        raise BadRequirement(text, column, f"a machine, was {machine!r}", suggestion(machine, machines))
    found = _PERCENT.fullmatch(percent)
    permille = int(found[1]) * 10 + int(found[2] or 0) if found else WHOLE_PERMILLE + 1
    if permille > WHOLE_PERMILLE:
        raise BadRequirement(text, column + len(subject) + 1, f"a percentage from 0% to 100%, was {percent!r}")
    return Requirement(kind, machine, permille)
