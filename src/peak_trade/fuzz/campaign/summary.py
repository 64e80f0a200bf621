"""What a campaign comes to: findings first, then what was required, then whether anything is left unknown.

FAIL iff something was found. INCONCLUSIVE iff nothing was, but less was covered than required, or not every job was
done: about what never happened nothing was learned. PASS is what is left.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from peak_trade.fuzz.campaign.digest import Told
from peak_trade.fuzz.campaign.night import Night
from peak_trade.fuzz.cover.coverage import Goal
from peak_trade.fuzz.cover.gate import Requirement, Row, Verdict, judge, worst
from peak_trade.fuzz.cover.goals import goals, surroundings
from peak_trade.fuzz.cover.heat import Line, table
from peak_trade.fuzz.cover.heat import text as table_text
from peak_trade.lang.machine import Machine

SHOWN_MAX: Final = 5
MARKS: Final = {Verdict.PASS: "✓", Verdict.FAIL: "✗", Verdict.INCONCLUSIVE: "?"}


@dataclass(frozen=True, slots=True)
class Summary:
    """What a campaign comes to; `partial` is why not every job was done, `canary` how it died, None without one."""

    night: Night
    rows: Sequence[Row]
    told: Sequence[Told]
    canary: Told | None
    tables: Mapping[str, Sequence[Line]]
    unreachable: Mapping[Goal, str]
    partial: str = ""

    @property
    def verdict(self) -> Verdict:
        """The verdict in one word."""
        if self.told:
            return Verdict.FAIL
        if self.partial:
            return Verdict.INCONCLUSIVE
        return worst(self.rows) if self.rows else Verdict.PASS

    @property
    def why(self) -> str:
        """The verdict's reason in a sentence."""
        if self.told:
            return f"{len(self.told)} kinds of problems were found"
        if self.partial:
            return f"nothing was found, but {self.partial}"
        short = [row for row in self.rows if row.verdict is not Verdict.PASS]
        if short:
            return f"{short[0].requirement} was required: {short[0].why}"
        return "nothing was found, and what was required was covered"


def summary(
    night: Night,
    machines: Sequence[Machine],
    required: Sequence[Requirement],
    told: Sequence[Told],
    unreachable: Mapping[Goal, str],
) -> Summary:
    """Return what a campaign comes to, with neither canary nor what cut it short."""
    around, sessions = surroundings(), any(name.startswith("sessions") for name in night.figures)
    of_machines = tuple(goal for machine in machines for goal in goals(machine))
    tables = {"Sessions": table(night.sessions, (*of_machines, *around))} if sessions else {}
    tables["The specification's machines, sessions included"] = table(night.coverage, of_machines, unreachable.keys())
    rows = judge(required, night.coverage, (*of_machines, *around), unreachable.keys())
    return Summary(night, rows, told, None, tables, unreachable)


def lines(found: Summary) -> Iterator[str]:
    """Yield the summary as text."""
    for name, sums in sorted(found.night.figures.items()):
        yield f"{name}: " + ", ".join(f"{what} {count:,}" for what, count in sums.items())
    for title, rows in found.tables.items():
        yield f"\n{title}"
        yield from table_text(rows)
    yield ""
    faults = {goal.name: seen.times for goal, seen in found.night.sessions.goals.items() if goal.kind == "fault"}
    if faults:
        yield "faults that took effect: " + ", ".join(f"{name} {count:,}" for name, count in sorted(faults.items()))
    if found.canary is not None:
        yield f"canary: refuted with seed {found.canary.seed}, shrunk to {found.canary.events} events, replayed"
    yield from (f"{MARKS[row.verdict]} {row.requirement} {row.machine}: {row.why}" for row in found.rows)
    for row in found.rows:
        if row.misses:
            yield f"    not seen: {', '.join(goal.name for goal in row.misses[:SHOWN_MAX])}" + _more(row.misses)
    for item in found.told:
        yield f"✗ {item.engine} {item.machine}: {item.kind} ({item.times} times, first with seed {item.seed})"
        yield from (f"    {problem}" for problem in item.problems[:SHOWN_MAX])
        yield f"    {item.folder}, {item.events} events" + (f"; not shrunk: {item.why}" if item.why else "")
    yield f"{found.verdict}: {found.why}"


def plain(found: Summary) -> dict[str, Any]:
    """Return the summary as JSON has it: the same bytes for the same jobs."""
    return {
        "schema_version": 1,
        "verdict": found.verdict.value,
        "why": found.why,
        "partial": found.partial,
        "rows": [
            {
                "requirement": str(row.requirement),
                "machine": row.machine,
                "verdict": row.verdict.value,
                "reached": row.reached,
                "total": row.total,
                "unreachable": row.unreachable,
                "misses": [str(goal) for goal in row.misses],
            }
            for row in found.rows
        ],
        "told": [
            {
                "engine": item.engine,
                "machine": item.machine,
                "kind": item.kind,
                "seed": item.seed,
                "times": item.times,
                "problems": list(item.problems),
                "folder": item.folder,
                "events": item.events,
            }
            for item in found.told
        ],
        "unreachable": {str(goal): why for goal, why in sorted(found.unreachable.items())},
        "night": found.night.plain(),
    }


def _more(items: Collection[object]) -> str:
    return f" and {len(items) - SHOWN_MAX} more" if len(items) > SHOWN_MAX else ""
