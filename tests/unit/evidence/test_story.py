"""The story that a journal tells is the account's: whatever the venue took back, corrected or split afterwards."""

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peak_trade.backends.kernel import compile_kernel
from peak_trade.broker.absent import AbsentBroker
from peak_trade.broker.adapter import Adapter
from peak_trade.broker.bounds import Bounds
from peak_trade.broker.messages import OrderRequest, Report, ReportKind
from peak_trade.cli.specs import machine_named
from peak_trade.evidence.artifacts import metrics, trades_csv
from peak_trade.evidence.story import NEW_ORDER, SIZED, TRADING, Story, Trade, tell
from peak_trade.journal.record import Record
from peak_trade.lang.sorts import EnumSort
from peak_trade.market.terms import Kind, Side, Tif
from peak_trade.session.book import Book
from peak_trade.session.clock import Moment
from peak_trade.session.decide import Decision
from peak_trade.session.desk import Desk
from peak_trade.session.equity import Equity
from peak_trade.session.memory import MemoryTape
from peak_trade.session.perform import Sender
from peak_trade.session.recording import schema

CASH, QTY, PRICE = 10**9, 12, 100
SESSION, ORDER = machine_named("session"), compile_kernel(machine_named("order"))
SCHEMA = schema(SESSION, ORDER.machine)
SIDES = {"o1": Side.BUY, "o2": Side.SELL, "o3": Side.BUY}


class Account:
    """A desk with three orders in two symbols, the reports that it took, and the account as the session writes it."""

    def __init__(self) -> None:
        broker = Adapter(AbsentBroker("none"), compile_kernel(machine_named("breaker")), Bounds())
        self.tape = MemoryTape(SCHEMA)
        self.desk = Desk(ORDER, Book(CASH, 1), self.tape, broker, Sender(broker))
        self.equity, self.step = Equity(), 0
        self.standing: dict[str, tuple[str, int]] = {}
        requests = [
            OrderRequest(name, "AAA" if name != "o3" else "BBB", side, QTY, Kind.LIMIT, PRICE, Tif.GTC)
            for name, side in SIDES.items()
        ]
        for order, _ in self.desk.enter([Decision(item, None, adds=True) for item in requests]):
            self.desk.apply(order, "accept", (), {"venue_order": f"v-{order.request.client_order_id}"})

    def value(self, name: str) -> tuple[Any, ...]:
        """The value of an order."""
        return self.desk.book.orders[name].value

    def say(self, name: str, kind: ReportKind, **facts: int | str) -> Report:
        """Take the venue's next report about an order; write the account down after it, at prices that move."""
        self.step += 1
        _, qty, cum = self.value(name)[:3]
        number = self.desk.cursor + 1
        report = Report(number, name, f"v-{name}", f"e{number}", kind, 0, 0, 0, cum, qty - cum, self.step, qty)
        report = replace(report, **facts)  # type: ignore[arg-type]
        self.desk.step = self.step
        self.desk.take(report)
        assert self.desk.wires == []
        for symbol in ("AAA", "BBB"):
            self.desk.book.position(symbol).last_ticks = PRICE + self.step
        self.tape.append(
            "account", self.equity.valued(Moment(self.step, f"2001-01-01T00:00:{self.step:02}Z"), self.desk.book)
        )
        return report

    def trade(self, name: str, lots: int, price: int) -> None:
        """An execution with a fee."""
        cum = self.value(name)[2] + lots
        made = self.say(name, ReportKind.TRADE, last_lots=lots, last_ticks=price, fee_ticks=lots, cum_lots=cum)
        self.standing[made.exec_id] = (name, lots)

    def undo(self, execution: str, kept: int, price: int) -> None:
        """A bust, or a correction to `kept` lots at another price."""
        name, lots = self.standing.pop(execution)
        facts = {"cum_lots": self.value(name)[2] - lots + kept, "ref_id": execution}
        if not kept:
            self.say(name, ReportKind.TRADE_CANCEL, **facts)
            return
        right = {"last_lots": kept, "last_ticks": price, "fee_ticks": kept}
        made = self.say(name, ReportKind.TRADE_CORRECT, **facts, **right)
        self.standing[made.exec_id] = (name, kept)

    def split(self, name: str, factor: int) -> None:
        """Every lot of the order becomes `factor` lots, at no cost; nothing more is left than was."""
        _, qty, cum = self.value(name)[:3]
        self.say(name, ReportKind.RESTATED, order_lots=factor * cum + qty - cum, cum_lots=factor * cum)

    def records(self) -> list[Record]:
        """What the journal holds."""
        rows = [json.loads(text) for text in self.tape.texts]
        return [Record(seq, row["kind"], row["body"]) for seq, row in enumerate(rows)]


