"""Our side of a run, counted again from its journal alone, each order by its own machine.

Limits: the run's executions are held in memory.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from peak_trade.backends.kernel import Kernel
from peak_trade.broker.messages import Report, ReportKind
from peak_trade.journal.record import Record
from peak_trade.lang.step import Taken
from peak_trade.rails.sides import Known, Ours, known

EVENTS: Final[Mapping[str, ReportKind]] = {
    "fill": ReportKind.TRADE,
    "bust": ReportKind.TRADE_CANCEL,
    "correct": ReportKind.TRADE_CORRECT,
}
"""The order machine's events that are executions."""


class BadBook(ValueError):  # noqa: N818 - named by what it is about
    """A journal whose orders this order machine cannot have made: the record's seq, and what does not fit."""

    def __init__(self, seq: int, problem: str) -> None:
        super().__init__(seq, problem)
        self.seq, self.problem = seq, problem

    def __str__(self) -> str:
        return f"record {self.seq}: {self.problem}; read the run with the version that made it"


@dataclass(slots=True)
class _Line:
    """One order on the way: its running value and what the request and the reports said of it."""

    value: tuple[Any, ...]
    symbol: str
    sign: int
    limit_ticks: int | None
    moved_step: int = 0


@dataclass(slots=True)
class Recount:
    """What a journal says of a run so far; `ended` iff the run is over."""

    kernel: Kernel
    run: dict[str, Any] = field(default_factory=dict)
    step: int = 0
    cursor: int = 0
    ended: bool = False
    lines: dict[str, _Line] = field(default_factory=dict)
    executions: list[Report] = field(default_factory=list)
    positions_lots: dict[str, int] = field(default_factory=dict)

    def take(self, record: Record) -> None:
        """Count one record.

        Raises:
            BadBook: it cannot follow here.
        """
        body = record.body
        self.step = max(self.step, int(body.get("step") or 0)) if record.kind != "recovered" else self.step
        self.cursor = max(self.cursor, int(body.get("cursor") or 0))
        match record.kind:
            case "run":
                self.run = dict(body)
            case "order":
                self._order(record)
            case "end":
                self.ended = True

    def _order(self, record: Record) -> None:
        body = record.body
        name, event = str(body["order"]), str(body["event"])
        line = self.lines.get(name)
        if line is None:
            sign = 1 if body.get("side") == "buy" else -1
            limit = body.get("limit_ticks")
            line = self.lines[name] = _Line(self.kernel.initial, str(body.get("symbol")), sign, _whole(limit))
        if body["outcome"] != "taken":
            return
        before = line.value
        line.value = self._stepped(record, line, event)
        line.moved_step = int(body.get("step") or 0)
        if event == "replaced" and _whole(body.get("limit_ticks")) is not None:
            line.limit_ticks = _whole(body.get("limit_ticks"))
        if "position_lots" in body:
            self.positions_lots[line.symbol] = int(body["position_lots"] or 0)
        if event in EVENTS:
            self.executions.append(_execution(name, body, EVENTS[event], (before, line.value)))

    def _stepped(self, record: Record, line: _Line, event: str) -> tuple[Any, ...]:
        body = record.body
        try:
            payload = tuple(body[name] for name in self.kernel.fields[event])
        except KeyError as error:
            raise BadBook(record.seq, f"expected the order machine's {event} with {error}, was another") from None
        outcome, value = self.kernel.step(line.value, event, payload)
        found = (value[0], value[2], value[3])
        if not isinstance(outcome, Taken) or found != (body["state"], body["cum"], body["leaves"]):
            was = f"{body['state']} {body['cum']} {body['leaves']}"
            raise BadBook(record.seq, f"expected {event} to lead to {was}, leads to {found[0]} {found[1]} {found[2]}")
        return value

    def ours(self) -> Ours:
        """Return our side as the reconciler takes it."""
        orders = {name: _known(name, line) for name, line in self.lines.items()}
        return Ours(orders, self.executions, self.positions_lots, self.cursor)


def recount(records: Iterable[Record], kernel: Kernel) -> Recount:
    """Return what `records`, any prefix of a run's journal, say of its book; `kernel` is the order machine's.

    Raises:
        BadBook: the orders were not made by this machine.
    """
    found = Recount(kernel)
    for record in records:
        found.take(record)
    return found


def _known(name: str, line: _Line) -> Known:
    return known(name, line.value, (line.symbol, line.sign, line.limit_ticks, line.moved_step))


def _execution(
    name: str, body: Mapping[str, Any], kind: ReportKind, values: tuple[tuple[Any, ...], tuple[Any, ...]]
) -> Report:
    before, after = values
    return Report(
        cursor=int(body.get("cursor") or 0),
        client_order_id=name,
        venue_order_id="",
        exec_id=str(body.get("exec_id") or ""),
        kind=kind,
        last_lots=abs(after[2] - before[2]) if kind is ReportKind.TRADE else 0,
        last_ticks=int(body.get("price_ticks") or 0),
        fee_ticks=int(body.get("fee_ticks") or 0),
        cum_lots=after[2],
        leaves_lots=after[3],
        step=int(body.get("step") or 0),
        order_lots=after[1],
        ref_id=str(body.get("ref_id") or ""),
    )


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) else None
