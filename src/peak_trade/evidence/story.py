"""A run as its journal tells it: the only source of artifacts and pages. Nothing here can act."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias

from peak_trade.journal.record import Record

Arc: TypeAlias = tuple[str, str]
"""The state in which a transition was taken, and the transition's id."""


@dataclass(frozen=True, slots=True)
class Trade:
    """One execution; prices, fees and profit in ticks, quantities in lots, position after it."""

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
"""What a table shows of a difference between book and venue."""

NEW_ORDER = "initialized"
"""The state in which the order machine starts."""

QUIET = frozenset({"tick", "order_batch", "orders_closed"})
"""Session events of every step: counted, but listed only if the state changes."""


@dataclass(slots=True)
class Story:
    """What happened in one run, folded from its journal in one pass."""

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

    @property
    def why(self) -> str:
        """The transition that first led to STOPPING, or else the last one that was taken; empty before any."""
        taken = [item for item in self.happenings if item.outcome == "taken"]
        stopping = (item.by for item in taken if item.state == "STOPPING")
        return next(stopping, taken[-1].by if taken else "")


def tell(records: Iterable[Record]) -> Story:
    """Return the story of `records`, which may be any prefix of a journal."""
    story = Story()
    for record in records:
        story.records += 1
        story.ts = str(record.body.get("ts") or story.ts)
        take = TAKERS.get(record.kind)
        if take is not None:
            take(story, record.body)
    return story


def _run(story: Story, body: Any) -> None:  # noqa: ANN401 - a record's body
    story.run = dict(body)


def _reconciled(story: Story, body: Any) -> None:  # noqa: ANN401 - a record's body
    story.reconciled = dict(body)
    story.differences.clear()  # what still differs is written again after each comparison


def _difference(story: Story, body: Any) -> None:  # noqa: ANN401 - a record's body
    story.differences.append({key: body[key] if key in body else body[f"{key}_lots"] for key in DIFFERENCE})


def _trip(story: Story, body: Any) -> None:  # noqa: ANN401 - a record's body
    story.trips[str(body["wire"])] += 1


def _recovered(story: Story, _: Any) -> None:  # noqa: ANN401 - a record's body
    story.recoveries += 1


def _end(story: Story, _: Any) -> None:  # noqa: ANN401 - a record's body
    story.ended = True


def _session(story: Story, body: Any) -> None:  # noqa: ANN401 - a record's body
    before, story.state = story.state, str(body["state"])
    _count(story, "session", before, body)
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
        line.qty, line.rail = int(body.get("order_qty") or 0), str(body.get("rail") or "")
    _count(story, "order", line.state or NEW_ORDER, body)
    story.events[event] += 1
    line.cum, line.leaves = int(body["cum"]), int(body["leaves"])
    if body["state"] != line.state:
        line.state = str(body["state"])
        line.path.append(line.state)
    if event == "fill" and body["outcome"] == "taken":
        story.positions[line.symbol] = int(body["position_lots"])
        story.trades.append(
            Trade(
                int(body["step"]),
                story.ts,
                line.symbol,
                name,
                str(body["exec_id"]),
                line.side,
                int(body["last_qty"]),
                int(body["price_ticks"]),
                int(body["fee_ticks"]),
                int(body["position_lots"]),
                int(body["realized_ticks"]),
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
    "recovered": _recovered,
    "end": _end,
}
"""What each kind of record adds to the story; a kind that is not here adds nothing."""
