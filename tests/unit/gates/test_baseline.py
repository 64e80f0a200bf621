from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.gates.baseline import BASELINE_FILE, debt, read_baseline, shrunk, trend, write_baseline
from peak_trade.gates.errors import UnusableError
from peak_trade.lang.source import Diagnostic, Span

FOUND = st.lists(
    st.builds(
        Diagnostic,
        st.sampled_from(["DG001", "DG004"]),
        st.sampled_from(["a.md", "b.md"]),
        st.builds(Span, st.integers(1, 9), st.just(1)),
        st.sampled_from(["x", "y"]),
    )
)
KNOWN = FOUND.map(lambda found: Counter(map(debt, found)))


@given(FOUND, KNOWN)
def test_every_finding_is_new_or_old_and_every_debt_old_or_cured(found: list[Diagnostic], known: Counter) -> None:
    """The trend loses nothing: found = new + old, known = old + cured, and nothing new is known any more."""
    told = trend(found, known, lambda _: True)
    assert Counter(told.new) + Counter(told.old) == Counter(found)
    assert Counter(map(debt, told.old)) + told.cured == known
    assert not Counter(map(debt, told.new)) & told.cured


@given(FOUND, KNOWN)
def test_of_pages_that_were_not_looked_at_nothing_is_cured(found: list[Diagnostic], known: Counter) -> None:
    """Debt of a page out of scope is neither cured nor counted."""
    told = trend([item for item in found if item.file == "a.md"], known, lambda name: name == "a.md")
    assert {file for _, file, _ in told.cured} <= {"a.md"}


@given(FOUND, KNOWN)
def test_a_baseline_only_shrinks(found: list[Diagnostic], known: Counter) -> None:
    """Written again, a baseline is within the old one and within what is found; the first one takes all."""
    after = shrunk(known, found)
    assert after <= known
    assert after <= Counter(map(debt, found))
    assert not trend(found, after, lambda _: True).cured
    assert trend(found, shrunk(None, found), lambda _: True).new == ()


def test_a_baseline_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Writing and reading gives the same debt; without a file there is no baseline."""
    assert read_baseline(tmp_path) is None
    known = Counter({("DG001", "a\udcff.md", "`ü` does not exist"): 2})
    write_baseline(tmp_path, known)
    assert read_baseline(tmp_path) == known


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"schema_version": 2, "debt": []}',
        '{"schema_version": 1, "debt": [{"code": "DG001"}]}',
        '{"schema_version": 1, "debt": 3}',
        '{"schema_version": 1, "debt": [{"code": "DG001", "file": "a", "message": "b", "count": true}]}',
        '{"schema_version": 1, "debt": [{"code": "a", "file": "a", "message": "b", "count": 0}]}',
    ],
)
def test_a_baseline_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    """A file of another version or shape is an error that names it, never an empty baseline."""
    (tmp_path / "docs").mkdir()
    (tmp_path / BASELINE_FILE).write_text(text)
    with pytest.raises(UnusableError, match=BASELINE_FILE):
        read_baseline(tmp_path)
