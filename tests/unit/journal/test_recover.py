"""Recovery keeps the longest valid prefix, or changes nothing."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from peak_trade.journal.anchor import CHECKPOINT, save
from peak_trade.journal.chain import START, Head
from peak_trade.journal.disk import POSIX, Disk
from peak_trade.journal.errors import JournalCorrupt, JournalHalted, JournalRolledBack
from peak_trade.journal.redact import Schema
from peak_trade.journal.scan import read, scan
from peak_trade.journal.store import Journal
from peak_trade.journal.verify import Corrupt, Intact, RolledBack, Torn, Unanchored, verify

Grow = Callable[[int], Path]
MakeMortal = Callable[[int, int], Disk]


def snapshot(folder: Path) -> dict[str, bytes]:
    """Give all files but the lock, which holds a process id."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "journal.lock"}


def heads(folder: Path) -> list[Head]:
    """Give the head after each record."""
    data = (folder / "journal.jsonl").read_bytes()
    lines = data.splitlines(keepends=True)
    return [START] + [Head(n + 1, len(b"".join(lines[: n + 1])), lines[n][26:90].decode()) for n in range(len(lines))]


def test_truncated_anywhere_it_recovers_with_the_tail_kept(grow: Grow, schema: Schema, quick: Disk) -> None:
    """Cut at every byte, opening keeps all whole records, and the torn bytes stand in quarantine unchanged."""
    folder = grow(2)
    data, ends = (folder / "journal.jsonl").read_bytes(), heads(folder)
    for size in range(len(data)):
        shutil.copytree(folder, copy := folder / f"cut-{size}")
        (copy / "journal.jsonl").write_bytes(data[:size])
        kept = [head for head in ends if head.size_bytes <= size][-1]
        torn = data[kept.size_bytes : size]
        found = verify(copy)
        assert (type(found), found.head) == (Torn if torn else Intact, kept)
        with Journal.open(copy, schema, disk=quick) as journal:
            assert journal.recovery.head == kept
            cut = journal.recovery.cut
            assert (cut is None) == (torn == b"")
            if cut is not None:
                assert (cut.tail_bytes, cut.quarantine.name) == (len(torn), f"quarantine-{kept.size_bytes}.bin")
                assert cut.quarantine.read_bytes() == torn
                assert "line feed" in cut.reason
            journal.append("recovered", {"tail_bytes": len(torn)})
        assert verify(copy) == Intact(scan(copy / "journal.jsonl").head, kept.records + 1)
        shutil.rmtree(copy)


def test_every_changed_byte_is_never_intact(grow: Grow, schema: Schema) -> None:
    """With its checkpoint at the end, no change of journal or checkpoint passes, opens, or is repaired."""
    folder = grow(3)
    save(folder, scan(folder / "journal.jsonl").head, POSIX)
    for name in ("journal.jsonl", CHECKPOINT):
        data = (folder / name).read_bytes()
        for at in range(len(data)):
            for flip in (1, 0x20, 0x80):
                changed = bytearray(data)
                changed[at] ^= flip
                (folder / name).write_bytes(changed)
                assert isinstance(verify(folder), Corrupt | RolledBack), (name, at, flip)
            before = snapshot(folder)
            with pytest.raises((JournalCorrupt, JournalRolledBack)):
                Journal.open(folder, schema)
            assert snapshot(folder) == before
        (folder / name).write_bytes(data)
    assert isinstance(verify(folder), Intact)


