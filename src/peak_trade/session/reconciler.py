"""The session's reconciler: asks the venue, compares, and keeps the result on the tape, so that a replay asks nobody.

Up to the cursor of the last agreement both sides are known to be equal: a comparison during the run looks at what is
open and at the executions since, so that its cost does not grow with the run. The last one, before the session ends,
looks at everything. The venue's statuses may be ahead of its reports, hence what one under way could explain gets
patience, in steps; and an order that its list does not show is asked for by id first: absence is no evidence.

Limits: at most `QUERIES_MAX` orders are asked for in one comparison; the others are in the next one. The executions of
the whole run are held in memory. A closed order whose CumQty was restated without a trade is asked for by id.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from peak_trade.backends.kernel import Kernel
from peak_trade.broker.errors import BrokerError, InvalidRequest
from peak_trade.broker.messages import OrderStatus, Report
from peak_trade.broker.port import Broker
from peak_trade.journal.record import Body
from peak_trade.rails.actions import permitted
from peak_trade.rails.differences import Action, Code, Difference, Severity
from peak_trade.rails.reconcile import CURSOR, reconcile
from peak_trade.rails.sides import Known, Ours, Snapshot, known
from peak_trade.rails.tripwires import Tripwire
from peak_trade.session.book import Book, Order
from peak_trade.session.recording import DIFFERENCE, RECONCILED, RESUMED, TRIP, Recorder

QUERIES_MAX: Final = 100
PATIENCE_STEPS: Final = 5
NO_PATIENCE: Final = -1
"""At the end nothing more can heal: what waits for an answer is told as such."""
PENDING: Final = frozenset({"pending_cancel", "pending_replace"})


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison found; `asked` iff the venue answered: no answer is no agreement."""

    asked: bool
    found: tuple[Difference, ...]

    @property
    def agreed(self) -> bool:
        """True iff the venue answered, and nothing differs that a report under way could not explain."""
        return self.asked and all(item.severity is Severity.INFO for item in self.found)

    @property
    def hard(self) -> bool:
        """True iff something differs that only the operator can mend."""
        return any(item.severity is Severity.HARD for item in self.found)


@dataclass(slots=True)
class Reconciler:
    """What the comparisons of one session share.

    `executions` are the reports that moved the book's fills; `checked` of them, up to the cursor `since`, were there at
    the last agreement. `seen` is the step at which each difference that has not healed was found first. `gaps` of the
    reports were known at the last comparison, `replayed` iff a tape was read and its end not yet dealt with.
    """

    patience_steps: int = PATIENCE_STEPS
    executions: list[Report] = field(default_factory=list)
    seen: dict[tuple[Code, str], int] = field(default_factory=dict)
    since: int = 0
    checked: int = 0
    gaps: int = 0
    replayed: bool = False

    def compare(self, venue: "Asking", tape: Recorder, *, closing: bool) -> Compared:
        """Compare, or take from the tape what was found; with `closing` everything is looked at, and lag counts."""
        done: Compared | None = None

        def ask() -> Body:
            """Compare, and return what the tape keeps of it."""
            nonlocal done
            done = self._asked(venue, whole=closing, patience_steps=NO_PATIENCE if closing else self.patience_steps)
            return self._body(venue, done, closing=closing)

        kept = tape.outcome(RECONCILED, ask)
        if done is None:
            done = Compared(kept["asked"] is True, tuple(_recorded(tape)))
            written, wanted = len(done.found), kept["differences"]
            if isinstance(wanted, int) and written < wanted:  # the write was torn: the venue has not moved since
                done = self._asked(venue, whole=closing, patience_steps=NO_PATIENCE if closing else self.patience_steps)
                for item in _worth(done, closing=closing)[written:]:
                    tape.append(DIFFERENCE, _row(item))
        else:
            for item in _worth(done, closing=closing):
                tape.append(DIFFERENCE, _row(item))
        self._learn(venue, done, behind=bool(kept["behind"]))
        return done

    def recheck(self, venue: "Asking", tape: Recorder, gaps: int, *, due: bool) -> bool:
        """Compare in the middle of the run iff it is due, after a gap, or while a difference has not healed.

        Return true iff something differs that only the operator can mend. All else heals by what each step does: it
        asks for outcomes, cancels again, and reads on. What the tape holds decides as long as it lasts.
        """
        record = tape.peek()
        due = due or gaps != self.gaps or bool(self.seen)
        if record is not None:
            due = record.kind == RECONCILED and record.body.get("closing") is False
        self.gaps = gaps
        return due and self.compare(venue, tape, closing=False).hard

    def resumed(self, venue: "Asking", tape: Recorder) -> bool:
        """Compare once when a tape comes to its end; return true iff that finds, or found then, what trips.

        That is no part of the run, and stays a note; but that it tripped is, and the tape says so at this place.
        """
        record = tape.peek()
        if record is not None:
            self.replayed = True
            return record.kind == TRIP and record.body.get("wire") == Tripwire.BOOK_DIFFERS_FROM_VENUE
        ended, self.replayed = self.replayed, False
        return ended and self.note(venue, tape).hard

    def note(self, venue: "Asking", tape: Recorder) -> Compared:
        """Compare at the start of a resumed run, and annotate the journal: the run itself has no such record."""
        done = self._asked(venue, whole=True, patience_steps=self.patience_steps)
        tape.note(RESUMED, self._body(venue, done, closing=False))
        for item in _worth(done, closing=False):
            tape.note(RESUMED, {"step": venue.step, **_row(item)})
        return done

    def _body(self, venue: "Asking", done: Compared, *, closing: bool) -> dict[str, Any]:
        lag = next((item for item in done.found if item.code is Code.LAGGING), None)
        return {
            "step": venue.step,
            "orders": len(venue.book.orders),
            "differences": len(_worth(done, closing=closing)),
            "asked": done.asked,
            "closing": closing,
            "behind": int(lag.venue) - int(lag.book) if lag else 0,
        }

    def _asked(self, venue: "Asking", *, whole: bool, patience_steps: int) -> Compared:
        since, checked = (0, 0) if whole else (self.since, self.checked)
        try:
            found = venue.differences(since, self.executions[checked:], self.seen, patience_steps)
        except BrokerError:
            return Compared(asked=False, found=())
        return Compared(asked=True, found=found)

    def _learn(self, venue: "Asking", done: Compared, *, behind: bool) -> None:
        """Remember since when what has not healed is seen, and up to where the sides agreed."""
        if not done.asked:
            return
        keys = {(item.code, item.subject) for item in done.found if item.severity is not Severity.INFO}
        keys |= {(Code.LAGGING, CURSOR)} if behind else set()
        self.seen = {key: self.seen.get(key, venue.step) for key in sorted(keys)}
        if done.agreed:
            self.since, self.checked = venue.cursor, len(self.executions)


