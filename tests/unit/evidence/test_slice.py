"""A slice is bound by the heads around it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.evidence.slice import cut, follow
from peak_trade.journal.anchor import CHECKPOINT
from peak_trade.journal.verify import JOURNAL, Intact, verify

STEPS = 45


@pytest.fixture(scope="session")
def journal(run: Path) -> Path:
    """The journal of the undisturbed run."""
    return run / "journal" / "journal.jsonl"


@given(low=st.integers(0, STEPS), length=st.integers(0, STEPS), at=st.floats(0, 1, exclude_max=True))
def test_a_slice_follows_from_head_to_head(journal: Path, low: int, length: int, at: float) -> None:
    """Every slice holds exactly the records of its steps and follows its heads; with any byte changed it does not."""
    part = cut(journal, low, low + length)
    label = json.dumps(part.label())
    assert follow(part.data, label) is None
    for line in part.data.splitlines():
        step = json.loads(line)["record"]["body"].get("step")
        assert step is None or low <= step <= low + length
    whole = journal.read_bytes()
    assert whole[part.before.size_bytes : part.after.size_bytes] == part.data
    changed = bytearray(part.data)
    changed[int(at * len(changed))] ^= 1
    assert follow(bytes(changed), label) is not None


def test_a_prefix_is_a_journal(journal: Path, tmp_path: Path) -> None:
    """What begins at the first record verifies as any journal does, with its head as the checkpoint."""
    part = cut(journal, 0, 7)
    assert part.prefix
    (tmp_path / JOURNAL).write_bytes(part.data)
    head = part.after
    (tmp_path / CHECKPOINT).write_text(f'{{"bytes":{head.size_bytes},"hash":"{head.root}","records":{head.records}}}\n')
    found = verify(tmp_path)
    assert isinstance(found, Intact)
    assert found.anchored_records == part.after.records > 0
    assert not cut(journal, 3, 7).prefix


def test_what_is_left_out_shows(journal: Path) -> None:
    """A line taken away at either end, or another label, is not the slice."""
    part = cut(journal, 5, 9)
    label = json.dumps(part.label())
    lines = part.data.splitlines(keepends=True)
    assert follow(b"".join(lines[1:]), label)
    assert follow(b"".join(lines[:-1]), label)
    assert follow(part.data, "{}") == follow(part.data, "nonsense") == "slice.json is no label of a slice"


@pytest.mark.parametrize("steps", [(9_000, 9_001), (7, 6)])
def test_steps_that_are_not_there_are_refused(journal: Path, steps: tuple[int, int]) -> None:
    """The message says which steps there are."""
    with pytest.raises(ValueError, match=r"0 to \d+"):
        cut(journal, *steps)
