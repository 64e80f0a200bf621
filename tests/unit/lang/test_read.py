"""Reading: every node has its place, and nothing but plain YAML gets through."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.lang.parse import parse_file
from peak_trade.lang.read import FILE_BYTES_MAX, Marks, glean, plain_value, read
from peak_trade.lang.source import Findings, Source, Span, within

SPEC = Path(__file__).parents[3] / "spec"


def leaves(data: object, path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Any]]:
    """Return every scalar of `data` with its path."""
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [leaf for key, value in items for leaf in leaves(value, (*path, key))] if items else [(path, data)]


def read_all(text: str) -> tuple[Any, Marks, Findings]:
    """Return data, marks and findings of a text that can be read."""
    findings = Findings(Source("text", text))
    found = glean(findings)
    assert found is not None, findings.items
    return *found, findings


@pytest.mark.parametrize("name", ["session", "order"])
def test_every_scalar_of_a_shipped_specification_stands_where_its_mark_says(name: str) -> None:
    """The text at each mark is the scalar's own, and the text at each key's mark is the key."""
    text = (SPEC / f"{name}.yaml").read_text()
    data, marks, findings = read_all(text)
    lines = text.splitlines()
    for path, value in leaves(data):
        span = marks.at(path)
        if span.width == 1 and len(str(value)) > 1:
            continue  # a text of several lines: its mark is where it begins
        written = lines[span.line - 1][span.column - 1 : span.column - 1 + span.width].strip("\"'")
        assert written == (str(value).lower() if isinstance(value, bool) else str(value))
        if isinstance(path[-1], str):
            key = marks.key(path)
            assert lines[key.line - 1][key.column - 1 : key.column - 1 + key.width] == path[-1]
    assert not findings.items


@pytest.mark.parametrize("name", ["session", "order"])
def test_every_character_of_every_scalar_is_found_again(name: str) -> None:
    """`within` maps each printed character of a scalar to that very character of the source."""
    source = Source(name, (SPEC / f"{name}.yaml").read_text())
    data, marks, _ = read_all(source.text)
    lines = source.lines()
    for path, value in leaves(data):
        if isinstance(value, str):
            for index in {0, len(value) // 2, len(value) - 1}:
                span = within(source, marks.at(path), value, index, index + 1)
                assert value[index] == " " or lines[span.line - 1][span.column - 1] == value[index]


FOLDED = """
plain: one and
  two
quoted: "one and
  two"
block: >
  one and
  two
literal: |
  one and
  two
"""


@pytest.mark.parametrize(("key", "line"), [("plain", 3), ("quoted", 5), ("block", 8), ("literal", 11)])
def test_a_word_of_a_folded_scalar_has_its_own_line(key: str, line: int) -> None:
    """However a scalar is folded, the place of its last word is where that word stands."""
    data, marks, findings = read_all(FOLDED)
    text = data[key]
    begin = text.index("two")
    assert within(findings.source, marks.at((key,)), text, begin, begin + 3) == Span(line, 3, 3)


@given(st.from_regex(r"[-+]?[0-9_]{1,8}|0[xob][0-9a-f]{1,4}|[0-9]{1,3}\.[0-9]{1,3}|[0-9]e[0-9]", fullmatch=True))
def test_only_decimal_digits_are_a_number(text: str) -> None:
    """A plain scalar is a number iff it is a sign and decimal digits; everything else stays a text as written."""
    value = plain_value(text)
    if text.lstrip("-+").isdigit() and len(text.lstrip("-+")) >= len(text) - 1:
        assert value == int(text)
    else:
        assert value == text


@pytest.mark.parametrize("word", ["on", "off", "yes", "no", "y", "n", "On", "12:30:45", "2026-01-01", "1.5", ".inf"])
def test_the_words_that_other_readers_turn_into_something_else_stay_words(word: str) -> None:
    """`on` is a key of ours and no truth value; there are no floats, dates or base-60 numbers."""
    assert read_all(f"a: {word}\n")[0] == {"a": word}


@pytest.mark.parametrize(
    ("text", "code"),
    [("a: &x 1\n", "PT003"), ("a: 1\na: 2\n", "PT004"), ("a:\n\tb: 1\n", "PT005"), ("a: x\u200by\n", "PT006")],
)
def test_read_gives_nothing_after_a_mistake_and_glean_gives_the_rest(text: str, code: str) -> None:
    """`read` is strict for those who act on the data; `glean` goes on for those who look for more mistakes."""
    strict, loose = Findings(Source("text", text)), Findings(Source("text", text))
    assert read(strict) is None
    assert glean(loose) is not None
    assert [item.code for item in strict.items] == [item.code for item in loose.items] == [code]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_line_end_counts_lines_alike(end: str) -> None:
    """A file from another system has the same lines."""
    _, marks, _ = read_all(end.join(["a: 1", "b:", "  c: 2", ""]))
    assert marks.at(("b", "c")) == Span(3, 6, 1)


def test_bytes_that_are_not_utf_8_are_told_with_their_place(tmp_path: Path) -> None:
    """A file in another encoding is not read with its letters replaced in silence."""
    path = tmp_path / "latin.yaml"
    path.write_bytes("machine: caf\xe9\n".encode("latin-1"))
    found = parse_file(path).diagnostics
    assert ("PT006", Span(1, 13)) in [(item.code, item.span) for item in found]


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    """Editors that write one are not told off, and columns count from the first letter."""
    path = tmp_path / "bom.yaml"
    path.write_bytes(b"\xef\xbb\xbfmachine: 1x\n")
    assert parse_file(path).diagnostics[0].span.column in (1, 10)
    assert "PT006" not in [item.code for item in parse_file(path).diagnostics]


def test_a_file_above_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """One byte more than the limit is too much, the limit itself is not."""
    path = tmp_path / "large.yaml"
    path.write_text("#" * FILE_BYTES_MAX)
    assert [item.code for item in parse_file(path).diagnostics] == ["PT001"]
    path.write_text("#" * (FILE_BYTES_MAX + 1))
    assert [item.code for item in parse_file(path).diagnostics] == ["PT002"]
