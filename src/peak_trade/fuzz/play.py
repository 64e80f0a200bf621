"""Play one world to its end: open, step, die and start again where the world says so, and look at what is left.

Limits: a session that is not over after `World.patience_steps` steps hangs, and is left so. All processes of a session
are played in this one: dying is leaving the files as they are and forgetting everything in memory. At most
`DEATHS_MAX` processes end before their session does.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from peak_trade.fuzz import hands
from peak_trade.fuzz.disks import Died, Dying, Failing
from peak_trade.fuzz.folders import BEFORE, BETWEEN, OTHER_SPEC, other
from peak_trade.fuzz.judge.allowed import broken
from peak_trade.fuzz.judge.calls import Calls
from peak_trade.fuzz.judge.causes import causeless, unanswered, unheard
from peak_trade.fuzz.judge.door import Door
from peak_trade.fuzz.judge.verdict import NOTHING, Verdict, judge
from peak_trade.fuzz.world import Machines, World
from peak_trade.journal.errors import JournalRefusal
from peak_trade.journal.record import Record
from peak_trade.journal.scan import read
from peak_trade.session.assembly import JOURNAL, VENUE, Session, open_session
from peak_trade.session.recording import RECONCILED, RUN
from peak_trade.session.replica import told_by

FILE: Final = "journal.jsonl"
HANGS: Final = "HANGS"
DEATHS_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class Played:
    """How a session ended: its state, the verdict on its book, its journal, and what its last process counted.

    `fired` are the planned faults that took effect, by kind; `counts` what the adapter did; `operations` how often the
    first process's journal wrote; `deaths` how many processes died; `refused` the errors with which processes ended or
    others were turned away. `book` is what the session holds at its end, for a comparison with another session's.
    `strange` is what it did that no world explains: at the venue's door, beyond its limits, without a cause, unhearing.
    """

    state: str
    why: str
    problem: str
    steps: int
    verdict: Verdict
    records: tuple[Record, ...]
    fired: Mapping[str, int]
    counts: Mapping[str, int]
    gaps: int
    operations: int
    deaths: int
    refused: tuple[str, ...]
    book: tuple[object, ...]
    strange: tuple[str, ...] = ()

    @property
    def reconciles(self) -> int:
        """How often the session compared book and venue."""
        return sum(record.kind == RECONCILED for record in self.records)


@dataclass(slots=True)
class _Life:
    """What is known of the processes so far."""

    world: World
    folder: Path
    machines: Machines
    disks: list[Dying]
    deaths: int = 0
    operations: int = 0
    refused: list[str] = field(default_factory=list)
    calls: Calls = field(default_factory=Calls)
    wrong: list[str] = field(default_factory=list)
    answered: set[int] = field(default_factory=set)


def play(world: World, machines: Machines, folder: Path, disk: Dying | None = None) -> Played:
    """Play `world` in `folder`, a fresh one; `disk` is the first process's, if the world has none for it."""
    disks = [Dying(at) for at in world.crashes] or [disk or Dying()]
    life = _Life(world, folder, machines, [Failing(world.fails_at, world.fails)] if world.fails else disks)
    BEFORE[world.before](folder)
    while True:
        sound = not life.disks
        session = _process(life)
        if session is not None:
            return _ended(session, life)
        life.deaths += 1
        if sound or life.deaths > DEATHS_MAX:  # what is refused over a sound disk is refused again
            raise RuntimeError(f"expected an end after {life.deaths} processes, was {life.refused}; shrink the world")
        if life.deaths == 1:
            _between(life)


def _between(life: _Life) -> None:
    """Do what is done to the folder, or try to go on with another specification."""
    BETWEEN[life.world.between](life.folder)
    if life.world.between == OTHER_SPEC:
        try:
            open_session(life.world.setup(other(life.machines), life.folder), resume=True).close()
        except JournalRefusal as error:
            life.refused.append(type(error).__name__)


def _process(life: _Life) -> Session | None:
    """Play one process; return its session iff that came to its end."""
    world = life.world
    disk = life.disks.pop(0) if life.disks else Dying()
    disk.armed = False  # the operations that are counted begin with the first record
    setup = replace(world.setup(life.machines, life.folder), disk=disk)
    session = open_session(setup, resume=(life.folder / JOURNAL).is_dir())
    disk.armed = True
    hands.lay_on(session, world.deeds)
    adapter = session.orchestrator.desk.sender.adapter
    adapter.broker = Door(adapter.broker, adapter, life.calls, life.wrong, life.answered)
    try:
        _run(session, life)
        session.close()
    except Died:
        if session.journal is not None:
            session.journal.abandon()
        return None
    except JournalRefusal as error:
        life.refused.append(type(error).__name__)
        return None
    finally:
        life.operations = life.operations or disk.count
        session.close()
    return session


def _run(session: Session, life: _Life) -> None:
    """Take steps until the session is over, or hangs."""
    session.start()
    for _ in range(life.world.patience_steps):
        if session.orchestrator.over:
            return
        life.refused += hands.act(session, life.world.deeds)
        session.run(1)


def _ended(session: Session, life: _Life) -> Played:
    orchestrator, world = session.orchestrator, life.world
    desk, venue = orchestrator.desk, session.venue
    records, verdict = _looked_at(session, world)
    fired = {} if venue is None else {str(kind): count for kind, count in venue.fired.items()}
    return Played(
        state=orchestrator.state if orchestrator.over else HANGS,
        why=orchestrator.why,
        problem=session.problem or orchestrator.problem,
        steps=orchestrator.moment.step,
        verdict=verdict,
        records=records,
        fired=fired,
        counts=dict(sorted(desk.sender.adapter.counts.items())),
        gaps=desk.gaps,
        operations=life.operations,
        deaths=life.deaths,
        refused=tuple(life.refused),
        book=_book(session),
        strange=(
            *_strange(world, records, None if life.deaths else fired),
            *life.wrong,
            *unanswered(records, life.answered),
        ),
    )


def _strange(world: World, records: tuple[Record, ...], fired: Mapping[str, int] | None) -> Iterator[str]:
    yield from broken(world, records)
    yield from causeless(world, records, fired)
    yield from unheard(world.deeds, records)


def _looked_at(session: Session, world: World) -> tuple[tuple[Record, ...], Verdict]:
    """Return the journal's records and the verdict; a session that never had journal and venue has nothing to judge."""
    folder = session.setup.folder
    if session.journal is None or session.venue is None:
        return (), NOTHING
    records = tuple(read(folder / JOURNAL / FILE))
    run = next(str(record.body["run"]) for record in records if record.kind == RUN)
    told = told_by(folder / VENUE, world.config, world.steps_max, run)
    return records, judge(session.orchestrator.desk, world.config.cash_ticks, told, records)


def _book(session: Session) -> tuple[object, ...]:
    """Return what is held: each order's value without the run's own prefix, the positions and the cash."""
    book = session.orchestrator.desk.book
    orders = sorted((name.partition("-")[2], order.value) for name, order in book.orders.items())
    held = sorted((symbol, item.lots) for symbol, item in book.positions.items() if item.lots)
    return tuple(orders), tuple(held), book.cash_ticks
