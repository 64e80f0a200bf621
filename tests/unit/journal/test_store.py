"""What commit has returned for is on disk, and a failed disk stops the writer."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from peak_trade.journal.anchor import CHECKPOINT, load
from peak_trade.journal.chain import START
from peak_trade.journal.disk import POSIX, Disk
from peak_trade.journal.errors import JournalHalted, JournalLocked, WrongKind
from peak_trade.journal.record import Body
from peak_trade.journal.redact import Schema
from peak_trade.journal.scan import read, scan
from peak_trade.journal.store import GROUP_RECORDS_MAX, Journal
from peak_trade.journal.verify import Intact, Unanchored, verify

SENT: Body = {"order_id": "S-1", "price_ticks": 100, "side": "buy"}
HOLD = """
import sys, time
from pathlib import Path
from peak_trade.journal.store import Journal
journal = Journal.open(Path(sys.argv[1]), {"kind": {}})
print("held", flush=True)
time.sleep(60)
"""


class Failing:
    """A disk whose named operation fails once from the n-th call on, and which counts all calls."""

    def __init__(self, name: str, calls_before: int, error: BaseException) -> None:
        """Fail in `name` with the error after so many good calls of it."""
        self.name, self.before, self.error, self.calls = name, calls_before, error, 0

    def write(self, handle: int, data: bytes) -> None:
        """Write, or fail after half of it."""
        self._meet("write", lambda: POSIX.write(handle, data[: len(data) // 2]))
        POSIX.write(handle, data)

    def fsync(self, handle: int) -> None:
        """Sync, or fail."""
        self._meet("fsync")
        POSIX.fsync(handle)

    def truncate(self, handle: int, size_bytes: int) -> None:
        """Cut, or fail."""
        self._meet("truncate")
        POSIX.truncate(handle, size_bytes)

    def replace(self, source: Path, target: Path) -> None:
        """Rename, or fail."""
        self._meet("replace")
        POSIX.replace(source, target)

    def _meet(self, name: str, halfway: Callable[[], None] = lambda: None) -> None:
        self.calls += 1
        if name == self.name:
            self.before -= 1
            if self.before == -1:
                halfway()
                raise self.error


def test_commit_returns_the_durable_head(tmp_path: Path, schema: Schema) -> None:
    """Before a commit nothing of its group is in the file; after it all of it is."""
    with Journal.open(tmp_path / "deep" / "folder", schema) as journal:
        assert journal.recovery.head == START
        journal.append("order.sent", SENT)
        journal.append("venue.said", {"order_id": "S-1", "lots": 5, "final": True})
        assert scan(journal.path).head == START
        assert journal.commit() == journal.head == scan(journal.path).head
        assert journal.head.records == 2
        assert journal.commit() == journal.head
    assert [record.kind for record in read(journal.path)] == ["order.sent", "venue.said"]
    assert verify(journal.folder) == Intact(journal.head, 2)


def test_reopened_journal_goes_on(tmp_path: Path, schema: Schema, quick: Disk) -> None:
    """Several lives of a writer make one chain."""
    for life in range(4):
        with Journal.open(tmp_path, schema, disk=quick) as journal:
            assert journal.recovery.head.records == life
            assert (journal.recovery.anchored, journal.recovery.cut) == (True, None)
            journal.append("order.sent", {**SENT, "price_ticks": life})
    assert [record.body["price_ticks"] for record in read(journal.path)] == [0, 1, 2, 3]


def test_checkpoint_is_written_each_so_many_commits_and_on_close(tmp_path: Path, schema: Schema, quick: Disk) -> None:
    """The checkpoint follows the journal by less than the agreed number of commits, and meets it at the close."""
    seen = []
    with Journal.open(tmp_path, schema, disk=quick, checkpoint_commits=3) as journal:
        for _ in range(7):
            journal.append("order.sent", SENT)
            journal.commit()
            held = load(tmp_path)
            seen.append(getattr(held, "records", None))
        journal.append("order.sent", SENT)
    assert seen == [0, 0, 3, 3, 3, 6, 6]
    assert load(tmp_path) == journal.head


def test_opening_without_writing_does_not_vouch(tmp_path: Path, schema: Schema, quick: Disk) -> None:
    """A lost checkpoint is not replaced by a writer that added nothing; one that did add makes a new one."""
    with Journal.open(tmp_path, schema, disk=quick) as journal:
        journal.append("order.sent", SENT)
    (tmp_path / CHECKPOINT).unlink()
    with Journal.open(tmp_path, schema, disk=quick) as journal:
        assert not journal.recovery.anchored
    assert isinstance(verify(tmp_path), Unanchored)
    with Journal.open(tmp_path, schema, disk=quick) as journal:
        journal.append("order.sent", SENT)
    assert verify(tmp_path) == Intact(journal.head, 2)


def test_group_is_committed_at_its_limit(tmp_path: Path, schema: Schema, quick: Disk) -> None:
    """What is held in memory is bounded: a full group becomes durable without being asked."""
    with Journal.open(tmp_path, schema, disk=quick) as journal:
        for _ in range(GROUP_RECORDS_MAX - 1):
            journal.append("order.sent", SENT)
        assert journal.head.records == 0
        journal.append("order.sent", SENT)
        assert scan(journal.path).head.records == GROUP_RECORDS_MAX


def test_unknown_kind_leaves_the_writer_usable(tmp_path: Path, schema: Schema, quick: Disk) -> None:
    """A refused append takes no seq."""
    with Journal.open(tmp_path, schema, disk=quick) as journal:
        with pytest.raises(WrongKind):
            journal.append("order.lost", {})
        journal.append("order.sent", SENT)
    assert [record.seq for record in read(journal.path)] == [0]


@pytest.mark.parametrize("name", ["write", "fsync"])
def test_disk_error_halts_for_good(tmp_path: Path, schema: Schema, name: str) -> None:
    """After EIO nothing is accepted and the disk is not touched again, though it would work; reopening recovers."""
    with Journal.open(tmp_path, schema) as journal:
        journal.append("order.sent", SENT)
    disk = Failing(name, 1, OSError(errno.EIO, os.strerror(errno.EIO)))
    journal = Journal.open(tmp_path, schema, disk=disk)  # opening a journal that has records asks nothing of the disk
    journal.append("order.sent", SENT)
    assert journal.commit().records == 2
    journal.append("order.sent", SENT)
    with pytest.raises(JournalHalted, match="Input/output error") as caught:
        journal.commit()
    assert caught.value.folder == tmp_path
    calls = disk.calls
    for refused in (lambda: journal.append("order.sent", SENT), journal.commit):
        with pytest.raises(JournalHalted, match="Input/output error"):
            refused()
    journal.close()
    assert disk.calls == calls
    with Journal.open(tmp_path, schema) as again:
        assert again.recovery.head.records == {"write": 2, "fsync": 3}[name]
        assert (again.recovery.cut is None) == (name == "fsync")


def test_failed_checkpoint_halts_too(tmp_path: Path, schema: Schema) -> None:
    """A checkpoint that cannot be replaced stops the writer; the records it was for are safe."""
    Journal.open(tmp_path, schema).close()
    disk = Failing("replace", 0, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    journal = Journal.open(tmp_path, schema, disk=disk, checkpoint_commits=1)
    journal.append("order.sent", SENT)
    with pytest.raises(JournalHalted, match="No space left"):
        journal.commit()
    journal.close()
    assert verify(tmp_path) == Intact(scan(journal.path).head, 0)
    assert scan(journal.path).head.records == 1


def test_failed_close_gives_the_lock_back(tmp_path: Path, schema: Schema) -> None:
    """A close that cannot write says so, and another writer can open."""
    Journal.open(tmp_path, schema).close()
    journal = Journal.open(tmp_path, schema, disk=Failing("replace", 0, OSError(errno.EIO, "broken")))
    journal.append("order.sent", SENT)
    with pytest.raises(JournalHalted, match="broken"):
        journal.close()
    Journal.open(tmp_path, schema).close()


@pytest.mark.parametrize("name", ["write", "fsync"])
def test_interrupted_commit_halts(tmp_path: Path, schema: Schema, quick: Disk, name: str) -> None:
    """A commit that a signal breaks off is not tried again: its bytes may be there already."""
    Journal.open(tmp_path, schema, disk=quick).close()
    disk = Failing(name, {"write": 0, "fsync": 3}[name], KeyboardInterrupt())
    journal = Journal.open(tmp_path, schema, disk=disk)
    journal.append("order.sent", SENT)
    with pytest.raises(KeyboardInterrupt):
        journal.commit()
    with pytest.raises(JournalHalted, match="interrupted"):
        journal.commit()
    journal.close()
    Journal.open(tmp_path, schema, disk=quick).close()


def test_interrupted_append_halts(tmp_path: Path, schema: Schema, quick: Disk) -> None:
    """A line that was sealed but never joined its group would break the chain, so the group is not written."""
    journal = Journal.open(tmp_path, schema, disk=quick)
    journal.append("order.sent", SENT)
    journal.append("order.sent", SENT)
    journal._group.pop()
    with pytest.raises(JournalHalted, match="interrupted"):
        journal.commit()
    journal.close()
    assert scan(tmp_path / "journal.jsonl").head == START


def test_closed_journal_accepts_nothing(tmp_path: Path, schema: Schema, quick: Disk) -> None:
    """Closing twice is harmless, appending after it is not."""
    journal = Journal.open(tmp_path, schema, disk=quick)
    journal.close()
    journal.close()
    with pytest.raises(JournalHalted, match="closed"):
        journal.append("order.sent", SENT)


def test_abandoned_group_is_not_written(tmp_path: Path, schema: Schema, quick: Disk) -> None:
    """Abandoning leaves the disk as the last commit did."""
    journal = Journal.open(tmp_path, schema, disk=quick)
    journal.append("order.sent", SENT)
    journal.abandon()
    assert verify(tmp_path) == Intact(START, 0)


def test_second_writer_in_this_process_is_refused(tmp_path: Path, schema: Schema, quick: Disk) -> None:
    """The lock is per writer, not per process, and names the holder."""
    with Journal.open(tmp_path, schema, disk=quick), pytest.raises(JournalLocked, match=str(os.getpid())) as caught:
        Journal.open(tmp_path, schema, disk=quick)
    assert (caught.value.pid, caught.value.folder) == (os.getpid(), tmp_path)
    Journal.open(tmp_path, schema, disk=quick).close()


def test_lock_of_another_process_holds_until_it_dies(tmp_path: Path) -> None:
    """Another process is named by its id; killing it frees the journal at once."""
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE) as child:
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == b"held\n"
            with pytest.raises(JournalLocked) as caught:
                Journal.open(tmp_path, {"kind": {}})
            assert caught.value.pid == child.pid
        finally:
            child.send_signal(signal.SIGKILL)
    Journal.open(tmp_path, {"kind": {}}).close()


def test_failed_opening_gives_the_lock_back(tmp_path: Path, schema: Schema) -> None:
    """A disk that fails while opening leaves no lock behind, and no handle."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    for calls in range(5):
        with pytest.raises(OSError, match="broken"):
            Journal.open(tmp_path / str(calls), schema, disk=Failing("fsync", calls, OSError(errno.EIO, "broken")))
        Journal.open(tmp_path / str(calls), schema).close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_journal_is_for_its_owner_only(tmp_path: Path, schema: Schema, quick: Disk) -> None:
    """Files are not readable by others, and a link is not followed."""
    with Journal.open(tmp_path / "a", schema, disk=quick):
        pass
    assert {path.stat().st_mode & 0o077 for path in [tmp_path / "a", *(tmp_path / "a").iterdir()]} == {0}
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "journal.jsonl").symlink_to(tmp_path / "a" / "journal.jsonl")
    with pytest.raises(OSError, match="symbolic links"):
        Journal.open(tmp_path / "b", schema, disk=quick)


def test_checkpoint_cycle_is_positive(tmp_path: Path, schema: Schema) -> None:
    """A cycle of no commits has no meaning."""
    with pytest.raises(ValueError, match="at least 1"):
        Journal.open(tmp_path, schema, checkpoint_commits=0)
