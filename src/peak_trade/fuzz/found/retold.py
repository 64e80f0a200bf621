"""What happened in a session, told by its journal: the trace of its machine, of one order's, and both as one sequence.

The events are those of the records; what they do is what `lang.step` says. So a trace shows what the specification has
to say of a session in which something else went wrong.

Limits: a sequence leaves out ticks that change no state, and shows at most `MESSAGES_MAX` messages, the last ones.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from peak_trade.backends.sequence import Message
from peak_trade.backends.sequence import Sequence as Picture
from peak_trade.backends.sequence import sequence as drawn
from peak_trade.fuzz.world import Machines
from peak_trade.journal.record import Record
from peak_trade.lang.machine import Machine, Origin
from peak_trade.lang.step import Payload, initial
from peak_trade.lang.trace import Trace, replay
from peak_trade.session.recording import ORDER, SESSION

MESSAGES_MAX: Final = 60
TICK: Final = "tick"
_NAMED: Final = re.compile(r"\br[0-9a-f]{8}-\d+-\d+\b")

Offer = tuple[str, Payload]


@dataclass(frozen=True, slots=True)
class Retold:
    """The traces; `order` is the name of the order that it is about, empty iff there is none."""

    session: Trace
    order: str
    life: Trace
    picture: Picture


def concerned(problems: Iterable[str], records: Sequence[Record]) -> str:
    """Return the order that the problems are about: the first that they name, else the last that moved, else none."""
    named = (name for problem in problems for name in _NAMED.findall(problem))
    moved = (str(item.body["order"]) for item in reversed(records) if item.kind == ORDER)
    return next(named, next(moved, ""))


def retold(machines: Machines, records: Sequence[Record], order: str, title: str, shows: str) -> Retold:
    """Return what the records tell of the session and of `order`; the picture has a `title` and `shows` something."""
    mine = [item for item in records if item.kind == SESSION or (item.kind == ORDER and item.body["order"] == order)]
    session = _trace(machines.session, (item for item in mine if item.kind == SESSION))
    life = _trace(machines.order, (item for item in mine if item.kind == ORDER))
    pictures = {
        SESSION: drawn(machines.session, session, title, shows, bad=True),
        ORDER: drawn(machines.order, life, title, shows, bad=True),
    }
    return Retold(session, order, life, _both(pictures, [item.kind for item in mine]))


def _trace(machine: Machine, records: Iterable[Record]) -> Trace:
    return replay(machine, initial(machine), tuple(_offer(machine, item) for item in records))


def _offer(machine: Machine, record: Record) -> Offer:
    """Return the event of a record, with the payload as far as it is recorded."""
    event = machine.event(str(record.body["event"]))
    found = {item.name: record.body.get(item.name) for item in event.payload}
    return event.name, {name: value for name, value in found.items() if value is not None}


def _both(pictures: dict[str, Picture], kinds: Iterable[str]) -> Picture:
    """Return both pictures as one, message by message in the order of the records."""
    rest = {kind: iter(picture.messages) for kind, picture in pictures.items()}
    messages = [message for message in (next(rest[kind]) for kind in kinds) if not _dull(message)][-MESSAGES_MAX:]
    used = {message.source for message in messages}
    reached = {note.part for message in messages for note in message.notes}
    first = pictures[SESSION]
    return replace(
        first,
        sources=tuple(item.value for item in Origin if item.value in used),
        parts=tuple(part for picture in pictures.values() for part in picture.parts if part in reached) or first.parts,
        start=tuple(note for picture in pictures.values() for note in picture.start if note.part in reached),
        messages=tuple(messages),
    )


def _dull(message: Message) -> bool:
    """Return true iff the message is a tick that changes no state."""
    said = (line for note in message.notes for line in note.lines)
    return message.text.partition("(")[0] == TICK and not any(" → " in line and ":" not in line for line in said)
