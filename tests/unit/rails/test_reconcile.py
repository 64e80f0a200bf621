"""The reconciler finds each planted difference by exactly its code, and nothing where book and venue agree."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peak_trade.broker.messages import OrderStatus, Report, ReportKind, Status
from peak_trade.market.terms import Side
from peak_trade.rails.differences import ACTIONS, OPERATOR, RULES, Action, Code, Difference, Severity
from peak_trade.rails.orders import contradiction
from peak_trade.rails.reconcile import reconcile
from peak_trade.rails.sides import Known, Ours, Request, Snapshot

PATIENCE, STEP, PRICE, FEE = 5, 100, 70, 1
ENDS = {"open": None, "canceled": ReportKind.CANCELED, "expired": ReportKind.EXPIRED}
Drawn = Sequence[tuple[Sequence[int], int, str, int, str]]
"""Orders: fills in lots, lots that stay open, how it ends, sign, symbol."""


@dataclass(frozen=True)
class Sides:
    """A book and the venue that it came from."""

    ours: Ours
    venue: Snapshot

    def found(self) -> tuple[Difference, ...]:
        """What the reconciler says of them."""
        return reconcile(self.ours, self.venue, PATIENCE)

    def codes(self) -> list[Code]:
        """The codes alone."""
        return [item.code for item in self.found()]

    def order(self, name: str, **changes: Any) -> "Sides":
        """With one of our orders changed."""
        return self.book(orders={**self.ours.orders, name: self.ours.orders[name]._replace(**changes)})

    def told(self, name: str, **changes: Any) -> "Sides":
        """With what the venue tells of an order changed."""
        status = self.venue.orders[name]
        assert status is not None
        return self.there(orders={**self.venue.orders, name: replace(status, **changes)})

    def book(self, **changes: Any) -> "Sides":
        """With our side changed."""
        return Sides(replace(self.ours, **changes), self.venue)

    def there(self, **changes: Any) -> "Sides":
        """With the venue's side changed."""
        return Sides(self.ours, replace(self.venue, **changes))


def agreeing(drawn: Drawn) -> Sides:
    """A venue's history, and the book that read all of it."""
    reports: list[Report] = []
    orders, statuses = {}, {}
    positions: dict[str, int] = {}
    for number, (fills, rest, end, sign, symbol) in enumerate(drawn):
        name, cum, qty = f"o{number}", 0, sum(fills) + rest
        for lots in fills:
            cum += lots
            reports.append(_report(len(reports) + 1, name, ReportKind.TRADE, lots, (qty, cum, qty - cum)))
        kind = ENDS[end] if rest else None
        if kind is not None:
            reports.append(_report(len(reports) + 1, name, kind, 0, (qty, cum, 0)))
        state = kind.value if kind else "filled" if not rest else "partially_filled" if cum else "new"
        leaves = 0 if kind else rest
        orders[name] = Known(name, symbol, sign, state, qty, cum, leaves, PRICE, moved_step=STEP - 1)
        side = Side.BUY if sign > 0 else Side.SELL
        statuses[name] = OrderStatus(name, f"v{number}", symbol, side, Status(state), qty, cum, leaves)
        positions[symbol] = positions.get(symbol, 0) + sign * cum
    limits = dict.fromkeys(statuses, PRICE)
    return Sides(
        Ours(orders, [item for item in reports if item.kind is ReportKind.TRADE], positions, len(reports)),
        Snapshot(statuses, reports, len(reports), STEP, limits_ticks=limits, positions_lots=dict(positions)),
    )


def _report(cursor: int, name: str, kind: ReportKind, lots: int, figures: tuple[int, int, int]) -> Report:
    qty, cum, leaves = figures
    ticks = PRICE if lots else 0
    return Report(cursor, name, "v", f"e{cursor}", kind, lots, ticks, FEE if lots else 0, cum, leaves, 1, qty)


BASE = agreeing(
    [
        ((3, 4), 5, "open", 1, "IBM"),
        ((2,), 6, "open", -1, "IBM"),
        ((), 9, "open", 1, "FB"),
        ((4,), 0, "open", 1, "FB"),
        ((1,), 2, "canceled", 1, "IBM"),
        ((), 2, "expired", -1, "FB"),
    ]
)
LAST = BASE.ours.cursor
EXTRA = _report(LAST + 1, "o0", ReportKind.TRADE, 2, (12, 9, 3))


