"""Which order a message is about: every ClOrdID of a chain of requests, and the venue's OrderID, lead to one order.

A request to cancel or replace has a ClOrdID of its own and names the one before it (FIX 41, OrigClOrdID). An order is
called by its first ClOrdID, or by the venue's OrderID if nobody here gave it one.

Limits: a ClOrdID is used once in a log; the same one again is a second order for one id, and does not move the first.
"""

from dataclasses import dataclass, field

from peak_trade.fix.tags import NO_ORDER


class Crossed(ValueError):  # noqa: N818 - named by what the ids are
    """The ids of one message lead to different orders; `keys` are their names."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self.keys = keys
        super().__init__(f"expected ids of one order, was {' and '.join(keys)}; compare ids with the venue")


@dataclass(slots=True)
class Ids:
    """The orders by ClOrdID and by the venue's OrderID."""

    ours: dict[str, str] = field(default_factory=dict)
    venues: dict[str, str] = field(default_factory=dict)

    def find(self, cl_ord_id: str, orig_id: str = "", order_id: str = "") -> str | None:
        """Return the name of the order that these ids lead to, or None; empty ids lead nowhere.

        Crossed iff they lead to different orders.
        """
        key, orig, there = self.ours.get(cl_ord_id), self.ours.get(orig_id), self.venues.get(order_id)
        if (orig is None or orig == key) and (there is None or there == key):
            return key
        keys = tuple(dict.fromkeys(found for found in (key, orig, there) if found is not None))
        if len(keys) > 1:
            raise Crossed(keys)
        return keys[0]

    def learn(self, key: str, cl_ord_id: str, order_id: str = "") -> None:
        """Remember that these ids lead to the order called `key`; an id that leads somewhere already stays."""
        if cl_ord_id:
            self.ours.setdefault(cl_ord_id, key)
        if order_id and order_id != NO_ORDER:
            self.venues.setdefault(order_id, key)
