"""The best limits are kept, and are always those of a walk over the open orders."""

from hypothesis import given
from hypothesis import strategies as st

from peak_trade.broker.messages import OrderRequest
from peak_trade.market.terms import Kind, Side, Tif
from peak_trade.rails.trading import Trading
from peak_trade.session.book import Book
from peak_trade.session.decide import Past

CALM = Past(Trading.ACTIVE, 0, {}, {}, {})
SIZES = st.sampled_from([0, 0, 1, 2])
orders = st.lists(st.tuples(st.sampled_from("AB"), st.sampled_from(Side), st.integers(1, 4)), min_size=1, max_size=8)


@given(orders, st.data())
def test_the_best_limits_are_those_of_a_walk_over_the_open_orders(
    drawn: list[tuple[str, Side, int]], data: st.DataObject
) -> None:
    """However orders begin, go on, end and begin again: the highest bid, the lowest ask, none where none is open."""
    book = Book(10**9, 1)
    made = [
        book.add(OrderRequest(f"o{at}", symbol, side, 5, Kind.LIMIT, limit, Tif.GTC), ("new",))
        for at, (symbol, side, limit) in enumerate(drawn)
    ]
    for _ in range(20):
        book.rest(made[data.draw(st.integers(0, len(made) - 1))], data.draw(SIZES))
        account = book.account(0, CALM)
        for side, best, told in ((Side.BUY, max, account.bids_ticks), (Side.SELL, min, account.asks_ticks)):
            limits: dict[str, list[int]] = {}
            for order in book.working.values():
                if order.request.side is side:
                    limits.setdefault(order.request.symbol, []).append(order.request.limit_ticks or 0)
            assert told == {symbol: best(found) for symbol, found in limits.items()}
