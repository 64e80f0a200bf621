"""An exception here says that the world or the caller is wrong, and carries the facts as attributes.

Verdicts about a journal are data (`verify`); these are raised where work cannot go on. No message holds a value
that has not passed redaction.
"""

from pathlib import Path


class JournalRefusal(Exception):  # noqa: N818 - the subclasses are named by the desk's words: halted, locked, diverged
    """The journal refuses to go on; each subclass carries what was expected and what was."""


class BadRecord(JournalRefusal):
    """A record or its text is outside the closed form that `record` defines."""

    def __init__(self, expected: str, was: str) -> None:
        self.expected, self.was = expected, was
        super().__init__(f"expected {expected}, was {was}; give a flat body within the limits")


class BadSchema(JournalRefusal):
    """A redaction schema is outside its limits."""

    def __init__(self, place: str, expected: str, was: str) -> None:
        self.place, self.expected, self.was = place, expected, was
        super().__init__(f"schema of {place}: expected {expected}, was {was}; correct the schema, not the record")


class WrongKind(JournalRefusal):
    """A record's kind may not be used here; this is a programming error."""

    def __init__(self, kind: str, expected: str) -> None:
        self.kind, self.expected = kind, expected
        super().__init__(f"expected {expected}, was kind {kind!r}; declare the kind or correct the call")


class JournalLocked(JournalRefusal):
    """Another writer holds the journal; `pid` is None if the holder has not written its own yet."""

    def __init__(self, folder: Path, pid: int | None) -> None:
        self.folder, self.pid = folder, pid
        holder = "an unnamed process" if pid is None else f"process {pid}"
        super().__init__(f"expected no other writer of {folder}, was {holder}; stop it, or give another folder")


class JournalHalted(JournalRefusal):
    """The writer takes no more records: a write failed, a limit was met, or it was closed."""

    def __init__(self, folder: Path, reason: str) -> None:
        self.folder, self.reason = folder, reason
        super().__init__(f"expected a running journal in {folder}, was halted: {reason}; open it again to recover it")


class JournalCorrupt(JournalRefusal):
    """Recorded bytes do not verify and a torn write does not explain it; nothing was changed."""

    def __init__(self, file: Path, line: int, offset_bytes: int, difference: tuple[str, str]) -> None:
        self.file, self.line, self.offset_bytes = file, line, offset_bytes
        self.expected, self.was = difference
        super().__init__(
            f"{file}:{line} (byte {offset_bytes}): expected {self.expected}, was {self.was}; nothing was changed: "
            "keep the folder as evidence, restore it from a copy or start a new folder"
        )


class JournalRolledBack(JournalRefusal):
    """The journal is shorter than, or differs from, its checkpoint; nothing was changed."""

    def __init__(self, folder: Path, checkpoint: tuple[int, int, str], was: tuple[int, int, str]) -> None:
        self.folder = folder
        self.checkpoint_records, self.checkpoint_bytes, self.checkpoint_root = checkpoint
        self.records, self.size_bytes, self.root = was
        super().__init__(
            f"{folder}: expected {checkpoint[0]} records in {checkpoint[1]} bytes with root {checkpoint[2]} as its "
            f"checkpoint says, was {was[0]} records in {was[1]} bytes with root {was[2]}; nothing was changed: "
            "keep the folder as evidence and restore the journal from a copy"
        )
