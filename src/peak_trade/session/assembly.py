"""Wiring: from a configuration and a run folder to an orchestrator that can start, or start again."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from peak_trade.backends.kernel import compile_kernel
from peak_trade.backends.statemachine import Driver
from peak_trade.broker.absent import AbsentBroker
from peak_trade.broker.adapter import Adapter
from peak_trade.broker.faults import merged
from peak_trade.broker.matching import Settings
from peak_trade.broker.mock import MockVenue
from peak_trade.broker.swarm import seeded
from peak_trade.conform.walk import Walk
from peak_trade.journal.disk import POSIX, Disk
from peak_trade.journal.errors import JournalRefusal
from peak_trade.journal.store import Journal
from peak_trade.journal.tape import Tape
from peak_trade.lang.machine import Machine
from peak_trade.lang.pretty import fingerprint
from peak_trade.lang.sorts import Scalar
from peak_trade.market.bars import Bars
from peak_trade.market.strategy import Strategy
from peak_trade.session.book import Book
from peak_trade.session.circuit import Circuit, Paced
from peak_trade.session.config import Config
from peak_trade.session.desk import Desk
from peak_trade.session.fence import up
from peak_trade.session.guard import Guard
from peak_trade.session.inputs import Input, Inputs, no_drift
from peak_trade.session.killswitch import KillSwitch
from peak_trade.session.memory import MemoryTape
from peak_trade.session.orchestrator import Orchestrator
from peak_trade.session.perform import Sender
from peak_trade.session.plan import Plan
from peak_trade.session.reconciler import Reconciler
from peak_trade.session.recording import ANNOTATIONS, RECOVERED, RUN, Recorder, schema
from peak_trade.session.trace import Traced

JOURNAL: Final = "journal"
VENUE: Final = "venue.jsonl"
KILL_SWITCH: Final = "kill_switch.json"
PRICE_TICKS_MAX: Final = 10**10
DIGEST_DIGITS: Final = 15
"""Hex digits of the digest that the session machine compares: 60 bits; the whole one stands in the run record."""


@dataclass(frozen=True, slots=True)
class Setup:
    """All that a run is made from. The same setup over the same folder gives the same run.

    `disk` is what the journal writes to: the real one, but for those who make it fail.
    """

    folder: Path
    session: Machine
    order: Machine
    breaker: Machine
    config: Config
    bars: Bars
    strategy: Strategy
    steps_max: int
    version: str
    rearm: str = ""
    kill_switch: Path | None = None
    test_override: bool = False
    drift: Callable[[], Input | None] = no_drift
    disk: Disk = POSIX

    def spec_sha256(self) -> dict[str, str]:
        """Return the fingerprint of each machine."""
        machines = {"session": self.session, "order": self.order, "breaker": self.breaker}
        return {name: fingerprint(machine) for name, machine in machines.items()}

    def digest(self) -> str:
        """Return the SHA-256 over specs and configuration, in hex: what an override is granted for."""
        parts = [*self.spec_sha256().values(), self.config.sha256()]
        return hashlib.sha256("".join(parts).encode()).hexdigest()

    def run_id(self) -> str:
        """Return the id of the run, from its seed and hashes."""
        text = f"{self.digest()}{self.bars.sha256}{self.config.seed}{self.steps_max}"
        return f"r{hashlib.sha256(text.encode()).hexdigest()[:8]}"


@dataclass(slots=True)
class Session:
    """An opened session and what must be closed after it."""

    setup: Setup
    orchestrator: Orchestrator
    tape: Recorder
    journal: Journal | None
    venue: MockVenue | None
    problem: str = ""
    cut_bytes: int = 0
    resumed: bool = False
    noted: bool = False
    readings: dict[str, Callable[[], dict[str, Scalar]]] = field(default_factory=dict)

    def start(self) -> str:
        """Make the startup checks and begin; return the state."""
        return self.orchestrator.start(self.readings, self.setup.rearm if self.journal and not self.resumed else "")

    def run(self, count: int, progress: Callable[[int, str], None] | None = None) -> int:
        """Take at most `count` bounded steps; return how many were taken before the session was over."""
        taken = 0
        while taken < count and self.orchestrator.run_n_steps(1):
            taken += 1
            self._note()
            if progress is not None:
                progress(self.orchestrator.moment.step, self.orchestrator.state)
        return taken

    def _note(self) -> None:
        """Write down, once the replay is over, that an earlier process was recovered."""
        if self.resumed and not self.noted and not self.tape.replaying and self.journal is not None:
            self.noted = True
            records = self.journal.recovery.head.records
            step = self.orchestrator.moment.step
            self.tape.note(RECOVERED, {"step": step, "records": records, "cut_bytes": self.cut_bytes})

    def close(self) -> None:
        """Close journal and venue; what was not committed is committed."""
        if self.journal is not None:
            self.journal.close()
        if self.venue is not None:
            self.venue.close()


def open_session(setup: Setup, *, resume: bool) -> Session:
    """Open journal, venue and machines in the run folder; with `resume` over what an earlier process left there.

    A journal that cannot be opened is no exception here: the session is opened over memory, its preflight says
    `journal_unwritable`, and `problem` says why. The process is fenced off from every network before anything else, and
    stays so.

    Raises:
        FenceRefused: this process could reach a network.
        FileExistsError: a new run, but the folder holds a run already.
        FileNotFoundError: a resume, but the folder holds none.
    """
    up()
    expect_folder(setup.folder, resume=resume)
    expect_prices(setup.bars)
    setup.folder.mkdir(parents=True, exist_ok=True)
    own = KillSwitch(setup.folder / KILL_SWITCH)
    if not resume:
        own.create()  # the run's own switch starts clear; a shared one must be there, or it counts as latched
    inputs = Inputs((own, KillSwitch(setup.kill_switch)) if setup.kill_switch else (own,), setup.drift)
    journal, problem = _journal(setup)
    tape: Recorder = Tape(journal, ANNOTATIONS) if journal else MemoryTape(_schema(setup))
    venue = _venue(setup) if setup.config.adapter == "mock" and journal else None
    orchestrator = _orchestrator(setup, tape, venue, inputs)
    session = Session(setup, orchestrator, orchestrator.tape, journal, venue, problem, resumed=resume)
    session.readings = _readings(setup, inputs, journal_redacting=journal is not None)
    try:
        _begin(session)
    except BaseException:
        session.close()
        raise
    return session


def expect_folder(folder: Path, *, resume: bool) -> None:
    """Raise FileExistsError or FileNotFoundError unless the folder is one for a new run, or one to resume."""
    begun = (folder / JOURNAL).is_dir() and any((folder / JOURNAL).iterdir())
    if (begun or (folder / VENUE).exists()) and not resume:
        raise FileExistsError(f"expected a new folder, was {folder}, which holds a run; use --resume or another --out")
    if resume and not folder.is_dir():
        raise FileNotFoundError(f"expected a folder with a run to resume, was {folder}; start one with --out")
    if resume and not begun and (folder / VENUE).exists():
        raise FileNotFoundError(f"expected a journal in {folder}, was none beside the venue's ledger; restore it")


def expect_prices(bars: Bars) -> None:
    """Raise ValueError unless every price is at most PRICE_TICKS_MAX: positions times prices stay within 64 bits."""
    highest = max((bar.high_ticks for step in bars.steps for bar in step.bars), default=0)
    if highest > PRICE_TICKS_MAX:
        raise ValueError(f"expected prices of at most {PRICE_TICKS_MAX} ticks, was {highest}; choose a larger tick")


def _schema(setup: Setup) -> Any:  # noqa: ANN401 - the journal's own type
    return schema(setup.session, setup.order)


def _journal(setup: Setup) -> tuple[Journal | None, str]:
    try:
        return Journal.open(setup.folder / JOURNAL, _schema(setup), disk=setup.disk), ""
    except (JournalRefusal, OSError) as error:
        return None, str(error)


def _venue(setup: Setup) -> MockVenue:
    config = setup.config
    settings = Settings(**config.venue.model_dump())
    drawn = seeded(config.seed, config.fault_orders, setup.steps_max, config.fault_permille, config.fault_kinds)
    return MockVenue.open(setup.folder / VENUE, config.seed, settings, merged(config.plan(), drawn))


def _orchestrator(setup: Setup, tape: Recorder, venue: MockVenue | None, inputs: Inputs) -> Orchestrator:
    config = setup.config
    outer = venue if venue is not None else AbsentBroker(config.adapter)
    adapter = Adapter(outer, compile_kernel(setup.breaker), config.adapter_limits.bounds(config.attempts_max))
    kernels = {"session": compile_kernel(setup.session), "order": compile_kernel(setup.order)}
    trace = Traced(tape, Walk(kernels | {"breaker": compile_kernel(setup.breaker)})) if config.monitor else None
    tape = Circuit(trace or tape, adapter)
    book = Book(config.cash_ticks, config.venue.fee_permille)
    reconciler = Reconciler(config.patience_steps)
    reached = 0 if venue is None else venue.now
    desk = Desk(kernels["order"], book, tape, adapter, Sender(adapter), reconciler=reconciler, reached_step=reached)
    limits, steps = config.limits.limits(), config.reconcile_steps
    plan = Plan(setup.bars, setup.steps_max, config.wind_down_steps, limits, setup.run_id(), steps)
    driver = Driver(kernels["session"])
    guard = Guard.of(setup.session, setup.order, driver.value, trace)
    return Orchestrator(driver, desk, setup.strategy, Paced(outer, adapter), inputs, plan, tape, guard)


def _readings(setup: Setup, inputs: Inputs, *, journal_redacting: bool) -> dict[str, Callable[[], dict[str, Scalar]]]:
    config = setup.config

    def preflight() -> dict[str, Scalar]:
        return {
            "flag": config.enable_live_broker,
            "test_override": setup.test_override,
            "allowlist": len(config.broker_allowlist),
            "adapter_found": "mock" if config.adapter == "mock" else "foreign",
            "journal_redacting": journal_redacting,
            "digest": int(setup.digest()[:DIGEST_DIGITS], 16),
        }

    return {
        "kill_switch_read": lambda: {"read_latched": inputs.latched()},
        "preflight": preflight,
    }


def _begin(session: Session) -> None:
    """Write what the run is; over an old journal this finds out whether it is the same run."""
    setup, tape = session.setup, session.tape
    specs = setup.spec_sha256()
    body: dict[str, Scalar | None] = {
        "run": setup.run_id(),
        "session_spec": specs["session"],
        "order_spec": specs["order"],
        "breaker_spec": specs["breaker"],
        "config": setup.config.sha256(),
        "data": setup.bars.sha256,
        "seed": setup.config.seed,
        "steps_max": setup.steps_max,
        "version": setup.version,
    }
    tape.append(RUN, body)
    if session.resumed and session.journal is not None:
        cut = session.journal.recovery.cut
        session.cut_bytes = cut.tail_bytes if cut else 0
