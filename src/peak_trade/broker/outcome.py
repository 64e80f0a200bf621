"""How a request to a venue ended: three values, and none of them is a guess.

After Jepsen's ok, fail and info, with which Knossos and Elle judge histories: a request took effect, did not, or nobody
knows.
"""

from dataclasses import dataclass
from typing import TypeAlias

from peak_trade.broker.errors import BrokerError, Permanent


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The venue has the request; `venue_order_id` is its own id of the order, or empty where it gives none."""

    client_order_id: str
    venue_order_id: str = ""


@dataclass(frozen=True, slots=True)
class Refused:
    """The venue has not got the request, or has it and will not have it: nothing came of it."""

    client_order_id: str
    error: BrokerError

    @property
    def final(self) -> bool:
        """True iff the venue looked at it and said no: the same request will never do."""
        return isinstance(self.error, Permanent)


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody knows whether the venue has the request: only asking, or a report, can tell."""

    client_order_id: str
    error: BrokerError


@dataclass(frozen=True, slots=True)
class Lost:
    """On the way: the answer to an order was lost; the venue will be asked."""

    client_order_id: str


@dataclass(frozen=True, slots=True)
class Absent:
    """On the way: asked, the venue said that it never received the order; it may be sent, under the same id."""

    client_order_id: str


Outcome: TypeAlias = Acknowledged | Refused | Unknown
Turn: TypeAlias = Lost | Absent | Outcome
