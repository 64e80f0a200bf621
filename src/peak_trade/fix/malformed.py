"""What is wrong with a message, and where: data, so that the rest of a log can still be judged."""

from dataclasses import dataclass
from typing import Final

from peak_trade.fix.tags import label_of

SHOWN_CHARS_MAX: Final = 60


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message begins: its number and line from 1, its byte offset from 0."""

    message: int
    line: int
    offset: int


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a message was refused as a whole; `tag` is the field at fault, 0 if it is the message itself."""

    place: Place
    tag: int
    expected: str
    was: str
    remedy: str

    @property
    def field(self) -> str:
        """The field at fault as a reader knows it, such as `39 OrdStatus`."""
        return f"{self.tag} {label_of(self.tag)}".rstrip() if self.tag else "message"

    def __str__(self) -> str:
        """Return place, field, and what was expected and found."""
        where = f"message {self.place.message}, line {self.place.line}, byte {self.place.offset}"
        return f"{where}: {self.field}: expected {self.expected}, was {self.was}; {self.remedy}"


class Malformed(ValueError):  # noqa: N818 - said of what was given
    """A message is not what FIX 4.4 says; `fault` has the place and the reason."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(str(fault))


def shown(value: bytes | str) -> str:
    """Return `value` as a message may show it: quoted, printable, and of at most SHOWN_CHARS_MAX characters."""
    text = value.decode("latin-1") if isinstance(value, bytes) else value
    cut = text[:SHOWN_CHARS_MAX]
    return ascii(cut) + ("…" if len(text) > len(cut) else "")
