"""What `commit` has returned for is on disk, and after any failed write nothing more is accepted.

Folder: `journal.jsonl` (the lines), `journal.lock` (one writer), `journal.checkpoint.json` (how far it certainly
reached), `quarantine-<offset>.bin` (torn tails that were cut). Opening verifies and recovers first.

`append` only buffers; `commit` makes the group durable with one write and one fsync. A group that reaches
`GROUP_RECORDS_MAX` is committed early, which promises more and never less.

Limits: one folder, one file, at most `RECORDS_MAX` records; durable means what the device's own fsync means.
"""

import os
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, NoReturn, Self

from peak_trade.journal.anchor import load, save
from peak_trade.journal.chain import START, Chain, Head
from peak_trade.journal.disk import POSIX, Disk, open_file, sync_folder
from peak_trade.journal.errors import JournalHalted
from peak_trade.journal.lock import take
from peak_trade.journal.record import RECORDS_MAX, Body
from peak_trade.journal.recover import Recovery, recover
from peak_trade.journal.redact import Redacted, Redactor, Schema
from peak_trade.journal.verify import JOURNAL, Intact, verify

GROUP_RECORDS_MAX: Final = 4_096
CHECKPOINT_COMMITS: Final = 64


@dataclass(frozen=True, slots=True)
class _Ready:
    """A folder that is locked, recovered and open to append."""

    folder: Path
    lock: int
    file: int
    recovery: Recovery


class Journal:
    """The only writer of one journal folder; made by `open`."""

    __slots__ = ("_chain", "_commits", "_cycle", "_disk", "_file", "_group", "_halted", "_head", "_lock", "_marked",
                 "folder", "recovery", "redactor")  # fmt: skip

    def __init__(self, redactor: Redactor, disk: Disk, ready: _Ready, checkpoint_commits: int) -> None:
        self.folder = ready.folder
        self.recovery = ready.recovery
        self.redactor = redactor
        self._disk = disk
        self._lock = ready.lock
        self._file = ready.file
        self._cycle = checkpoint_commits
        self._commits = 0
        self._group: list[bytes] = []
        self._halted: str | None = None
        self._head = self._marked = ready.recovery.head
        self._chain = Chain(self._head)

    @classmethod
    def open(
        cls, folder: Path, schema: Schema, *, disk: Disk = POSIX, checkpoint_commits: int = CHECKPOINT_COMMITS
    ) -> Self:
        """Lock, verify and recover the folder, making it if it is not there; `recovery` reports what was done.

        Raises:
            BadSchema: the schema is outside its limits.
            JournalLocked: another writer holds the folder.
            JournalCorrupt: recorded bytes do not verify; nothing was changed.
            JournalRolledBack: the journal does not reach its checkpoint; nothing was changed.
            OSError: the disk failed; nothing was lost.
        """
        if checkpoint_commits < 1:
            raise ValueError(f"expected checkpoint_commits of at least 1, was {checkpoint_commits}")
        redactor = Redactor(schema)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(redactor, disk, _ready(folder, disk), checkpoint_commits)

    @property
    def path(self) -> Path:
        """Give the file of lines."""
        return self.folder / JOURNAL

    @property
    def head(self) -> Head:
        """Give how far the durable journal reaches."""
        return self._head

    def append(self, kind: str, body: Body) -> None:
        """Put the redacted record into the group that the next commit makes durable.

        Raises:
            WrongKind: the schema does not declare the kind.
            JournalHalted: no record is accepted any more.
        """
        self.enter(self.redactor.redact(kind, body))

    def enter(self, clean: Redacted) -> None:
        """Put a record that is redacted already into the group.

        Raises:
            JournalHalted: no record is accepted any more.
        """
        if self._halted is not None:
            raise JournalHalted(self.folder, self._halted)
        chain = self._chain
        self._group.append(chain.seal(f"{clean}{chain.records}}}".encode()))
        if len(self._group) >= GROUP_RECORDS_MAX:
            self.commit()

    def commit(self) -> Head:
        """Make every record appended so far durable, then give how far the journal reaches.

        Raises:
            JournalHalted: the disk failed, now or before; the group may be on disk in part, which recovery decides.
        """
        if self._halted is not None:
            raise JournalHalted(self.folder, self._halted)
        if not self._group:
            return self._head
        data, chain = b"".join(self._group), self._chain
        grown = (self._head.records + len(self._group), self._head.size_bytes + len(data))
        if grown != (chain.records, chain.size_bytes):
            self._halt("an append was interrupted")
        if chain.records > RECORDS_MAX:
            self._halt(f"limit of {RECORDS_MAX} records")
        # halted until it is done: an interruption between the write and its end leaves it so
        self._halted = "a commit was interrupted"
        try:
            self._disk.write(self._file, data)
            self._disk.fsync(self._file)
            self._head = chain.head
            self._commits += 1
            if self._commits % self._cycle == 0:
                self._anchor()
        except OSError as error:
            # after a failed fsync the kernel may call lost pages clean, so a second try would lie
            self._halt(_told(error), error)
        self._group.clear()
        self._halted = None
        return self._head

    def close(self) -> None:
        """Commit, write the checkpoint and give the lock back; a halted journal only gives the lock back.

        Raises:
            JournalHalted: the disk failed on the way; the lock is given back all the same.
        """
        if self._halted is not None:
            self.abandon()
            return
        try:
            self.commit()
            self._anchor()
        except OSError as error:
            self._halt(_told(error), error)
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Give the lock back and leave the disk as it is, as a crash would."""
        self._halted = self._halted or "closed"
        self._group.clear()
        if self._file >= 0:
            os.close(self._file)
            os.close(self._lock)
            self._file = self._lock = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _anchor(self) -> None:
        if self._marked != self._head:
            save(self.folder, self._head, self._disk)
            self._marked = self._head

    def _halt(self, reason: str, cause: OSError | None = None) -> NoReturn:
        self._halted = reason
        raise JournalHalted(self.folder, reason) from cause


def _ready(folder: Path, disk: Disk) -> _Ready:
    with ExitStack() as undo:
        lock = take(folder)
        undo.callback(os.close, lock)
        try:
            verdict = verify(folder)
        except FileNotFoundError:
            verdict = Intact(START, 0)
        recovery = recover(folder, verdict, disk)
        file = open_file(folder / JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        undo.callback(os.close, file)
        if recovery.head == START:  # the file may be new: its name has to be as durable as its first record
            disk.fsync(file)
            sync_folder(disk, folder)
            sync_folder(disk, folder.parent)
            if load(folder) is None:
                save(folder, START, disk)
        undo.pop_all()
    return _Ready(folder, lock, file, recovery)


def _told(error: OSError) -> str:
    return f"{type(error).__name__} {error.errno}: {error.strerror}"
