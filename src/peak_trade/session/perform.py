"""Sending an order so that it is sent once: idempotent by its id, and after doubt by asking, never by sending again."""

from collections.abc import Iterator
from dataclasses import dataclass

from peak_trade.broker.errors import BrokerError, InvalidRequest, VenueRejected, VenueTimeout
from peak_trade.broker.messages import OrderRequest, OrderStatus, Status
from peak_trade.broker.port import Broker


@dataclass(frozen=True, slots=True)
class Answer:
    """What the venue's answer is to the order machine: the event, and the venue's id if there is one."""

    event: str
    venue_order_id: str = ""


@dataclass(slots=True)
class Sender:
    """Sends orders through `broker` with at most `attempts_max` calls."""

    broker: Broker
    attempts_max: int

    def answers(self, request: OrderRequest, *, doubtful: bool, unknown: bool) -> Iterator[Answer]:
        """Yield the order machine's events until the order's outcome is known or the attempts are used up.

        `doubtful`: an earlier process may have sent it. `unknown`: the machine is in its unknown state. In either
        case the venue is asked before anything is sent; what it does not know is sent under the same id.
        """
        for _ in range(self.attempts_max):
            if doubtful or unknown:
                known = self._ask(request)
                if isinstance(known, BrokerError):
                    continue
                yield from _told(known, unknown=unknown)
                if known is not None:
                    return
                doubtful = unknown = False
            try:
                yield Answer("accept", self.broker.place_order(request).venue_order_id)
            except (VenueRejected, InvalidRequest):
                yield Answer("reject")
            except VenueTimeout:
                unknown = True
                yield Answer("time_out")
                continue
            except BrokerError:
                continue  # refused before acceptance: nothing was sent, so it may be sent again
            return
        if unknown:
            yield from self.asked(request, unknown=True)

    def asked(self, request: OrderRequest, *, unknown: bool, closing: bool = False) -> Iterator[Answer]:
        """Yield what the venue says when asked for the order once; nothing is sent.

        With `closing`, that the venue does not know it ends in `give_up`.
        """
        known = self._ask(request)
        if isinstance(known, BrokerError):
            return
        yield from _told(known, unknown=unknown)
        if known is None and closing:
            yield Answer("give_up")

    def _ask(self, request: OrderRequest) -> OrderStatus | BrokerError | None:
        try:
            return self.broker.query_order(request.client_order_id)
        except BrokerError as error:
            return error


def _told(known: OrderStatus | None, *, unknown: bool) -> Iterator[Answer]:
    """Yield the event of what the venue knows; that it knows nothing is news only to an order in doubt."""
    if known is None:
        if unknown:
            yield Answer("not_found")
    elif known.status is Status.REJECTED:
        yield Answer("reject")  # as when it is refused at once: a refused order has no id at the venue
    else:
        yield Answer("accept", known.venue_order_id)
