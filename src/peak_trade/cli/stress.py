"""`peak bench book`: many fills of one order, and many orders to reconcile, as ratios that show no square.

Everything is what a session runs: the desk's way from a venue's report through the order's machine to position, cash
and the body of the journal's record, and the session's own comparison with the venue. Only the disk is left out: the
recorder keeps nothing. Two peers run beside it. Plain python-statemachine makes the same transitions with the same
guards, and has no book. The list scan is how NautilusTrader 1.221 remembers the executions of an order: their ids in a
list, looked through for each fill; it does nothing else at all, and is our imitation, not that system.

Units: CPU time of this process; each figure is the least of its rounds, sizes taken in turns, garbage collection on.
"""

import gc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import rich_click as click

from peak_trade.backends.kernel import Kernel, compile_kernel
from peak_trade.backends.statemachine import Book as Peer
from peak_trade.backends.statemachine import machine_class
from peak_trade.broker.absent import AbsentBroker
from peak_trade.broker.adapter import Adapter
from peak_trade.broker.bounds import Bounds
from peak_trade.broker.messages import OrderRequest, OrderStatus, Report, ReportKind
from peak_trade.cli.measured import report
from peak_trade.cli.specs import machine_named
from peak_trade.journal.record import Body
from peak_trade.market.terms import Kind, Side, Tif
from peak_trade.session.book import Book, Order
from peak_trade.session.clock import cpu_ns
from peak_trade.session.decide import Decision
from peak_trade.session.desk import Desk
from peak_trade.session.perform import Sender
from peak_trade.session.reconciler import Asking

FILLS: Final = (200, 2_000, 20_000)
ORDERS: Final = (1_000, 10_000)
ROUNDS: Final = 7
PEER_STEPS: Final = 500
SYMBOLS: Final = 50
LOTS: Final = 100
PRICE_TICKS: Final = 10_000
CASH_TICKS: Final = 10**15
FILLS_PER_SECOND_MIN: Final = 200_000
FLATNESS_MAX: Final = 1.2
RECONCILE_MS_MAX: Final = 1_000
GROWTH_MAX: Final = 12


class Nowhere:
    """A recorder that keeps nothing."""

    replaying = False

    def peek(self) -> None:
        """Return None: there is nothing to replay."""
        return

    def append(self, kind: str, body: Body) -> None:
        """Do nothing."""

    def note(self, kind: str, body: Body) -> None:
        """Do nothing."""

    def outcome(self, kind: str, perform: Callable[[], Body]) -> Body:  # noqa: ARG002 - the recorder's signature
        """Perform, and return what was performed."""
        return perform()

    def commit(self) -> None:
        """Do nothing."""


class Teller(AbsentBroker):
    """A venue that works no order any more, and tells what it executed."""

    def __init__(self, reports: tuple[Report, ...]) -> None:
        super().__init__("a venue that only tells")
        self.reports = reports

    def list_open_orders(self) -> tuple[OrderStatus, ...]:
        """Return none."""
        return ()

    def iter_fills(self, since_cursor: int) -> Iterator[Report]:
        """Yield the executions after the cursor."""
        return iter(self.reports[since_cursor:])


@dataclass(slots=True)
class Scan:
    """An order's book whose execution ids stand in a list."""

    names: list[str] = field(default_factory=list)
    cum_lots: int = 0
    cost_ticks: int = 0

    def take(self, told: Report) -> None:
        """Count a fill, unless its id is in the list."""
        if told.exec_id not in self.names:
            self.names.append(told.exec_id)
            self.cum_lots += told.last_lots
            self.cost_ticks += told.last_lots * told.last_ticks


def fills_of(count: int) -> list[Report]:
    """Return the venue's reports of `count` fills of one lot that fill an order."""
    return [_fill("o1", at, (at, count)) for at in range(1, count + 1)]


def filled(count: int) -> tuple[Report, ...]:
    """Return the venue's reports of `count` orders, each filled at once."""
    return tuple(_fill(f"o{at}", at, (LOTS, LOTS), LOTS) for at in range(1, count + 1))


def _fill(order: str, cursor: int, done: tuple[int, int], lots: int = 1) -> Report:
    cum, qty = done
    names = (order, f"v-{order}", f"e{cursor}")
    return Report(cursor, *names, ReportKind.TRADE, lots, PRICE_TICKS, 1, cum, qty - cum, cursor, qty)


@dataclass(frozen=True, slots=True)
class Bench:
    """The two machines whose speed it is."""

    kernel: Kernel
    breaker: Kernel

    @classmethod
    def of(cls) -> "Bench":
        """Return the bench of the specifications."""
        return cls(compile_kernel(machine_named("order")), compile_kernel(machine_named("breaker")))

    def desk(self, reports: tuple[Report, ...] = ()) -> Desk:
        """Return a desk without orders, over a venue that tells `reports`."""
        adapter = Adapter(Teller(reports), self.breaker, Bounds())
        return Desk(self.kernel, Book(CASH_TICKS, 1), Nowhere(), adapter.broker, Sender(adapter))

    def fill_ns(self, reports: list[Report]) -> float:
        """Return what a fill costs on the way through the desk, over an order that `reports` fill."""
        desk = self.desk()
        order = _working(desk, "o1", len(reports))
        spent = _ns(desk.take, reports)
        if desk.wires or order.value[0] != "filled" or desk.book.position("S0").lots != len(reports):
            raise click.ClickException(f"expected an order that is filled by {len(reports)} fills, was {order.value}")
        return spent / len(reports)

    def peer_ns(self) -> float:
        """Return what a fill costs in plain python-statemachine: the transition alone."""
        desk = self.desk()
        engine = machine_class(self.kernel)(Peer(_working(desk, "o1", 2 * PEER_STEPS).value))
        return _ns(lambda lots: engine.send("fill", payload=(lots,)), [1] * PEER_STEPS) / PEER_STEPS

    def filled_desk(self, count: int) -> Desk:
        """Return the desk of a session in which `count` orders were filled; the venue tells of each in words anew."""
        desk = self.desk(filled(count))
        for at in range(1, count + 1):
            _working(desk, f"o{at}", LOTS, f"S{at % SYMBOLS}")
        for told in filled(count):
            desk.take(told)
        return desk


