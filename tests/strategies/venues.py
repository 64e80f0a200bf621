"""Orders, bars and venues to test with, and programs of operations that can be cut anywhere and gone on with."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from peak_trade.broker.errors import BrokerError
from peak_trade.broker.faults import Fault
from peak_trade.broker.messages import OrderRequest, ReplaceRequest, Report
from peak_trade.broker.mock import MockVenue, Settings
from peak_trade.market.bars import Bar
from peak_trade.market.terms import Kind, Side, Tif

ALL_OF_IT = Settings(participation_permille_min=1000, participation_permille_max=1000, fee_permille=1)


def order(identity: str, **changes: object) -> OrderRequest:
    """A market order for ten lots of A, but for the changes."""
    content = {"symbol": "A", "side": Side.BUY, "qty_lots": 10, "kind": Kind.MARKET, "limit_ticks": None} | changes
    return OrderRequest(identity, tif=content.pop("tif", Tif.DAY), **content)


def bar(symbol: str = "A", volume_lots: int = 1000, **prices: int) -> Bar:
    """A bar that opens at 100 and ranges from 90 to 110, but for the changes."""
    shape = {"open_ticks": 100, "high_ticks": 110, "low_ticks": 90, "close_ticks": 105} | prices
    return Bar(symbol, "2024-01-02", volume_lots=volume_lots, **shape)


@dataclass
class Program:
    """A list of operations, each repeated until the venue answers it, as a session would."""

    seed: int
    settings: Settings
    faults: tuple[Fault, ...]
    operations: list[tuple[str, object]] = field(default_factory=list)

    def venue(self, path: Path) -> MockVenue:
        """The program's venue at the path."""
        return MockVenue.open(path, self.seed, self.settings, self.faults)

    def run(self, path: Path, start: int = 0) -> tuple[bytes, list[Report]]:
        """Do the operations from `start` on; the ledger and all reports at the end."""
        venue = self.venue(path)
        for operation in self.operations[start:]:
            perform(venue, operation)
        reports = list(venue._floor.log.reports)
        venue.close()
        return path.read_bytes(), reports

    def marks(self, path: Path) -> list[int]:
        """How long the ledger is before each operation and at the end."""
        venue, sizes = self.venue(path), []
        for operation in self.operations:
            sizes.append(path.stat().st_size)
            perform(venue, operation)
        venue.close()
        return [*sizes, path.stat().st_size]


def perform(venue: MockVenue, operation: tuple[str, object]) -> None:
    """One operation; an order is sent again after a fault, which strikes its first attempt only."""
    name, fact = operation
    if name == "advance":
        venue.advance(*fact)
        return
    calls = {
        "place": venue.place_order,
        "cancel": venue.cancel_order,
        "replace": venue.replace_order,
        "query": venue.query_order,
        "list": lambda _: venue.list_open_orders(),
    }
    for _ in range(2):
        try:
            calls[name](fact)
        except BrokerError:
            continue
        return


def program(seed: int, length: int, settings: Settings, faults: Iterable[Fault] = ()) -> Program:
    """A random program of a seed."""
    source, made, step = Random(seed), Program(seed, settings, tuple(faults)), 0
    for number in range(length):
        chance = source.random()
        if chance < 0.6:
            kind = source.choice(list(Kind))
            changes = {
                "symbol": source.choice("ABC"),
                "side": source.choice(list(Side)),
                "qty_lots": source.randint(1, 60),
                "kind": kind,
                "limit_ticks": source.randint(88, 112) if kind is Kind.LIMIT else None,
                "tif": source.choice(list(Tif)),
            }
            made.operations.append(("place", order(f"c{number}", **changes)))
        elif chance < 0.7:
            made.operations.append(("cancel", recent(source, number)))
        elif chance < 0.75 and faults:
            qty, limit = source.randint(1, 80), source.randint(88, 112)
            made.operations.append(("replace", ReplaceRequest(f"r{number}", recent(source, number), qty, limit)))
        elif chance < 0.8 and faults:
            made.operations.append(source.choice([("query", recent(source, number)), ("list", None)]))
        else:
            step += 1
            made.operations.append(("advance", (step, bars(source))))
    return made


def recent(source: Random, number: int) -> str:
    """One of the last operations' orders, if it was one: those are open more often."""
    return f"c{max(0, number - source.randrange(12))}"


def bars(source: Random) -> Sequence[Bar]:
    """Random bars of some of the symbols."""
    made = []
    for symbol in "ABC":
        low = source.randint(90, 100)
        high = low + source.randint(0, 10)
        inside = [source.randint(low, high) for _ in range(2)]
        if source.random() < 0.8:
            volume = source.choice([0, 10, 100, 1000])
            shape = {"open_ticks": inside[0], "high_ticks": high, "low_ticks": low, "close_ticks": inside[1]}
            made.append(bar(symbol, volume, **shape))
    return tuple(made)
