"""Sending an order so that it is sent once: what the adapter says on the way, in the words of the order machine."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from peak_trade.broker.adapter import Adapter
from peak_trade.broker.errors import DuplicateId, InvalidRequest, VenueRejected
from peak_trade.broker.messages import OrderRequest
from peak_trade.broker.outcome import Absent, Acknowledged, Lost, Refused, Turn


@dataclass(frozen=True, slots=True)
class Answer:
    """What the venue's answer is to the order machine: the event, and the venue's id if there is one."""

    event: str
    venue_order_id: str = ""


@dataclass(slots=True)
class Sender:
    """Sends orders through `adapter`, which bounds how often and how long.

    `foreign` are the ids under which the venue has somebody else's order: nothing of ours was taken.
    """

    adapter: Adapter
    foreign: set[str] = field(default_factory=set)

    def answers(self, request: OrderRequest, *, doubtful: bool, unknown: bool) -> Iterator[Answer]:
        """Yield the order machine's events until the order's outcome is known or the adapter's limits are reached.

        `doubtful`: an earlier process may have sent it. `unknown`: the machine is in its unknown state. In either
        case the venue is asked before anything is sent; what it does not know is sent under the same id.
        """
        for turn in self.adapter.placing(request, doubtful=doubtful or unknown):
            if isinstance(turn, Refused) and isinstance(turn.error, DuplicateId):
                self.foreign.add(request.client_order_id)
            yield from _told(turn, unknown=unknown)
            unknown = isinstance(turn, Lost)

    def asked(self, request: OrderRequest, *, unknown: bool) -> Iterator[Answer]:
        """Yield what the venue says when asked for the order; nothing is sent. What it does not know is given up."""
        turn = self.adapter.resolve(request)
        if isinstance(turn, Refused) and isinstance(turn.error, DuplicateId):
            self.foreign.add(request.client_order_id)
        yield from _told(turn, unknown=unknown)
        if isinstance(turn, Absent):
            yield Answer("give_up")


def _told(turn: Turn, *, unknown: bool) -> Iterator[Answer]:
    """Yield the event of a turn, if it is one to the machine.

    That the venue knows nothing is news only to an order in doubt. An id that somebody else's order has is no
    refusal of ours, and a request that nobody took is none either: the order stays as it is, unanswered.
    """
    match turn:
        case Lost():
            yield Answer("time_out")
        case Absent() if unknown:
            yield Answer("not_found")
        case Acknowledged(_, venue_order_id):
            yield Answer("accept", venue_order_id)
        case Refused(_, VenueRejected() | InvalidRequest()):
            yield Answer("reject")
        case _:
            return
