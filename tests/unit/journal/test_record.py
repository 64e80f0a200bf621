"""A record has exactly one text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.journal.errors import BadRecord
from peak_trade.journal.record import (
    FIELDS_MAX,
    NAME_CHARS_MAX,
    RECORD_BYTES_MAX,
    WHOLE_MAX,
    WHOLE_MIN,
    Record,
    decode,
    encode,
)

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,12}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
VALUES = st.none() | st.booleans() | st.integers(WHOLE_MIN, WHOLE_MAX) | TEXTS
RECORDS = st.builds(
    Record,
    st.integers(0, 10**9 - 1),
    st.from_regex(r"[a-z][a-z0-9_.]{0,12}", fullmatch=True),
    st.dictionaries(NAMES, VALUES, max_size=8),
)


@given(RECORDS)
def test_round_trip(record: Record) -> None:
    """Decoding gives back the record, and its types: True is not 1."""
    back = decode(encode(record))
    assert back == record
    assert {name: type(value) for name, value in back.body.items()} == {
        name: type(value) for name, value in record.body.items()
    }


@given(RECORDS)
def test_text_is_canonical_json(record: Record) -> None:
    """The text is what the standard library writes for sorted keys and no spaces."""
    plain = {"seq": record.seq, "kind": record.kind, "body": record.body}
    wanted = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert encode(record) == wanted.encode()


@pytest.mark.parametrize(
    "value",
    [1.0, float("nan"), [1], {"a": 1}, b"x", (), WHOLE_MAX + 1, WHOLE_MIN - 1, "\ud800", "x" * RECORD_BYTES_MAX],
    ids=lambda value: ascii(value)[:20],
)
def test_value_outside_the_form_is_refused(value: object) -> None:
    """Floats, nested values, wide numbers, lone surrogates and long texts have no text."""
    with pytest.raises(BadRecord) as caught:
        encode(Record(0, "kind", {"field": value}))  # type: ignore[dict-item]
    assert "xx" not in str(caught.value)


def test_subclasses_are_refused() -> None:
    """A subclass of int or str may spell itself in any way, so it has no text."""

    class Loud(int):
        pass

    class Word(str):
        __slots__ = ()

    for value in (Loud(1), Word("x")):
        with pytest.raises(BadRecord):
            encode(Record(0, "kind", {"field": value}))


@pytest.mark.parametrize("name", ["", "A", "1a", "a b", "é", "a" * (NAME_CHARS_MAX + 1), "a\n"], ids=ascii)
def test_name_outside_the_form_is_refused(name: str) -> None:
    """Names of fields and kinds are short lower-case ASCII words."""
    with pytest.raises(BadRecord):
        encode(Record(0, "kind", {name: 1}))
    with pytest.raises(BadRecord):
        encode(Record(0, name, {}))


def test_number_of_fields_is_limited() -> None:
    """One field more than the limit is refused, the limit itself is not."""
    most = {f"f{n}": n for n in range(FIELDS_MAX)}
    assert decode(encode(Record(0, "kind", most))).body == most
    with pytest.raises(BadRecord):
        encode(Record(0, "kind", {**most, "more": 1}))


@pytest.mark.parametrize("seq", [-1, 10**9, True, 1.0])
def test_seq_is_a_place(seq: int) -> None:
    """A seq is a whole number within the limit."""
    with pytest.raises(BadRecord):
        encode(Record(seq, "kind", {}))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[]",
        b'{"body":{},"kind":"a"}',
        b'{"body":{},"kind":"a","more":1,"seq":0}',
        b'{"body":[],"kind":"a","seq":0}',
        b'{"body":{},"kind":"a","seq":0} ',
        b'{"body":{}, "kind":"a","seq":0}',
        b'{"kind":"a","body":{},"seq":0}',
        b'{"body":{"b":1,"a":1},"kind":"a","seq":0}',
        b'{"body":{"a":"secret","a":1},"kind":"a","seq":0}',
        b'{"body":{"a":1e2},"kind":"a","seq":0}',
        b'{"body":{"a":-0},"kind":"a","seq":0}',
        b'{"body":{"a":NaN},"kind":"a","seq":0}',
        b'{"body":{"a":{}},"kind":"a","seq":0}',
        b'{"body":{"a":"\\u0041"},"kind":"a","seq":0}',
        b'{"body":{"a":"\\ud800"},"kind":"a","seq":0}',
        b'{"body":{"a":"\xed\xa0\x80"},"kind":"a","seq":0}',
        b'{"body":{"a":"\xff"},"kind":"a","seq":0}',
        '{"body":{},"kind":"a","seq":0}'.encode("utf-16"),
        b'{"body":{},"kind":1,"seq":0}',
        b'{"body":{},"kind":"a","seq":true}',
        b"[" * 10_000,
        b'{"body":{"a":' + b"9" * 5_000 + b'},"kind":"a","seq":0}',
        b" " * (RECORD_BYTES_MAX + 1),
    ],
    ids=lambda text: ascii(text)[:50],
)
def test_other_spelling_is_refused(text: bytes) -> None:
    """A text that encode would not give is no record's text, though JSON may read it."""
    with pytest.raises(BadRecord):
        decode(text)


@given(RECORDS, st.data())
def test_every_accepted_text_is_the_only_one(record: Record, data: st.DataObject) -> None:
    """A changed text is refused, or is the text of another record."""
    text = bytearray(encode(record))
    text[data.draw(st.integers(0, len(text) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        other = decode(bytes(text))
    except BadRecord:
        return
    assert other != record
    assert encode(other) == bytes(text)