def unread(sides: Sides) -> Sides:
    """With one execution of `o0` that the venue has and we have not read."""
    there = sides.told("o0", cum_lots=9, leaves_lots=3)
    held = {"IBM": 6 + 2, "FB": 4}
    return there.there(reports=[*sides.venue.reports, EXTRA], head=LAST + 1, positions_lots=held)


def without(sides: Sides, lots: int) -> Sides:
    """With our `o0`, and what we hold, changed by so many lots."""
    order = sides.ours.orders["o0"]
    held = {**sides.ours.positions_lots, "IBM": sides.ours.positions_lots["IBM"] + lots}
    changed = sides.order("o0", cum_lots=order.cum_lots + lots, leaves_lots=order.leaves_lots - lots)
    return changed.book(positions_lots=held)


STRAY = OrderStatus("zz", "v99", "IBM", Side.BUY, Status.NEW, 7, 0, 7)
PHANTOM = _report(2, "o0", ReportKind.TRADE, 1, (12, 8, 4))
PLANTS: Mapping[str, tuple[Code, Callable[[], Sides], Action]] = {
    "not shown": (
        Code.MISSING,
        lambda: BASE.there(orders={name: item for name, item in BASE.venue.orders.items() if name != "o2"}),
        Action.QUERY,
    ),
    "not known when asked": (
        Code.MISSING,
        lambda: BASE.there(orders={**BASE.venue.orders, "o2": None}),
        Action.STOP_FOR_OPERATOR,
    ),
    "works a stranger": (
        Code.GHOST,
        lambda: BASE.there(orders={**BASE.venue.orders, "zz": STRAY}),
        Action.STOP_FOR_OPERATOR,
    ),
    "never heard of by us": (
        Code.GHOST,
        lambda: BASE.book(orders={name: item for name, item in BASE.ours.orders.items() if name != "o2"}),
        Action.STOP_FOR_OPERATOR,
    ),
    "denied by us": (Code.GHOST, lambda: BASE.order("o2", state="denied"), Action.STOP_FOR_OPERATOR),
    "closed here": (
        Code.STATUS,
        lambda: BASE.order("o2", state="canceled", leaves_lots=0),
        Action.STOP_FOR_OPERATOR,
    ),
    "closed there": (
        Code.STATUS,
        lambda: BASE.told("o2", status=Status.CANCELED, leaves_lots=0),
        Action.STOP_FOR_OPERATOR,
    ),
    "filled, with fills missing": (
        Code.STATUS,
        lambda: BASE.told("o0", status=Status.FILLED),
        Action.STOP_FOR_OPERATOR,
    ),
    "larger here": (Code.QTY, lambda: BASE.order("o2", qty_lots=11, leaves_lots=11), Action.STOP_FOR_OPERATOR),
    "larger there": (Code.QTY, lambda: BASE.told("o2", qty_lots=11, leaves_lots=11), Action.STOP_FOR_OPERATOR),
    "more filled here": (Code.CUM, lambda: without(BASE, 1), Action.STOP_FOR_OPERATOR),
    "more filled there": (Code.CUM, lambda: without(BASE, -1), Action.STOP_FOR_OPERATOR),
    "less left here": (Code.LEAVES, lambda: BASE.order("o2", leaves_lots=8), Action.STOP_FOR_OPERATOR),
    "less left there": (Code.LEAVES, lambda: BASE.told("o2", leaves_lots=8), Action.STOP_FOR_OPERATOR),
    "other limit here": (Code.PRICE, lambda: BASE.order("o2", limit_ticks=71), Action.STOP_FOR_OPERATOR),
    "other limit there": (
        Code.PRICE,
        lambda: BASE.there(limits_ticks={**BASE.venue.limits_ticks, "o2": 71}),
        Action.STOP_FOR_OPERATOR,
    ),
    "other price of a fill": (
        Code.PRICE,
        lambda: BASE.book(executions=[replace(BASE.ours.executions[0], last_ticks=71), *BASE.ours.executions[1:]]),
        Action.STOP_FOR_OPERATOR,
    ),
    "other fee of a fill": (
        Code.PRICE,
        lambda: BASE.book(executions=[replace(BASE.ours.executions[0], fee_ticks=2), *BASE.ours.executions[1:]]),
        Action.STOP_FOR_OPERATOR,
    ),
    "counted twice": (
        Code.DUPLICATE_FILL,
        lambda: without(BASE, 3).book(executions=[*BASE.ours.executions, BASE.ours.executions[0]]),
        Action.STOP_FOR_OPERATOR,
    ),
    "not in the book": (
        Code.LOST_FILL,
        lambda: without(BASE, -3).book(executions=BASE.ours.executions[1:]),
        Action.STOP_FOR_OPERATOR,
    ),
    "not at the venue": (
        Code.PHANTOM_FILL,
        lambda: without(BASE, 1).book(executions=[*BASE.ours.executions, replace(PHANTOM, exec_id="made-up")]),
        Action.STOP_FOR_OPERATOR,
    ),
    "busted at the venue, not here": (
        Code.PHANTOM_FILL,
        lambda: (
            BASE.told("o0", cum_lots=4, leaves_lots=8)
            .there(
                reports=[
                    *BASE.venue.reports,
                    replace(_report(LAST + 1, "o0", ReportKind.TRADE_CANCEL, 0, (12, 4, 8)), ref_id="e1"),
                ],
                head=LAST + 1,
                positions_lots={"IBM": 3, "FB": 4},
            )
            .book(cursor=LAST + 1)
        ),
        Action.STOP_FOR_OPERATOR,
    ),
    "in doubt": (
        Code.UNKNOWN_OUTCOME,
        lambda: BASE.order("o2", state="unknown", awaiting=Request.NEW),
        Action.QUERY,
    ),
    "new unanswered": (
        Code.STUCK_PENDING,
        lambda: BASE.order("o2", state="pending_new", awaiting=Request.NEW, moved_step=STEP - PATIENCE - 1),
        Action.QUERY,
    ),
    "cancel unanswered": (
        Code.STUCK_PENDING,
        lambda: BASE.order("o0", awaiting=Request.CANCEL, moved_step=STEP - PATIENCE - 1),
        Action.CANCEL_AGAIN,
    ),
    "replace unanswered": (
        Code.STUCK_PENDING,
        lambda: BASE.order("o0", awaiting=Request.REPLACE, moved_step=STEP - PATIENCE - 1),
        Action.QUERY,
    ),
    "held, not filled": (
        Code.POSITION,
        lambda: BASE.book(positions_lots={**BASE.ours.positions_lots, "IBM": 7}),
        Action.STOP_FOR_OPERATOR,
    ),
    "held there, not filled": (
        Code.POSITION,
        lambda: BASE.there(positions_lots={"IBM": 6, "FB": 4, "GOOG": 1}),
        Action.STOP_FOR_OPERATOR,
    ),
    "filled while the cancel was on its way": (
        Code.CANCEL_RACE,
        lambda: unread(BASE.order("o0", awaiting=Request.CANCEL)),
        Action.READ_ON,
    ),
    "beyond the venue": (Code.CURSOR_AHEAD, lambda: BASE.book(cursor=LAST + 3), Action.STOP_FOR_OPERATOR),
    "behind the venue": (Code.LAGGING, lambda: unread(BASE), Action.READ_ON),
}


