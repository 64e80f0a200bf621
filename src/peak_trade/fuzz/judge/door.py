"""What comes in at a venue's door: no order twice without asking, no call that the adapter had to hold back.

A door stands between the adapter of one process and the venue, and sees what any adapter does, whatever it thinks that
it does. Which orders the venue may have is remembered over all processes of a session (`lives.Calls`); how the calls
went, in one process only, as a new one begins with the breaker that the journal kept.

Limits: calls that are made past the adapter, as after a resumption, are passed on and not judged.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Final, TypeVar

from peak_trade.broker.adapter import Adapter
from peak_trade.broker.errors import BrokerError, Transient
from peak_trade.broker.messages import Accepted, OrderRequest, OrderStatus, ReplaceRequest, Report
from peak_trade.broker.port import Broker
from peak_trade.fuzz.judge.calls import Calls

T = TypeVar("T")

SECOND_MS: Final = 1_000


@dataclass(slots=True)
class Door:
    """The door of one process; `wrong` is what came in that should not have, over all processes.

    `answered` are the steps in which the venue answered a question for its executions, as each comparison asks one.
    `row` counts failures in a row, `failed_step` is the step of the last one, `times_ms` are the calls of a second.
    """

    venue: Broker
    adapter: Adapter
    calls: Calls
    wrong: list[str]
    answered: set[int] = field(default_factory=set)
    row: int = 0
    failed_step: int = 0
    times_ms: deque[int] = field(default_factory=deque)
    _seen: dict[str, int] = field(default_factory=dict)

    def place_order(self, request: OrderRequest) -> Accepted:
        """Place an order."""
        blind = len(self.calls.blind)
        try:
            return self._through("place_order", partial(self.calls.place, self.venue, request))
        finally:
            self.wrong += [f"{name}: it was sent again without asking for it" for name in self.calls.blind[blind:]]

    def cancel_order(self, client_order_id: str) -> None:
        """Cancel an order."""
        self._through("cancel_order", partial(self.venue.cancel_order, client_order_id))

    def replace_order(self, request: ReplaceRequest) -> Accepted:
        """Replace an order."""
        return self._through("replace_order", partial(self.venue.replace_order, request))

    def query_order(self, client_order_id: str) -> OrderStatus | None:
        """Ask for an order."""
        return self._through("query_order", partial(self.calls.query, self.venue, client_order_id))

    def list_open_orders(self) -> tuple[OrderStatus, ...]:
        """Ask for what is open."""
        return self._through("list_open_orders", self.venue.list_open_orders)

    def iter_reports(self, since_cursor: int) -> Iterator[Report]:
        """Ask for the stream."""
        return iter(self._through("iter_reports", lambda: tuple(self.venue.iter_reports(since_cursor))))

    def iter_fills(self, since_cursor: int) -> Iterator[Report]:
        """Ask for the executions."""
        return iter(self._through("iter_fills", lambda: tuple(self.venue.iter_fills(since_cursor))))

    def _through(self, name: str, perform: Callable[[], T]) -> T:
        """Make a call; judge it iff the adapter made it, which counts each of its calls before it leaves."""
        made, key = self.adapter.counts, f"calls.{name}"
        past, self._seen[name] = made[key] == self._seen.get(name, 0), made[key]
        if past:
            return perform()
        self._judge(name)
        failed = False
        try:
            return perform()
        except BrokerError as error:
            failed = isinstance(error, Transient)
            raise
        finally:
            self._note(name, failed=failed)

    def _note(self, name: str, *, failed: bool) -> None:
        """Remember how a call went."""
        self.row = self.row + 1 if failed else 0
        if failed:
            self.failed_step = self.adapter.step
        elif name == "iter_fills":
            self.answered.add(self.adapter.step)

    def _judge(self, name: str) -> None:
        """Note a call that the breaker or the rate limit had to hold back."""
        adapter, bounds = self.adapter, self.adapter.bounds
        if self.row >= bounds.failures_max and adapter.step < self.failed_step + bounds.cooldown_steps:
            self.wrong.append(f"{name} left after {self.row} failures in a row, within the cool-down")
        now_ms, times = adapter.pace.now_ms, self.times_ms
        while times and times[0] <= now_ms - SECOND_MS:
            times.popleft()
        times.append(now_ms)
        if len(times) > bounds.calls_per_second_max:
            self.wrong.append(f"{len(times)} calls left within a second, more than {bounds.calls_per_second_max}")
