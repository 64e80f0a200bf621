"""Runs to look at: one for each way a session can go, made once, over small seeded bars."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from peak_trade.cli.job import snapshot
from peak_trade.cli.specs import machine_named
from peak_trade.cli.status import lexicon
from peak_trade.evidence.artifacts import CONFIG, json_text
from peak_trade.evidence.collect import write
from peak_trade.journal.record import Body
from peak_trade.journal.store import Journal
from peak_trade.market.crossover import crossover
from peak_trade.market.strategy import Intent, Strategy, View
from peak_trade.market.synthetic import walk
from peak_trade.market.terms import Kind, Side, Tif
from peak_trade.session.assembly import KILL_SWITCH, Setup, open_session
from peak_trade.session.config import Config, LimitsPart, VenuePart
from peak_trade.session.killswitch import KillSwitch
from peak_trade.session.recording import schema
from peak_trade.watch.health import Switch
from peak_trade.watch.lexicon import Lexicon

BARS = walk(3, 4, 40, volume_lots=50_000)
VENUE = VenuePart(participation_permille_min=5, participation_permille_max=40)
CLEAR = Switch(latched=False, why="clear")
WORDS = lexicon()
RUN = {
    "run": "r0",
    "session_spec": "0" * 64,
    "order_spec": "1" * 64,
    "config": "2" * 64,
    "data": "3" * 64,
    "seed": 1,
    "steps_max": 9,
    "version": "0.0.0",
}


class Rester:
    """Puts one limit order far below the market for each symbol once, so that it rests."""

    def decide(self, view: View) -> list[Intent]:
        """A resting buy for each symbol that has none."""
        return [
            Intent(symbol, Side.BUY, 5, Kind.LIMIT, bar.close_ticks * 92 // 100, Tif.GTC)
            for symbol, bar in view.bars.items()
            if symbol not in view.working_lots
        ]


def made(folder: Path, config: Config, strategy: Strategy, kill_at: int = 0) -> Path:
    """Make a run in `folder`; with `kill_at` its kill switch is pulled after so many steps."""
    words = (machine_named("session"), machine_named("order"), machine_named("breaker"))
    session = open_session(Setup(folder, *words, config, BARS, strategy, 40, "test"), resume=False)
    write(folder, {CONFIG: json_text(snapshot("builtin", 40, config))})
    try:
        session.start()
        if kill_at:
            session.run(kill_at)
            KillSwitch(folder / KILL_SWITCH).latch("Ann")
        session.run(1_000)
    finally:
        session.close()
    return folder


def config(**changes: Any) -> Config:
    """A small configuration; `changes` replace its parts."""
    return Config(**({"cash_ticks": 10**10, "wind_down_steps": 8, "venue": VENUE} | changes))


def plain(folder: Path) -> Path:
    """A run that ends in order, with faults on every other order."""
    return made(folder, config(fault_permille=500, seed=11), crossover(2, 5, 200_000_000))


MADE: dict[str, Callable[[Path], Path]] = {
    "plain": plain,
    "killed": lambda folder: made(folder, config(), Rester(), kill_at=10),
    "denied": lambda folder: made(folder, config(limits=LimitsPart(open_orders_max=2)), Rester()),
    "unstarted": lambda folder: made(folder, config(broker_allowlist=[]), Rester()),
}


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One run folder for each way of MADE; read only."""
    root = tmp_path_factory.mktemp("runs")
    return {name: make(root / name) for name, make in MADE.items()}


@pytest.fixture(scope="session")
def words() -> Lexicon:
    """The words of the shipped specifications."""
    return WORDS


def journaled(folder: Path, records: Iterable[tuple[str, Body]]) -> Path:
    """Write `records` as the journal of a run in `folder`, through the real journal and its redaction."""
    with Journal.open(folder / "journal", schema(WORDS.session, WORDS.order)) as journal:
        for kind, body in records:
            journal.append(kind, body)
        journal.commit()
    return folder