def test_every_code_is_planted() -> None:
    """The cases below leave out no code."""
    assert {code for code, _, _ in PLANTS.values()} == set(Code)
    assert BASE.found() == ()


@pytest.mark.parametrize("case", list(PLANTS))
def test_each_difference_has_its_code_and_an_action(case: str) -> None:
    """One planted difference gives exactly its code, once, with what is to be done; its consequences give none."""
    code, planted, action = PLANTS[case]
    found = planted().found()
    assert [(item.code, item.action) for item in found] == [(code, action)]
    assert found[0].book != found[0].venue
    assert found[0].severity is (Severity.HARD if action in OPERATOR else RULES[code].severity)


def test_every_code_says_what_it_is() -> None:
    """Each has a meaning, a detection, an action in words and a source; only what a person must see is hard."""
    for code in Code:
        rule = RULES[code]
        assert all((rule.meaning, rule.detection, rule.source, ACTIONS[code]))
        assert (rule.severity is Severity.HARD) == (rule.action in OPERATOR)


@pytest.mark.parametrize("case", list(PLANTS))
def test_what_does_not_heal_is_the_operators(case: str) -> None:
    """Once a difference was first seen longer ago than patience, only a person can act on it."""
    planted = PLANTS[case][1]()
    [item] = planted.found()
    key = (item.code, item.subject)
    [patient] = planted.book(seen={key: STEP - PATIENCE}).found()
    [late] = planted.book(seen={key: STEP - PATIENCE - 1}).found()
    assert patient == item
    assert late.action in OPERATOR
    assert late.severity is Severity.HARD


