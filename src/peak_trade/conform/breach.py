"""A law between machines that does not hold, and how two figures are compared when either may be unknown."""

from dataclasses import dataclass
from typing import Final

from peak_trade.journal.record import Record

REDACTED: Final = "redacted"
"""How a record says that fields of it were left out; see `journal.redact`."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A law that a record breaks, by its id in `spec/system.yaml` or empty; what it expects, what was."""

    law: str
    expected: str
    was: str


def same(law: str, name: str, known: object, record: Record) -> Breach | None:
    """Return the breach iff a field does not say what is known; None is not known, and redacted fields say nothing."""
    said = record.body.get(name)
    if known is None or said == known or (said is None and REDACTED in record.body):
        return None
    return Breach(law, f"{name} {known}", f"{name} {said}")


def whole(record: Record, name: str) -> int | None:
    """Return the whole number in a field, or None iff there is none."""
    found = record.body.get(name)
    return found if type(found) is int else None
