"""Every adapter keeps every contract card; each planted fault breaks the one that it is meant to, and no other."""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from contract.cards import CARDS, Card, Factory, Rig, strictly

from peak_trade.backends.kernel import compile_kernel
from peak_trade.broker.adapter import Adapter
from peak_trade.broker.bounds import Bounds
from peak_trade.broker.errors import RateLimited, VenueRejected, VenueTimeout, VenueUnavailable
from peak_trade.broker.faults import Fault, FaultKind
from peak_trade.broker.matching import Settings
from peak_trade.broker.messages import Accepted, OrderRequest, OrderStatus, ReplaceRequest, Report, Status
from peak_trade.broker.mock import MockVenue
from peak_trade.broker.port import Broker
from peak_trade.cli.specs import machine_named
from peak_trade.market.bars import Bar

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "adapter.md"
BY_NAME = {one.name: one for one in CARDS}
KERNEL = compile_kernel(machine_named("breaker"))
EVERYTHING = Settings(participation_permille_min=1000, participation_permille_max=1000)
Wrap = Callable[[Broker], Broker]


def mock(folder: Path, fault: str, wrap: Wrap = lambda broker: broker) -> Rig:
    """The mock venue, with what `wrap` puts before it."""
    window = {"step": 2, "steps": 2} if fault == "outage" else {"order": 1}
    plan = (Fault(FaultKind(fault), **window),) if fault else ()
    path, steps = folder / "venue.jsonl", count(1)
    venues = [MockVenue.open(path, 7, EVERYTHING, plan)]
    broker = wrap(venues[-1])

    def advance(volume_lots: int) -> None:
        step = next(steps)
        if isinstance(broker, Adapter):
            broker.begin(step)
        bar = Bar("A", "2024-01-02", 100, 110, 90, 100, volume_lots)
        venues[-1].advance(step, (bar,))

    def reopen() -> Broker:
        venues[-1].close()
        venues.append(MockVenue.open(path, 7, EVERYTHING, plan))
        return wrap(venues[-1])

    advance(0)
    elapsed_ms = (lambda: broker.pace.waited_ms) if isinstance(broker, Adapter) else (lambda: 0)
    return Rig(broker, advance, reopen, elapsed_ms, Bounds().duration_ms_max)


def wrapped(broker: Broker) -> Adapter:
    """The adapter of the package, with its default limits."""
    return Adapter(broker, KERNEL, Bounds())


Open = Callable[[Path, str], Rig]
ADAPTERS: dict[str, Open] = {
    "mock": mock,
    "mock behind the adapter": lambda folder, fault: mock(folder, fault, wrapped),
}
"""Each adapter in one line: how a rig of it is opened in an empty folder."""


@pytest.fixture
def adapter_factory(tmp_path: Path) -> Callable[[Open], Factory]:
    """Makes a factory of rigs, each in a folder of its own."""
    numbers = count()

    def factory(opened: Open) -> Factory:
        def make(fault: str) -> Rig:
            folder = tmp_path / str(next(numbers))
            folder.mkdir()
            return opened(folder, fault)

        return make

    return factory


@pytest.mark.parametrize("name", list(BY_NAME))
@pytest.mark.parametrize("adapter", list(ADAPTERS))
def test_an_adapter_keeps_the_card(adapter_factory: Callable[[Open], Factory], adapter: str, name: str) -> None:
    """Each adapter keeps each card."""
    BY_NAME[name].check(adapter_factory(ADAPTERS[adapter]))


class Through:
    """A broker that hands everything on; the planted faults change one thing each."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker

    def __getattr__(self, name: str) -> Any:
        """Everything else is the venue's."""
        return getattr(self.broker, name)


class NewEachTime(Through):
    """Gives an order that is sent again another id."""

    def place_order(self, request: OrderRequest) -> Accepted:
        """Answer as if it were another order."""
        known = self.broker.query_order(request.client_order_id)
        made = self.broker.place_order(request)
        return made if known is None else Accepted(made.client_order_id, f"{made.venue_order_id}-again")


class FirstWins(Through):
    """Takes any order under a known id for the first one."""

    def place_order(self, request: OrderRequest) -> Accepted:
        """Never say that the id is another order's, as long as the order is open."""
        known = self.broker.query_order(request.client_order_id)
        if known is not None and known.leaves_lots == known.qty_lots:
            return Accepted(request.client_order_id, known.venue_order_id)
        return self.broker.place_order(request)


class Fickle(Through):
    """Rejects an order once, and takes it the second time."""

    def __init__(self, broker: Broker) -> None:
        super().__init__(broker)
        self.rejected: set[str] = set()

    def place_order(self, request: OrderRequest) -> Accepted:
        """Forget that it was rejected."""
        if request.client_order_id in self.rejected:
            return Accepted(request.client_order_id, "v9")
        try:
            return self.broker.place_order(request)
        except VenueRejected:
            self.rejected.add(request.client_order_id)
            raise


