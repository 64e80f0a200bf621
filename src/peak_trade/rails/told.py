"""What a venue told, as a file: JSON with a schema, read strictly, refused with place and reason, never repaired.

A snapshot has a head: it holds every report up to it, and every order that a report is about. Quantities are whole
lots, prices and fees whole ticks. `truncated` says that something is missing, so that nothing can be concluded from it.

Limits: `FILE_BYTES_MAX` bytes, `ORDERS_MAX` orders, `REPORTS_MAX` reports; the first mistake is named.
"""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from peak_trade.broker.messages import (
    ID_CHARS_MAX,
    LIMIT_TICKS_MAX,
    QTY_LOTS_MAX,
    SYMBOL_CHARS_MAX,
    OrderStatus,
    Report,
    ReportKind,
    Status,
)
from peak_trade.market.terms import Side
from peak_trade.rails.fills import Leg
from peak_trade.rails.locate import line_of
from peak_trade.rails.sides import EXECUTIONS, Snapshot

FILE_BYTES_MAX: Final = 512 * 1024 * 1024
ORDERS_MAX: Final = 1_000_000
REPORTS_MAX: Final = 5_000_000
CURSOR_MAX: Final = 10**12
SCHEMA_VERSION: Final = 1
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|\}')

Word = Annotated[str, Field(pattern=r"^[!-~]+$", min_length=1, max_length=ID_CHARS_MAX)]
Symbol = Annotated[str, Field(pattern=r"^[!-~]+$", min_length=1, max_length=SYMBOL_CHARS_MAX)]
Lots = Annotated[int, Field(ge=0, le=QTY_LOTS_MAX)]
Ticks = Annotated[int, Field(ge=0, le=LIMIT_TICKS_MAX)]
Count = Annotated[int, Field(ge=0, le=CURSOR_MAX)]


class Part(BaseModel):
    """Unknown keys are mistakes; values are of their exact type and never change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class OrderPart(Part):
    """One order as the venue tells of it at its head; `limit_ticks` is null where it does not tell it."""

    client_order_id: Word
    venue_order_id: Annotated[str, Field(max_length=ID_CHARS_MAX)] = ""
    symbol: Symbol
    side: Literal["buy", "sell"]
    status: Status = Field(strict=False)
    qty_lots: Lots
    cum_lots: Lots
    leaves_lots: Lots
    limit_ticks: Ticks | None = None


class ReportPart(Part):
    """One execution report; the fields are those of `Report`. Its `step` is by the venue's clock, right or not."""

    cursor: Annotated[int, Field(ge=1, le=CURSOR_MAX)]
    client_order_id: Word
    venue_order_id: Annotated[str, Field(max_length=ID_CHARS_MAX)] = ""
    exec_id: Annotated[str, Field(max_length=ID_CHARS_MAX)] = ""
    kind: ReportKind = Field(strict=False)
    last_lots: Lots = 0
    last_ticks: Ticks = 0
    fee_ticks: Annotated[int, Field(ge=-(10**18), le=10**18)] = 0
    order_lots: Lots
    cum_lots: Lots
    leaves_lots: Lots
    step: Annotated[int, Field(ge=-CURSOR_MAX, le=CURSOR_MAX)]
    ref_id: Annotated[str, Field(max_length=ID_CHARS_MAX)] = ""


class Told(Part):
    """A venue's snapshot of one run: all orders and all reports up to `head_cursor`, at session step `step`.

    `positions_lots` is given where the venue keeps positions of its own: signed lots by symbol.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    run: Word
    head_cursor: Count
    step: Count
    truncated: bool = False
    orders: Annotated[list[OrderPart], Field(max_length=ORDERS_MAX)]
    reports: Annotated[list[ReportPart], Field(max_length=REPORTS_MAX)]
    positions_lots: dict[Symbol, Annotated[int, Field(ge=-(10**15), le=10**15)]] | None = None

    def snapshot(self) -> Snapshot:
        """Return it as the reconciler takes it."""
        return Snapshot(
            orders={item.client_order_id: _status(item) for item in self.orders},
            reports=[Report(**item.model_dump()) for item in self.reports],
            head=self.head_cursor,
            step=self.step,
            limits_ticks={item.client_order_id: item.limit_ticks for item in self.orders if item.limit_ticks},
            positions_lots=self.positions_lots,
        )


def _status(item: OrderPart) -> OrderStatus:
    facts = item.model_dump(exclude={"limit_ticks"})
    return OrderStatus(**{**facts, "side": Side(item.side)})


class BadSnapshot(ValueError):  # noqa: N818 - named by what it is about
    """A snapshot that is refused: the line, the path in the JSON, and what was expected there."""

    def __init__(self, line: int, path: str, problem: str) -> None:
        super().__init__(line, path, problem)
        self.line, self.path, self.problem = line, path, problem

    def __str__(self) -> str:
        return f"line {self.line}, {self.path}: {self.problem}"


def schema() -> dict[str, Any]:
    """Return the JSON schema of the file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Told.model_json_schema()}


