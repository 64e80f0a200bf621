"""A campaign is rounds of jobs of all its engines: the same seed gives the same jobs, however many of them are done.

What came back is added up in any order to the same sums. Two levels are kept apart: what whole sessions covered, and
what the engines on the specifications' own machines did.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from peak_trade.fuzz.cover.coverage import Coverage
from peak_trade.fuzz.jobs import SPEC_LEVEL, Job, Result

SESSIONS_EACH: Final = 20
"""How many sessions a job plays."""
SESSION_JOBS: Final = 8
"""How many jobs of sessions a round has."""
WALK_STEPS: Final = 100_000
LANE_STEPS: Final = 50
"""How many steps of `fuzz.engines.lanes.LANES` lanes a job takes."""
EXHAUSTIVE_STEPS: Final = 20_000
ENGINES: Final = ("sessions", "walk", "lanes", "exhaustive")
COUNTS: Final = {"walk": WALK_STEPS, "lanes": LANE_STEPS, "exhaustive": EXHAUSTIVE_STEPS}
ONCE: Final = frozenset({"exhaustive"})
"""Engines that do the same whatever the seed: the first round has them, and no other."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a campaign does: its engines, the first seed, the machines of each engine, and all fingerprints."""

    engines: tuple[str, ...]
    seed: int
    machines: Mapping[str, tuple[str, ...]]
    specs: Mapping[str, str]

    def jobs(self, sessions: int | None) -> Iterator[Job]:
        """Yield the jobs of so many sessions, with those of the other engines; without an end if it is None."""
        each = SESSION_JOBS * SESSIONS_EACH
        for number in count():
            left = each if sessions is None else min(each, sessions - number * each)
            if left <= 0:
                return
            yield from self._round(number, left)

    def _round(self, number: int, sessions: int) -> Iterator[Job]:
        for engine in self.engines:
            if engine not in SPEC_LEVEL:
                first = self.seed + number * SESSION_JOBS * SESSIONS_EACH
                for done in range(0, sessions, SESSIONS_EACH):
                    yield self._job(engine, first + done, min(SESSIONS_EACH, sessions - done))
            elif engine not in ONCE or not number:
                for machine in self.machines[engine]:
                    yield self._job(engine, self.seed + number, COUNTS[engine], machine)

    def _job(self, engine: str, seed: int, size: int, machine: str = "") -> Job:
        options = {"machine": machine} if machine else {}
        return Job(engine=engine, seed=seed, count=size, specs=dict(self.specs), options=dict(options))


@dataclass(slots=True)
class Night:
    """All that came back so far; figures by engine and machine, findings as the engines told them."""

    jobs: int = 0
    figures: dict[str, Counter[str]] = field(default_factory=dict)
    sessions: Coverage = field(default_factory=Coverage)
    specs: Coverage = field(default_factory=Coverage)
    findings: list[dict[str, Any]] = field(default_factory=list)

    def add(self, result: Result) -> None:
        """Add what a job gave."""
        job, machine = result.job, str(result.job.options.get("machine", ""))
        self.jobs += 1
        self.figures.setdefault(f"{job.engine} {machine}".strip(), Counter()).update(result.figures)
        (self.specs if job.engine in SPEC_LEVEL else self.sessions).merge(Coverage.of(result.coverage))
        self.findings += [{"engine": job.engine, "machine": machine, **found} for found in result.findings]

    @property
    def played(self) -> int:
        """How many sessions were played."""
        return self.figures.get("sessions", Counter())["sessions"]

    @property
    def coverage(self) -> Coverage:
        """What was covered at either level."""
        both = Coverage()
        both.merge(self.sessions)
        both.merge(self.specs)
        return both

    def merge(self, told: Mapping[str, Any]) -> None:
        """Add another part of the same campaign, as `plain` told it.

        Raises:
            KeyError, TypeError, ValueError: it told no such thing.
        """
        self.jobs += int(told["jobs"])
        for name, sums in told["figures"].items():
            self.figures.setdefault(name, Counter()).update(sums)
        self.sessions.merge(Coverage.of(told["sessions"]))
        self.specs.merge(Coverage.of(told["specs"]))
        self.findings += told["findings"]

    def plain(self) -> dict[str, Any]:
        """Return it as JSON has it: the same bytes for the same jobs."""
        return {
            "jobs": self.jobs,
            "figures": {name: dict(sorted(sums.items())) for name, sums in sorted(self.figures.items())},
            "sessions": self.sessions.plain(),
            "specs": self.specs.plain(),
            "findings": sorted(self.findings, key=lambda item: (item["engine"], item["machine"], item["seed"])),
        }