@st.composite
def accounts(draw: st.DrawFn, *, splits: bool) -> Account:
    """Executions of three orders, busts and corrections of any of them at any time and price, perhaps splits."""
    made = Account()
    for _ in range(draw(st.integers(0, 14))):
        name, price = draw(st.sampled_from(sorted(SIDES))), draw(st.integers(1, 2 * PRICE))
        state, qty, cum = made.value(name)[:3]
        execution = draw(st.sampled_from([None, *sorted(made.standing)]))
        if execution is not None:
            held, lots = made.standing[execution]
            left = made.value(held)[1] - made.value(held)[2]
            made.undo(execution, draw(st.integers(0, lots + left)), price)
        elif splits and cum and state == "partially_filled" and not any(on == name for on, _ in made.standing.values()):
            made.split(name, draw(st.integers(2, 3)))
        elif splits and state == "partially_filled" and draw(st.booleans()):
            made.split(name, draw(st.integers(2, 3)))
            made.standing = {key: item for key, item in made.standing.items() if item[0] != name}
        elif cum < qty:
            made.trade(name, draw(st.integers(1, qty - cum)), price)
    return made


def signed(trade: Trade) -> int:
    """The lots of a trade, less than 0 for a sell."""
    return trade.lots if trade.side == "buy" else -trade.lots


def agrees(story: Story, book: Book, *, split_lots: Counter[str]) -> None:
    """Assert that trades, fees, profit, cash and positions are the account's."""
    last, trades = story.accounts[-1], story.trades
    assert sum(trade.realized_ticks for trade in trades) + story.undone_ticks == last.realized_ticks
    assert sum(trade.fee_ticks for trade in trades) == last.fees_ticks == book.fees_ticks
    assert CASH - sum(signed(trade) * trade.price_ticks + trade.fee_ticks for trade in trades) == last.cash_ticks
    positions = {symbol: item.lots for symbol, item in book.positions.items() if item.lots}
    assert {symbol: lots for symbol, lots in story.positions.items() if lots} == positions
    traded = Counter(split_lots)
    for trade in trades:
        traded[trade.symbol] += signed(trade)
    assert {symbol: lots for symbol, lots in traded.items() if lots} == positions
    assert last.equity_ticks == last.cash_ticks + sum(
        book.positions[name].last_ticks * lots for name, lots in positions.items()
    )
    assert last.gross_lots == sum(map(abs, positions.values()))


@given(accounts(splits=False))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_trades_that_stand_give_the_account(made: Account) -> None:
    """For any executions, busts and corrections the standing trades sum to the account's cash, fees and positions."""
    if not made.step:
        made.trade("o1", 1, PRICE)
    story = tell(made.records())
    agrees(story, made.desk.book, split_lots=Counter())
    assert [trade.exec_id for trade in story.trades] == sorted(made.desk.executions, key=lambda name: int(name[1:]))
    for trade in story.trades:
        kept = made.desk.executions[trade.exec_id]
        assert (kept.order, kept.lots, kept.ticks, kept.fee_ticks) == (
            trade.order,
            trade.lots,
            trade.price_ticks,
            trade.fee_ticks,
        )
    for name in SIDES:
        line, value = story.lines[name], made.value(name)
        assert (line.state, line.qty, line.cum, line.leaves) == value[:4]


@given(accounts(splits=True))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_split_moves_lots_and_no_money(made: Account) -> None:
    """With restatements the lots that no trade explains are those of the splits, and cash is as without them."""
    if not made.step:
        made.trade("o1", 1, PRICE)
    split_lots: Counter[str] = Counter()
    before: Counter[str] = Counter()
    for record in made.records():
        body = record.body
        if record.kind == "order":
            symbol, sign = ("BBB" if body["order"] == "o3" else "AAA"), (-1 if body["order"] == "o2" else 1)
            change = int(body["cum"] or 0) - before[str(body["order"])]
            before[str(body["order"])] += change
            split_lots[symbol] += sign * change if body["event"] == "restate" else 0
    agrees(tell(made.records()), made.desk.book, split_lots=split_lots)