@dataclass(frozen=True, slots=True)
class Asking:
    """Both sides as they are now, in session step `step`; the reports are read up to `cursor`."""

    kernel: Kernel
    book: Book
    broker: Broker
    step: int
    cursor: int

    def differences(
        self, since: int, executions: list[Report], seen: Mapping[tuple[Code, str], int], patience_steps: int
    ) -> tuple[Difference, ...]:
        """Return what differs, executions compared after `since`; what the specification forbids is the operator's.

        Raises:
            BrokerError: the venue gave no answer.
        """
        told: dict[str, OrderStatus | None] = {item.client_order_id: item for item in self.broker.list_open_orders()}
        head: int | None = None
        try:
            fills = list(self.broker.iter_fills(since))
        except InvalidRequest:  # it has fewer reports than we read
            fills, head = [], since - 1
        names = set(self.book.orders) if not since else self._touched(told, (*fills, *executions))
        orders = {name: _known(self.book.orders[name]) for name in sorted(names)}
        held = {symbol: item.lots for symbol, item in self.book.positions.items()}
        ours = Ours(orders, executions, held, self.cursor, seen)
        found = reconcile(ours, Snapshot(told, fills, head, self.step, since), patience_steps)
        doubtful = [item.subject for item in found if item.severity is Severity.SOFT and item.subject in orders]
        # A request that the venue forgot hides behind its pending status, once nothing is left.
        hidden = [name for name, order in orders.items() if not order.leaves_lots and order.state in PENDING]
        absent = [name for name in dict.fromkeys([*doubtful, *hidden]) if name not in told][:QUERIES_MAX]
        if absent:
            told |= {name: self.broker.query_order(name) for name in absent}
            found = reconcile(ours, Snapshot(told, fills, head, self.step, since), patience_steps)
        values = {name: self.book.orders[name].value for name in orders}
        return tuple(
            permitted(self.kernel, values[item.subject], item) if item.subject in values else item for item in found
        )

    def _touched(self, told: Mapping[str, object], reports: Iterable[Report]) -> set[str]:
        """Return our orders that work, that the venue tells of, or that had an execution."""
        named = {*told, *(report.client_order_id for report in reports)}
        return set(self.book.working) | (named & self.book.orders.keys())


def _known(order: Order) -> Known:
    request = order.request
    facts = (request.symbol, order.sign, request.limit_ticks, order.moved_step)
    return known(request.client_order_id, order.value, facts)


def _worth(done: Compared, *, closing: bool) -> tuple[Difference, ...]:
    """Return what is written down: a lag that is to be expected only at the end, where nothing is read any more."""
    return tuple(item for item in done.found if closing or item.severity is not Severity.INFO)


def _row(item: Difference) -> dict[str, Any]:
    """Return a difference as the tape keeps it: figures in lots, or words where it is not about quantities."""
    row: dict[str, Any] = {"code": item.code.value, "subject": item.subject, "action": item.action.value}
    for side, value in (("book", item.book), ("venue", item.venue)):
        row[f"{side}_lots"] = value if isinstance(value, int) else 0
        if isinstance(value, str):
            row[side] = value
    return row


def _recorded(tape: Recorder) -> Iterable[Difference]:
    """Yield the differences that stand next on the tape."""
    while (record := tape.peek()) is not None and record.kind == DIFFERENCE:
        body = record.body
        book, venue = (body.get(side) or body[f"{side}_lots"] for side in ("book", "venue"))
        assert isinstance(book, int | str), book
        assert isinstance(venue, int | str), venue
        yield Difference(Code(str(body["code"])), str(body["subject"]), book, venue, Action(str(body["action"])))
        tape.append(DIFFERENCE, body)
