"""What the rails remember of a session: how much left of late, how the venue answered, how old the prices are.

All of it follows from the decisions, the bars and the order events that are written to the tape, so that a resumed run
remembers the same. An operator who resumes trading has looked: repeats, rows and messages are counted anew from there.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from peak_trade.journal.record import Body, Record
from peak_trade.market.bars import Bar
from peak_trade.market.terms import Side
from peak_trade.rails.limits import NEVER_STEPS, Limits, Rail
from peak_trade.rails.pace import Streaks, Window
from peak_trade.rails.trading import Trading
from peak_trade.rails.tripwires import Reading
from peak_trade.session.book import Book
from peak_trade.session.decide import Decision, Past, Twin
from peak_trade.session.recording import ORDER, Recorder

MESSAGES = frozenset({"submit", "not_found", "cancel", "replace"})
"""Events of the order machine by which something is sent to the venue: an order, the same again, a request."""
ANSWERS = frozenset({"time_out", "accept", "reject"})
"""Events with which sending ends; the streaks take no other."""


@dataclass(slots=True)
class Risk:
    """The memory of one session's rails. `restricted` iff trading was not active when it was last looked at."""

    orders: Window[str]
    repeats: Window[str]
    twins: Window[Twin]
    messages: Window[str]
    streaks: Streaks = field(default_factory=Streaks)
    step: int = 0
    restricted: bool = False
    overfilled: int = 0
    _priced: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, limits: Limits) -> "Risk":
        """Return the memory of a session that begins, with the windows of `limits`."""
        rate = limits.rate_window_steps
        repeats: Window[str] = Window(limits.repeat_window_steps)
        return cls(Window(rate), repeats, Window(limits.duplicate_window_steps), Window(rate))

    def begin(self, step: int, bars: Iterable[Bar], trading: Trading) -> None:
        """Begin a step with its bars; forget what an operator looked at, if trading was resumed since the last one."""
        self.step = step
        for window in (self.orders, self.repeats, self.twins, self.messages):
            window.advance(step)
        for bar in bars:
            self._priced[bar.symbol] = step
        if self.restricted and trading is Trading.ACTIVE:
            self.repeats.clear()
            self.messages.clear()
            self.streaks.clear()
        self.restricted = trading is not Trading.ACTIVE

    def past(self, trading: Trading) -> Past:
        """Return what the rails look at of the steps before, at the moment of the decision."""
        ages = {symbol: self.step - seen for symbol, seen in self._priced.items()}
        return Past(trading, self.orders.counts.get("", 0), self.repeats.counts, self.twins.counts, ages)

    def left(self, decisions: Sequence[Decision]) -> None:
        """Count the orders that leave in this step."""
        for decision in decisions:
            request, symbol = decision.request, decision.request.symbol
            if decision.rail is None:
                twin = Twin(symbol, request.side is Side.BUY, request.qty_lots, request.limit_ticks or 0)
                self.repeats.add(self.step, symbol)
                self.twins.add(self.step, twin)
        self.orders.add(self.step, "", sum(decision.rail is None for decision in decisions))

    def heard(self, body: Body) -> None:
        """Take what an order's event did, as it is written to the tape."""
        event = body["event"]
        if body["outcome"] == "taken":
            if event in MESSAGES:
                self.messages.add(self.step, "")
            elif event in ANSWERS:
                self.streaks.note(str(body["order"]), str(event))
        elif event == "fill" and int(body["last_qty"] or 0) > int(body["leaves"] or 0):
            self.overfilled += 1

    def reading(self, book: Book, trading: Trading, *, loss_ticks: int, counted: int) -> Reading:
        """Return what the tripwires look at; `counted` is the session machine's number of open orders."""
        lots = [item.lots for item in book.positions.values()]
        held = [symbol for symbol, item in book.positions.items() if item.lots]
        return Reading(
            trading=trading,
            cash_ticks=book.cash_ticks,
            largest_position_lots=max(map(abs, lots), default=0),
            smallest_position_lots=min(lots, default=0),
            loss_ticks=loss_ticks,
            filled_lots=book.filled_lots,
            position_lots=book.held_lots,
            open_orders=len(book.working),
            counted_open_orders=counted,
            overfilled=self.overfilled,
            unpriced=sum(book.positions[symbol].last_ticks <= 0 for symbol in held),
            oldest_price_steps=max((self._age_steps(symbol) for symbol in held), default=0),
            messages=self.messages.counts.get("", 0),
            rejects_in_row=self.streaks.rejects,
            unknowns_in_row=self.streaks.unknowns,
        )

    def _age_steps(self, symbol: str) -> int:
        seen = self._priced.get(symbol)
        return NEVER_STEPS if seen is None else self.step - seen


def throttled(decisions: Iterable[Decision]) -> bool:
    """Return true iff a strategy was applied more often than it may be without a person (RTS 6, article 15(3))."""
    return any(decision.rail is Rail.REPEATED_EXECUTION for decision in decisions)


@dataclass(slots=True)
class Heard:
    """A recorder that lets the rails hear what is written of orders; otherwise it is the tape below it."""

    tape: Recorder
    risk: Risk

    @property
    def replaying(self) -> bool:
        """True iff an earlier process's records are left."""
        return self.tape.replaying

    def peek(self) -> Record | None:
        """Return the next of those records, or None."""
        return self.tape.peek()

    def append(self, kind: str, body: Body) -> None:
        """Write a record of the run, or compare it with the one that is there."""
        self.tape.append(kind, body)
        if kind == ORDER:
            self.risk.heard(body)

    def note(self, kind: str, body: Body) -> None:
        """Write an annotation, unless replaying."""
        self.tape.note(kind, body)

    def outcome(self, kind: str, perform: Callable[[], Body]) -> Body:
        """Return what `perform` gives and write it, or what is there instead of performing."""
        return self.tape.outcome(kind, perform)

    def commit(self) -> object:
        """Make durable what was written."""
        return self.tape.commit()
