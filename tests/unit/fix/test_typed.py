"""A message's fields become values in their range, or the message is refused with the field at fault."""

import pytest
from strategies.fixlog import change, message, refusal, report, single

from peak_trade.broker.messages import QTY_LOTS_MAX, Status
from peak_trade.fix.malformed import Malformed
from peak_trade.fix.reader import Message, read
from peak_trade.fix.report import ExecutionReport, NewOrderSingle, SessionMessage, Typed
from peak_trade.fix.tags import EXEC_TYPES, STATUSES, ExecType, Tag, label_of
from peak_trade.fix.typed import typed


def value(log: bytes) -> Typed:
    """The typed value of the one message of `log`."""
    (found,) = read(log)
    assert isinstance(found, Message)
    return typed(found)


def refused(log: bytes) -> Malformed:
    """What is wrong with the one message of `log`."""
    with pytest.raises(Malformed) as caught:
        value(log)
    return caught.value


REPORT = {37: "V1", 11: "X", 17: "E1", 150: "F", 39: "1", 54: "1", 38: "100", 32: "20", 151: "80", 14: "20"}
SINGLE = {11: "X", 54: "1", 40: "2", 38: "100"}
CHANGE = {11: "Y", 41: "X", 54: "1", 38: "90"}
REFUSAL = {37: "V1", 11: "Y", 41: "X", 39: "0", 434: "1"}
WHOLE = {"8": REPORT, "D": SINGLE, "F": CHANGE, "G": CHANGE, "H": {11: "X"}, "9": REFUSAL}
NEEDED = {
    "8": (37, 17, 150, 39, 151, 14, 32),
    "D": (11, 54, 40, 38),
    "F": (11, 41),
    "G": (11, 41, 38),
    "H": (11,),
    "9": (37, 11, 41, 39, 434),
}


@pytest.mark.parametrize(("kind", "tag"), [(kind, tag) for kind, tags in NEEDED.items() for tag in tags])
def test_a_field_that_lacks_is_named(kind: str, tag: int) -> None:
    """Each field that a message must have is missed by its name."""
    assert value(message(kind, list(WHOLE[kind].items())))
    wrong = refused(message(kind, [(key, text) for key, text in WHOLE[kind].items() if key != tag]))
    assert wrong.fault.tag == tag
    assert wrong.fault.was == "missing"
    assert f"{tag} {label_of(tag)}: expected" in str(wrong)


@pytest.mark.parametrize("tag", [38, 14, 151, 32])
@pytest.mark.parametrize(
    "text", ["-1", "100.5", "1e3", "ten", " 5", "0x10", "1_000", "+5", ".", "٣", "1000000000001", "nan"]
)
def test_a_quantity_is_whole_lots(tag: int, text: str) -> None:
    """A quantity that is negative, fractional, too large or no number is refused where it stands."""
    log = message("8", list((REPORT | {tag: text}).items()))
    assert refused(log).fault.tag == tag


def test_whole_lots_may_be_written_as_a_decimal() -> None:
    """A venue may print whole lots with a fraction of zero."""
    found = value(message("8", list((REPORT | {38: "100.00", 14: "020."}).items())))
    assert isinstance(found, ExecutionReport)
    assert (found.order_lots, found.cum_lots) == (100, 20)
    largest = value(single("X", QTY_LOTS_MAX))
    assert isinstance(largest, NewOrderSingle)
    assert largest.order_lots == QTY_LOTS_MAX


@pytest.mark.parametrize(
    ("kind", "tag", "text"),
    [
        ("8", 39, "B"), ("8", 39, "5"), ("8", 39, "Z"), ("8", 150, "B"), ("8", 150, "1"), ("8", 150, "FF"),
        ("8", 54, "X"), ("8", 40, "N"), ("8", 59, "9"), ("D", 54, "0"), ("D", 40, "Q"), ("D", 59, "A"), ("D", 97, "y"),
        ("8", 43, "1"),
        ("F", 54, "?"), ("G", 40, "0"), ("9", 39, "?"), ("9", 434, "3"), ("9", 102, "x"), ("8", 103, "-1"),
    ],
)  # fmt: skip
def test_an_unknown_code_is_refused(kind: str, tag: int, text: str) -> None:
    """A code that the standard has not, or that an order here has no word for, is refused and not guessed at."""
    wrong = refused(message(kind, list((WHOLE[kind] | {tag: text}).items())))
    assert (wrong.fault.tag, wrong.fault.was) == (tag, ascii(text))


