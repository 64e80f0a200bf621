"""A tape in memory, for a session whose journal cannot be opened: it redacts, and it can never be resumed."""

from collections.abc import Callable

from peak_trade.journal.record import Body, Record
from peak_trade.journal.redact import Redactor, Schema


class MemoryTape:
    """Keeps redacted records in memory; never replays, and nothing is durable."""

    def __init__(self, schema: Schema) -> None:
        self._redactor = Redactor(schema)
        self.texts: list[str] = []

    @property
    def replaying(self) -> bool:
        """False: there is nothing to replay."""
        return False

    def peek(self) -> Record | None:
        """Return None: there is nothing to replay."""
        return None

    def append(self, kind: str, body: Body) -> None:
        """Keep the redacted record."""
        self.texts.append(f"{self._redactor.redact(kind, body)}{len(self.texts)}}}")

    def note(self, kind: str, body: Body) -> None:
        """Keep the redacted annotation."""
        self.append(kind, body)

    def outcome(self, kind: str, perform: Callable[[], Body]) -> Body:
        """Perform, keep the redacted record, and return what was performed."""
        body = perform()
        self.append(kind, body)
        return body

    def commit(self) -> None:
        """Do nothing: memory is all there is."""