def test_rollback_below_the_checkpoint_is_seen(grow: Grow, schema: Schema) -> None:
    """For each checkpoint and each cut below it, at a line's end or not, opening refuses and changes nothing."""
    folder = grow(4)
    data, ends = (folder / "journal.jsonl").read_bytes(), heads(folder)
    for mark in ends[1:]:
        save(folder, mark, POSIX)
        for size in [*(head.size_bytes for head in ends), *range(5, len(data), 37)]:
            (folder / "journal.jsonl").write_bytes(data[:size])
            found = verify(folder)
            if size >= mark.size_bytes:
                assert not isinstance(found, RolledBack | Corrupt)
                continue
            kept = [head for head in ends if head.size_bytes <= size][-1]
            assert found == RolledBack(kept, size, mark)
            before = snapshot(folder)
            with pytest.raises(JournalRolledBack) as caught:
                Journal.open(folder, schema)
            assert (caught.value.checkpoint_bytes, caught.value.size_bytes) == (mark.size_bytes, size)
            assert (caught.value.checkpoint_records, caught.value.records) == (mark.records, kept.records)
            assert snapshot(folder) == before


def test_removed_journal_is_a_rollback(grow: Grow, schema: Schema) -> None:
    """A checkpoint without its journal is not a fresh start."""
    folder = grow(2)
    mark = scan(folder / "journal.jsonl").head
    save(folder, mark, POSIX)
    (folder / "journal.jsonl").unlink()
    assert verify(folder) == RolledBack(START, 0, mark)
    with pytest.raises(JournalRolledBack):
        Journal.open(folder, schema)
    assert not (folder / "journal.jsonl").exists()


def test_other_history_of_the_same_length_is_a_rollback(grow: Grow, schema: Schema, quick: Disk) -> None:
    """A chain that is right in itself but is not the one of the checkpoint does not pass."""
    folder = grow(2)
    mark = scan(folder / "journal.jsonl").head
    (folder / "journal.jsonl").unlink()
    with Journal.open(folder, schema, disk=quick) as journal:
        for n in range(2):
            journal.append("order.sent", {"order_id": f"X-{n}", "price_ticks": 100 + n, "side": "buy"})
    assert journal.head.size_bytes == mark.size_bytes
    assert isinstance(verify(folder), Intact)
    save(folder, mark, POSIX)
    assert verify(folder) == RolledBack(journal.head, mark.size_bytes, mark)


def test_torn_over_bytes_that_were_durable_is_corrupt(grow: Grow, schema: Schema) -> None:
    """A bad last line below the checkpoint cannot be a torn write, so it is not cut."""
    folder = grow(3)
    path = folder / "journal.jsonl"
    save(folder, scan(path).head, POSIX)
    path.write_bytes(path.read_bytes()[:-9] + b"#" * 9)
    found = verify(folder)
    assert isinstance(found, Corrupt)
    assert (found.fault.line, found.file) == (3, path)
    with pytest.raises(JournalCorrupt) as caught:
        Journal.open(folder, schema)
    assert (caught.value.line, caught.value.offset_bytes) == (3, heads(folder)[2].size_bytes)


def test_corrupt_journal_is_refused_with_its_place(grow: Grow, schema: Schema) -> None:
    """Damage in the middle gives line, byte, what was expected, what was, and a remedy; nothing is changed."""
    folder = grow(4)
    path = folder / "journal.jsonl"
    place = heads(folder)[1].size_bytes
    path.write_bytes(path.read_bytes().replace(b"S-1", b"S-9"))
    before = snapshot(folder)
    with pytest.raises(JournalCorrupt, match="restore") as caught:
        Journal.open(folder, schema)
    assert (caught.value.file, caught.value.line, caught.value.offset_bytes) == (path, 2, place)
    assert (caught.value.expected[:4], caught.value.was[:4]) == ("crc ", "crc ")
    assert snapshot(folder) == before


def test_lost_checkpoint_is_reported(grow: Grow, schema: Schema, quick: Disk) -> None:
    """Without a checkpoint the records verify but nobody vouches for the end; torn or not, the report says so."""
    folder = grow(2)
    path, head = folder / "journal.jsonl", scan(folder / "journal.jsonl").head
    (folder / CHECKPOINT).unlink()
    assert verify(folder) == Unanchored(head)
    path.write_bytes(path.read_bytes() + b"{")
    found = verify(folder)
    assert isinstance(found, Torn)
    assert not found.anchored
    with Journal.open(folder, schema, disk=quick) as journal:
        assert (journal.recovery.anchored, journal.recovery.head) == (False, head)


