"""The adapter between a session and any venue: what is called again, how often, how fast, and what is never.

It wraps a `Broker` and is one. Each call passes the circuit breaker, waits for its place under the rate limit, and is
made again only where that is safe: a read and a cancel after any transient error, an order and its replacement only
after an error which says that the venue has not got it. After an order's answer was lost the venue is asked by the same
id, and only what it does not know is sent again. All of it ends within `Bounds`, in session time.

Limits: one caller at a time. A report stream is read whole before it is passed on. At most `attempts_max` calls of
place for an order in a step, and as many queries after each.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, TypeVar, assert_never

from peak_trade.backends.kernel import Kernel
from peak_trade.broker.bounds import Bounds
from peak_trade.broker.breaker import OPEN, Breaker, CircuitOpen
from peak_trade.broker.errors import BrokerError, DuplicateId, Transient, VenueRejected, VenueTimeout, VenueUnavailable
from peak_trade.broker.limiter import Limiter
from peak_trade.broker.messages import Accepted, OrderRequest, OrderStatus, ReplaceRequest, Report, Status
from peak_trade.broker.outcome import Absent, Acknowledged, Lost, Outcome, Refused, Turn, Unknown
from peak_trade.broker.pace import Pace
from peak_trade.broker.port import Broker
from peak_trade.broker.retry import HARMLESS, NOT_TAKEN, Budget, Call, Retrier, Safe

T = TypeVar("T")

WITHIN: Final = "the venue, within attempts and duration,"


class Adapter:
    """`broker` behind breaker, rate limit and retries; `counts` says what each of them did.

    Counted are `calls.NAME`, `errors.CLASS`, `retries.CLASS`, `held.CLASS` (calls that never left), `breaker.STATE`
    (moves into it), `backoff_ms` and `limiter_ms`.
    """

    def __init__(self, broker: Broker, kernel: Kernel, bounds: Bounds) -> None:
        self.broker, self.bounds = broker, bounds
        self.step = 0
        self.pace = Pace(bounds.step_ms)
        self.breaker = Breaker(kernel, bounds.failures_max, bounds.cooldown_steps)
        self.counts: Counter[str] = Counter()
        self._limiter = Limiter(bounds.calls_per_second_max, self.pace)
        self._retrier = Retrier(bounds, self.pace, self.counts)

    def begin(self, step: int) -> None:
        """Begin a step of the session: its time, and one step of the breaker's cool-down."""
        self.step = step
        self.pace.begin(step)
        self._move("tick")

    # three-valued

    def place(self, request: OrderRequest, *, doubtful: bool = False) -> Outcome:
        """Bring an order to the venue and return how that ended; `doubtful` as in `placing`."""
        last: Turn = Absent(request.client_order_id)
        for turn in self.placing(request, doubtful=doubtful):
            last = turn
        assert isinstance(last, Acknowledged | Refused | Unknown), last
        return last

    def placing(self, request: OrderRequest, *, doubtful: bool = False) -> Iterator[Turn]:
        """Yield what happens on the way to the venue, and last of all the outcome.

        With `doubtful`, an earlier request may have reached the venue: it is asked before anything is sent.
        """
        identity, budget = request.client_order_id, self._retrier.budget()
        while True:
            if doubtful:
                found = self._resolved(request, budget)
                yield found
                if not isinstance(found, Absent):
                    return
                if budget.spent(self.pace.now_ms):
                    yield Refused(identity, VenueUnavailable(WITHIN, "place_order"))
                    return
            call = Call("place_order", identity, partial(self.broker.place_order, request), budget, NOT_TAKEN)
            try:
                yield Acknowledged(identity, self._retrier.run(self._attempt, call).venue_order_id)
            except VenueTimeout:
                yield Lost(identity)
                doubtful = True
                continue
            except BrokerError as error:
                yield Refused(identity, error)
            return

    def resolve(self, request: OrderRequest) -> Acknowledged | Refused | Unknown | Absent:
        """Ask what became of an order; nothing is sent. Absent iff the venue never received it.

        Refused with DuplicateId iff the venue has another order under its id.
        """
        return self._resolved(request, self._retrier.budget())

    def cancel(self, client_order_id: str) -> Outcome:
        """Ask the venue to cancel what is left of an order, again after any transient error: it is idempotent."""
        perform = partial(self.broker.cancel_order, client_order_id)
        return self._settled("cancel_order", client_order_id, perform, HARMLESS)

    def replace(self, request: ReplaceRequest) -> Outcome:
        """Ask the venue to change an order; an outcome that is unknown stays so until the venue reports it."""
        identity = request.client_order_id
        return self._settled("replace_order", identity, partial(self.broker.replace_order, request), NOT_TAKEN)

    # the port

    def place_order(self, request: OrderRequest) -> Accepted:
        """Place an order, as the port says; VenueTimeout iff the outcome is still unknown after asking."""
        return Accepted(request.client_order_id, _expected(self.place(request)).venue_order_id)

    def cancel_order(self, client_order_id: str) -> None:
        """Cancel an order, as the port says."""
        _expected(self.cancel(client_order_id))

    def replace_order(self, request: ReplaceRequest) -> Accepted:
        """Replace an order, as the port says."""
        return Accepted(request.client_order_id, _expected(self.replace(request)).venue_order_id)

    def query_order(self, client_order_id: str) -> OrderStatus | None:
        """Return what the venue knows of the order, or None iff it never received it."""
        return self._read("query_order", client_order_id, partial(self.broker.query_order, client_order_id))

    def list_open_orders(self) -> tuple[OrderStatus, ...]:
        """Return every order that the venue works, in order of arrival."""
        return self._read("list_open_orders", "", self.broker.list_open_orders)

    def iter_reports(self, since_cursor: int) -> Iterator[Report]:
        """Yield the reports after the cursor, as the port says; all of them are read before the first is yielded."""
        return iter(self._read("iter_reports", "", lambda: tuple(self.broker.iter_reports(since_cursor))))

    def iter_fills(self, since_cursor: int) -> Iterator[Report]:
        """Yield the executions after the cursor, as the port says; all are read before the first is yielded."""
        return iter(self._read("iter_fills", "", lambda: tuple(self.broker.iter_fills(since_cursor))))

    # one request, one call

    def _resolved(self, request: OrderRequest, budget: Budget) -> Acknowledged | Refused | Unknown | Absent:
        """Ask for an order until there is an answer or the attempts to ask, or the time, are used up."""
        identity = request.client_order_id
        asking = Budget(self.bounds.attempts_max, budget.deadline_ms)
        call = Call("query_order", identity, partial(self.broker.query_order, identity), asking, HARMLESS)
        try:
            known: OrderStatus | None = self._retrier.run(self._attempt, call)
        except BrokerError as error:
            return Unknown(identity, error)
        if known is None:
            return Absent(identity)
        if (known.symbol, known.side, known.qty_lots) != (request.symbol, request.side, request.qty_lots):
            return Refused(identity, DuplicateId(identity))
        if known.status is Status.REJECTED:  # as when it is refused at once
            return Refused(identity, VenueRejected(identity, "rejected, says the venue when asked"))
        return Acknowledged(identity, known.venue_order_id)

    def _settled(self, name: str, identity: str, perform: Callable[[], Any], safe: Safe) -> Outcome:
        """Make a request that is not asked for afterwards; unknown iff an answer was lost and none came later."""
        budget = self._retrier.budget()
        try:
            made = self._retrier.run(self._attempt, Call(name, identity, perform, budget, safe))
        except Transient as error:
            return Unknown(identity, error) if budget.lost else Refused(identity, error)
        except BrokerError as error:
            return Refused(identity, error)
        return Acknowledged(identity, made.venue_order_id if isinstance(made, Accepted) else "")

    def _read(self, name: str, identity: str, perform: Callable[[], T]) -> T:
        found: T = self._retrier.run(self._attempt, Call(name, identity, perform, self._retrier.budget(), HARMLESS))
        return found

    def _attempt(self, call: Call) -> Any:  # noqa: ANN401 - what the port's method gives
        """Make one call, or raise what keeps it from leaving."""
        self._pass(call)
        self.counts[f"calls.{call.name}"] += 1
        event = "fail"
        try:
            result = call.perform()
            event = "succeed"
        except BrokerError as error:
            self.counts[f"errors.{type(error).__name__}"] += 1
            if isinstance(error, VenueTimeout):
                call.budget.lost = True
                self.pace.wait(self.bounds.timeout_ms)
            event = "fail" if isinstance(error, Transient) else "succeed"
            raise
        finally:
            self._move(event)
        return result

    def _pass(self, call: Call) -> None:
        """Let the call leave: a breaker that lets it through, a place under the rate limit, and time left.

        Raises:
            CircuitOpen: the breaker is open.
            VenueUnavailable: the request's time is used up.
        """
        budget, pace = call.budget, self.pace
        budget.used += 1
        if self.breaker.value[0] == OPEN:
            raise self._held(CircuitOpen("the adapter's circuit breaker", call.name))
        wait_ms = self._limiter.ask()
        while wait_ms and pace.now_ms + wait_ms <= budget.deadline_ms:
            pace.wait(wait_ms)
            self.counts["limiter_ms"] += wait_ms
            wait_ms = self._limiter.ask()
        if wait_ms or pace.now_ms > budget.deadline_ms:
            raise self._held(VenueUnavailable(WITHIN, call.name))
        self._move("call")

    def _held(self, error: VenueUnavailable) -> VenueUnavailable:
        self.counts[f"held.{type(error).__name__}"] += 1
        return error

    def _move(self, event: str) -> None:
        """Offer the breaker an event, and count where it goes."""
        breaker = self.breaker
        before = breaker.value[0]
        taken = breaker.offer(event)
        assert taken or event == "tick", f"{event} in {breaker.value}"
        if breaker.value[0] != before:
            self.counts[f"breaker.{breaker.state}"] += 1


def _expected(outcome: Outcome) -> Acknowledged:
    """Return what was acknowledged, or raise what the port says: a time-out iff the outcome is unknown."""
    match outcome:
        case Acknowledged():
            return outcome
        case Refused(_, error):
            raise error
        case Unknown(identity, error):
            raise VenueTimeout(identity) from error
        case _:
            assert_never(outcome)
