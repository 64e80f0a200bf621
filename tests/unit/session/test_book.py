"""The book keeps lots, money and reserves exactly, whatever is filled in whatever order."""

from hypothesis import given
from hypothesis import strategies as st

from peak_trade.broker.matching import fee_ticks
from peak_trade.broker.messages import OrderRequest
from peak_trade.market.terms import Kind, Side, Tif
from peak_trade.session.book import Book, Position

executions = st.lists(st.tuples(st.integers(-50, 50).filter(bool), st.integers(1, 10_000)), max_size=60)


@given(executions)
def test_profit_is_what_was_received_less_what_is_still_invested(drawn: list[tuple[int, int]]) -> None:
    """Realised profit less the cost of what is held equals the money received, to the tick, long and short."""
    position = Position()
    for lots, price in drawn:
        position.fill(lots, price)
    received = -sum(lots * price for lots, price in drawn)
    assert position.lots == sum(lots for lots, _ in drawn)
    assert position.realized_ticks - position.cost_ticks == received
    if position.lots == 0:
        assert position.cost_ticks == 0
        assert position.realized_ticks == received


@given(st.integers(1, 500), st.integers(1, 10_000), st.integers(0, 30), st.data())
def test_a_reserve_always_covers_what_the_order_costs(qty: int, limit: int, permille: int, data: st.DataObject) -> None:
    """However a buy is filled at or under its limit, free cash never falls: the reserve was enough, fees included."""
    book = Book(10**12, permille)
    request = OrderRequest("o", "IBM", Side.BUY, qty, Kind.LIMIT, limit, Tif.GTC)
    order = book.add(request, ("pending_new",))
    book.rest(order, qty)
    leaves, free = qty, book.free_cash_ticks()
    while leaves:
        lots = data.draw(st.integers(1, leaves))
        price = data.draw(st.integers(1, limit))
        leaves -= lots
        book.rest(order, leaves)
        book.fill(order, lots, price, fee_ticks(lots, price, permille))
        assert book.free_cash_ticks() >= free
        free = book.free_cash_ticks()
    assert book.reserved_ticks == 0
    assert book.held_lots == qty
    assert not book.working
