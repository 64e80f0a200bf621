"""What can go wrong at a venue: transient, permanent, or of unknown outcome. Facts are attributes."""


class BrokerError(Exception):
    """The root of all that a broker raises."""


class Transient(BrokerError):  # noqa: N818 - a kind of error, named as the field names it
    """It may work later."""


class Permanent(BrokerError):  # noqa: N818 - a kind of error, named as the field names it
    """It will never work; nothing was accepted."""


class VenueTimeout(Transient):
    """No answer came: whether the venue has the request is unknown, and only asking can tell."""

    def __init__(self, client_order_id: str) -> None:
        self.client_order_id = client_order_id
        super().__init__(f"expected an answer about {client_order_id}, was a time-out; ask the venue by its id")


class VenueUnavailable(Transient):
    """The venue refused to look at the request; it has not got it."""

    def __init__(self, where: str, call: str) -> None:
        self.where, self.call = where, call
        super().__init__(f"expected {where} to take {call}, was unavailable; it may be tried again")


class RateLimited(Transient):
    """Too many requests; the venue has not got this one."""

    def __init__(self, client_order_id: str) -> None:
        self.client_order_id = client_order_id
        super().__init__(f"expected a free place for {client_order_id}, was over the rate limit; wait and try again")


class VenueRejected(Permanent):
    """The venue looked at the request and refused it."""

    def __init__(self, client_order_id: str, reason: str) -> None:
        self.client_order_id, self.reason = client_order_id, reason
        super().__init__(f"{client_order_id} was rejected: {reason}")


class InvalidRequest(Permanent):
    """The request makes no sense to the venue."""

    def __init__(self, client_order_id: str, reason: str) -> None:
        self.client_order_id, self.reason = client_order_id, reason
        super().__init__(f"{client_order_id} is invalid: {reason}")


class DuplicateId(Permanent):
    """The id was used before for another order; ids are used once."""

    def __init__(self, client_order_id: str) -> None:
        self.client_order_id = client_order_id
        super().__init__(f"expected the same order again under {client_order_id}, was another; use a new id")
