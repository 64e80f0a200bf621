"""What can go wrong at a venue: transient, permanent, or of unknown outcome. Facts are attributes.

The arguments are the facts, so that an error survives the way from another process.
"""


class BrokerError(Exception):
    """The root of all that a broker raises."""


class Transient(BrokerError):  # noqa: N818 - a kind of error, named as the field names it
    """It may work later."""


class Permanent(BrokerError):  # noqa: N818 - a kind of error, named as the field names it
    """It will never work; nothing was accepted."""


class VenueTimeout(Transient):
    """No answer came: whether the venue has the request is unknown, and only asking can tell."""

    def __init__(self, client_order_id: str) -> None:
        super().__init__(client_order_id)
        self.client_order_id = client_order_id

    def __str__(self) -> str:
        return f"expected an answer about {self.client_order_id}, was a time-out; ask the venue by its id"


class VenueUnavailable(Transient):
    """The venue refused to look at the request; it has not got it."""

    def __init__(self, where: str, call: str) -> None:
        super().__init__(where, call)
        self.where, self.call = where, call

    def __str__(self) -> str:
        return f"expected {self.where} to take {self.call}, was unavailable; it may be tried again"


class RateLimited(Transient):
    """Too many requests; the venue has not got this one."""

    def __init__(self, client_order_id: str) -> None:
        super().__init__(client_order_id)
        self.client_order_id = client_order_id

    def __str__(self) -> str:
        return f"expected a free place for {self.client_order_id}, was over the rate limit; wait and try again"


class VenueRejected(Permanent):
    """The venue looked at the request and refused it."""

    def __init__(self, client_order_id: str, reason: str) -> None:
        super().__init__(client_order_id, reason)
        self.client_order_id, self.reason = client_order_id, reason

    def __str__(self) -> str:
        return f"{self.client_order_id} was rejected: {self.reason}"


class InvalidRequest(Permanent):
    """The request makes no sense to the venue."""

    def __init__(self, client_order_id: str, reason: str) -> None:
        super().__init__(client_order_id, reason)
        self.client_order_id, self.reason = client_order_id, reason

    def __str__(self) -> str:
        return f"{self.client_order_id} is invalid: {self.reason}"


class DuplicateId(Permanent):
    """The id was used before for another order; ids are used once."""

    def __init__(self, client_order_id: str) -> None:
        super().__init__(client_order_id)
        self.client_order_id = client_order_id

    def __str__(self) -> str:
        return f"expected the same order again under {self.client_order_id}, was another; use a new id"
