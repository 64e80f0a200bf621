"""What could be seen of a session, as words: all of it read from its journal, its adapter's counts, and its end.

`wire:` a tripwire, `code:` a difference of the reconciler, `rail:` a denied order, `reason:` an event that a machine
refused or ignored, `adapter:` an error, a retry, a call held back or a move of the breaker, `process:` an error with
which a process ended or was turned away, `gap` reports that did not follow the ones before, `cut` a torn tail that was
quarantined, and `why:` the reason of the session's end.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from peak_trade.fuzz.play import Played
from peak_trade.journal.record import Record
from peak_trade.session.recording import BREAKER, DIFFERENCE, ORDER, RECOVERED, RESUMED, SESSION, TRIP

ABSORBED: Final = "same book"
"""The session ended with the very book of the one in which nothing went wrong."""
ALARMS: Final = ("wire:", "code:", "rail:")
"""What an operator is told; nothing of it may come that was not foreseen."""
COUNTED: Final = ("errors.", "retries.", "held.", "breaker.")


@dataclass(frozen=True, slots=True)
class Seen:
    """The words, and the ids of the transitions that were taken."""

    words: frozenset[str]
    taken: frozenset[str]

    def beyond(self, other: "Seen") -> "Seen":
        """Return what is seen here and not there."""
        return Seen(self.words - other.words, self.taken - other.taken)


def seen(played: Played) -> Seen:
    """Return all that could be seen of a session."""
    words, taken = set(_around(played)), set[str]()
    for record in played.records:
        words.update(_words(record))
        if record.kind in (SESSION, ORDER) and record.body["outcome"] == "taken":
            taken.add(str(record.body["by"]))
    return Seen(frozenset(words), frozenset(taken))


def _around(played: Played) -> Iterable[str]:
    yield f"why:{played.why or 'none'}"
    yield from (f"process:{name}" for name in played.refused)
    yield from (f"adapter:{name}" for name in played.counts if name.startswith(COUNTED))
    if played.gaps:
        yield "gap"
    if played.problem:
        yield "problem"


def _words(record: Record) -> Iterable[str]:
    body = record.body
    match record.kind:
        case kind if kind in (SESSION, ORDER) and body["outcome"] != "taken":
            yield f"reason:{body['by']}"
        case kind if kind == ORDER and body.get("rail"):
            yield f"rail:{body['rail']}"
        case kind if kind == TRIP:
            yield f"wire:{body['wire']}"
        case kind if kind == DIFFERENCE:
            yield f"code:{body['code']}"
        case kind if kind == RESUMED and body.get("code"):
            yield f"resumed:{body['code']}"
        case kind if kind == BREAKER:
            yield f"breaker:{body['state']}"
        case kind if kind == RECOVERED and body["cut_bytes"]:
            yield "cut"
