"""Only what the schema admits reaches disk."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.journal.disk import Disk
from peak_trade.journal.errors import BadSchema, WrongKind
from peak_trade.journal.record import WHOLE_MAX, Body, Record, decode, encode
from peak_trade.journal.redact import TEXT_CHARS_MAX, WORDS_MAX, Redactor, Rule, Schema, Text, Truth, Whole, Words
from peak_trade.journal.scan import read
from peak_trade.journal.store import Journal

RULES: Mapping[str, Rule] = {
    "a_id": Text(),
    "b_low": Whole(-5, 5),
    "c_word": Words(frozenset({"buy", 'q"uo\te'})),
    "s_flag": Truth(),
    "w_open": Text(r"(?s:.)*", 8),
    "z_any": Text(r"[\x00-\x7f]*", 8),
}
FITTING = st.fixed_dictionaries(
    {},
    optional={
        "a_id": st.from_regex(r"[A-Za-z0-9_.:-]{1,64}", fullmatch=True) | st.none(),
        "b_low": st.integers(-5, 5) | st.none(),
        "c_word": st.sampled_from(["buy", 'q"uo\te', None]),
        "s_flag": st.booleans() | st.none(),
        "w_open": st.text(st.characters(max_codepoint=127), max_size=8) | st.none(),
        "z_any": st.text(st.characters(max_codepoint=127), max_size=8) | st.none(),
    },
)
MISFITS: Mapping[str, tuple[object, ...]] = {
    "a_id": ("", "a b", "a\n", "x" * 65, "é", 1, True, 1.0, b"x", ["x"]),
    "b_low": (6, -6, True, 1.0, "1", 10**30, [1]),
    "c_word": ("sell", "", 1, ["buy"], b"buy"),
    "s_flag": (0, 1, "true", 1.0),
    "w_open": ("é", "\ud800", "x" * 9),
    "z_any": ("x" * 9, "é", "\ud800", 1),
}


@given(FITTING)
def test_what_fits_is_written_as_the_record_is(body: Body) -> None:
    """The one-pass text of a fitting body is the record's canonical text."""
    clean = Redactor({"kind": RULES}).redact("kind", body)
    assert f"{clean}7}}".encode() == encode(Record(7, "kind", body))


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in MISFITS.items() for value in values])
def test_what_does_not_fit_is_counted(name: str, value: object) -> None:
    """A value outside its rule leaves neither name nor value, only the count."""
    body = {"a_id": "kept", name: value}
    kept = {} if name == "a_id" else {"a_id": "kept"}
    clean = Redactor({"kind": RULES}).redact("kind", body)  # type: ignore[arg-type]
    assert decode(f"{clean}0}}".encode()).body == {**kept, "redacted": 1}


@given(FITTING, st.dictionaries(st.text(max_size=9), st.integers(), max_size=5))
def test_count_stands_in_its_sorted_place(body: dict[str, int], extra: dict[str, int]) -> None:
    """With any undeclared fields the text stays canonical and the count exact, also for a field named redacted."""
    extra = {name: value for name, value in extra.items() if name not in {*RULES, "redacted"}}
    clean = Redactor({"kind": RULES}).redact("kind", {**extra, "redacted": 9, **body})
    assert f"{clean}0}}".encode() == encode(Record(0, "kind", {**body, "redacted": len(extra) + 1}))


def test_subclass_of_a_number_is_not_one() -> None:
    """Types are exact: what a subclass prints is its own choice."""

    class Loud(int):
        def __str__(self) -> str:
            return '"secret"'

    clean = Redactor({"kind": RULES}).redact("kind", {"b_low": Loud(1)})
    assert decode(f"{clean}0}}".encode()).body == {"redacted": 1}


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=8, max_size=30),
    st.sampled_from(["name", "value", "misfit", "nested", "number", "error"]),
)
def test_planted_secret_never_reaches_disk(
    tmp_path_factory: pytest.TempPathFactory, quick: Disk, schema: Schema, tail: str, way: str
) -> None:
    """However a secret is handed over, no file of the folder holds it, plain or escaped; the rest of the body stays."""
    secret = f"hunter 2 {tail}"
    number = 987_654_321_987_654_321
    planted: dict[str, object] = {
        "name": {secret: 1},
        "value": {"password": secret},
        "misfit": {"side": secret},
        "nested": {"price_ticks": {"token": secret}},
        "number": {"price_ticks": number},
        "error": {"reason": ValueError(secret)},
    }[way]  # type: ignore[assignment]
    folder = tmp_path_factory.mktemp("secret")
    with Journal.open(folder, schema, disk=quick) as journal:
        journal.append("order.sent", {"order_id": "S-1", **planted})  # type: ignore[dict-item]
    held = b"".join(path.read_bytes() for path in folder.iterdir())
    for form in (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], str(number)):
        assert form.encode() not in held
    assert b"hunter" not in held
    assert [record.body for record in read(folder / "journal.jsonl")] == [{"order_id": "S-1", "redacted": 1}]


def test_positive_control_secret_would_be_found(tmp_path: Path, quick: Disk) -> None:
    """The search of the test above does find a value that the schema admits."""
    with Journal.open(tmp_path, {"kind": {"note": Text(r".*", 40)}}, disk=quick) as journal:
        journal.append("kind", {"note": "hunter 2 shown"})
    assert b"hunter 2 shown" in (tmp_path / "journal.jsonl").read_bytes()


def test_unknown_kind_is_an_error(schema: Schema) -> None:
    """A kind that nobody declared is a mistake in the program, not a secret."""
    with pytest.raises(WrongKind) as caught:
        Redactor(schema).redact("order.lost", {"order_id": "x"})
    assert caught.value.kind == "order.lost"


@pytest.mark.parametrize(
    "schema_",
    [
        {"Kind": {}},
        {"kind": {"redacted": Whole()}},
        {"kind": {"Field": Whole()}},
        {"kind": {f"f{n}": Truth() for n in range(64)}},
        {"kind": {"f": Whole(1, 0)}},
        {"kind": {"f": Whole(0, WHOLE_MAX + 1)}},
        {"kind": {"f": Words(frozenset())}},
        {"kind": {"f": Words(frozenset({"é"}))}},
        {"kind": {"f": Words(frozenset(str(n) for n in range(WORDS_MAX + 1)))}},
        {"kind": {"f": Text("(", 1)}},
        {"kind": {"f": Text(".", 0)}},
        {"kind": {"f": Text(".", TEXT_CHARS_MAX + 1)}},
        {"kind": {f"f{n}": Text(".*", TEXT_CHARS_MAX) for n in range(11)}},
    ],
)
def test_schema_outside_its_limits_is_refused(schema_: Schema) -> None:
    """A schema that could not be kept is refused before any record is."""
    with pytest.raises(BadSchema):
        Redactor(schema_)


def test_widest_record_of_an_accepted_schema_fits() -> None:
    """Ten of the longest texts, each character escaped at its widest, and a count still make a record."""
    fields = {f"f{n}": Text(r"[\x00-\x1f]*", TEXT_CHARS_MAX) for n in range(10)}
    body: dict[str, int | str] = dict.fromkeys(fields, "\x01" * TEXT_CHARS_MAX)
    clean = Redactor({"kind": fields}).redact("kind", {**body, "more": 1})
    assert decode(f"{clean}{10**9 - 1}}}".encode()).body == {**body, "redacted": 1}
