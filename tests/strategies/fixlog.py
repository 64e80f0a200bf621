"""FIX 4.4 messages for tests: whole ones from a few words, and logs of them."""

from collections.abc import Sequence

from hypothesis import strategies as st

from peak_trade.fix.reader import SOH, encode

Pairs = Sequence[tuple[int, str]]
HEAD = ((49, "VENUE"), (56, "US"), (34, "1"), (52, "20260105-09:30:00"))


def message(kind: str, pairs: Pairs) -> bytes:
    """A whole message of this MsgType."""
    return encode([(35, kind.encode()), *((tag, value.encode()) for tag, value in (*HEAD, *pairs))])


def single(cl_ord_id: str = "X", lots: int | None = 100, *more: tuple[int, str]) -> bytes:
    """A new order."""
    quantity = () if lots is None else ((38, str(lots)),)
    return message("D", ((11, cl_ord_id), (55, "ACME"), (54, "1"), (40, "2"), *quantity, *more))


def change(kind: str, cl_ord_id: str, orig_id: str, lots: int = 100, *more: tuple[int, str]) -> bytes:
    """A request to cancel (F) or replace (G)."""
    return message(kind, ((11, cl_ord_id), (41, orig_id), (54, "1"), (38, str(lots)), *more))


def report(what: str, figures: tuple[int, int, int], exec_id: str, *more: tuple[int, str], **other: str | int) -> bytes:
    """An execution report: ExecType and OrdStatus as two characters, OrderQty, CumQty and LeavesQty; `id` is X."""
    order, cum, leaves = figures
    named = {37: other.get("order_id", "V1"), 11: other.get("id", "X"), 41: other.get("orig", "")}
    ids = ((tag, str(value)) for tag, value in named.items() if value)
    body = ((17, exec_id), (150, what[0]), (39, what[1]), (54, "1"), (38, str(order)), (32, str(other.get("last", 0))))
    return message("8", (*ids, *body, (151, str(leaves)), (14, str(cum)), *more))


def refusal(
    status: str, cl_ord_id: str, orig_id: str, asked: str = "1", *more: tuple[int, str], order_id: str = "V1"
) -> bytes:
    """A cancel reject; `asked` is 1 for a cancel, 2 for a replacement."""
    return message("9", ((37, order_id), (11, cl_ord_id), (41, orig_id), (39, status), (434, asked), *more))


SESSION = (
    single(),
    report("00", (100, 0, 100), "E1"),
    report("F1", (100, 20, 80), "E2", last=20),
    change("G", "Y", "X", 90),
    report("EE", (100, 20, 80), "E3", id="Y", orig="X"),
    report("51", (90, 20, 70), "E4", id="Y", orig="X"),
    change("F", "Z", "Y", 90),
    report("66", (90, 20, 70), "E5", id="Z", orig="Y"),
    report("F6", (90, 90, 0), "E6", id="Y", last=70),
    refusal("2", "Z", "Y"),
)
"""A short life: acknowledged, filled in part, replaced, and a cancel that comes too late. Every report agrees."""

values = st.binary(min_size=1, max_size=12).filter(lambda value: SOH not in value)
plain_tags = st.integers(1, 99_999).filter(lambda tag: tag not in {8, 9, 10, 35})