class Liar(Through):
    """Takes an order that it says it has not taken."""

    def place_order(self, request: OrderRequest) -> Accepted:
        """Send it again behind our back."""
        try:
            return self.broker.place_order(request)
        except (VenueUnavailable, RateLimited):
            with suppress(VenueUnavailable):
                self.broker.place_order(request)
            raise


class Doubler(Through):
    """Sends an order a second time, under another id, after its answer was lost."""

    def place_order(self, request: OrderRequest) -> Accepted:
        """Make two of one."""
        try:
            return self.broker.place_order(request)
        except VenueTimeout:
            self.broker.place_order(replace(request, client_order_id=f"{request.client_order_id}-2"))
            raise


class OpenOnly(Through):
    """Says that it never received what it rejected."""

    def query_order(self, client_order_id: str) -> OrderStatus | None:
        """Leave out the rejected."""
        told = self.broker.query_order(client_order_id)
        return None if told is not None and told.status is Status.REJECTED else told


class Renumbering(Through):
    """Gives reports that are read again other execution ids."""

    def iter_reports(self, since_cursor: int) -> Iterator[Report]:
        """Name the execution after the cursor that was asked for."""
        for report in self.broker.iter_reports(since_cursor):
            yield replace(report, exec_id=f"{report.exec_id}-{since_cursor}" if since_cursor else report.exec_id)


class Miscounting(Through):
    """Reports what is left of an order one lot too high."""

    def iter_reports(self, since_cursor: int) -> Iterator[Report]:
        """Count one lot too many."""
        for report in self.broker.iter_reports(since_cursor):
            yield replace(report, leaves_lots=report.leaves_lots + 1)

    def iter_fills(self, since_cursor: int) -> Iterator[Report]:
        """The same."""
        for report in self.broker.iter_fills(since_cursor):
            yield replace(report, leaves_lots=report.leaves_lots + 1)


class Forgetful(Through):
    """Leaves the last execution out of the snapshot."""

    def iter_fills(self, since_cursor: int) -> Iterator[Report]:
        """All but the last, if there are several."""
        found = list(self.broker.iter_fills(since_cursor))
        return iter(found[:-1] if len(found) > 2 else found)


class Once(Through):
    """Refuses a second cancel."""

    def cancel_order(self, client_order_id: str) -> None:
        """An order that is canceled cannot be canceled."""
        told = self.broker.query_order(client_order_id)
        if told is not None and told.status is Status.CANCELED:
            raise VenueRejected(client_order_id, "already canceled")
        self.broker.cancel_order(client_order_id)


class Obliging(Through):
    """Takes a cancel of an order that has expired."""

    def cancel_order(self, client_order_id: str) -> None:
        """Say yes."""
        told = self.broker.query_order(client_order_id)
        if told is None or told.status is not Status.EXPIRED:
            self.broker.cancel_order(client_order_id)


class Final(Through):
    """Does not count an execution that comes after the cancel when it is asked for the order."""

    def query_order(self, client_order_id: str) -> OrderStatus | None:
        """What is canceled has nothing."""
        told = self.broker.query_order(client_order_id)
        if told is None or told.status is not Status.CANCELED:
            return told
        return replace(told, cum_lots=0)


class Restless(Through):
    """Answers otherwise after enough questions."""

    def __init__(self, broker: Broker) -> None:
        super().__init__(broker)
        self.asked = 0

    def list_open_orders(self) -> tuple[OrderStatus, ...]:
        """The third time the other way round."""
        self.asked += 1
        told = self.broker.list_open_orders()
        return told[::-1] if self.asked == 3 else told


class Wrapping(Through):
    """Counts a negative cursor from the end, as a list does."""

    def iter_reports(self, since_cursor: int) -> Iterator[Report]:
        """Take what Python gives."""
        if since_cursor < 0:
            return iter(list(self.broker.iter_reports(0))[since_cursor:])
        return self.broker.iter_reports(since_cursor)


class Backwards(Through):
    """Lists the newest order first."""

    def list_open_orders(self) -> tuple[OrderStatus, ...]:
        """From the end."""
        return self.broker.list_open_orders()[::-1]


class Spaced(Through):
    """Puts a space into its own ids."""

    def query_order(self, client_order_id: str) -> OrderStatus | None:
        """As some venues do."""
        told = self.broker.query_order(client_order_id)
        return None if told is None else replace(told, venue_order_id=told.venue_order_id.replace("v", "v "))

    def list_open_orders(self) -> tuple[OrderStatus, ...]:
        """The same."""
        return tuple(
            replace(told, venue_order_id=told.venue_order_id.replace("v", "v "))
            for told in self.broker.list_open_orders()
        )


class Resizing(Through):
    """Takes another replacement under a known id for the first one."""

    def __init__(self, broker: Broker) -> None:
        super().__init__(broker)
        self.made: dict[str, Accepted] = {}

    def replace_order(self, request: ReplaceRequest) -> Accepted:
        """The first answer, whatever was asked."""
        if request.replace_id not in self.made:
            self.made[request.replace_id] = self.broker.replace_order(request)
        return self.made[request.replace_id]


