"""Position, cash and fees follow from the executions, each counted once; busts and corrections take one back.

The laws are SYS-3 and SYS-32 of `spec/system.yaml`, read off the records. What came before a cut is not known (None)
until a record says it; what depends on it is judged from there on.

Units: money in ticks, quantities in lots.
Limits: last prices stand in no record, so equity is judged only against itself.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from peak_trade.conform.breach import REDACTED, Breach, same, whole
from peak_trade.conform.monitor import Moved
from peak_trade.journal.record import Record

UNDOING: Final = frozenset({"bust", "correct"})
EXECUTING: Final = frozenset({"fill", "restate"}) | UNDOING


@dataclass(frozen=True, slots=True)
class Execution:
    """What one execution did: signless lots, price and fee in ticks."""

    order: str
    lots: int
    ticks: int
    fee_ticks: int


@dataclass(slots=True)
class Money:
    """The book as the executions make it; a `complete` trace began at its first record."""

    complete: bool
    cash: int | None = None
    fees: int | None = None
    realized: int | None = None
    peak: int | None = None
    equity: int | None = None
    positions: dict[str, int] = field(default_factory=dict)
    traded: dict[str, tuple[str, int]] = field(default_factory=dict)
    executions: dict[str, Execution] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.complete:
            self.fees = self.realized = self.peak = 0

    def judge(self, record: Record, moved: Moved | None) -> Breach | None:
        """Return the first law that the record breaks, or None; `moved` is what it did to its order."""
        match record.kind:
            case "order" if moved is not None:
                found = self._order(record.body, moved)
            case "account":
                found = self._account(record)
            case "end":
                known = {"cash_ticks": self.cash, "equity_ticks": self.equity}
                found = (same("SYS-32", name, value, record) for name, value in known.items())
            case _:
                return None
        return next((breach for breach in found if breach is not None), None)

    def _order(self, body: Mapping[str, Any], moved: Moved) -> Iterator[Breach | None]:
        order, event = body.get("order"), body.get("event")
        if body.get("symbol") is not None and body.get("side") is not None:
            self.traded[str(order)] = (str(body["symbol"]), 1 if body["side"] == "buy" else -1)
        if event not in EXECUTING or body.get("outcome") != "taken":
            return
        symbol, sign = self.traded.get(str(order), (None, None))
        change = moved.change["cum"]
        yield self._position(body, symbol, None if sign is None or change is None else sign * change)
        if event != "restate":
            yield self._cash(body, sign, change)
        self.realized = _sum(self.realized, body.get("realized_ticks"))

    def _position(self, body: Mapping[str, Any], symbol: str | None, change: int | None) -> Breach | None:
        told = body.get("position_lots")
        if symbol is None:
            self.positions.clear()  # it may be in any of them
            return None
        held = self.positions.get(symbol, 0 if self.complete else None)
        known = None if held is None or change is None else held + change
        if type(told) is int:
            self.positions[symbol] = told
        elif known is not None:
            self.positions[symbol] = known
        else:
            self.positions.pop(symbol, None)
        if known is None or told == known or (told is None and REDACTED in body):
            return None
        return Breach("SYS-3", f"position_lots {known}, the sum of the executions", f"position_lots {told}")

    def _cash(self, body: Mapping[str, Any], sign: int | None, change: int | None) -> Breach | None:
        """Enter an execution, after taking back the one that it names."""
        order, cost, fees = str(body.get("order")), 0, 0
        if body["event"] in UNDOING:
            undone = self.executions.pop(str(body.get("ref_id")), None)
            if undone is None and self.complete and body.get("ref_id") is not None:
                return Breach("SYS-3", "the id of an execution that stands", f"ref_id {body['ref_id']}")
            if undone is not None and undone.order != order:
                return Breach("SYS-3", f"an execution of {order}", f"one of {undone.order}")
            if undone is None or change is None:
                self.cash = self.fees = None
                return None
            cost, fees, change = -undone.lots * undone.ticks, -undone.fee_ticks, change + undone.lots
        price, fee = body.get("price_ticks"), body.get("fee_ticks")
        if change is None or (change and (type(price) is not int or type(fee) is not int)):
            self.cash = self.fees = None
            return None
        if change:
            assert type(price) is int
            assert type(fee) is int
            self.executions[str(body.get("exec_id"))] = Execution(order, change, price, fee)
            cost, fees = cost + change * price, fees + fee
        self.cash = None if sign is None or self.cash is None else self.cash - sign * cost - fees
        self.fees = _sum(self.fees, fees)
        return None

    def _account(self, record: Record) -> Iterator[Breach | None]:
        yield same("SYS-32", "cash_ticks", self.cash, record)
        yield same("SYS-32", "fees_ticks", self.fees, record)
        yield same("SYS-32", "realized_ticks", self.realized, record)
        if self.complete:
            yield same("SYS-3", "gross_lots", sum(map(abs, self.positions.values())), record)
        self.cash, self.fees, self.realized, self.equity = (
            whole(record, f"{name}_ticks") for name in ("cash", "fees", "realized", "equity")
        )
        if self.peak is not None and self.equity is not None:
            self.peak = max(self.peak, self.equity)
            yield same("SYS-32", "drawdown_ticks", self.peak - self.equity, record)
        else:
            self.peak = None


def _sum(total: int | None, more: object) -> int | None:
    return total + more if total is not None and type(more) is int else None
