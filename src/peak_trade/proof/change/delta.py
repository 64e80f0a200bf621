"""What differs between an old and a new machine, as values. It loosens iff it admits what the old one did not."""

from dataclasses import dataclass
from enum import StrEnum

from peak_trade.lang.machine import Machine
from peak_trade.lang.sorts import Datum
from peak_trade.proof.change.pairing import Renamed


class Word(StrEnum):
    """How the new compares with the old: for transitions what is admitted, for properties what is claimed."""

    SAME = "same"
    STRICTER = "stricter"
    LOOSER = "looser"
    INCOMPARABLE = "incomparable"
    ADDED = "added"
    REMOVED = "removed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Example:
    """A value and an offer: the control state, the event if there is one, and the names that matter, with values."""

    state: str
    event: str
    values: tuple[tuple[str, Datum], ...]

    def __str__(self) -> str:
        """Return the example as words: `go_live in DRYRUN_ACTIVE with live_flag=false`."""
        where = f"{self.event} in {self.state}" if self.event else f"in {self.state}"
        shown = ", ".join(
            f"{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in self.values
        )
        return f"{where} with {shown}" if shown else where


@dataclass(frozen=True, slots=True)
class Part:
    """A state, event, variable, enumeration or reason that was added, removed or changed; `what` says how."""

    kind: str
    name: str
    word: Word
    what: str = ""


@dataclass(frozen=True, slots=True)
class Shift:
    """A transition before and after. `word` is about when it is taken, `effect` about what it does then.

    `dropped` is an example that only the old one takes, `gained` one that only the new one takes, `differs` one that
    both take to different values. `admits` is a step that no transition of the old machine makes: the new one loosens.
    """

    old: str | None
    new: str | None
    word: Word
    effect: Word = Word.SAME
    dropped: Example | None = None
    gained: Example | None = None
    differs: Example | None = None
    admits: Example | None = None
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The id by which it is called now, or was."""
        return self.new or self.old or ""

    @property
    def renamed(self) -> bool:
        """True iff it has another id now."""
        return self.old is not None and self.new is not None and self.old != self.new

    @property
    def quiet(self) -> bool:
        """True iff it is what it was, id included."""
        return self.word is Word.SAME and self.effect is Word.SAME and not self.renamed and not self.notes


@dataclass(frozen=True, slots=True)
class Cell:
    """What an event does in some states was `was` and is `now`, for the values of `example`; or nobody knows."""

    states: tuple[str, ...]
    event: str
    was: str
    now: str
    example: Example | None


@dataclass(frozen=True, slots=True)
class Claim:
    """A property before and after: `stricter` claims more, `looser` less. `lost` are clauses that it answers no more.

    `follows` are the new properties from which a removed or weaker one still follows: then nothing is lost.
    """

    old: str | None
    new: str | None
    kind: str
    word: Word
    example: Example | None = None
    follows: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The id by which it is called now, or was."""
        return self.new or self.old or ""

    @property
    def quiet(self) -> bool:
        """True iff it claims what it did, under the same id."""
        return self.word is Word.SAME and self.old == self.new and not self.lost


@dataclass(frozen=True, slots=True)
class Loosening:
    """Something that the new machine admits, or no longer claims. `clauses` are those whose properties it concerns.

    `breaks` are properties that the new step alone does not keep; `touches` are those that speak of what it writes or
    of the state it leads to.
    """

    kind: str
    name: str
    why: str
    clauses: tuple[str, ...]
    breaks: tuple[str, ...] = ()
    touches: tuple[str, ...] = ()
    example: Example | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    """All that differs. `free` are new steps that no property speaks of; `undecided` is where the solver gave up.

    `old` is in the words of `new`: `renamed` has been applied to it, ids of transitions and properties stay.
    """

    old: Machine
    new: Machine
    renamed: Renamed
    parts: tuple[Part, ...]
    shifts: tuple[Shift, ...]
    cells: tuple[Cell, ...]
    claims: tuple[Claim, ...]
    loosened: tuple[Loosening, ...]
    free: tuple[str, ...]
    undecided: tuple[str, ...]

    @property
    def quiet(self) -> bool:
        """True iff nothing differs."""
        changed = not all(item.quiet for item in self.shifts) or not all(item.quiet for item in self.claims)
        return not (
            self.parts or self.cells or self.undecided or self.renamed.states or self.renamed.variables or changed
        )
