"""A venue's snapshot as a file: read back as it was written, and refused with place and reason if it is none."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peak_trade.broker.messages import OrderStatus, Report, ReportKind, Status
from peak_trade.market.terms import Side
from peak_trade.rails.locate import line_of
from peak_trade.rails.told import BadSnapshot, OrderPart, ReportPart, Told, dump, load, schema

ROOT = Path(__file__).resolve().parents[3]


def order(name: str = "o1", **changes: Any) -> dict[str, Any]:
    """One order, as plain data."""
    plain = {
        "client_order_id": name,
        "venue_order_id": "v1",
        "symbol": "IBM",
        "side": "buy",
        "status": "partially_filled",
        "qty_lots": 9,
        "cum_lots": 4,
        "leaves_lots": 5,
        "limit_ticks": 70,
    }
    return plain | changes


def report(cursor: int, name: str = "o1", **changes: Any) -> dict[str, Any]:
    """One execution, as plain data."""
    plain = {
        "cursor": cursor,
        "client_order_id": name,
        "venue_order_id": "v1",
        "exec_id": f"e{cursor}",
        "kind": "trade",
        "last_lots": 2,
        "last_ticks": 70,
        "fee_ticks": 1,
        "order_lots": 9,
        "cum_lots": 2 * cursor,
        "leaves_lots": 9 - 2 * cursor,
        "step": cursor,
        "ref_id": "",
    }
    return plain | changes


def plain(**changes: Any) -> dict[str, Any]:
    """A snapshot of one order with two executions, as plain data."""
    made = {
        "schema_version": 1,
        "run": "r1",
        "head_cursor": 2,
        "step": 3,
        "truncated": False,
        "orders": [order()],
        "reports": [report(1), report(2)],
        "positions_lots": {"IBM": 4},
    }
    return made | changes


def text(data: object) -> str:
    """A snapshot's text as a person would lay it out: one value a line."""
    return json.dumps(data, indent=1)


def test_what_is_written_is_read() -> None:
    """The file holds all that the venue told; the reconciler gets it unchanged."""
    told = load(text(plain()).encode())
    assert load(dump(told).encode()) == told
    snapshot = told.snapshot()
    assert snapshot.orders == {
        "o1": OrderStatus("o1", "v1", "IBM", Side.BUY, Status.PARTIALLY_FILLED, 9, 4, 5),
    }
    assert snapshot.reports[1] == Report(2, "o1", "v1", "e2", ReportKind.TRADE, 2, 70, 1, 4, 5, 2, 9)
    assert (snapshot.head, snapshot.step, snapshot.since) == (2, 3, 0)
    assert (snapshot.limits_ticks, snapshot.positions_lots) == ({"o1": 70}, {"IBM": 4})


def test_an_empty_snapshot_is_one() -> None:
    """A venue that has seen nothing tells that."""
    told = Told(run="r1", head_cursor=0, step=0, orders=[], reports=[])
    assert load(dump(told).encode()) == told


REFUSED: dict[str, tuple[Callable[[], object], str, str]] = {
    "unknown id": (lambda: plain(reports=[report(1, "zz"), report(2)]), "$.reports[0].client_order_id", "listed"),
    "negative quantity": (lambda: plain(orders=[order(cum_lots=-4)]), "$.orders[0].cum_lots", "greater than or equal"),
    "fractional quantity": (lambda: plain(orders=[order(qty_lots=9.5)]), "$.orders[0].qty_lots", "valid integer"),
    "whole but not an integer": (lambda: plain(orders=[order(qty_lots=9.0)]), "$.orders[0].qty_lots", "valid integer"),
    "quantity in quotes": (lambda: plain(orders=[order(qty_lots="9")]), "$.orders[0].qty_lots", "valid integer"),
    "negative price": (
        lambda: plain(reports=[report(1, last_ticks=-1), report(2)]),
        "$.reports[0].last_ticks",
        "greater than or equal",
    ),
    "cursor from the future": (lambda: plain(head_cursor=1), "$.reports[1].cursor", "from the future"),
    "head without its report": (lambda: plain(head_cursor=3), "$.head_cursor", "last report"),
    "gap": (lambda: plain(reports=[report(2)]), "$.reports[0].cursor", "without a gap"),
    "cursor twice": (
        lambda: plain(reports=[report(1), report(1, exec_id="e9")], head_cursor=1),
        "$.reports[1].cursor",
        "without a gap",
    ),
    "cursor back, in a truncated one": (
        lambda: plain(reports=[report(2), report(1)], truncated=True),
        "$.reports[1].cursor",
        "more than 2",
    ),
    "execution twice": (
        lambda: plain(reports=[report(1), report(2, exec_id="e1")]),
        "$.reports[1].exec_id",
        "e1 again",
    ),
    "order twice": (lambda: plain(orders=[order(), order()]), "$.orders[1].client_order_id", "o1 again"),
    "bust of nothing": (
        lambda: plain(reports=[report(1), report(2, kind="trade_cancel", last_lots=0, ref_id="e7")]),
        "$.reports[1].ref_id",
        "'e7'",
    ),
    "trade of nothing": (
        lambda: plain(reports=[report(1, last_lots=0), report(2)]),
        "$.reports[0].last_lots",
        "at least 1",
    ),
    "trade without an id": (
        lambda: plain(reports=[report(1, exec_id=""), report(2)]),
        "$.reports[0].exec_id",
        "an empty one",
    ),
    "unknown kind": (lambda: plain(reports=[report(1, kind="gift"), report(2)]), "$.reports[0].kind", "'gift'"),
    "unknown status": (lambda: plain(orders=[order(status="fine")]), "$.orders[0].status", "'fine'"),
    "unknown key": (lambda: plain(orders=[order(colour="red")]), "$.orders[0].colour", "not permitted"),
    "unknown side": (lambda: plain(orders=[order(side="long")]), "$.orders[0].side", "'long'"),
    "space in an id": (lambda: plain(orders=[order("o 1")]), "$.orders[0].client_order_id", "pattern"),
    "key missing": (lambda: {"run": "r1"}, "$.head_cursor", "required"),
    "other version": (lambda: plain(schema_version=2), "$.schema_version", "was 2"),
    "fraction of a position": (lambda: plain(positions_lots={"IBM": 0.5}), "$.positions_lots.IBM", "valid integer"),
    "no object": (lambda: [1], "$", "was [1]"),
}


