"""Many seeded sessions, each in the world of its seed: how they ended, and what was done to them.

The same seeds give the same result, in the order of the seeds, whatever executor plays them.

Limits: a session is played in one process from its first step to its last, in a folder that is gone afterwards.
"""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from peak_trade.broker.faults import FaultKind
from peak_trade.fuzz.matrix import MEMORY
from peak_trade.fuzz.play import HANGS, Played, play
from peak_trade.fuzz.seeded import seeded_world
from peak_trade.fuzz.world import Machines
from peak_trade.session.recording import TRIP

ENDS: Final = ("STOPPED", "ERROR_REQUIRES_OPERATOR")
"""Where a session may end; all of these begin, so none may fail its startup checks."""
CHUNK: Final = 20
"""How many sessions are handed to a process at once."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is kept of one session; `problems` is empty iff it ended as it may."""

    seed: int
    state: str
    steps: int
    orders: int
    executions: int
    deaths: int
    reconciles: int
    reported: int
    fired: tuple[tuple[str, int], ...]
    retries: int
    wires: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(slots=True)
class Figures:
    """The sums over the sessions so far."""

    sessions: int = 0
    ends: Counter[str] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)
    wires: Counter[str] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter)

    def add(self, item: Outcome) -> None:
        """Count one session."""
        self.sessions += 1
        self.ends[item.state] += 1
        self.fired.update(dict(item.fired))
        self.wires.update(item.wires)
        for name in ("steps", "orders", "executions", "deaths", "reconciles", "retries"):
            self.sums[name] += getattr(item, name)
        self.sums["sessions with a reported difference"] += item.reported > 0

    @property
    def silent(self) -> tuple[str, ...]:
        """Return the classes of faults that never took effect: about them nothing was learned."""
        return tuple(kind.value for kind in FaultKind if not self.fired[kind.value])


def campaign(
    seeds: Iterable[int], work: Callable[[int], Outcome], executor: Executor | None = None
) -> Iterator[Outcome]:
    """Yield how the session of each seed ended, in the order of the seeds; `work` is `session_of` with its machines."""
    return map(work, seeds) if executor is None else executor.map(work, seeds, chunksize=CHUNK)


def session_of(seed: int, machines: Machines) -> Outcome:
    """Play the session of one seed; an error that nobody expected is a problem like any other."""
    with tempfile.TemporaryDirectory(prefix="peak-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        try:
            return _outcome(seed, play(seeded_world(seed), machines, Path(folder) / "run"))
        except Exception as error:  # noqa: BLE001 - whatever a session raises must be told with its seed
            return _broken(seed, f"{type(error).__name__}: {str(error).replace(folder, '')[:300]}")


def _outcome(seed: int, played: Played) -> Outcome:
    problems = list(played.verdict.unexplained)
    if played.state == HANGS:
        problems.append(f"it hangs: not over after {played.steps} steps")
    elif played.state not in ENDS:
        problems.append(f"expected the end {' or '.join(ENDS)}, was {played.state} ({played.why})")
    executions = sum(bool(record.body.get("exec_id")) and "price_ticks" in record.body for record in played.records)
    return Outcome(
        seed=seed,
        state=played.state,
        steps=played.steps,
        orders=sum(record.body.get("event") == "submit" for record in played.records),
        executions=executions,
        deaths=played.deaths,
        reconciles=played.reconciles,
        reported=len(played.verdict.reported),
        fired=tuple(sorted(played.fired.items())),
        retries=sum(count for name, count in played.counts.items() if name.startswith("retries.")),
        wires=tuple(sorted({str(record.body["wire"]) for record in played.records if record.kind == TRIP})),
        problems=tuple(problems),
    )


def _broken(seed: int, problem: str) -> Outcome:
    return Outcome(seed, "RAISED", 0, 0, 0, 0, 0, 0, (), 0, (), (problem,))