@given(accounts(splits=True), st.data())
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_every_prefix_is_a_story(made: Account, data: st.DataObject) -> None:
    """A journal that ends anywhere is told as far as it goes: no trade stands that was undone by then."""
    records = made.records()
    story = tell(records[: data.draw(st.integers(0, len(records)))])
    undone = {record.body.get("ref_id") for record in records[: story.records]}
    assert not undone & {trade.exec_id for trade in story.trades}


def told() -> Story:
    """A buy and a sell at a profit; then the buy is corrected and the sell is busted."""
    made = Account()
    made.trade("o1", 10, 100)
    made.trade("o2", 10, 120)
    buy, sell = sorted(made.standing)
    made.undo(buy, 8, 90)
    made.undo(sell, 0, 0)
    return tell(made.records())


def test_a_busted_execution_is_no_trade_and_a_corrected_one_is_right() -> None:
    """Artifacts hold the figures that stand, and say that something was undone."""
    story = told()
    assert [(trade.lots, trade.price_ticks, trade.fee_ticks, trade.position_lots) for trade in story.trades] == [
        (8, 90, 8, -2)
    ]
    assert story.undone == {"bust": 1, "correct": 1}
    assert story.positions == {"AAA": 8}
    assert trades_csv(story).splitlines()[1].split(",")[6:9] == ["8", "90", "8"]
    found = metrics(story, CASH, {})
    assert (found.fills, found.filled_lots, found.busts, found.corrections) == (1, 8, 1, 1)
    assert found.realized_ticks == sum(trade.realized_ticks for trade in story.trades) + found.undone_realized_ticks
    assert found.orders.placed == 3
    assert found.orders.other_at_end + found.orders.partially_filled_at_end == 3


def test_an_execution_that_never_was_cannot_be_undone() -> None:
    """A record that takes back what does not stand is none of this version."""
    made = Account()
    made.trade("o1", 1, PRICE)
    made.undo("e1", 0, 0)
    records = made.records()
    bust = next(record for record in records if record.body.get("event") == "bust")
    with pytest.raises(KeyError):
        tell([*records, replace(bust, seq=len(records))])


@pytest.mark.parametrize("name", sorted(SIZED))
def test_an_order_has_the_quantity_that_the_machine_gives_it(name: str) -> None:
    """The events that say what OrderQty is are those whose transitions write it, each from its payload."""
    rows = ORDER.machine.transitions
    writes = {item.event for item in rows if any(update.variable == "qty" for update in item.updates)}
    assert writes == SIZED
    assert "order_qty" in {item.name for item in ORDER.machine.event(name).payload}


def test_the_story_speaks_the_words_of_the_specification() -> None:
    """The initial state, and what the trading state can be, are the specification's."""
    assert ORDER.machine.initial.name == NEW_ORDER
    (trading,) = [item.sort for item in SESSION.variables if item.name == "trading"]
    assert isinstance(trading, EnumSort)
    assert set(TRADING.values()) == set(trading.members)
    assert Story().trading == trading.members[0]


@pytest.mark.parametrize(
    ("events", "left"),
    [
        ((), "active"),
        (("reduce_trading",), "reducing"),
        (("reduce_trading", "halt_trading"), "halted"),
        (("halt_trading", "resume_trading"), "active"),
    ],
)
def test_the_trading_state_follows_what_was_taken(events: tuple[str, ...], left: str) -> None:
    """Trading is what the last taken event made of it; a refused one makes nothing."""
    body: dict[str, int | str] = {"outcome": "taken", "by": "S37", "state": "DRYRUN_ACTIVE", "step": 1}
    rows = [Record(seq, "session", body | {"event": event}) for seq, event in enumerate(events)]
    refused = Record(len(rows), "session", body | {"event": "halt_trading", "outcome": "refused", "by": "not_active"})
    assert tell([*rows, refused]).trading == left


def test_a_difference_about_what_was_redacted_is_told() -> None:
    """A foreign order whose id may not reach the disk differs all the same; its name is not shown."""
    body = {"code": "ghost", "action": "ask_operator", "book": "none", "venue": "new", "step": 3, "redacted": 1}
    (found,) = tell([Record(0, "difference", body)]).differences
    assert (found["code"], found["subject"]) == ("ghost", "(redacted)")