@pytest.mark.parametrize("case", list(PLANTS))
def test_a_venue_that_tells_no_head_gets_the_benefit_of_the_doubt(case: str) -> None:
    """Without a head a report may be under way: what could be explained by one is never hard at once."""
    code, planted, _ = PLANTS[case]
    found = planted().there(head=None).found()
    if code is not Code.CURSOR_AHEAD:
        assert found
    sure = {Code.GHOST, Code.DUPLICATE_FILL, Code.LOST_FILL, Code.PHANTOM_FILL, Code.POSITION, Code.PRICE, Code.STATUS}
    assert all(item.severity is not Severity.HARD or item.code in sure for item in found)


names = st.sampled_from(["IBM", "FB", "GOOG"])
drawn_orders = st.lists(
    st.tuples(
        st.lists(st.integers(1, 50), max_size=4),
        st.integers(1, 50),
        st.sampled_from(sorted(ENDS)),
        st.sampled_from([1, -1]),
        names,
    ),
    max_size=12,
)


@given(drawn_orders)
def test_an_honest_venue_never_differs(drawn: Drawn) -> None:
    """Whatever was filled, ended or is open, a venue and the book that read it have no difference."""
    assert agreeing(drawn).found() == ()


@given(drawn_orders, st.data())
def test_reading_less_is_lag_and_nothing_else(drawn: Drawn, data: st.DataObject) -> None:
    """A book that stopped reading anywhere differs by its lag alone."""
    sides = agreeing(drawn)
    cursor = data.draw(st.integers(0, sides.ours.cursor))
    read = [item for item in sides.venue.reports if item.cursor <= cursor]
    orders, positions = {}, dict.fromkeys(sides.ours.positions_lots, 0)
    for name, order in sides.ours.orders.items():
        mine = [item for item in read if item.client_order_id == name]
        cum = sum(item.last_lots for item in mine)
        ended = bool(mine) and mine[-1].kind is not ReportKind.TRADE
        leaves = 0 if ended else order.qty_lots - cum
        state = order.state if ended or not leaves else "partially_filled" if cum else "new"
        orders[name] = order._replace(state=state, cum_lots=cum, leaves_lots=leaves)
        positions[order.symbol] += order.sign * cum
    executions = [item for item in read if item.kind is ReportKind.TRADE]
    found = sides.book(orders=orders, executions=executions, positions_lots=positions, cursor=cursor).codes()
    assert found == ([] if cursor == sides.ours.cursor else [Code.LAGGING])


