"""Bytes become messages, or a fault with its place; nothing else ever happens."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from simplefix.data import RAW_LEN_TAGS
from strategies.fixlog import SESSION, plain_tags, report, single, values

from peak_trade.fix import reader
from peak_trade.fix.malformed import Fault
from peak_trade.fix.reader import SOH, Message, encode, read

LOG = b"".join(SESSION)


def fault(log: bytes) -> Fault:
    """The only fault of `log`."""
    (found,) = [item for item in read(log) if isinstance(item, Fault)]
    return found


def messages(log: bytes) -> list[Message]:
    """The messages of `log`, which has no fault."""
    found = list(read(log))
    assert not [str(item) for item in found if isinstance(item, Fault)]
    return [item for item in found if isinstance(item, Message)]


def bare(log: bytes) -> list[tuple[tuple[int, bytes], ...]]:
    """The fields of the messages of `log`, wherever they stand; faults aside."""
    return [item.fields for item in read(log) if isinstance(item, Message)]


@given(st.lists(st.tuples(plain_tags.filter(lambda tag: tag not in RAW_LEN_TAGS), values), max_size=20), values)
def test_what_is_encoded_is_read_again(fields: list[tuple[int, bytes]], kind: bytes) -> None:
    """Decoding what was encoded gives the fields, and encoding them again the bytes."""
    log = encode([(35, kind), *fields])
    (found,) = messages(log)
    assert found.kind == kind
    assert list(found.fields[3:-1]) == fields
    assert encode(found.fields) == log


def test_a_data_field_may_hold_any_byte() -> None:
    """A field that is counted (RawDataLength, RawData) may hold the delimiter and line ends."""
    (found,) = messages(encode([(35, b"A"), (95, b"5"), (96, b"\x01a|\n="), (58, b"end")]))
    assert found.first()[96] == b"\x01a|\n="


def test_both_delimiters_say_the_same() -> None:
    """A log with `|` for SOH has the same messages, with the same lengths and sums."""
    assert bare(LOG.replace(SOH, b"|")) == bare(LOG)
    assert len(bare(LOG)) == len(SESSION)


@pytest.mark.parametrize(
    "stamp",
    [
        b"",
        b"20260105-09:30:00.123 : ",
        b"20260105-09:30:00: ",
        b"2026-01-05T09:30:00.123456Z ",
        b"2026-01-05 09:30:00,123\t",
    ],
)
def test_lines_comments_and_stamps_stand_between_messages(stamp: bytes) -> None:
    """Line ends, comments and a time stamp before a message are no part of it; places count them."""
    log = b"# head\r\n\r\n  # 8=FIX.4.4\n" + b"".join(stamp + item + b"\r\n" for item in SESSION) + b"# end"
    found = messages(log)
    assert [item.fields for item in found] == bare(LOG)
    assert [item.place.line for item in found] == list(range(4, 4 + len(SESSION)))
    assert all(log[item.place.offset :].startswith(b"8=FIX") for item in found)
    assert [item.place.message for item in found] == list(range(1, 1 + len(SESSION)))


@pytest.mark.parametrize("cut", range(1, len(SESSION[1])))
def test_a_log_cut_anywhere_loses_one_message(cut: int) -> None:
    """A log that ends within a message has the messages before it, and one fault where it begins."""
    log = SESSION[0] + SESSION[1][:cut]
    assert bare(log) == bare(SESSION[0])
    assert fault(log).place.offset == len(SESSION[0])


@given(st.integers(0, len(SESSION[1]) - 1), st.integers(1, 255))
def test_a_changed_byte_is_noticed(at: int, by: int) -> None:
    """One byte of a message changed to any other: that message is refused, those around it are read."""
    broken = bytearray(SESSION[1])
    broken[at] = (broken[at] + by) % 256
    if at == 0 and broken[0] == ord("#"):
        return  # a line that begins with # is a comment
    log = SESSION[0] + bytes(broken) + SESSION[2]
    assert bare(log) in (bare(SESSION[0] + SESSION[2]), bare(SESSION[0]))
    assert [item for item in read(log) if isinstance(item, Fault)]


@given(
    st.binary(max_size=400)
    | st.lists(st.sampled_from([b"8=FIX.4.4", b"|", SOH, b"9=5", b"10=000", b"35=8", b"\n", b"#", b"="])).map(b"".join)
)
def test_noise_is_refused_and_crashes_nothing(noise: bytes) -> None:
    """Whatever the bytes, reading ends; what is no message is a fault with a place inside the bytes."""
    for item in read(noise):
        assert 0 <= item.place.offset <= len(noise)
        assert item.place.line == noise.count(b"\n", 0, item.place.offset) + 1


@given(st.binary(max_size=60), st.integers(0, len(SESSION) - 1))
def test_noise_between_messages_costs_at_most_the_next(noise: bytes, at: int) -> None:
    """Messages before the noise are read, and all but at most one after it."""
    log = b"".join(SESSION[:at]) + noise + b"\n" + b"".join(SESSION[at:])
    found = bare(log)
    assert found[:at] == bare(LOG)[:at]
    assert len(found) >= len(SESSION) - 1


SINGLE = single().replace(SOH, b"|")
WRONG = {
    "another version": (SINGLE.replace(b"FIX.4.4", b"FIX.4.2"), 8, "expected 'FIX.4.4', was 'FIX.4.2'"),
    "a length too short": (re.sub(rb"9=(\d+)", b"9=50", SINGLE), 9, "expected the CheckSum after 50 bytes"),
    "a length beyond the end": (re.sub(rb"9=(\d+)", b"9=500", SINGLE), 9, "are left in the log"),
    "a length beyond the limit": (re.sub(rb"9=(\d+)", b"9=9999999", SINGLE), 9, "expected at most 65536 bytes"),
    "no length": (re.sub(rb"9=\d+\|", b"", SINGLE), 0, "expected 8=FIX.4.4, then 9=BodyLength"),
    "a wrong sum": (SINGLE[:-4] + (b"000|" if SINGLE[-4:] != b"000|" else b"001|"), 10, "damaged on its way"),
    "noise": (b"what is this", 0, "was 'what is this'"),
    "no MsgType in its place": (encode([(35, b"8")]).replace(b"35=8", b"58=8"), 10, ""),
    "a tag that is a word": (encode([(35, b"8"), (58, b"a")]).replace(b"58=", b"x8="), 10, ""),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_fault_names_place_field_and_reason(name: str) -> None:
    """Each way to be malformed has its field and its reason, and a remedy."""
    log, tag, said = WRONG[name]
    found = fault(b"# one\n" + log)
    assert (found.tag, found.place.line, found.place.offset) == (tag, 2, 6)
    assert said in str(found)
    assert found.remedy


def summed(body: bytes) -> bytes:
    """A message of this body with the right length and sum."""
    head = b"8=FIX.4.4\x019=%d\x01" % len(body) + body
    return head + b"10=%03d\x01" % (sum(head) % 256)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"58=a\x0135=8\x01", "35 MsgType: expected it as the third field, was tag 58"),
        (b"", "35 MsgType: expected it as the third field, was tag 10"),
        (b"35=8\x01x=1\x01", "fields of tag=value"),
        (b"35=8\x0158=\x01", "fields of tag=value"),
        (b"35=8\x0158\x01", "fields of tag=value"),
        (b"35=8\x01+58=1\x01", "fields of tag=value"),
        (b"35=8\x01058=1\x01", "fields of tag=value"),
        (b"35=8\x01-58=1\x01", "tag '-58'"),
        (b"35=8\x010=1\x01", "tag '0'"),
        (b"35=8\x0110=100\x0158=1\x01", "a break after"),
        (b"35=8\x0195=9\x0196=a\x01", "fields of tag=value"),
        (b"35=8\x0195=x\x0196=a\x01", "fields of tag=value"),
    ],
)
def test_fields_are_held_to_tag_and_value(body: bytes, said: str) -> None:
    """With length and sum in order, fields that are not tag=value are refused all the same, and the next is read."""
    log = summed(body) + SESSION[0]
    assert said in str(fault(log))
    assert bare(log) == bare(SESSION[0])


@pytest.mark.parametrize("name", ["LOG_BYTES_MAX", "BODY_BYTES_MAX", "FIELDS_MAX", "MESSAGES_MAX", "FAULTS_MAX"])
def test_each_limit_is_kept(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a limit nothing more is read, and a fault says so."""
    monkeypatch.setattr(reader, name, 4)
    log = LOG if name != "FAULTS_MAX" else b"".join(b"8=FIX.4.2|9=1|\n" for _ in range(9))
    found = list(read(log))
    assert isinstance(found[-1], Fault)
    assert len(found) == {"LOG_BYTES_MAX": 1, "MESSAGES_MAX": 5, "FAULTS_MAX": 5}.get(name, len(SESSION))
    assert "at most" in found[-1].expected


def test_a_message_without_a_type_is_not_encoded() -> None:
    """There is no message without MsgType."""
    with pytest.raises(ValueError, match="type"):
        encode([(58, b"a")])


def test_the_largest_log_has_room_for_the_most_messages() -> None:
    """A log of the most messages of common size is within the limit of its bytes."""
    assert len(report("00", (100, 0, 100), "E1")) * reader.MESSAGES_MAX < reader.LOG_BYTES_MAX