def dump(told: Told) -> str:
    """Return the file's text: one order or report a line, so that a person can edit it."""
    plain = told.model_dump(mode="json")
    parts = []
    for name, value in plain.items():
        if isinstance(value, list):
            rows = ",\n    ".join(json.dumps(row, sort_keys=True) for row in value)
            parts.append(f'  "{name}": [\n    {rows}\n  ]' if rows else f'  "{name}": []')
        else:
            parts.append(f'  "{name}": {json.dumps(value, sort_keys=True)}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


def load(data: bytes) -> Told:
    """Return the snapshot that a file's bytes hold.

    Raises:
        BadSnapshot: it holds none; nothing of it is used.
    """
    if len(data) > FILE_BYTES_MAX:
        raise BadSnapshot(1, "$", f"expected at most {FILE_BYTES_MAX} bytes, was {len(data)}")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadSnapshot(line, "$", f"expected UTF-8, was the byte 0x{data[error.start]:02x}") from None
    plain = _plain(text)
    try:
        told = Told.model_validate(plain)
    except ValidationError as error:
        item = error.errors(include_url=False)[0]
        path = tuple(step for step in item["loc"] if step != "[key]")
        found = "" if item["type"] == "missing" else f", was {_short(item['input'])}"
        raise BadSnapshot(line_of(text, path), _path(path), f"{item['msg'].lower()}{found}") from None
    for path, problem in _senseless(told):
        raise BadSnapshot(line_of(text, path), _path(path), problem)
    return told


def _plain(text: str) -> object:
    closed = 0

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal closed
        closed += 1
        found = dict(items)
        if len(found) != len(items):
            names = [name for name, _ in items]
            twice = next(name for name in names if names.count(name) > 1)
            raise BadSnapshot(_line_of_end(text, closed), "$", f"expected each key once, was {_short(twice)} twice")
        return found

    try:
        return json.loads(text, object_pairs_hook=pairs, parse_constant=_no_constant)
    except BadSnapshot:
        raise
    except json.JSONDecodeError as error:
        raise BadSnapshot(error.lineno, "$", f"expected JSON: {error.msg.lower()}, column {error.colno}") from None
    except RecursionError:
        raise BadSnapshot(1, "$", "expected a few levels, was nested deeper than can be read") from None
    except ValueError as error:
        raise BadSnapshot(1, "$", f"expected JSON: {str(error)[:120]}") from None


def _line_of_end(text: str, count: int) -> int:
    """Return the line on which the object ends that is the `count`-th to end."""
    ends = (found.start() for found in _TOKEN.finditer(text) if found[0] == "}")
    return text.count("\n", 0, next(islice(ends, count - 1, None))) + 1


def _no_constant(name: str) -> object:
    raise ValueError(f"expected a number, was {name}")


def _short(value: object) -> str:
    return f"{value!r:.60}"


def _path(path: Iterable[str | int]) -> str:
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)


def _senseless(told: Told) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield what cannot be in any venue's snapshot, however the book looks."""
    known: set[str] = set()
    for at, order in enumerate(told.orders):
        if order.client_order_id in known:
            yield ("orders", at, "client_order_id"), f"expected each order once, was {order.client_order_id} again"
        known.add(order.client_order_id)
    cursor = 0
    executed: set[Leg] = set()
    last = told.reports[-1].cursor if told.reports else 0
    if last < told.head_cursor and not told.truncated:
        yield ("head_cursor",), f"expected {last}, the cursor of the last report, was {told.head_cursor}"
    for at, report in enumerate(told.reports):
        yield from ((("reports", at, name), problem) for name, problem in _wrong(report, told, known, cursor))
        cursor = report.cursor
        leg = (report.client_order_id, report.exec_id)
        if report.kind in EXECUTIONS and leg in executed:
            yield ("reports", at, "exec_id"), f"expected each execution of an order once, was {report.exec_id} again"
        named = (report.client_order_id, report.ref_id)
        if report.kind in EXECUTIONS and report.kind is not ReportKind.TRADE and named not in executed:
            yield ("reports", at, "ref_id"), f"expected an execution that is reported before it, was {report.ref_id!r}"
        if report.kind in EXECUTIONS:
            executed.add(leg)


def _wrong(report: ReportPart, told: Told, known: set[str], cursor: int) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with one report: field and problem."""
    if report.cursor > told.head_cursor:
        yield "cursor", f"expected at most head_cursor {told.head_cursor}, was {report.cursor}: it is from the future"
    if report.cursor != cursor + 1 and not told.truncated:
        yield "cursor", f"expected {cursor + 1}, the next one without a gap, was {report.cursor}"
    elif report.cursor <= cursor:
        yield "cursor", f"expected more than {cursor}, was {report.cursor}"
    if report.client_order_id not in known:
        yield "client_order_id", f"expected an order that is listed in orders, was {report.client_order_id}"
    if report.kind is ReportKind.TRADE and not report.last_lots:
        yield "last_lots", "expected at least 1 lot of a trade, was 0"
    if report.kind is ReportKind.TRADE and not report.exec_id:
        yield "exec_id", "expected the id of the execution, was an empty one"
