"""A message is valid from its construction on."""

from collections.abc import Callable
from typing import Any

import pytest

from peak_trade.broker.messages import OrderRequest
from peak_trade.market.terms import Side


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"qty_lots": 0}, "qty_lots"),
        ({"qty_lots": -1}, "qty_lots"),
        ({"qty_lots": True}, "qty_lots"),
        ({"qty_lots": 1.0}, "qty_lots"),
        ({"qty_lots": 10**12 + 1}, "qty_lots"),
        ({"limit_ticks": 5}, "limit_ticks"),
        ({"symbol": ""}, "symbol"),
        ({"symbol": "A B"}, "symbol"),
        ({"symbol": "x" * 33}, "symbol"),
        ({"symbol": "\u00c4"}, "symbol"),
        ({"side": "buy"}, "side"),
        ({"kind": "market"}, "kind"),
        ({"tif": "day"}, "tif"),
    ],
)
def test_a_wrong_field_is_named(make_order: Callable[..., OrderRequest], change: dict[str, Any], name: str) -> None:
    """A request with one wrong field is never built; the message starts with the field."""
    with pytest.raises(ValueError, match=f"^{name}: expected "):
        make_order("a", **change)


@pytest.mark.parametrize("limit", [None, 0, -3, 1.5, True, 10**15 + 1])
def test_a_limit_order_needs_a_limit(make_order: Callable[..., OrderRequest], limit: object) -> None:
    """Its limit is a whole number of ticks, at least one."""
    from peak_trade.market.terms import Kind

    with pytest.raises(ValueError, match=r"^limit_ticks: expected "):
        make_order("a", kind=Kind.LIMIT, limit_ticks=limit)


@pytest.mark.parametrize("identity", ["", "a b", "a\n", "x" * 65, None])
def test_an_id_is_a_printable_word(make_order: Callable[..., OrderRequest], identity: object) -> None:
    """What could break a log line or a key is no id."""
    with pytest.raises(ValueError, match=r"^client_order_id: expected "):
        make_order(identity)


def test_a_request_cannot_change(make_order: Callable[..., OrderRequest]) -> None:
    """Messages are immutable."""
    with pytest.raises(AttributeError):
        make_order("a").side = Side.SELL
