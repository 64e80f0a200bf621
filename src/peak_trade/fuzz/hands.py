"""What reaches a session from outside while it runs: people at the venue, operators, other processes, other files.

What goes through the session's own inputs or its machine stands on its tape; what is done at the venue is done once, by
an id of its own. So a process that dies in between and starts again meets the same.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from peak_trade.broker.errors import BrokerError
from peak_trade.broker.messages import OrderRequest, ReplaceRequest
from peak_trade.broker.mock import MockVenue
from peak_trade.fuzz.world import Deed
from peak_trade.journal.errors import JournalRefusal
from peak_trade.journal.store import Journal
from peak_trade.market.bars import Bar
from peak_trade.market.terms import Kind, Side, Tif
from peak_trade.session.assembly import JOURNAL, KILL_SWITCH, Session
from peak_trade.session.book import Book
from peak_trade.session.killswitch import KillSwitch
from peak_trade.session.plan import World as Market
from peak_trade.session.recording import schema

HAND: Final = "hand"
"""Whose name stands in the kill switch, and how ids of requests begin that are not the session's."""
AT_VENUE: Final = frozenset({"place", "take_id", "replace", "replace_all", "cancel"})
"""Deeds that are done at the venue, after the market moved on."""
FIRED: Final = frozenset({"grant_override", "go_live"})
"""Deeds that are offered to the session machine at once."""
ASKED: Final = frozenset({"stop", "abort", "health_failed", "resume_trading", "config_drift"})
"""Deeds that the session hears through its inputs."""


def act(session: Session, deeds: tuple[Deed, ...]) -> list[str]:
    """Do what is due before the next step, but for what is done at the venue; return by what it was turned away."""
    refused: list[str] = []
    orchestrator = session.orchestrator
    step = orchestrator.moment.step + 1
    for deed in deeds:
        if deed.step != step or deed.what in AT_VENUE:
            continue
        if deed.what in FIRED:
            facts = dict(deed.facts)
            if facts.get("for_digest") == 0:  # the running one, whatever it is
                facts["for_digest"] = orchestrator.driver.variable("running_digest")
            orchestrator.fire(deed.what, facts)
        elif session.tape.replaying:
            continue  # it stands on the tape
        elif deed.what == "kill":
            KillSwitch(session.setup.folder / KILL_SWITCH).latch(HAND)
        elif deed.what == "rival":
            refused += _rival(session)
        else:
            orchestrator.inputs.asked.append((deed.what, dict(deed.facts)))
    return refused


def _rival(session: Session) -> list[str]:
    """Open the journal once more, as a second process would; return by what that was refused."""
    setup = session.setup
    try:
        Journal.open(setup.folder / JOURNAL, schema(setup.session, setup.order)).close()
    except JournalRefusal as error:
        return [type(error).__name__]
    return []


@dataclass(frozen=True, slots=True)
class Handled:
    """A market at whose venue others act, too: after each step, what is due in it."""

    market: Market
    venue: MockVenue
    book: Book
    deeds: tuple[Deed, ...]
    prefix: str

    def advance(self, step: int, bars: tuple[Bar, ...]) -> None:
        """Move the market on, and do what is due, as long as there is one; what the venue refuses is not done."""
        self.market.advance(step, bars)
        for deed in self.deeds:
            if bars and (deed.step == step or (deed.step < step and deed.what == "replace")):
                with suppress(BrokerError):
                    AT[deed.what](self, deed, step, bars)


def _place(hands: Handled, deed: Deed, step: int, bars: tuple[Bar, ...]) -> None:
    hands.venue.place_order(_order(f"{HAND}-{step}", deed, bars))


def _take_id(hands: Handled, deed: Deed, step: int, bars: tuple[Bar, ...]) -> None:
    """Place an order under the id that the session's next order will have."""
    hands.venue.place_order(_order(f"{hands.prefix}-{step}-1", deed, bars))


def _order(identity: str, deed: Deed, bars: tuple[Bar, ...]) -> OrderRequest:
    limit = bars[0].low_ticks // 2
    return OrderRequest(identity, bars[0].symbol, Side.BUY, deed.lots, Kind.LIMIT, limit, Tif.GTC)


def _replace(hands: Handled, deed: Deed, step: int, bars: tuple[Bar, ...]) -> None:
    """Replace an order by less of it, at its own limit, as soon as it is open."""
    del step, bars
    for identity, told in hands.venue.truth().orders.items():
        order = hands.book.orders.get(identity)
        if told.venue_order_id == f"v{deed.order}" and told.leaves_lots and order is not None:
            lots = max(1, told.qty_lots - deed.lots)
            limit = order.request.limit_ticks or 1
            hands.venue.replace_order(ReplaceRequest(f"{HAND}-{deed.order}", identity, lots, limit))


def _replace_all(hands: Handled, deed: Deed, step: int, bars: tuple[Bar, ...]) -> None:
    """Replace every open order by less of it."""
    del bars
    for identity, told in hands.venue.truth().orders.items():
        order = hands.book.orders.get(identity)
        if told.leaves_lots > deed.lots and order is not None:
            lots, limit = told.qty_lots - deed.lots, order.request.limit_ticks or 1
            with suppress(BrokerError):
                hands.venue.replace_order(ReplaceRequest(f"{HAND}-{step}-{told.venue_order_id}", identity, lots, limit))


def _cancel(hands: Handled, deed: Deed, step: int, bars: tuple[Bar, ...]) -> None:
    del step, bars
    for identity, told in hands.venue.truth().orders.items():
        if told.venue_order_id == f"v{deed.order}":
            hands.venue.cancel_order(identity)


AT: Final[Mapping[str, Callable[[Handled, Deed, int, tuple[Bar, ...]], None]]] = {
    "place": _place,
    "take_id": _take_id,
    "replace": _replace,
    "replace_all": _replace_all,
    "cancel": _cancel,
}
assert AT.keys() == AT_VENUE


def lay_on(session: Session, deeds: tuple[Deed, ...]) -> None:
    """Let hands at the venue work as the session's market moves on."""
    orchestrator = session.orchestrator
    venue = tuple(deed for deed in deeds if deed.what in AT_VENUE)
    if session.venue is not None and venue:
        book, prefix = orchestrator.desk.book, orchestrator.plan.prefix
        orchestrator.world = Handled(orchestrator.world, session.venue, book, venue, prefix)