@pytest.mark.parametrize("case", list(REFUSED))
def test_bad_input_is_refused_with_place_and_reason(case: str) -> None:
    """What no venue can have told is refused: the path, the line that a person would look at, and why."""
    made, path, why = REFUSED[case]
    written = text(made())
    with pytest.raises(BadSnapshot) as refused:
        load(written.encode())
    assert refused.value.path == path
    assert why in refused.value.problem
    key = path.rpartition(".")[2]
    line = written.splitlines()[refused.value.line - 1]
    assert key == "$" or f'"{key}"' in line or "required" in refused.value.problem
    assert str(refused.value).startswith(f"line {refused.value.line}, {path}: ")


@pytest.mark.parametrize(
    ("data", "line", "why"),
    [
        (b"", 1, "expected JSON"),
        (b'{"run":\n 1,,}', 2, "expected JSON"),
        (b'{"run": NaN}', 1, "NaN"),
        (b'{"a": 1,\n"b": {"c": 1,\n"c": 2}\n}', 3, "'c' twice"),
        (b'{"a": "}",\n"b": [{"c": 1},\n{"d": 2, "d": 2}]\n}', 3, "'d' twice"),
        (b"{\n\xff}", 2, "UTF-8"),
        (b"[" * 100_000, 1, "nested"),
        (b"1" * 5_000, 1, "expected JSON"),
    ],
)
def test_what_is_no_json_is_refused(data: bytes, line: int, why: str) -> None:
    """Broken text, a key that stands twice, numbers that are none, and depth without end have a line and a reason."""
    with pytest.raises(BadSnapshot) as refused:
        load(data)
    assert refused.value.line == line
    assert why in refused.value.problem


def test_a_truncated_snapshot_may_begin_anywhere() -> None:
    """What says itself that something is missing is read; that it proves nothing is its reader's business."""
    told = load(text(plain(reports=[report(2)], truncated=True)).encode())
    assert told.truncated
    assert [item.cursor for item in told.reports] == [2]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(json_values, st.sampled_from([None, 1]))
def test_every_value_is_found_on_its_line(value: object, indent: int | None) -> None:
    """The line of a path is where the value stands, however the text is laid out."""
    written = json.dumps(value, indent=indent)
    for path, found in _nodes(value, ()):
        rest = written.splitlines()[line_of(written, path) - 1 :]
        assert json.dumps(found, indent=indent).splitlines()[0].strip() in rest[0]
    assert line_of(written, ("no", 7, "such")) >= 1


def _nodes(value: object, path: tuple[str | int, ...]) -> list[tuple[tuple[str | int, ...], object]]:
    inner: list[tuple[str | int, object]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return [(path, value), *(node for key, item in inner for node in _nodes(item, (*path, key)))]


@settings(max_examples=200)
@given(st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()))
def test_whatever_the_bytes_are_they_are_read_or_refused(data: bytes) -> None:
    """No file makes the reader fail in another way."""
    with suppress(BadSnapshot):
        assert dump(load(data))


def test_the_schema_is_the_committed_one() -> None:
    """The JSON schema under docs/schemas is the reader's own, and names every field."""
    committed = json.loads((ROOT / "docs" / "schemas" / "venue_snapshot.json.schema.json").read_text())
    assert {key: value for key, value in committed.items() if key != "$comment"} == schema()
    assert set(schema()["properties"]) == set(Told.model_fields)
    assert set(schema()["$defs"]["OrderPart"]["properties"]) == set(OrderPart.model_fields)
    assert set(schema()["$defs"]["ReportPart"]["properties"]) == set(ReportPart.model_fields)
