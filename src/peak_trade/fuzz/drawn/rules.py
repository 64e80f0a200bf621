"""A real session as Hypothesis rules: orders, faults, hands, operators and deaths, in any order, and a law after each.

Everything is what a run has: the session, its adapter, journal, reconciler and the mock venue, in a temporary folder.
After each rule the journal must conform to the specifications, and what the session and each order are must be what
`lang.step` makes of the journal. In the end it is told to stop; it must, and its book must be the venue's, or the
difference must be one that it reported.

Public: `session_rules`, `SessionRules` and its hooks; see docs/how-to/stateful.md.

Limits: at most `STEPS` steps of data. A process that dies is one that leaves its files as they are and forgets
everything in memory. Opening a session fences its process off from every network, for good.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Final, TypeAlias

from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from peak_trade.backends.stateful import Stateful
from peak_trade.broker.faults import KINDS, Fault, FaultKind, Lie, Phase
from peak_trade.broker.port import Broker
from peak_trade.fuzz.drawn.driven import Dictated, Driven, Planned
from peak_trade.fuzz.drawn.oracle import Oracle, Rulebook
from peak_trade.fuzz.found.trial import ENDS
from peak_trade.fuzz.matrix import MEMORY
from peak_trade.fuzz.traders import Busy, Line
from peak_trade.fuzz.world import Deed, Machines, World
from peak_trade.market.strategy import Strategy
from peak_trade.market.synthetic import walk
from peak_trade.market.terms import Side, Tif
from peak_trade.session.config import AdapterPart, LimitsPart, VenuePart

STEPS: Final = 40
SYMBOLS: Final = 2
VOLUME_LOTS: Final = 40
CASH_TICKS: Final = 10**9
LOTS_MAX: Final = 60
OFF_PERMILLE_MAX: Final = 40
ORDERS_MAX: Final = 3
BATCH_STEPS_MAX: Final = 6
OPERATIONS_MAX: Final = 30
"""How many writes ahead a death may be planned."""
NARROW: Final = tuple(kind for kind in FaultKind if KINDS[kind].phase is not Phase.VENUE)
WIDE: Final = tuple(kind for kind in FaultKind if KINDS[kind].phase is Phase.VENUE)
ENDING: Final = ("kill", "stop", "abort", "health_failed", "config_drift")
HANDS: Final = ("resume_trading", "rival", "replace", "replace_all", "cancel")

Dictation: TypeAlias = Sequence[Any]
"""One order: symbol by number, side, lots, how far its limit is from the last price or None, time in force."""


def _dictations() -> st.SearchStrategy[list[Dictation]]:
    one = st.tuples(
        st.integers(0, SYMBOLS - 1),
        st.sampled_from([side.value for side in Side]),
        st.integers(1, LOTS_MAX),
        st.none() | st.integers(0, OFF_PERMILLE_MAX),
        st.sampled_from([tif.value for tif in Tif]),
    )
    return st.lists(one, min_size=1, max_size=ORDERS_MAX)


def _settings() -> st.SearchStrategy[dict[str, int]]:
    """Return what worlds are drawn from: seed, and limits that are met now and then."""
    spread = {"attempts": 4, "reconcile": 6, "patience": 5, "failures": 5, "share": 5, "short": 2, "loss": 3}
    return st.fixed_dictionaries(
        {
            "seed": st.integers(0, 99),
            "busy": st.booleans(),
            **{name: st.integers(1, high) for name, high in spread.items()},
        }
    )


class SessionRules(Stateful):
    """The rules of a real session; subclass what `session_rules` returns.

    `checked`: the law holds after each rule, not only in the end. `counts` is over all programs of the class: how the
    sessions ended, which faults took effect, how many steps were taken, how many processes died.
    """

    machines: ClassVar[Machines]
    rulebook: ClassVar[Rulebook]
    checked: ClassVar[bool] = True
    counts: ClassVar[Counter[str]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.counts = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.orders: dict[int, tuple[Line, ...]] = {}
        self.settings: dict[str, int] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="peak-", dir=str(MEMORY) if MEMORY.is_dir() else None)
        self._sessions = 0
        self._driven: Driven | None = None

    # the hooks

    def strategy(self) -> Strategy:
        """Return a fresh strategy, as each process of a session needs one.

        This one asks for what the rules dictate, and, if `busy` was drawn, for orders of every sort in other steps.
        """
        return Dictated(self.orders, Busy(self.settings["seed"]) if self.settings["busy"] else None)

    def adapter(self, broker: Broker) -> Broker:
        """Return what the session shall talk to: the mock venue, or an adapter of yours in front of it."""
        return broker

    def config(self, settings: dict[str, int]) -> Planned:
        """Return the configuration that the numbers which the rules drew stand for."""
        share = settings["share"] * 200
        return Planned(
            seed=settings["seed"],
            cash_ticks=CASH_TICKS,
            wind_down_steps=4,
            attempts_max=settings["attempts"],
            reconcile_steps=settings["reconcile"],
            patience_steps=settings["patience"],
            adapter_limits=AdapterPart(failures_max=settings["failures"], cooldown_steps=1),
            limits=LimitsPart(short_allowed=settings["short"] > 1, day_loss_ticks_max=10 ** (3 + 2 * settings["loss"])),
            venue=VenuePart(participation_permille_min=share // 2, participation_permille_max=share, fee_permille=1),
        )

    # the rules

    @initialize(settings=_settings())
    def opened(self, settings: dict[str, int]) -> None:
        """Open a session in a new folder."""
        self._note("opened", settings=settings)
        self.settings, self.orders = settings, {}
        self._sessions += 1
        config = self.config(settings)
        world = World(config, walk(settings["seed"], SYMBOLS, STEPS, volume_lots=VOLUME_LOTS), self.strategy)
        folder = Path(self._folder.name) / f"run{self._sessions}"
        self._driven = Driven(folder, self.machines, config, world, self.adapter)
        self._oracle, self._deaths = Oracle(self.rulebook), 0
        self._look()

    def _is_over(self) -> bool:
        return self.driven.over

    def _runs(self) -> bool:
        return not self.driven.over

    @precondition(_is_over)
    @rule(settings=_settings())
    def again(self, settings: dict[str, int]) -> None:
        """Judge a session that is over, and open another one."""
        self._finish()
        self.opened(settings)

    @precondition(_runs)
    @rule(batch=st.lists(st.just([]) | _dictations(), min_size=1, max_size=BATCH_STEPS_MAX))
    def trade(self, batch: list[list[Dictation]]) -> None:
        """Take a step for each list of the batch, and let the strategy ask for its orders there."""
        self._note("trade", batch=batch)
        for step, orders in enumerate(batch, self.driven.step + 1):
            self.orders[step] = tuple(_line(order, step) for order in orders)
        self._advance(len(batch))

    @precondition(_runs)
    @rule(steps=st.integers(1, BATCH_STEPS_MAX))
    def wait(self, steps: int) -> None:
        """Take so many steps in which nothing is dictated."""
        self._note("wait", steps=steps)
        self._advance(steps)

    @precondition(_runs)
    @rule(kind=st.sampled_from(NARROW))
    def fault(self, kind: str) -> None:
        """Plan a fault for the next order at the venue, or for the first after it that its phase is free of."""
        self._note("fault", kind=kind)
        ordinal = self.driven.next_order
        while not self.driven.plan(Fault(FaultKind(kind), order=ordinal)):
            ordinal += 1

    @precondition(_runs)
    @rule(kind=st.sampled_from(WIDE), steps=st.integers(1, 3), which=st.integers(0, 5))
    def window(self, kind: str, steps: int, which: int) -> None:
        """Plan a fault of the whole venue for the next steps, unless one of its kind is planned there."""
        self._note("window", kind=kind, steps=steps, which=which)
        fault = partial(Fault, FaultKind(kind), step=self.driven.step + 1, steps=steps)
        match FaultKind(kind):
            case FaultKind.RESTART:
                self.driven.plan(fault(steps=1))
            case FaultKind.CLOCK_SKEW:
                self.driven.plan(fault(by=which - 6))
            case FaultKind.WRONG_SNAPSHOT:
                self.driven.plan(fault(how=tuple(Lie)[which % len(Lie)]))
            case _:
                self.driven.plan(fault())

    @precondition(_runs)
    @rule(what=st.sampled_from(HANDS), order=st.integers(1, 6), lots=st.integers(1, 9))
    def hand(self, what: str, order: int, lots: int) -> None:
        """Let somebody act in the next step: at the venue, at the journal, or to let trading resume."""
        self._note("hand", what=what, order=order, lots=lots)
        self.driven.deed(Deed(self.driven.step + 1, what, order, lots))

    @precondition(_runs)
    @rule(what=st.sampled_from(ENDING), after=st.integers(1, STEPS), flag=st.booleans())
    def interfere(self, what: str, after: int, flag: bool) -> None:
        """Let an operator, a health check, the kill switch or a drifted configuration stop it, so many steps later."""
        self._note("interfere", what=what, after=after, flag=flag)
        facts = (("drifted_flag", flag),) if what == "config_drift" else ()
        self.driven.deed(Deed(self.driven.step + after, what, facts=facts))

    @precondition(_runs)
    @rule(at=st.integers(0, OPERATIONS_MAX))
    def crash(self, at: int) -> None:
        """Kill the process now, or at the so manieth operation of its journal from here; and start it again."""
        self._note("crash", at=at)
        if at:
            self.driven.kill_at(at)
        else:
            self.driven.die()
        self._look()

    # the law

    @property
    def driven(self) -> Driven:
        """The session."""
        assert self._driven is not None, "expected an opened session"
        return self._driven

    def _note(self, name: str, **facts: Any) -> None:  # noqa: ANN401 - what a rule was called with
        self.program.append((name, facts))

    def _advance(self, steps: int) -> None:
        try:
            self.driven.advance(steps)
        except Exception as error:
            error.add_note(str(self.differs("a session that goes on", type(error).__name__)))
            raise
        self._look()

    def _look(self) -> None:
        """Raise unless journal, specification and book agree."""
        if not self.checked:
            return
        if (
            self.driven.deaths != self._deaths
        ):  # what was not durable is gone, so the journal is read from its beginning
            self._oracle, self._deaths = Oracle(self.rulebook), self.driven.deaths
        wrong = self._oracle.follow(self.driven.journal) or self._oracle.compare(self.driven.session)
        if wrong is not None:
            raise self.differs(*wrong)

    def _finish(self) -> None:
        """Let the session end, and judge it."""
        driven = self.driven
        if not driven.heal():
            raise self.differs("an end after it was stopped", driven.session.orchestrator.state)
        self._look()
        state, venue = driven.session.orchestrator.state, driven.session.venue
        self.counts.update({f"end {state}": 1, "steps": driven.taken, "deaths": driven.deaths})
        self.counts.update({f"fault {kind}": count for kind, count in (venue.fired if venue else {}).items() if count})
        if state not in ENDS:
            raise self.differs(" or ".join(ENDS), f"{state} ({driven.session.orchestrator.why})")
        wrong = driven.verdict().unexplained
        if wrong:
            raise self.differs("a book that is the venue's, or a difference that was reported", "; ".join(wrong))

    def teardown(self) -> None:
        """Judge the session, unless something is wrong already; and leave nothing behind."""
        try:
            if self._driven is not None and sys.exception() is None:
                self._finish()
        finally:
            if self._driven is not None:
                self._driven.close()
            self._folder.cleanup()


def session_rules(machines: Machines) -> type[SessionRules]:
    """Return the rules of a session that runs on `machines`."""
    members = {"machines": machines, "rulebook": Rulebook.of(machines), "__module__": __name__}
    return type("RealSessionRules", (SessionRules,), members)


def _line(order: Dictation, step: int) -> Line:
    symbol, side, lots, off, tif = order
    permille = None if off is None else off if Side(side) is Side.SELL else -off
    return Line(step, Side(side), lots, permille, Tif(tif), f"SYN{symbol:03d}")
