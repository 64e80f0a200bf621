"""A session as the processes that it takes: each over a disk of its own, until one comes to the session's end.

Whatever of a process outlives it is counted as an operation of its disk: what the journal does, and each order, cancel
and step that reaches the venue. So a process can die anywhere between two changes that last.

Limits: all processes of a session are played in this one; dying is leaving the files as they are.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from peak_trade.broker.messages import Accepted, OrderRequest, OrderStatus, ReplaceRequest, Report
from peak_trade.broker.port import Broker
from peak_trade.evidence.collect import ASIDE, DOUBTS
from peak_trade.fuzz.disks import Acknowledged, Died, Dying
from peak_trade.fuzz.judge.calls import Calls
from peak_trade.fuzz.judge.verdict import NOTHING, Verdict, judge
from peak_trade.fuzz.world import Machines, World
from peak_trade.journal.errors import JournalRefusal
from peak_trade.journal.record import Record
from peak_trade.journal.scan import read
from peak_trade.journal.verify import JOURNAL as FILE
from peak_trade.market.bars import Bar
from peak_trade.session.assembly import JOURNAL, VENUE, Session, open_session
from peak_trade.session.plan import World as Market
from peak_trade.session.recording import RUN
from peak_trade.session.replica import told_by

Meanwhile = Callable[[Session], None]


@dataclass(frozen=True, slots=True)
class Watched:
    """A venue at whose door it is counted what comes in, and where a process may die."""

    venue: Broker
    disk: Dying
    calls: Calls

    def place_order(self, request: OrderRequest) -> Accepted:
        """Place an order: an operation."""
        return self.disk.around("place", partial(self.calls.place, self.venue, request))

    def cancel_order(self, client_order_id: str) -> None:
        """Cancel an order: an operation."""
        self.disk.around("cancel", partial(self.venue.cancel_order, client_order_id))

    def replace_order(self, request: ReplaceRequest) -> Accepted:
        """Replace an order: an operation."""
        return self.disk.around("replace_order", partial(self.venue.replace_order, request))

    def query_order(self, client_order_id: str) -> OrderStatus | None:
        """Ask for an order."""
        return self.calls.query(self.venue, client_order_id)

    def list_open_orders(self) -> tuple[OrderStatus, ...]:
        """Ask for what is open."""
        return self.venue.list_open_orders()

    def iter_reports(self, since_cursor: int) -> Iterator[Report]:
        """Ask for the stream."""
        return self.venue.iter_reports(since_cursor)

    def iter_fills(self, since_cursor: int) -> Iterator[Report]:
        """Ask for the executions."""
        return self.venue.iter_fills(since_cursor)


@dataclass(frozen=True, slots=True)
class Moving:
    """A market whose steps are operations, too."""

    market: Market
    disk: Dying

    def advance(self, step: int, bars: tuple[Bar, ...]) -> None:
        """Move the market on: an operation."""
        self.disk.around("advance", partial(self.market.advance, step, bars))


@dataclass(frozen=True, slots=True)
class Lived:
    """A session at its end, after all its processes.

    `refused` are the errors with which processes ended, `problem` why the last one could not open its journal, if it
    could not. `told` is the SHA-256 of all records but those about a process and not about the run.
    """

    state: str
    why: str
    problem: str
    verdict: Verdict
    records: tuple[Record, ...]
    told: str
    deaths: int
    refused: tuple[str, ...]
    calls: Calls
    acknowledged: Acknowledged
    log: tuple[str, ...]

    @property
    def orders(self) -> int:
        """How many orders left."""
        return sum(self.submits.values())

    @property
    def submits(self) -> Counter[str]:
        """How often each order was decided to leave."""
        return Counter(str(item.body["order"]) for item in self.records if item.body.get("event") == "submit")

    @property
    def twice(self) -> tuple[str, ...]:
        """What was done more than once: an order entered or sent without asking, or an execution counted."""
        entered = [name for name, count in sorted(self.submits.items()) if count > 1]
        counted = [item for item in self.verdict.unexplained if " was counted " in item]
        return (*(f"{name} was entered twice" for name in entered), *counted)


@dataclass(slots=True)
class Life:
    """A session's processes so far."""

    world: World
    machines: Machines
    folder: Path
    calls: Calls = field(default_factory=Calls)
    refused: list[str] = field(default_factory=list)
    deaths: int = 0

    def process(self, disk: Dying, meanwhile: Meanwhile | None = None) -> Session | None:
        """Play one process over `disk`; return its session iff that came to its end.

        `meanwhile` is called before each step.
        """
        setup = replace(self.world.setup(self.machines, self.folder), disk=disk)
        session: Session | None = None
        try:
            session = open_session(setup, resume=(self.folder / JOURNAL).is_dir())
            self._run(session, disk, meanwhile)
            session.close()
        except Died:
            self.deaths += 1
            if session is not None and session.journal is not None:
                session.journal.abandon()
            return None
        except JournalRefusal as error:
            self.refused.append(type(error).__name__)
            return None
        finally:
            if session is not None:
                session.close()
        return session

    def _run(self, session: Session, disk: Dying, meanwhile: Meanwhile | None) -> None:
        orchestrator = session.orchestrator
        adapter = orchestrator.desk.sender.adapter
        adapter.broker = Watched(adapter.broker, disk, self.calls)
        orchestrator.world = Moving(orchestrator.world, disk)
        session.start()
        for _ in range(self.world.patience_steps):
            if orchestrator.over:
                return
            if meanwhile is not None:
                meanwhile(session)
            session.run(1)
        raise RuntimeError(f"expected an end within {self.world.patience_steps} steps, was {orchestrator.state}")

    def lived(self, session: Session, disk: Dying) -> Lived:
        """Return what is left at the end; `disk` is that of the process that is asked about."""
        records, verdict = self._judged(session)
        return Lived(
            state=session.orchestrator.state,
            why=session.orchestrator.why,
            problem=session.problem,
            verdict=verdict,
            records=records,
            told=_told(records),
            deaths=self.deaths,
            refused=tuple(self.refused),
            calls=self.calls,
            acknowledged=disk.acknowledged,
            log=tuple(disk.log),
        )

    def _judged(self, session: Session) -> tuple[tuple[Record, ...], Verdict]:
        """Return the records and the verdict; a session that could not open its journal has nothing to judge."""
        if session.journal is None:
            return (), NOTHING
        records = tuple(read(self.folder / JOURNAL / FILE))
        run = next(str(record.body["run"]) for record in records if record.kind == RUN)
        config = self.world.config
        told = told_by(self.folder / VENUE, config, self.world.steps_max, run)
        return records, judge(session.orchestrator.desk, config.cash_ticks, told, records)


def _told(records: Iterable[Record]) -> str:
    """Return the SHA-256 of what the artifacts are made of; see `evidence.collect`."""
    digest = hashlib.sha256()
    for record in records:
        if record.kind not in ASIDE and record.body.get("event") not in DOUBTS:
            digest.update(json.dumps([record.kind, dict(record.body)], sort_keys=True).encode())
    return digest.hexdigest()
