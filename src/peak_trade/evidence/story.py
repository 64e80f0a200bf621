"""A run as its journal tells it: the only source of artifacts and pages. Nothing here can act.

An execution that was taken back is no trade any more, and a corrected one is the trade that the venue says it is. What
the account realised is never told twice: it is the sum over the trades that stand, and `Story.undone_ticks`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias

from peak_trade.journal.record import Record

Arc: TypeAlias = tuple[str, str]
"""The state in which a transition was taken, and the transition's id."""


@dataclass(frozen=True, slots=True)
class Trade:
    """One execution that stands; prices, fees and profit in ticks, quantities in lots, position after it.

    A corrected one has the figures, id, time and place in the order of its correction, and all that it realised.
    """

    step: int
    ts: str
    symbol: str
    order: str
    exec_id: str
    side: str
    lots: int
    price_ticks: int
    fee_ticks: int
    position_lots: int
    realized_ticks: int


@dataclass(frozen=True, slots=True)
class Account:
    """The account after one step; money in ticks, `gross_lots` over all positions."""

    step: int
    ts: str
    equity_ticks: int
    cash_ticks: int
    realized_ticks: int
    fees_ticks: int
    drawdown_ticks: int
    open_orders: int
    gross_lots: int


@dataclass(slots=True)
class Line:
    """One order as a table shows it; `path` is the states it went through, in order."""

    order: str
    symbol: str
    side: str
    limit_ticks: int
    step: int
    qty: int = 0
    cum: int = 0
    leaves: int = 0
    state: str = ""
    rail: str = ""
    path: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of the session machine that a reader wants to see: everything but the ticks and counts."""

    step: int
    ts: str
    event: str
    outcome: str
    by: str
    state: str
    operator: str


DIFFERENCE = ("code", "subject", "book", "venue")
"""What a table shows of a difference between book and venue, beside the planned action."""

HEALING = frozenset({"read_on", "query", "cancel_again"})
"""Planned actions that need no person; see `rails.differences`."""

NEW_ORDER = "initialized"
"""The state in which the order machine starts."""

QUIET = frozenset({"tick", "order_batch", "orders_closed"})
"""Session events of every step: counted, but listed only if the state changes."""

SIZED = frozenset({"submit", "convert", "restate", "replaced"})
"""Order events after which OrderQty is what they say; others name a quantity that is asked for, or known."""

EXECUTED = frozenset({"fill", "bust", "correct", "restate"})
"""Order events that may move the position; a restatement (a split, say) does so at no cost."""

UNDOING = frozenset({"bust", "correct"})
"""Order events that undo the execution that they name in `ref_id`."""

TRADING = {"reduce_trading": "reducing", "halt_trading": "halted", "resume_trading": "active"}
"""What each session event makes of the trading state, if it is taken."""


@dataclass(slots=True)
class Story:
    """What happened in one run, folded from its journal in one pass.

    `undone` counts busts and corrections, `undone_ticks` is what busted executions left of realised profit: positions
    are valued at average cost, so taking an execution back need not give back what it realised. `trading` and `breaker`
    are how they stand now; a breaker that never moved has no record, and is closed.
    """

    run: dict[str, Any] = field(default_factory=dict)
    state: str = "INIT"
    records: int = 0
    steps: int = 0
    ts: str = ""
    ended: bool = False
    recoveries: int = 0
    lines: dict[str, Line] = field(default_factory=dict)
    trades: list[Trade] = field(default_factory=list)
    accounts: list[Account] = field(default_factory=list)
    happenings: list[Happening] = field(default_factory=list)
    reconciled: dict[str, Any] = field(default_factory=dict)
    differences: list[dict[str, Any]] = field(default_factory=list)
    trips: Counter[str] = field(default_factory=Counter)
    entered: dict[str, Counter[str]] = field(default_factory=lambda: {"session": Counter(), "order": Counter()})
    taken: dict[str, Counter[Arc]] = field(default_factory=lambda: {"session": Counter(), "order": Counter()})
    refused: dict[str, Counter[str]] = field(default_factory=lambda: {"session": Counter(), "order": Counter()})
    events: Counter[str] = field(default_factory=Counter)
    positions: dict[str, int] = field(default_factory=dict)
    undone: Counter[str] = field(default_factory=Counter)
    undone_ticks: int = 0
    trading: str = TRADING["resume_trading"]
    breaker: dict[str, Any] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)

    @property
    def why(self) -> str:
        """The transition that first led to STOPPING, or else the last one that was taken; empty before any."""
        taken = [item for item in self.happenings if item.outcome == "taken"]
        stopping = (item.by for item in taken if item.state == "STOPPING")
        return next(stopping, taken[-1].by if taken else "")


def tell(records: Iterable[Record]) -> Story:
    """Return the story of `records`, which may be any prefix of a journal.

    KeyError iff a record lacks a field that its kind has, or undoes an execution that does not stand.
    """
    story = Story()
    for record in records:
        story.records += 1
        story.ts = str(record.body.get("ts") or story.ts)
        take = TAKERS.get(record.kind)
        if take is not None:
            take(story, record.body)
    story.trades = [trade for place, trade in enumerate(story.trades) if place not in story.gone]
    return story


def _run(story: Story, body: Any) -> None:  # noqa: ANN401 - a record's body
    story.run = dict(body)


def _reconciled(story: Story, body: Any) -> None:  # noqa: ANN401 - a record's body
    story.reconciled = dict(body)
    story.differences.clear()  # what still differs is written again after each comparison


def _difference(story: Story, body: Any) -> None:  # noqa: ANN401 - a record's body
    found = {key: body[key] if key in body else body.get(f"{key}_lots", "(redacted)") for key in DIFFERENCE}
    story.differences.append(found | {"planned": str(body.get("action") or "")})


def _trip(story: Story, body: Any) -> None:  # noqa: ANN401 - a record's body
    story.trips[str(body["wire"])] += 1


def _breaker(story: Story, body: Any) -> None:  # noqa: ANN401 - a record's body
    story.breaker = dict(body)


def _recovered(story: Story, _: Any) -> None:  # noqa: ANN401 - a record's body
    story.recoveries += 1


def _end(story: Story, _: Any) -> None:  # noqa: ANN401 - a record's body
    story.ended = True


def _session(story: Story, body: Any) -> None:  # noqa: ANN401 - a record's body
    before, story.state = story.state, str(body["state"])
    _count(story, "session", before, body)
    if body["outcome"] == "taken":
        story.trading = TRADING.get(str(body["event"]), story.trading)
    moved = before != story.state
    if moved or body["event"] not in QUIET or body["outcome"] != "taken":
        story.happenings.append(
            Happening(
                int(body["step"]),
                str(body.get("ts") or ""),
                str(body["event"]),
                str(body["outcome"]),
                str(body["by"]),
                str(body["state"]),
                str(body.get("operator") or ""),
            )
        )


def _count(story: Story, machine: str, before: str, body: Any) -> None:  # noqa: ANN401 - a record's body
    if body["outcome"] == "taken":
        story.taken[machine][before, str(body["by"])] += 1
        story.entered[machine][str(body["state"])] += body["state"] != before
    else:
        story.refused[machine][f"{body['event']} · {body['by']}"] += 1


def _order(story: Story, body: Any) -> None:  # noqa: ANN401 - a record's body
    name, event = str(body["order"]), str(body["event"])
    line = story.lines.get(name)
    if line is None:
        limit, side = int(body.get("limit_ticks") or 0), str(body.get("side") or "")
        line = story.lines[name] = Line(name, str(body.get("symbol") or ""), side, limit, int(body["step"]))
        line.rail = str(body.get("rail") or "")
    _count(story, "order", line.state or NEW_ORDER, body)
    story.events[event] += 1
    line.cum, line.leaves = int(body["cum"]), int(body["leaves"])
    if body["state"] != line.state:
        line.state = str(body["state"])
        line.path.append(line.state)
    if body["outcome"] == "taken" and event in SIZED:
        line.qty = int(body.get("order_qty") or 0)
    if body["outcome"] == "taken" and event in EXECUTED:
        _executed(story, line, event, body)


def _executed(story: Story, line: Line, event: str, body: Any) -> None:  # noqa: ANN401 - a record's body
    """Follow what an execution, its bust or its correction did to trades and position."""
    story.positions[line.symbol] = int(body["position_lots"])
    realized = int(body["realized_ticks"])
    if event in UNDOING:
        place = story.places.pop(str(body["ref_id"]))
        realized += story.trades[place].realized_ticks
        story.gone.add(place)
        story.undone[event] += 1
    stands = event == "fill" or (event == "correct" and int(body["last_qty"]) > 0)
    if not stands:
        story.undone_ticks += realized
        return
    name = str(body["exec_id"])
    story.places[name] = len(story.trades)
    story.trades.append(
        Trade(
            int(body["step"]),
            story.ts,
            line.symbol,
            line.order,
            name,
            line.side,
            int(body["last_qty"]),
            int(body["price_ticks"]),
            int(body["fee_ticks"]),
            int(body["position_lots"]),
            realized,
        )
    )


def _account(story: Story, body: Any) -> None:  # noqa: ANN401 - a record's body
    names = [field.name for field in fields(Account)][2:]
    story.steps = int(body["step"])
    story.accounts.append(Account(story.steps, str(body.get("ts") or ""), *(int(body[name]) for name in names)))


TAKERS: Mapping[str, Callable[[Story, Any], None]] = {
    "run": _run,
    "session": _session,
    "order": _order,
    "account": _account,
    "reconciled": _reconciled,
    "difference": _difference,
    "trip": _trip,
    "breaker": _breaker,
    "recovered": _recovered,
    "end": _end,
}
"""What each kind of record adds to the story; a kind that is not here adds nothing."""
