"""A run over a tape writes the same journal whether it was interrupted or not.

A resumed run starts again from the beginning. While recorded records are left, each one that the run would append is
compared with the recorded one, in its redacted text; after the last, appending is real. Answers of the outer world are
taken from the tape by `outcome`, so that the run sees what it saw. Kinds declared as annotations (such as a note of a
recovery) belong to one process, not to the run: replay steps over them.

Limits: the run must be a function of its arguments and of what the tape gives it. What was performed but not yet
committed is performed again: commit an intent before its effect, and make the effect idempotent.
"""

from collections.abc import Callable, Iterator

from peak_trade.journal.chain import Chain, Head
from peak_trade.journal.errors import JournalHalted, JournalRefusal, WrongKind
from peak_trade.journal.record import Body, Record, decode
from peak_trade.journal.redact import Redacted
from peak_trade.journal.scan import follow
from peak_trade.journal.store import Journal


class Diverged(JournalRefusal):
    """The run would append another record than the recorded one at this seq; nothing was written."""

    def __init__(self, seq: int, expected: Record, was: Record) -> None:
        self.seq, self.expected, self.was = seq, expected, was
        super().__init__(
            f"at seq {seq}: expected {expected.kind} {dict(expected.body)} as recorded, was {was.kind} "
            f"{dict(was.body)}; run the code, spec and options that wrote the journal, or start a new folder"
        )


class Tape:
    """A journal that a run reads as far as it goes and writes from there on.

    The records are read one by one from disk; none but the next is held.
    """

    __slots__ = ("_annotations", "_recorded", "_seq", "_text", "journal")

    def __init__(self, journal: Journal, annotations: frozenset[str] = frozenset()) -> None:
        strangers = annotations - journal.redactor.kinds
        if strangers:
            raise WrongKind(min(strangers), "an annotation that the schema declares")
        self.journal = journal
        self._annotations = annotations
        self._recorded = _recorded(journal)
        self._seq = 0
        self._text: bytes | None = None
        self._advance()

    @property
    def replaying(self) -> bool:
        """True iff recorded records, annotations aside, are left."""
        return self._text is not None

    def peek(self) -> Record | None:
        """Give the next recorded record, annotations aside; None when live."""
        return None if self._text is None else decode(self._text)

    def append(self, kind: str, body: Body) -> None:
        """Consume the next recorded record, which must be this one; when live, append to the journal.

        Raises:
            Diverged: the recorded one is another.
            WrongKind: the kind is not declared, or is an annotation.
            JournalHalted: the journal accepts no record.
        """
        if kind in self._annotations:
            raise WrongKind(kind, "a kind that belongs to the run; give annotations to note()")
        clean = self.journal.redactor.redact(kind, body)
        if self._text is None:
            self.journal.enter(clean)
        elif self._text == _text(clean, self._seq):
            self._advance()
        else:
            raise Diverged(self._seq, decode(self._text), decode(_text(clean, self._seq)))

    def note(self, kind: str, body: Body) -> None:
        """Append an annotation when live; while replaying do nothing.

        Raises:
            WrongKind: the kind was not declared as an annotation.
            JournalHalted: the journal accepts no record.
        """
        if kind not in self._annotations:
            raise WrongKind(kind, "a kind declared as an annotation")
        if self._text is None:
            self.journal.append(kind, body)

    def outcome(self, kind: str, perform: Callable[[], Body]) -> Body:
        """Give the recorded body without performing; when live perform, append, and give the redacted body.

        Raises:
            Diverged: the recorded one is of another kind.
            WrongKind: the kind is not declared, or is an annotation.
            JournalHalted: the journal accepts no record.
        """
        if kind in self._annotations or kind not in self.journal.redactor.kinds:
            raise WrongKind(kind, "a declared kind that belongs to the run")  # before anything is performed
        if self._text is None:
            clean = self.journal.redactor.redact(kind, perform())
            self.journal.enter(clean)
            return decode(_text(clean, 0)).body
        record = decode(self._text)
        if record.kind != kind:
            raise Diverged(self._seq, record, Record(self._seq, kind, {}))
        self._advance()
        return record.body

    def commit(self) -> Head:
        """Make what was appended durable; while replaying nothing was, and nothing is done."""
        return self.journal.head if self.replaying else self.journal.commit()

    def _advance(self) -> None:
        for seq, text in self._recorded:
            if not self._annotations or _kind(text) not in self._annotations:
                self._seq, self._text = seq, text
                return
        self._text = None


def _text(clean: Redacted, seq: int) -> bytes:
    return f"{clean}{seq}}}".encode()


def _kind(text: bytes) -> str:
    """Give the kind without decoding: it is the last quoted text, and holds no quote itself."""
    end = text.rindex(b'"', 0, text.rindex(b'"seq":') - 1)
    return text[text.rindex(b'"', 0, end) + 1 : end].decode()


def _recorded(journal: Journal) -> Iterator[tuple[int, bytes]]:
    """Give seq and text of each recovered record, verified again on the way."""
    end = journal.recovery.head.records
    chain = Chain()
    if end:
        for text in follow(journal.path, chain, bytes):
            yield chain.records - 1, text
            if chain.records == end:
                return
        raise JournalHalted(journal.folder, f"{end} records were recovered, {chain.records} could be read again")