@given(st.lists(st.sampled_from(sorted(PLANTS)), min_size=1, max_size=1), st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(cases: list[str], chance: random.Random) -> None:
    """Shuffled orders, executions and reports give the same differences in the same order."""
    planted = PLANTS[cases[0]][1]()
    mixed = planted.book(
        orders=_mixed(planted.ours.orders, chance),
        executions=chance.sample(list(planted.ours.executions), len(planted.ours.executions)),
    ).there(
        orders=_mixed(planted.venue.orders, chance),
        reports=chance.sample(list(planted.venue.reports), len(planted.venue.reports)),
    )
    assert mixed.found() == planted.found()


def _mixed(items: Mapping[str, Any], chance: random.Random) -> dict[str, Any]:
    return dict(chance.sample(list(items.items()), len(items)))


lots = st.integers(0, 5)
any_known = st.builds(
    Known,
    order=st.sampled_from(["a", "b"]),
    symbol=names,
    sign=st.sampled_from([1, -1]),
    state=st.sampled_from(["initialized", "denied", "pending_new", "unknown", "new", "filled", "canceled"]),
    qty_lots=lots,
    cum_lots=lots,
    leaves_lots=lots,
    limit_ticks=st.none() | lots,
    awaiting=st.sampled_from(Request),
    moved_step=st.integers(0, STEP),
)
any_status = st.builds(
    OrderStatus,
    client_order_id=st.sampled_from(["a", "b"]),
    venue_order_id=st.just("v"),
    symbol=names,
    side=st.sampled_from(Side),
    status=st.sampled_from(Status),
    qty_lots=lots,
    cum_lots=lots,
    leaves_lots=lots,
)
any_report = st.builds(
    Report,
    cursor=st.integers(1, 9),
    client_order_id=st.sampled_from(["a", "b", "c"]),
    venue_order_id=st.just("v"),
    exec_id=st.sampled_from(["e1", "e2"]),
    kind=st.sampled_from(ReportKind),
    last_lots=lots,
    last_ticks=lots,
    fee_ticks=lots,
    cum_lots=lots,
    leaves_lots=lots,
    step=st.integers(0, STEP),
    order_lots=lots,
    ref_id=st.sampled_from(["", "e1", "e2"]),
)
any_ours = st.builds(
    Ours,
    orders=st.dictionaries(st.sampled_from(["a", "b"]), any_known, max_size=2).map(
        lambda orders: {name: order._replace(order=name) for name, order in orders.items()}
    ),
    executions=st.lists(any_report, max_size=4),
    positions_lots=st.dictionaries(names, st.integers(-5, 5), max_size=2),
    cursor=st.integers(0, 9),
)
any_venue = st.builds(
    Snapshot,
    orders=st.dictionaries(st.sampled_from(["a", "b", "d"]), st.none() | any_status, max_size=3),
    reports=st.lists(any_report, max_size=5),
    head=st.none() | st.integers(0, 9),
    step=st.integers(0, STEP),
    since=st.integers(0, 3),
    positions_lots=st.none() | st.dictionaries(names, st.integers(-5, 5), max_size=2),
)


@settings(max_examples=300)
@given(any_ours, any_venue)
def test_whatever_the_sides_say_there_is_an_answer(ours: Ours, venue: Snapshot) -> None:
    """Sides that make no sense together give differences, each once, and never an exception; twice gives the same."""
    found = reconcile(ours, venue, PATIENCE)
    assert len({(item.code, item.subject) for item in found}) == len(found)
    assert reconcile(ours, venue, PATIENCE) == found


@pytest.mark.parametrize("status", list(Status))
def test_a_report_that_contradicts_itself_is_seen(status: Status) -> None:
    """Over all small quantities: OrdStatus agrees with the quantities in the same message, or it is named."""
    for qty, cum, leaves in ((q, c, v) for q in range(1, 4) for c in range(5) for v in range(4)):
        fits = {
            Status.FILLED: cum == qty and not leaves,
            Status.REJECTED: not cum and not leaves,
            Status.CANCELED: cum <= qty and not leaves,
            Status.EXPIRED: cum <= qty and not leaves,
            Status.PARTIALLY_FILLED: cum > 0 and cum + leaves <= qty,
        }.get(status, cum + leaves <= qty)
        assert contradiction(OrderStatus("a", "v", "IBM", Side.BUY, status, qty, cum, leaves)) is not fits


class Counted(Mapping[str, Any]):
    """A mapping that counts how often it is read."""

    def __init__(self, items: Mapping[str, Any]) -> None:
        self.items_, self.reads = items, 0

    def __getitem__(self, key: str) -> Any:
        """Count one read."""
        self.reads += 1
        return self.items_[key]

    def __iter__(self) -> Iterator[str]:
        """Count one read for each key."""
        for key in self.items_:
            self.reads += 1
            yield key

    def __len__(self) -> int:
        """How many there are."""
        return len(self.items_)


class Scanned(Sequence[Report]):
    """A sequence that counts how many of its items are read."""

    def __init__(self, items: Sequence[Report]) -> None:
        self.items_, self.reads = items, 0

    def __getitem__(self, at: Any) -> Any:
        """Count one read."""
        self.reads += 1
        return self.items_[at]

    def __len__(self) -> int:
        """How many there are."""
        return len(self.items_)


@pytest.mark.parametrize("count", [10, 1000])
def test_each_order_and_report_is_read_a_bounded_number_of_times(count: int) -> None:
    """Reads grow with what there is, not with its square: quadratic code could not keep this bound."""
    sides = agreeing([((2, 3), 0, "open", 1, "IBM")] * count)
    orders, told = Counted(sides.ours.orders), Counted(sides.venue.orders)
    mine, theirs = Scanned(sides.ours.executions), Scanned(sides.venue.reports)
    assert sides.book(orders=orders, executions=mine).there(orders=told, reports=theirs).found() == ()
    assert 0 < orders.reads <= 8 * count
    assert 0 < told.reads <= 12 * count
    assert 0 < mine.reads + theirs.reads <= 2 * (4 * count + 2)
