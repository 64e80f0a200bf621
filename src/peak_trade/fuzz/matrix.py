"""The failure matrix, executed: what each row declares against what was observed.

A row holds with a seed iff everything that it names was seen and is not seen in the undisturbed world, no alarm was
seen that it does not name, it ended as it says, every planned fault took effect, the book and the venue differ in
nothing that the session did not report, and no execution was lost or counted twice.

With a crash it holds iff that is so for the session that was killed there and started again; but what it names need not
be seen, as what the first process counted is gone with it, and what it names under `after_death` may be seen too: then
it may also end with the operator.
"""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from peak_trade.fuzz.disks import Dying
from peak_trade.fuzz.play import Played, play
from peak_trade.fuzz.rows import Row, usual
from peak_trade.fuzz.seen import ABSORBED, ALARMS, Seen, seen
from peak_trade.fuzz.world import Machines, World

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - Linux' file system in memory: a crash of a process loses nothing there
OPERATOR: Final = "ERROR_REQUIRES_OPERATOR"
CRASH_SEED: Final = 1
"""The seed with which a row's session is killed at every write."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One row with one seed: what was seen, and what is wrong; nothing iff the row holds."""

    row: str
    seed: int
    end: str
    words: tuple[str, ...]
    takes: tuple[str, ...]
    reported: tuple[str, ...]
    operations: int
    problems: tuple[str, ...]
    crash: int = 0


def run_row(row: Row, seed: int, machines: Machines) -> Ran:
    """Execute a row with one seed."""
    world = row.world(seed)
    calm = world.undisturbed()
    base = _played(usual(seed) if calm == world else calm, machines)
    return _ran(row, seed, _played(world, machines), base)


def crash_row(row: Row, machines: Machines, operations: int) -> Iterator[Ran]:
    """Execute a row once for each of its journal's writes, killed there and started again."""
    world = row.world(CRASH_SEED)
    base = _played(world.undisturbed(), machines)
    for at in range(1, operations + 1):
        yield _ran(row, CRASH_SEED, _played(replace(world, crashes=(at,)), machines), base, at)


def crashes(row: Row) -> bool:
    """Return true iff the row's session can be killed anywhere: it has a journal, and no death of its own."""
    return not (row.before or row.between or row.fails or row.crashes) and row.end != "PREFLIGHT_FAILED"


def _played(world: World, machines: Machines) -> Played:
    with tempfile.TemporaryDirectory(prefix="peak-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        return play(world, machines, Path(folder) / "run", Dying())


def _ran(row: Row, seed: int, played: Played, base: Played, crash: int = 0) -> Ran:
    new = seen(played).beyond(seen(base))
    words = sorted(new.words | ({ABSORBED} if played.book == base.book else set()))
    problems = tuple(_problems(row, played, replace(new, words=frozenset(words)), crash))
    takes = tuple(sorted(new.taken))
    reported = played.verdict.reported
    return Ran(row.id, seed, played.state, tuple(words), takes, reported, played.operations, problems, crash)


def _problems(row: Row, played: Played, new: Seen, crash: int) -> Iterable[str]:
    careful = row.after_death if crash else []
    if played.state != row.end and not (careful and played.state == OPERATOR):
        yield f"expected the end {row.end}, was {played.state} ({played.why})"
    yield from (f"unexplained: {item}" for item in played.verdict.unexplained)
    yield from (f"the planned fault {kind} never took effect" for kind, count in played.fired.items() if not count)
    alarms = {word for word in new.words if word.startswith(ALARMS)}
    yield from (f"expected no {word}, was seen" for word in sorted(alarms - {*row.sees, *careful}))
    if crash:
        return  # counters and gaps are those of the last process only
    yield from (f"expected {word}, was not seen" for word in row.sees if word not in new.words)
    yield from (f"expected the transition {name}, was not taken" for name in row.takes if name not in new.taken)


def failures(found: Iterable[Ran]) -> tuple[Ran, ...]:
    """Return the executions that do not hold."""
    return tuple(item for item in found if item.problems)
