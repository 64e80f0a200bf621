"""A real session that is driven from outside, a step at a time, while its fault plan and its deeds grow.

Whatever is decided is data: orders by step, deeds by step, faults by order or step. So a process that dies and starts
again meets what it met before.

Limits: all processes are played in this one; dying is leaving the files as they are and forgetting what is in memory.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import PrivateAttr

from peak_trade.broker.faults import Fault
from peak_trade.broker.mock import MockVenue
from peak_trade.broker.port import Broker
from peak_trade.broker.schedule import Schedule
from peak_trade.fuzz import hands
from peak_trade.fuzz.disks import Died, Dying
from peak_trade.fuzz.judge.verdict import Verdict, judge
from peak_trade.fuzz.traders import Line, Scripted
from peak_trade.fuzz.world import DRAIN_STEPS_MAX, Deed, Machines, World
from peak_trade.journal.scan import read
from peak_trade.journal.verify import JOURNAL as FILE
from peak_trade.market.strategy import Intent, Strategy, View
from peak_trade.session.assembly import JOURNAL, VENUE, Session, open_session
from peak_trade.session.config import Config
from peak_trade.session.recording import RUN
from peak_trade.session.replica import told_by


class Planned(Config):
    """A configuration whose fault plan grows while the session runs; it is known by what it was at the beginning."""

    _later: list[Fault] = PrivateAttr(default_factory=list)

    def plan(self) -> tuple[Fault, ...]:
        """Return all faults that are planned by now."""
        return (*super().plan(), *self._later)

    def add(self, fault: Fault) -> bool:
        """Plan one more; return true iff nothing that is planned is in its way."""
        plan = self.plan()
        if fault.order:
            free = all((other.order, other.phase) != (fault.order, fault.phase) for other in plan)
        else:
            free = not any(fault.overlaps(other) for other in plan)
        if free:
            self._later.append(fault)
        return free


@dataclass(slots=True)
class Dictated:
    """A strategy that asks for what was dictated, step by step; where nothing was, for what `other` does, if any."""

    orders: dict[int, tuple[Line, ...]]
    other: Strategy | None = None

    def decide(self, view: View) -> Sequence[Intent]:
        """Return the orders of this step."""
        if view.step in self.orders or self.other is None:
            return Scripted(self.orders.get(view.step, ())).decide(view)
        return self.other.decide(view)


@dataclass(slots=True)
class Driven:
    """One session in `folder`, a fresh one. `adapter` puts something between the session and the mock venue."""

    folder: Path
    machines: Machines
    config: Planned
    world: World
    adapter: Callable[[Broker], Broker]
    deeds: list[Deed] = field(default_factory=list)
    taken: int = 0
    deaths: int = 0
    session: Session = field(init=False)
    _disk: Dying = field(init=False)

    def __post_init__(self) -> None:
        self._open()

    @property
    def journal(self) -> Path:
        """The journal's file."""
        return self.folder / JOURNAL / FILE

    @property
    def step(self) -> int:
        """The number of the last step."""
        return self.session.orchestrator.moment.step

    @property
    def over(self) -> bool:
        """True iff no step follows."""
        return self.session.orchestrator.over

    def _open(self) -> None:
        self._disk = Dying()
        setup = replace(self.world.setup(self.machines, self.folder), disk=self._disk)
        self.session = open_session(setup, resume=(self.folder / JOURNAL).is_dir())
        adapter = self.session.orchestrator.desk.sender.adapter
        adapter.broker = self.adapter(adapter.broker)
        hands.lay_on(self.session, tuple(self.deeds))
        self.session.start()

    def advance(self, count: int) -> None:
        """Take so many steps, or fewer if the session is over; a process that dies meanwhile is started again."""
        until = self.step + count
        while not self.over and self.step < until:
            try:
                hands.act(self.session, tuple(self.deeds))
                self.session.run(1)
                self.taken = max(self.taken, self.step)  # what a process takes again is not counted again
            except Died:
                self.die()

    def die(self) -> None:
        """Kill the process and start it again; the next steps are those that it had taken, and no others."""
        before = self.step
        if self.session.journal is not None:
            self.session.journal.abandon()
        self.session.close()
        self.deaths += 1
        self._open()
        self.advance(before - self.step)

    def kill_at(self, operations: int) -> None:
        """Let the process die at the so manieth operation of its journal from here."""
        self._disk.at = self._disk.count + operations

    def deed(self, deed: Deed) -> None:
        """Let somebody do this."""
        self.deeds.append(deed)
        hands.lay_on(self.session, (deed,))

    def plan(self, fault: Fault) -> bool:
        """Plan a fault of what has not happened yet; return true iff nothing that is planned is in its way."""
        if not self.config.add(fault):
            return False
        schedule = self._venue._plan  # noqa: SLF001 - a venue is opened with its plan, and no run of the product adds to it
        vars(schedule).update(vars(Schedule((*schedule.faults, fault))) | {"fired": schedule.fired})
        return True

    @property
    def next_order(self) -> int:
        """The ordinal of the next order that reaches the venue."""
        return self._venue._floor.ordinal + 1  # noqa: SLF001 - as above

    @property
    def _venue(self) -> MockVenue:
        assert self.session.venue is not None, "expected a session with a venue"
        return self.session.venue

    def heal(self) -> bool:
        """Let nothing more go wrong, ask it to stop, and let it; return true iff it came to its end."""
        self._disk.armed = False
        if not self.over:
            self.deed(Deed(self.step + 1, "stop"))
            self.advance(DRAIN_STEPS_MAX)
        return self.over

    def verdict(self) -> Verdict:
        """Close it, and return how its book stands to its venue."""
        self.close()
        records = tuple(read(self.journal))
        run = next(str(record.body["run"]) for record in records if record.kind == RUN)
        told = told_by(self.folder / VENUE, self.config, self.world.steps_max, run)
        return judge(self.session.orchestrator.desk, self.config.cash_ticks, told, records)

    def close(self) -> None:
        """Close journal and venue, on a disk that works; closing again does nothing."""
        self._disk.armed = False
        self.session.close()