def _working(desk: Desk, name: str, lots: int, symbol: str = "S0") -> Order:
    request = OrderRequest(name, symbol, Side.BUY, lots, Kind.LIMIT, PRICE_TICKS, Tif.GTC)
    ((order, _),) = desk.enter([Decision(request, None, adds=True)])
    desk.apply(order, "accept", (), {})
    return order


def _ns(work: Callable[[Any], object], items: Iterable[object]) -> int:
    gc.collect()  # what others left is not ours; while we work it runs as it does in production
    begin = cpu_ns()
    for item in items:
        work(item)
    return cpu_ns() - begin


def compared_ns(desk: Desk) -> int:
    """Return what it costs to compare everything with the venue, as a session does before it ends."""
    book, tape = desk.book, desk.tape
    asking = Asking(desk.kernel, book, desk.broker, desk.step, desk.cursor)
    found = []
    spent = _ns(lambda venue: found.append(desk.reconciler.compare(venue, tape, closing=True)), [asking])
    if not found[0].asked or found[0].found or len(desk.reconciler.executions) != len(book.orders):
        raise click.ClickException(f"expected a book that agrees with the venue, was {found[0].found[:1]}")
    return spent


def filling(bench: Bench, sizes: tuple[int, ...], rounds: int) -> dict[str, Any]:
    """Return fills a second into one order's book for each size, and how flat that is, beside the two peers."""
    reports = {size: fills_of(size) for size in sizes}
    ours: dict[int, float] = {}
    scans: dict[int, float] = {}
    for turn in range(rounds):
        for size in sizes:
            for _ in range(max(1, sizes[1] // size)):  # so that a small one is not measured over less time
                ours[size] = min(bench.fill_ns(reports[size]), ours.get(size, 1e12))
            if not turn or size < sizes[-1]:  # the list takes seconds at the largest
                scans[size] = min(_ns(Scan().take, reports[size]) / size, scans.get(size, 1e12))
    peer = min(bench.peer_ns() for _ in range(rounds))
    rows = {
        str(size): {
            "fills_per_second": round(1e9 / ours[size]),
            "list_scan_fills_per_second": round(1e9 / scans[size]),
            "ratio_to_list_scan": round(scans[size] / ours[size], 2),
        }
        for size in sizes
    }
    return {
        "fills": rows,
        "slowest_fills_per_second": round(1e9 / max(ours.values())),
        "flatness": round(ours[sizes[1]] / ours[sizes[0]], 3),
        "list_scan_flatness": round(scans[sizes[1]] / scans[sizes[0]], 3),
        "ratio_to_python_statemachine": round(peer / max(ours.values()), 1),
    }


def reconciling(bench: Bench, sizes: tuple[int, int], rounds: int) -> dict[str, Any]:
    """Return what it costs to reconcile so many filled orders, and how that grows."""
    desks = {size: bench.filled_desk(size) for size in sizes}
    spent: dict[int, int] = {}
    for _ in range(rounds):
        for size, desk in desks.items():
            spent[size] = min(compared_ns(desk), spent.get(size, 10**12))
    rows = {
        str(size): {"ms": round(ns / 1e6, 2), "orders_per_second": size * 10**9 // ns} for size, ns in spent.items()
    }
    most = max(spent.values())
    return {
        "reconciled": rows,
        "reconcile_ms": round(most / 1e6, 2),
        "reconcile_growth": round(spent[sizes[1]] / spent[sizes[0]], 2),
    }


def kept(facts: dict[str, Any]) -> bool:
    """Return true iff what was measured is what is promised."""
    return bool(
        facts["slowest_fills_per_second"] >= FILLS_PER_SECOND_MIN
        and facts["flatness"] <= FLATNESS_MAX
        and facts["reconcile_ms"] <= RECONCILE_MS_MAX
        and facts["reconcile_growth"] <= GROWTH_MAX
    )


@click.command("book")
@click.option(
    "--rounds", type=click.IntRange(1, 100), default=ROUNDS, show_default=True, help="Rounds; the least counts."
)
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(rounds: int, style: str) -> None:
    """Measure fills into one order's book, and reconciling many filled orders, in CPU time."""
    bench = Bench.of()
    facts = filling(bench, FILLS, rounds) | reconciling(bench, ORDERS, rounds)
    promises = {
        "fills_per_second_min": FILLS_PER_SECOND_MIN,
        "flatness_max": FLATNESS_MAX,
        "reconcile_ms_max": RECONCILE_MS_MAX,
        "reconcile_growth_max": GROWTH_MAX,
    }
    report({**facts, **promises, "rounds": rounds, "kept": kept(facts)}, style, "peak bench book --rounds 20")
