"""The orchestrator: one session as bounded steps. Decide, then journal, then perform.

The session machine (python-statemachine, in lock step with the kernel) says what may happen; this module offers it
events and does what follows. A resumed session runs again from its first step over its tape, so start-up and
recovery are one path.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from peak_trade.backends.statemachine import Driver
from peak_trade.journal.foreign import told
from peak_trade.journal.record import Body
from peak_trade.lang.sorts import Scalar
from peak_trade.lang.step import Broken, Outcome, Refused, Taken
from peak_trade.market.strategy import Strategy, View
from peak_trade.rails.trading import EVENTS, Trading
from peak_trade.rails.tripwires import SEVERITIES, Tripwire, tripped
from peak_trade.session.clock import START, Moment
from peak_trade.session.decide import Decision, decide
from peak_trade.session.desk import Desk
from peak_trade.session.equity import Equity
from peak_trade.session.guard import NOBODY, Guard
from peak_trade.session.inputs import EXTERNAL, Inputs
from peak_trade.session.plan import Plan, World
from peak_trade.session.recording import ACCOUNT, END, SESSION, Recorder, said
from peak_trade.session.risk import Heard, Risk, throttled

OVER = frozenset({"STOPPED", "PREFLIGHT_FAILED", "ERROR_REQUIRES_OPERATOR"})


@dataclass(slots=True)
class Orchestrator:
    """One session. `state` is the session machine's; nothing leaves unless it is active."""

    driver: Driver
    desk: Desk
    strategy: Strategy
    world: World
    inputs: Inputs
    plan: Plan
    tape: Recorder
    guard: Guard
    moment: Moment = START
    why: str = ""
    problem: str = ""
    _reconciled: bool = False
    _equity: Equity = field(default_factory=Equity)
    _risk: Risk = field(init=False)

    def __post_init__(self) -> None:
        self._risk = Risk.of(self.plan.limits)
        self.desk.tape = Heard(self.desk.tape, self._risk)

    @property
    def state(self) -> str:
        """The control state of the session machine."""
        return self.driver.state

    @property
    def over(self) -> bool:
        """True iff no step follows: stopped, failed at the start, or halted for the operator."""
        return self.state in OVER

    @property
    def trading(self) -> Trading:
        """Which orders may leave; outside an active session none."""
        return Trading(str(self.driver.variable("trading"))) if self.state == "DRYRUN_ACTIVE" else Trading.HALTED

    def start(self, readings: Mapping[str, Callable[[], dict[str, Scalar]]], rearm: str = "") -> str:
        """Make the startup checks and, iff all pass, begin the dry run; return the state.

        `readings` gives the payloads of `kill_switch_read` and `preflight`. `rearm` names the operator who re-arms a
        latched kill switch.
        """
        self.external("kill_switch_read", readings["kill_switch_read"])
        self._rearm(rearm)
        self.external("preflight", readings["preflight"])
        if self.state == "PREFLIGHT_OK":
            self.fire("start_dryrun", {})
        self.tape.commit()
        if self.over:
            self._end()
        return self.state

    def _rearm(self, operator: str) -> None:
        """Offer `rearm` if an operator asks for it now, or asked for it in the run that the tape holds.

        Only a re-arming that happens now clears the switch: one on the tape is past, and what was latched since stays.
        """
        record = self.tape.peek()
        if record is not None:
            operator = str(record.body.get("operator") or "") if record.body.get("event") == "rearm" else ""
        if operator and isinstance(self.fire("rearm", {}, operator=operator), Taken) and record is None:
            self.tape.commit()  # on record before the switch is cleared
            self.inputs.rearm(operator)

    def external(self, event: str, read: Callable[[], dict[str, Scalar]]) -> Outcome:
        """Offer an event whose payload comes from outside: from the tape while it lasts, else read now."""
        record = self.tape.peek()
        if record is None or record.body.get("event") != event:
            return self.fire(event, read())
        names = {item.name for item in self.driver.kernel.machine.event(event).payload}
        found = {name: value for name, value in record.body.items() if name in names and value is not None}
        return self.fire(event, found, operator=str(record.body.get("operator") or ""))

    def fire(self, event: str, payload: dict[str, Scalar], *, operator: str = "") -> Outcome:
        """Offer one event to the session machine and write what it did to the tape; refusals too."""
        self._look()
        before = self.state
        outcome = self.driver.fire(event, payload)
        by, kind, detail = said(outcome)
        body = {"event": event, "outcome": kind, "by": by, "state": self.state, "step": self.moment.step, **payload}
        if detail:
            body["detail"] = detail
        if self.moment.ts:
            body["ts"] = self.moment.ts
        if operator:
            body["operator"] = operator
        self.tape.append(SESSION, body)
        if isinstance(outcome, Taken) and before != "STOPPING":
            self.why = self.driver.kernel.machine.transition(by).reason or self.why
        if isinstance(outcome, Broken) and event != "invariant_broken":
            self.desk.trip(Tripwire.VALUE_OUTSIDE_INVARIANT, clause=by)
            self._trip()
        self._look()
        return outcome

    def _look(self, *, orders: bool = False) -> bool:
        """Stop for the operator iff the session's value, or with `orders` an order's, lies outside the invariant."""
        inside = self.guard.look(self.driver, self.desk, self.desk.to_look_at() if orders else NOBODY)
        if not inside:
            self._trip()
        return inside

    def run_n_steps(self, count: int) -> int:
        """Take at most `count` steps; return how many were taken before the session was over."""
        taken = 0
        while taken < count and not self.over:
            self.step()
            taken += 1
        return taken

    def step(self) -> str:
        """Take one bounded step and return the state after it; a session that is over stays as it is."""
        if self.over:
            return self.state
        self._look(orders=True)
        if self.desk.compare_resumed():
            self._trip()
        self._listen_outside()
        if self.state == "STOPPING":
            self._last_look()
        if not self.over:
            self.fire("tick", {})
        if not self.over:
            self._advance()
            self._trade_or_drain()
        if self.over:
            self._end()
        return self.state

    def _listen_outside(self) -> None:
        """Take what came in from outside: what the tape holds, and only then the world's."""
        while (record := self.tape.peek()) is not None:
            event = str(record.body.get("event", ""))
            if record.kind != SESSION or event not in EXTERNAL:
                return
            self.inputs.killed |= event == "kill"
            self.external(event, dict)
        for event, payload in self.inputs.poll():
            self.fire(event, payload, operator=self.inputs.names.pop(event, ""))

    def _advance(self) -> None:
        """Move the market on by one step and take what the venue reports."""
        number = self.moment.step + 1
        within = number <= len(self.plan.bars.steps)
        bars = self.plan.bars.steps[number - 1].bars if within else ()
        ts = self.plan.bars.steps[number - 1].ts if within else self.moment.ts
        self.moment = Moment(number, ts)
        self.desk.step = number
        self._risk.begin(number, bars, self.trading)
        if not self.tape.replaying:
            self.world.advance(number, bars)
        self.desk.resolve(closing=self.state == "STOPPING")
        self.desk.listen()
        for bar in bars:
            self.desk.book.position(bar.symbol).last_ticks = bar.close_ticks
        self._settle()
        self._value()
        self.desk.recheck(due=number % self.plan.reconcile_steps == 0)
        self._watch()

    def _trade_or_drain(self) -> None:
        number = self.moment.step
        if self.state == "DRYRUN_ACTIVE" and number < self.plan.steps:
            self._trade()
        elif self.state == "DRYRUN_ACTIVE":
            self.fire("data_ended", {})
        if self.state == "STOPPING":
            self.desk.cancel_working()
            self._settle()
            self._reconcile()
        self._trip()
        self.tape.commit()

    def _trade(self) -> None:
        """Ask the strategy, decide, make the intents durable, and only then let them leave."""
        decisions = self._decisions()
        if not decisions:
            return
        adds = [decision.adds for decision in decisions if decision.rail is None]
        if adds and not isinstance(self.fire("order_batch", {"sent": len(adds), "adding": sum(adds)}), Taken):
            return
        sending = self.desk.enter(decisions)
        self._risk.left(decisions)
        if throttled(decisions):
            self.desk.trip(Tripwire.REPEATED_EXECUTION)
        self.tape.commit()
        if self._look(orders=True) and self.state == "DRYRUN_ACTIVE":  # the guard may have stopped it meanwhile
            self.desk.send(sending)
            self._settle()

    def _decisions(self) -> tuple[Decision, ...]:
        """Return what the strategy wants and the rails say; a strategy that fails stops the session."""
        try:
            intents = self.strategy.decide(self._view())
            account = self.desk.book.account(self._equity.day_loss_ticks, self._risk.past(self.trading))
            return decide(intents, account, self.plan.limits, f"{self.plan.prefix}-{self.moment.step}-")
        except Exception as error:  # noqa: BLE001 - whatever a user's strategy raises must end in an orderly stop
            self.problem = f"the strategy failed at step {self.moment.step}: {told(error)}"
            self.fire("health_failed", {})
            return ()

    def _view(self) -> View:
        book, step = self.desk.book, self.plan.bars.steps[self.moment.step - 1]
        return View(
            step=self.moment.step,
            ts=step.ts,
            bars=step.by_symbol(),
            positions_lots={symbol: item.lots for symbol, item in book.positions.items() if item.lots},
            working_lots=book.working_lots(),
            cash_ticks=book.cash_ticks,
            winding_down=self.moment.step >= self.plan.steps - self.plan.wind_down_steps,
        )

    def _settle(self) -> None:
        """Tell the session machine how many orders the venue opened again, and how many closed."""
        closed, reopened = self.desk.take_closed()
        if reopened and isinstance(self.fire("orders_reopened", {"reopened": reopened}), Refused):
            self.desk.trip(Tripwire.COUNTS_DIFFER)
        if closed and isinstance(self.fire("orders_closed", {"closed": closed}), Refused):
            self.desk.trip(Tripwire.COUNTS_DIFFER)

    def _value(self) -> None:
        """Write down what the account is worth after this step."""
        self.tape.append(ACCOUNT, self._equity.valued(self.moment, self.desk.book))

    def _watch(self) -> None:
        """Evaluate the tripwires on what the reports made of the book."""
        book, counted = self.desk.book, int(self.driver.variable("open_orders"))
        reading = self._risk.reading(book, self.trading, loss_ticks=self._equity.day_loss_ticks, counted=counted)
        wire = tripped(self.plan.limits, reading)
        if wire is not None:
            self.desk.trip(wire)
        self._trip()

    def _trip(self) -> None:
        """Do what each wire that tripped asks for: reduce or halt trading, stop, or stop for the operator."""
        wires, self.desk.wires = self.desk.wires, []
        for wire in wires:
            outcome = self.fire(EVENTS[SEVERITIES[wire]], {})
            if isinstance(outcome, Refused) and not self.over:
                self.desk.wires.append(wire)  # before its checks a session cannot stop: it does in its first step
        self._risk.restricted |= self.trading is not Trading.ACTIVE

    def _last_look(self) -> None:
        """Read on and compare: a session that was stopped with nothing open is over at the next tick."""
        if not self._reconciled and not self.desk.book.working:
            self.desk.listen()
            self._settle()
            self._reconcile()
            self._trip()

    def _reconcile(self) -> None:
        """Compare book and venue once nothing is open any more, before the session may stop by itself."""
        if self._reconciled or self.desk.book.working:
            return
        self._reconciled = True
        if not self.desk.reconcile():
            self.desk.trip(Tripwire.BOOK_DIFFERS_FROM_VENUE)

    def _end(self) -> None:
        """Write the end of the session and make it durable."""
        book = self.desk.book
        if self.state != "PREFLIGHT_FAILED" and not self._reconciled:
            self.desk.reconcile()
        body: Body = {"step": self.moment.step, "state": self.state, "equity_ticks": book.equity_ticks()}
        self.tape.append(END, {**body, "cash_ticks": book.cash_ticks})
        self.tape.commit()