def test_missing_folder_is_no_verdict(tmp_path: Path) -> None:
    """Where there is nothing, nothing passes."""
    with pytest.raises(FileNotFoundError):
        verify(tmp_path)


def test_earlier_quarantine_is_never_overwritten(grow: Grow, schema: Schema, monkeypatch: pytest.MonkeyPatch) -> None:
    """Torn twice at one place, both tails are kept; past the limit of names opening refuses."""
    folder = grow(1)
    path = folder / "journal.jsonl"
    size = path.stat().st_size
    for tail in (b"first", b"second"):
        path.write_bytes(path.read_bytes() + tail)
        Journal.open(folder, schema).close()
    assert (folder / f"quarantine-{size}.bin").read_bytes() == b"first"
    assert (folder / f"quarantine-{size}-2.bin").read_bytes() == b"second"
    monkeypatch.setattr("peak_trade.journal.recover.QUARANTINES_MAX", 2)
    path.write_bytes(path.read_bytes() + b"third")
    before = snapshot(folder)
    with pytest.raises(JournalHalted, match="2 quarantine files"):
        Journal.open(folder, schema)
    assert snapshot(folder) == before


@pytest.mark.parametrize("eighths", [0, 3, 8])
def test_power_cut_at_every_operation(
    tmp_path: Path, schema: Schema, mortal: MakeMortal, quick: Disk, eighths: int
) -> None:
    """What was acknowledged before the cut is there after it, at each operation of a life; nothing else breaks."""

    def live(folder: Path, disk: Disk) -> tuple[int, bool]:
        acknowledged = 0
        try:
            journal = Journal.open(folder, schema, disk=disk, checkpoint_commits=2)
        except OSError:
            return 0, False
        try:
            for n in range(7):
                journal.append("order.sent", {"order_id": f"S-{n}"})
                if n % 2:
                    acknowledged = journal.commit().records
            journal.close()
        except JournalHalted:
            journal.close()
            return acknowledged, False
        return journal.head.records, True

    for operations in range(200):
        folder = tmp_path / str(operations)
        acknowledged, survived = live(folder, mortal(operations, eighths))
        with Journal.open(folder, schema, disk=quick) as journal:
            recovered = journal.recovery.head.records
            assert acknowledged <= recovered <= 7
            journal.append("recovered", {"tail_bytes": 0})
        ids = [record.body.get("order_id") for record in read(folder / "journal.jsonl")]
        assert ids == [*(f"S-{n}" for n in range(recovered)), None]
        assert isinstance(verify(folder), Intact)
        if survived:
            assert operations > 20
            return
    pytest.fail("the life never ended by itself")


@pytest.mark.parametrize("eighths", [0, 3, 8])
def test_power_cut_at_every_operation_of_a_recovery(
    grow: Grow, schema: Schema, mortal: MakeMortal, quick: Disk, eighths: int
) -> None:
    """A recovery that is cut off is done again, and the torn bytes are whole in a quarantine whenever they are cut."""
    folder = grow(2)
    path, head, tail = folder / "journal.jsonl", scan(folder / "journal.jsonl").head, b'{"crc":"12'
    path.write_bytes(path.read_bytes() + tail)
    for operations in range(50):
        shutil.copytree(folder, copy := folder / f"copy-{operations}")
        survived = True
        try:
            Journal.open(copy, schema, disk=mortal(operations, eighths)).close()
        except OSError:
            survived = False
        kept = [found.read_bytes() for found in copy.glob("quarantine-*.bin")]
        assert tail in kept or (copy / "journal.jsonl").read_bytes().endswith(tail)
        with Journal.open(copy, schema, disk=quick) as journal:
            assert journal.recovery.head == head
        assert tail in [found.read_bytes() for found in copy.glob("quarantine-*.bin")]
        if survived:
            assert operations == 5  # write, sync and name of the quarantine; cut and sync of the journal
            return
    pytest.fail("the recovery never ended by itself")
