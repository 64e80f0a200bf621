"""Play one world to its end: open, step, die and start again where the world says so, and look at what is left.

Limits: a session that is not over after `World.patience_steps` steps hangs, and is stopped from outside. All processes
of a session are played in this one: dying is leaving the journal as it is and forgetting everything in memory.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from peak_trade.fuzz import hands
from peak_trade.fuzz.disks import Died, Dying, insert
from peak_trade.fuzz.verdict import Verdict, judge
from peak_trade.fuzz.world import Machines, World
from peak_trade.journal.errors import JournalRefusal
from peak_trade.journal.record import Record
from peak_trade.journal.scan import read
from peak_trade.rails.told import Told
from peak_trade.session.assembly import JOURNAL, VENUE, Session, open_session
from peak_trade.session.recording import RECONCILED, RUN
from peak_trade.session.replica import told_by

FILE: Final = "journal.jsonl"
HANGS: Final = "HANGS"


@dataclass(frozen=True, slots=True)
class Played:
    """How a session ended: its state, the verdict on its book, its journal, and what its last process counted.

    `fired` are the faults that took effect, by kind; `counts` what the adapter did; `operations` how often the journal
    wrote; `deaths` how often a process died; `refused` the error with which a process ended instead, if one did.
    """

    state: str
    why: str
    steps: int
    verdict: Verdict
    records: tuple[Record, ...]
    fired: Mapping[str, int]
    unfired: int
    counts: Mapping[str, int]
    gaps: int
    operations: int
    deaths: int
    refused: str

    @property
    def reconciles(self) -> int:
        """How often the session compared book and venue."""
        return sum(record.kind == RECONCILED for record in self.records)


def play(world: World, machines: Machines, folder: Path, disk: Dying | None = None) -> Played:
    """Play `world` in `folder`, a fresh one; `disk` is that of the first process, and each crash has its own."""
    disks = [Dying(at) for at in world.crashes] or [disk or Dying()]
    deaths, refused, operations = 0, "", 0
    while True:
        disk = disks.pop(0) if disks else Dying()
        session = open_session(world.setup(machines, folder), resume=_begun(folder))
        insert(session, disk)
        hands.lay_on(session, world.deeds)
        try:
            _run(session, world)
            session.close()
        except Died:
            deaths += 1
            if session.journal is not None:
                session.journal.abandon()
            continue
        except JournalRefusal as error:
            refused = type(error).__name__
            deaths += 1
            if deaths > len(world.crashes) + 1:
                raise
            continue
        finally:
            operations = operations or disk.count
            session.close()
        return _ended(session, world, (deaths, operations, refused))


def _begun(folder: Path) -> bool:
    return (folder / JOURNAL).is_dir()


def _run(session: Session, world: World) -> None:
    """Take steps until the session is over, or hangs."""
    session.start()
    for _ in range(world.patience_steps):
        if session.orchestrator.over:
            return
        hands.act(session, world.deeds)
        session.run(1)


def _ended(session: Session, world: World, facts: tuple[int, int, str]) -> Played:
    orchestrator, folder = session.orchestrator, session.setup.folder
    deaths, operations, refused = facts
    records = tuple(read(folder / JOURNAL / FILE))
    run = next(str(record.body["run"]) for record in records if record.kind == RUN)
    told = told_by(folder / VENUE, world.config, world.steps_max, run)
    desk, venue = orchestrator.desk, session.venue
    counts: Counter[str] = desk.sender.adapter.counts
    return Played(
        state=orchestrator.state if orchestrator.over else HANGS,
        why=orchestrator.why,
        steps=orchestrator.moment.step,
        verdict=judge(desk, world.config.cash_ticks, told, records),
        records=records,
        fired={} if venue is None else {str(kind): count for kind, count in venue.fired.items()},
        unfired=0 if venue is None else len(venue.unfired()),
        counts=dict(sorted(counts.items())),
        gaps=desk.gaps,
        operations=operations,
        deaths=deaths,
        refused=refused,
    )


__all__ = ["FILE", "HANGS", "Played", "Told", "play"]
