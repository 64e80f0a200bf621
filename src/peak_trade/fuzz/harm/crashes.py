"""A session that is killed at any operation that lasts, and started again, is the session that was never killed.

The operations are all by which something outlives the process: each write, fsync and replacement of the journal, from
the first one of its opening on; and each order, cancel and step that reaches the venue, killed just before it or just
after it by the operation's number. After the end everything is judged that could be lost or doubled.

Limits: those of `lives`. At most `DEATHS_MAX` processes of a session die.
"""

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from peak_trade.fuzz.disks import Dying
from peak_trade.fuzz.harm.lives import Life, Lived
from peak_trade.fuzz.matrix import MEMORY
from peak_trade.fuzz.traders import Busy
from peak_trade.fuzz.world import Machines, World
from peak_trade.journal.verify import JOURNAL as FILE
from peak_trade.journal.verify import Intact, verify
from peak_trade.market.synthetic import walk
from peak_trade.session.assembly import JOURNAL, Session
from peak_trade.session.config import Config, VenuePart

SYMBOLS: Final = 32
STEPS_MIN: Final = 8
ORDERS_EACH: Final = 16
"""So many orders are had in a step at the most: the first guess of how many steps are needed."""
DEATHS_MAX: Final = 8
FAULTS_PERMILLE: Final = 100
FAULTY_ORDERS: Final = 1_000
"""So many orders may be struck; a plan for more would be drawn anew for each process."""
AGAIN: Final = 5
"""How many operations the recovery of a torn tail takes; each is a place to die again."""


@dataclass(frozen=True, slots=True)
class Ground:
    """A world, and the session in it that nobody disturbed."""

    world: World
    machines: Machines
    base: Lived


@dataclass(frozen=True, slots=True)
class Point:
    """A session that was killed at these operations of its processes: what is wrong; nothing iff the law holds.

    `name` is what the first operation was; `torn` iff a cut tail was found when it was started again.
    """

    at: tuple[int, ...]
    name: str
    torn: bool
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    other: tuple[str, ...]

    @property
    def problems(self) -> tuple[str, ...]:
        """All that is wrong."""
        return (*self.lost, *self.doubled, *self.other)


def crash_world(seed: int, steps: int, symbols: int = SYMBOLS, faults_permille: int = FAULTS_PERMILLE) -> World:
    """Return the world of `seed` for so many steps: busy, with a venue whose faults heal."""
    config = Config(
        seed=seed,
        cash_ticks=10**10,
        wind_down_steps=4,
        reconcile_steps=16,
        fault_permille=faults_permille,
        fault_orders=FAULTY_ORDERS,
        venue=VenuePart(participation_permille_min=500, participation_permille_max=1000),
    )
    return World(config, walk(seed, symbols, steps, volume_lots=100), partial(Busy, seed))


def ground(seed: int, orders: int, machines: Machines) -> Ground:
    """Return the shortest world of `seed`, to some steps, in which at least so many orders leave."""
    steps = max(STEPS_MIN, orders // ORDERS_EACH)
    while (found := surveyed(crash_world(seed, steps), machines)).base.orders < orders:
        steps += 1 + steps * (orders - found.base.orders) // orders
    return found


def surveyed(world: World, machines: Machines) -> Ground:
    """Return the world with its undisturbed session.

    Raises:
        RuntimeError: the session is not one to compare with: it does not stop, or its book differs from the venue.
    """
    with scratch() as folder:
        life, disk = Life(world, machines, Path(folder) / "run"), Dying()
        session = life.process(disk)
        base = None if session is None else life.lived(session, disk)
    if base is None or base.state != "STOPPED" or not base.verdict.agrees or base.calls.blind or base.twice:
        raise RuntimeError(f"expected a session that stops and agrees with its venue, was {base}; take another seed")
    return Ground(world, machines, base)


def scratch() -> "tempfile.TemporaryDirectory[str]":
    """Return a folder in memory: the crash of a process loses nothing there."""
    return tempfile.TemporaryDirectory(prefix="peak-", dir=MEMORY if MEMORY.is_dir() else None)


def crashed(at: tuple[int, ...], place: Ground) -> Point:
    """Kill the session at these operations, one for each process, start it again each time, and judge its end."""
    with scratch() as folder:
        life = Life(place.world, place.machines, Path(folder) / "run")
        first = Dying(at[0])
        disks = [first, *map(Dying, at[1:])]
        session = None
        while session is None and life.deaths + len(life.refused) <= DEATHS_MAX:
            session = life.process(disks.pop(0) if disks else Dying())
        return _point(at, life, session, first, place)


def _point(at: tuple[int, ...], life: Life, session: Session | None, first: Dying, place: Ground) -> Point:
    name = first.log[-1] if first.log else "nothing"
    if session is None:
        return Point(at, name, torn=False, lost=(), doubled=(), other=(f"it never ended: {life.refused}",))
    ended, base, journal = life.lived(session, first), place.base, life.folder / JOURNAL
    torn = any(path.name.startswith("quarantine-") for path in journal.iterdir())
    lost = [f"{name} is not in the journal" for name in sorted(base.submits.keys() - ended.submits.keys())]
    if not first.acknowledged.stands(journal / FILE):
        lost.append(f"{first.acknowledged.size_bytes} bytes were acknowledged and are not in the journal")
    return Point(at, name, torn, tuple(lost), (*ended.twice, *_blind(ended)), tuple(_other(ended, base, journal, at)))


def _blind(ended: Lived) -> Iterable[str]:
    return (f"{name} was sent again without asking for it" for name in ended.calls.blind)


def _other(ended: Lived, base: Lived, journal: Path, at: tuple[int, ...]) -> Iterable[str]:
    if ended.deaths != len(at):
        yield f"expected {len(at)} deaths, was {ended.deaths}"
    yield from (f"the process ended with {name}" for name in ended.refused)
    if (ended.state, ended.why) != (base.state, base.why):
        yield f"expected the end {base.state} ({base.why}), was {ended.state} ({ended.why}) {ended.problem}"
    yield from (f"book and venue: {item}" for item in (*ended.verdict.unexplained, *ended.verdict.reported))
    if ended.told != base.told:
        yield "what the journal tells is not what the undisturbed session's tells"
    if not isinstance(found := verify(journal), Intact):
        yield f"expected an intact journal, was {type(found).__name__}"