class Anew(Through):
    """Gives a replacement that is sent again another answer."""

    def __init__(self, broker: Broker) -> None:
        super().__init__(broker)
        self.known: set[str] = set()

    def replace_order(self, request: ReplaceRequest) -> Accepted:
        """Answer as if it were another one."""
        made = self.broker.replace_order(request)
        if request.replace_id in self.known:
            return Accepted(made.client_order_id, f"{made.venue_order_id}-again")
        self.known.add(request.replace_id)
        return made


class Forgotten(Through):
    """Shows a new process nothing of what was open before it."""

    def __init__(self, broker: Broker) -> None:
        super().__init__(broker)
        self.before = {told.client_order_id for told in broker.list_open_orders()}

    def list_open_orders(self) -> tuple[OrderStatus, ...]:
        """Only what came since."""
        return tuple(told for told in self.broker.list_open_orders() if told.client_order_id not in self.before)


class Mute(Through):
    """Refuses a cancel without saying whose."""

    def cancel_order(self, client_order_id: str) -> None:
        """Leave the id out."""
        try:
            self.broker.cancel_order(client_order_id)
        except VenueRejected as error:
            raise VenueRejected("?", "no") from error


class Repeating(Through):
    """Names all executions alike."""

    def iter_reports(self, since_cursor: int) -> Iterator[Report]:
        """One id for all."""
        return (replace(report, exec_id="e1") for report in self.broker.iter_reports(since_cursor))

    def iter_fills(self, since_cursor: int) -> Iterator[Report]:
        """The same."""
        return (replace(report, exec_id="e1") for report in self.broker.iter_fills(since_cursor))


class Impatient(Through):
    """Never delivers what was missing when its successors came."""

    def __init__(self, broker: Broker) -> None:
        super().__init__(broker)
        self.missed: set[int] = set()

    def iter_reports(self, since_cursor: int) -> Iterator[Report]:
        """All but what was ever missing."""
        found = list(self.broker.iter_reports(since_cursor))
        cursors = {report.cursor for report in found}
        self.missed |= set(range(since_cursor + 1, max(cursors, default=0))) - cursors
        return (report for report in found if report.cursor not in self.missed)


class Eager(Through):
    """Says that the venue did not take a cancel, and hands it in later."""

    def __init__(self, broker: Broker) -> None:
        super().__init__(broker)
        self.later: list[str] = []

    def cancel_order(self, client_order_id: str) -> None:
        """Remember what could not be done."""
        try:
            self.broker.cancel_order(client_order_id)
        except VenueUnavailable:
            self.later.append(client_order_id)
            raise

    def query_order(self, client_order_id: str) -> OrderStatus | None:
        """Do what could not be done, now that the venue answers."""
        told = self.broker.query_order(client_order_id)
        while self.later:
            self.broker.cancel_order(self.later.pop())
        return told


def endless(broker: Broker) -> Adapter:
    """An adapter whose limits are no limits."""
    bounds = Bounds(attempts_max=50, duration_ms_max=10**9, failures_max=10**6)
    return Adapter(broker, KERNEL, bounds)


PLANTED: dict[str, Wrap] = {
    "C01": NewEachTime,
    "C02": FirstWins,
    "C03": Fickle,
    "C04": Liar,
    "C05": Doubler,
    "C06": OpenOnly,
    "C08": Renumbering,
    "C09": Miscounting,
    "C10": Forgetful,
    "C11": Once,
    "C12": Obliging,
    "C13": Final,
    "C14": Restless,
    "C15": Wrapping,
    "C16": Backwards,
    "C17": Spaced,
    "C18": endless,
    "C19": Eager,
    "C20": Anew,
    "C21": Resizing,
    "C22": Repeating,
    "C23": Impatient,
    "C24": Forgotten,
    "C25": Mute,
}
"""An adapter that breaks this card, and no other."""


def broken_by(make: Factory) -> list[str]:
    """The cards that the adapter does not keep."""
    return [one.name for one in CARDS if not keeps(one, make)]


def keeps(one: Card, make: Factory) -> bool:
    """Whether the adapter keeps the card; whatever it raises is a breach."""
    try:
        one.check(make)
    except (Exception, pytest.fail.Exception):  # noqa: BLE001 - an adapter may fail in any way
        return False
    return True


@pytest.mark.parametrize("name", list(PLANTED))
def test_a_broken_adapter_breaks_exactly_its_card(adapter_factory: Callable[[Open], Factory], name: str) -> None:
    """Each planted fault is found by the card that is about it, and by no other: the cards can fail, and say what."""
    make = adapter_factory(lambda folder, fault: mock(folder, fault, PLANTED[name]))
    assert broken_by(make) == [name]


def test_the_page_lists_the_cards() -> None:
    """docs/adapter.md has one row for each card: its number, its law, its source, and the check that decides it."""
    rows = re.findall(r"^\| (C\d\d) \| (.+?) \| (.+?) \| `(.+?)` \|", PAGE.read_text(), re.MULTILINE)
    assert rows == [(one.name, one.law, one.source, one.check.__name__) for one in CARDS]
    assert strictly(CARDS)
    assert len(CARDS) >= 15
