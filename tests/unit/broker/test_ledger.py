"""The venue's memory outlives the session's process, and is either whole or refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peak_trade.broker.errors import VenueTimeout
from peak_trade.broker.faults import Fault, FaultKind
from peak_trade.broker.ledger import Ledger, LedgerDamaged
from peak_trade.broker.mock import MockVenue, Settings
from peak_trade.broker.swarm import seeded

SOME = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@SOME
@given(seed=st.integers(0, 10**6), share=st.sampled_from([50, 1000]), data=st.data())
def test_a_crash_at_any_byte_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    make_program: Callable[..., Any],
    seed: int,
    share: int,
    data: st.DataObject,
) -> None:
    """Cut anywhere, reopened and gone on with the first operation that was not answered: same bytes, same reports."""
    folder = tmp_path_factory.mktemp("venue")
    made = make_program(seed, 40, Settings(0, share), seeded(seed, 40, 40, 500))
    whole, reports = made.run(folder / "whole")
    marks = made.marks(folder / "marks")
    boundaries = [index + 1 for index, byte in enumerate(whole) if byte == ord("\n")]
    anywhere = data.draw(st.lists(st.integers(0, len(whole)), max_size=15))
    for number, cut in enumerate([*boundaries, *anywhere]):
        path = folder / f"cut{number}"
        path.write_bytes(whole[:cut])
        # The operation during which the process died: its lines may be there in part, and it is done again.
        start = next((at for at, size in enumerate(marks[1:]) if size > cut), len(made.operations))
        assert made.run(path, start) == (whole, reports)
        path.write_bytes(whole[:cut])
        if cut >= marks[0]:
            answered = max((at for at, size in enumerate(marks[:-1]) if size <= cut), default=0)
            assert made.run(path, min(start, answered)) == (whole, reports)


def test_a_torn_line_is_dropped_and_counted(tmp_path: Path) -> None:
    """What was not written to its end was never answered."""
    ledger = Ledger(tmp_path / "l")
    ledger.write(["a", 1])
    ledger.close()
    whole = (tmp_path / "l").read_bytes()
    (tmp_path / "l").write_bytes(whole + b'["b",2')
    ledger = Ledger(tmp_path / "l")
    assert (ledger.entries, ledger.torn_bytes) == ([["a", 1]], 6)
    ledger.write(["c", 3])
    ledger.close()
    assert Ledger(tmp_path / "l").entries == [["a", 1], ["c", 3]]


def _written(path: Path, count: int = 5) -> bytes:
    ledger = Ledger(path)
    for number in range(count):
        ledger.write(["op", number])
    ledger.close()
    return path.read_bytes()


def test_every_changed_bit_is_seen(tmp_path: Path) -> None:
    """No bit of a whole line can change without the ledger being refused; a line end may become a torn line."""
    whole = _written(tmp_path / "l")
    for at in range(len(whole)):
        for bit in range(8):
            broken = whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]
            (tmp_path / "l").write_bytes(broken)
            try:
                ledger = Ledger(tmp_path / "l")
            except LedgerDamaged as damaged:
                assert damaged.line == whole.count(b"\n", 0, at) + 1  # noqa: PT017 - either outcome is allowed
            else:
                assert at == len(whole) - 1
                assert ledger.entries == [["op", number] for number in range(4)]
                ledger.close()


@pytest.mark.parametrize("change", ["lost", "moved", "repeated", "not_text", "not_json"])
def test_lines_that_are_lost_moved_or_added_are_seen(tmp_path: Path, change: str) -> None:
    """Each line's CRC covers those before it; refusing changes no byte."""
    lines = _written(tmp_path / "l").splitlines(keepends=True)
    broken = {
        "lost": lines[:2] + lines[3:],
        "moved": [*lines[:2], lines[3], lines[2], *lines[4:]],
        "repeated": [*lines[:3], lines[2], *lines[3:]],
        "not_text": [*lines[:2], b"\xff\xfe\n", *lines[2:]],
        "not_json": [*lines[:2], b"\n", *lines[2:]],
    }[change]
    (tmp_path / "l").write_bytes(b"".join(broken))
    with pytest.raises(LedgerDamaged) as caught:
        Ledger(tmp_path / "l")
    assert caught.value.line in (3, 4)
    assert (tmp_path / "l").read_bytes() == b"".join(broken)


def test_an_operation_that_no_venue_writes_is_refused(tmp_path: Path) -> None:
    """A line that is whole and means nothing, or speaks of an order that is not there, names its line."""
    for entry in (["dance"], ["cancel", 5], ["place", "a"]):
        path = tmp_path / entry[0]
        ledger = Ledger(path)
        ledger.write(entry)
        ledger.close()
        with pytest.raises(LedgerDamaged) as caught:
            MockVenue.open(path, 1, Settings())
        assert caught.value.line == 1


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that took only a part is cut off again and raised; the ledger goes on when there is room."""
    from peak_trade.broker import ledger as module

    ledger = Ledger(tmp_path / "l")
    real = module.os.write
    monkeypatch.setattr(module.os, "write", lambda file, data: real(file, data[:3]))
    with pytest.raises(OSError, match="free some space"):
        ledger.write(["a"])
    monkeypatch.undo()
    ledger.write(["b"])
    ledger.close()
    assert Ledger(tmp_path / "l").entries == [["b"]]


def test_another_plan_is_refused(tmp_path: Path, make_order: Callable[..., Any]) -> None:
    """A venue whose plan struck is not opened without that plan: what fired is part of what it did."""
    plan = (Fault(FaultKind.TIMEOUT_AFTER, order=1),)
    venue = MockVenue.open(tmp_path / "l", 1, Settings(), plan)
    with pytest.raises(VenueTimeout):
        venue.place_order(make_order("a"))
    venue.close()
    with pytest.raises(LedgerDamaged, match="timeout_after"):
        MockVenue.open(tmp_path / "l", 1, Settings())
    assert MockVenue.open(tmp_path / "l", 1, Settings(), plan).fired == {FaultKind.TIMEOUT_AFTER: 1}


def test_without_a_plan_the_ledger_has_nothing_of_one(tmp_path: Path, make_program: Callable[..., Any]) -> None:
    """An empty plan costs no line: orders, cancels and steps are all that is written."""
    make_program(5, 80, Settings(0, 300)).run(tmp_path / "l")
    found = {entry[0] for entry in Ledger(tmp_path / "l").entries}
    assert {"place", "advance"} <= found <= {"place", "cancel", "advance"}