def order(name: str, event: str, state: str, step: int, **more: Any) -> tuple[str, Body]:
    """One taken step of an order."""
    facts = {"outcome": "taken", "by": "O01", "cum": 0, "leaves": 0, "symbol": "SYN000", "side": "buy"}
    return "order", {**facts, "order": name, "event": event, "state": state, "step": step, **more}


def session(event: str, state: str, by: str, **more: Any) -> tuple[str, Body]:
    """One step of the session machine."""
    return "session", {"event": event, "outcome": "taken", "by": by, "state": state, "step": 3, **more}


@pytest.fixture
def troubled(tmp_path: Path) -> Path:
    """A run in which a hard tripwire tripped, book and venue differ, and an order is lost."""
    records = [
        ("run", RUN),
        session("start_dryrun", "DRYRUN_ACTIVE", "S11", ts="2001-02-03"),
        order("lost-1", "submit", "pending_new", 3, order_qty=7, limit_ticks=1000),
        order("lost-1", "time_out", "unknown", 3, by="O05", leaves=7),
        order("lost-1", "cancel", "unknown", 3, by="outcome_unknown", outcome="refused", leaves=7),
        ("trip", {"step": 3, "wire": "report_refused", "order": "lost-1"}),
        session("invariant_broken", "STOPPING", "S42", ts="2001-02-03"),
        ("reconciled", {"step": 3, "orders": 1, "differences": 1, "asked": True}),
        ("difference", {"code": "ghost", "subject": "stray-9", "book_lots": 0, "venue_lots": 4}),
        session("tick", "ERROR_REQUIRES_OPERATOR", "S61", ts="2001-02-03"),
        ("end", {"step": 3, "state": "ERROR_REQUIRES_OPERATOR", "equity_ticks": 5, "cash_ticks": 5}),
    ]
    return journaled(tmp_path / "troubled", records)


@pytest.fixture
def reopened(tmp_path: Path) -> Path:
    """A run that goes on: trading is reduced, the breaker open, one filled order was opened again, one is finished.

    Book and venue differ in something that may heal.
    """
    more: dict[str, Any] = {"price_ticks": 100, "fee_ticks": 1, "realized_ticks": 0}
    records = [
        ("run", RUN | {"breaker_spec": "4" * 64}),
        session("start_dryrun", "DRYRUN_ACTIVE", "S11", ts="2001-02-03"),
        order("back-1", "submit", "pending_new", 1, order_qty=7, leaves=7),
        order("back-1", "accept", "new", 1, by="O03", leaves=7),
        order(
            "back-1", "fill", "filled", 2, by="O11", cum=7, last_qty=7, exec_id="e1", cursor=1, position_lots=7, **more
        ),
        order(
            "back-1",
            "bust",
            "new",
            3,
            by="O16",
            leaves=7,
            exec_id="e2",
            ref_id="e1",
            last_qty=0,
            cursor=2,
            position_lots=0,
            **more,
        ),
        order("done-1", "submit", "pending_new", 3, order_qty=5, leaves=5),
        order("done-1", "finish_day", "done_for_day", 3, by="O36", rests=False, cursor=3),
        order("sent-1", "submit_cash", "pending_new", 3, by="O08"),
        session("reduce_trading", "DRYRUN_ACTIVE", "S37", ts="2001-02-04"),
        ("breaker", {"step": 3, "state": "open", "failures": 4, "waited": 0, "opened": 1}),
        ("reconciled", {"step": 3, "orders": 3, "differences": 1, "asked": True, "closing": False, "behind": 0}),
        (
            "difference",
            {
                "code": "status",
                "subject": "done-1",
                "book_lots": 0,
                "venue_lots": 0,
                "book": "done",
                "venue": "new",
                "action": "query",
            },
        ),
    ]
    return journaled(tmp_path / "reopened", records)


@pytest.fixture
def again(tmp_path: Path) -> Path:
    """The plain run, made a second time elsewhere."""
    return plain(tmp_path / "again")