@pytest.mark.parametrize("kind", ["B", "AE", "z", "88", "d", "j"])
def test_an_unknown_message_type_is_refused(kind: str) -> None:
    """A MsgType that is neither of an order nor of the session is refused."""
    wrong = refused(message(kind, [(11, "X")]))
    assert wrong.fault.tag == Tag.MSG_TYPE
    assert "expected one of 0 1 2 3 4 5 8 9 A D F G H" in str(wrong)


@pytest.mark.parametrize("kind", list("012345A"))
def test_messages_of_the_session_pass(kind: str) -> None:
    """Heartbeats, logons and their kin are of the session, whatever they hold."""
    assert isinstance(value(message(kind, [(58, "any")])), SessionMessage)


@pytest.mark.parametrize(("tag", "text"), [(11, "a b"), (11, "é"), (37, "x" * 65), (17, "\t"), (19, " ")])
def test_an_id_is_a_word(tag: int, text: str) -> None:
    """An id is short, printable and has no spaces."""
    assert refused(message("8", list((REPORT | {tag: text}).items()))).fault.tag == tag


@pytest.mark.parametrize("tag", [11, 14, 38, 39, 150])
def test_a_field_stands_once(tag: int) -> None:
    """A field that is read here and stands twice is refused: nobody knows which is meant."""
    wrong = refused(message("8", [*REPORT.items(), (tag, REPORT[tag])]))
    assert (wrong.fault.tag, wrong.fault.was) == (tag, "2 times")


def test_a_group_that_is_not_read_may_repeat() -> None:
    """Parties (448, 447, 452) repeat in every real log, and do no harm."""
    assert value(message("8", [*REPORT.items(), (448, "A"), (452, "1"), (448, "B"), (452, "3")]))


def test_money_instead_of_a_quantity() -> None:
    """A sum of money stands for the quantity of a new order; a sum that is no number is refused."""
    found = value(single("X", None, (152, "10000.50")))
    assert isinstance(found, NewOrderSingle)
    assert found.order_lots is None
    assert refused(single("X", None, (152, "-5"))).fault.tag == Tag.CASH_ORDER_QTY


@pytest.mark.parametrize("what", ["5", "D"])
def test_a_new_quantity_must_be_said(what: str) -> None:
    """Replaced and Restated say a new OrderQty, of at least one lot."""
    assert refused(message("8", list((REPORT | {150: what, 38: "0"}).items()))).fault.tag == Tag.ORDER_QTY


@pytest.mark.parametrize("what", ["F", "G"])
def test_a_trade_has_a_size(what: str) -> None:
    """A trade or a correction of nothing is refused."""
    assert refused(message("8", list((REPORT | {150: what, 32: "0"}).items()))).fault.tag == Tag.LAST_QTY


@pytest.mark.parametrize("code", EXEC_TYPES)
def test_every_exec_type_is_read(code: str) -> None:
    """Each ExecType has its word."""
    found = value(report(f"{code}0", (100, 0, 100), "E1", last=1))
    assert isinstance(found, ExecutionReport)
    assert found.exec_type is EXEC_TYPES[code]


def test_codes_mean_one_thing_each() -> None:
    """No two codes mean the same; every status of a venue and every ExecType has a code."""
    assert set(STATUSES.values()) == set(Status)
    assert set(EXEC_TYPES.values()) == set(ExecType)
    assert len(STATUSES) == len(Status)
    assert len(EXEC_TYPES) == len(ExecType)


def test_requests_and_refusals_are_read() -> None:
    """What the other messages say is read field by field."""
    assert value(change("F", "Y", "X", 100, (97, "Y"))).possible_resend
    assert value(change("G", "Y", "X", 70)).order_lots == 70
    assert str(value(refusal("1", "Y", "X", "2")).asked) == "replace"


def test_labels_are_the_standard_s() -> None:
    """A tag is shown by the name that the standard gives it."""
    names = {11: "ClOrdID", 41: "OrigClOrdID", 19: "ExecRefID", 152: "CashOrderQty", 434: "CxlRejResponseTo"}
    assert {tag: label_of(tag) for tag in names} == names
    assert label_of(9_999) == ""
