"""A trace as a sequence of messages: who causes an event, which part of the machine it reaches, and what changes there.

A plain machine is one lifeline. Of a composed one each part that the trace reaches is a lifeline, told by its
variables: `order.cum[1]` is of `order[1]`, and what has no part of its own is of the machine. A step reaches the parts
that it changes; one that changes nothing reaches the part that its event is named by, one with its index, or the first.
What is drawn is decided here; `backends.chart` draws it, `text` writes it for Mermaid.
"""

from dataclasses import dataclass, replace
from textwrap import wrap
from typing import Final

from peak_trade.backends.mermaid import shown
from peak_trade.lang.machine import Machine, Origin
from peak_trade.lang.maps import shown as shown_map
from peak_trade.lang.maps import word
from peak_trade.lang.sorts import Datum, Scalar
from peak_trade.lang.step import Broken, Ignored, Outcome, Refused, Stepper, Taken, Value
from peak_trade.lang.trace import Link, Trace

START: Final = "starts"
CALL_CHARS_MAX: Final = 48
"""A longer payload is written in the note, so that a picture does not get too wide."""

STATE: Final = "state"
"""What `lang.compose` calls the control state of a part."""


@dataclass(frozen=True, slots=True)
class Note:
    """What is said over one lifeline, a line each."""

    part: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One step: the event goes from `source` to each part in `notes`, the first of which has what came of it.

    `taken` is false iff nothing changed; `bad` iff the step would break the claim that the trace is about.
    """

    source: str
    text: str
    by: str
    notes: tuple[Note, ...]
    taken: bool
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Sequence:
    """The lifelines from left to right, those that cause events first; the start; the messages; and what it shows."""

    sources: tuple[str, ...]
    parts: tuple[str, ...]
    start: tuple[Note, ...]
    messages: tuple[Message, ...]
    title: str
    shows: str
    bad: bool

    @property
    def lifelines(self) -> tuple[str, ...]:
        """All lifelines; a part that is called as a source is called is another one, and comes later."""
        return (*self.sources, *self.parts)


def sequence(machine: Machine, trace: Trace, title: str, shows: str, bad: bool) -> Sequence:
    """Return the sequence of `trace`; `shows` is what it is evidence of, `bad` true iff that is no good news."""
    parts = _parts(machine)
    origins = {event.name: event.origin for event in machine.events}
    used = {origins[link.event] for link in trace.links}
    before, messages = trace.start, []
    for link in trace.links:
        messages.append(_message(machine, parts, (before, link), origins[link.event].value))
        before = link.value
    sources = tuple(item.value for item in Origin if item in used)
    reached = {note.part for message in messages for note in message.notes}
    drawn = tuple(part for part in parts if part in reached) or parts[:1]
    return Sequence(sources, drawn, _start(machine, trace.start, drawn), tuple(messages), title, shows, bad)


def would_be(machine: Machine, before: Value, link: Link) -> Value:
    """Return the value after the step; if it would break an invariant, the value that it would have led to."""
    if not isinstance(link.outcome, Broken):
        return link.value
    return Stepper.of(replace(machine, properties=())).step(before, link.event, dict(link.payload))[1]


def text(found: Sequence) -> str:
    """Return the Mermaid text of `found`, without a fence around it."""
    ids = {name: f"p{place}" for place, name in enumerate(found.lifelines)}
    lines = ["sequenceDiagram"]
    lines += [f"participant {ids[name]} as {shown(name)}" for name in found.lifelines]
    lines += [_note(ids, note) for note in found.start]
    for number, message in enumerate(found.messages, 1):
        arrow = "->>" if message.taken else "-x"
        said = " · ".join(filter(None, (f"{number} {message.text}", message.by)))
        for note in message.notes:
            lines.append(f"{ids[message.source]}{arrow}{ids[note.part]}: {shown(said)}")
        lines += [_note(ids, note) for note in message.notes if note.lines]
    ends = sorted({*ids.values()}, key=lambda one: int(one[1:]))
    over = f"{ends[0]},{ends[-1]}" if len(ends) > 1 else ends[0]
    lines.append(f"Note over {over}: {shown(found.shows)}")
    return "\n".join((lines[0], *(f"    {line}" for line in lines[1:]))) + "\n"


def _note(ids: dict[str, str], note: Note) -> str:
    return f"Note over {ids[note.part]}: {'<br/>'.join(map(shown, note.lines))}"


def _split(name: str) -> tuple[str, str, str]:
    """Return what a name says: the part's word, the name within it, and the index: of `order.cum[1]`, all three."""
    bare, bracket, index = name.partition("[")
    word, _, own = bare.rpartition(".")
    return word, own, bracket + index


def _part(machine: Machine, name: str) -> str:
    """Return the lifeline that a variable or event is of; never the name of a source."""
    word, _, index = _split(name)
    part = f"{word or machine.name}{index}"
    return f"the {part}" if part in {item.value for item in Origin} else part


def _parts(machine: Machine) -> tuple[str, ...]:
    """Return the parts of `machine`: those that its variables are named by, or itself."""
    return tuple(dict.fromkeys(_part(machine, item.name) for item in machine.variables)) or (machine.name,)


def _start(machine: Machine, value: Value, parts: tuple[str, ...]) -> tuple[Note, ...]:
    """Return where each part starts: its state, and each variable that does not start as the machine does."""
    said: dict[str, list[str]] = {part: [] for part in parts}
    if len(machine.states) > 1:
        said[parts[0]].append(f"{START} in {value.state}")
    for item, scalar in zip(machine.variables, value.context, strict=True):
        part, (word, own, _) = _part(machine, item.name), _split(item.name)
        if part in said and word and own == STATE:
            said[part].append(f"{START} in {_word(scalar)}")
        elif part in said and (scalar != item.init or item.free):
            said[part].append(f"{own} = {_word(scalar)}")
    return tuple(Note(part, tuple(lines)) for part, lines in said.items() if lines)


def _message(machine: Machine, parts: tuple[str, ...], step: tuple[Value, Link], source: str) -> Message:
    before, link = step
    changed = _changes(machine, before, would_be(machine, before, link), parts) or {
        _reached(machine, link.event, parts): []
    }
    payload = ", ".join(f"{name}={_word(scalar)}" for name, scalar in link.payload)
    by, taken = _by(link.outcome), isinstance(link.outcome, Taken)
    notes = tuple(Note(part, tuple(lines)) for part, lines in changed.items())
    if not taken:
        notes = (Note(notes[0].part, (by, *notes[0].lines)), *notes[1:])
    call = f"{link.event}({payload})" if payload else link.event
    if len(call) > CALL_CHARS_MAX:
        call, folded = f"{link.event}(…)", tuple(wrap(f"with {payload}", CALL_CHARS_MAX, break_long_words=False))
        notes = (Note(notes[0].part, (*folded, *notes[0].lines)), *notes[1:])
    said = by if taken and by != link.event else ""
    return Message(source, call, said, notes, taken, isinstance(link.outcome, Broken))


def _changes(machine: Machine, old: Value, new: Value, parts: tuple[str, ...]) -> dict[str, list[str]]:
    said: dict[str, list[str]] = {}
    if old.state != new.state:
        said.setdefault(parts[0], []).append(f"{old.state} → {new.state}")
    for item, was, now in zip(machine.variables, old.context, new.context, strict=True):
        if was != now:
            said.setdefault(_part(machine, item.name), []).extend(_changed(_split(item.name)[1], was, now))
    return said


def _changed(name: str, was: Datum, now: Datum) -> list[str]:
    """Return a line for what changed: of a map one for each element that did."""
    if not isinstance(was, tuple) or not isinstance(now, tuple):
        return [f"{name}: {_word(was)} → {_word(now)}"]
    old, new = dict(was), dict(now)
    places = sorted(place for place in old.keys() | new.keys() if old.get(place) != new.get(place))
    return [f"{name}[{place}]: {_element(old, place)} → {_element(new, place)}" for place in places]


def _element(entries: dict[int, Scalar], place: int) -> str:
    return _word(entries[place]) if place in entries else "·"


def _reached(machine: Machine, event: str, parts: tuple[str, ...]) -> str:
    """Return the part that an event is named by, else one with its index, else the first."""
    own, index = _part(machine, event), _split(event)[2]
    same = [part for part in parts if part == own] + [part for part in parts if index and part.endswith(index)]
    return (same or list(parts))[0]


def _by(outcome: Outcome) -> str:
    match outcome:
        case Taken(transition):
            return transition
        case Broken(name):
            return f"would break {name}"
        case Ignored(reason):
            return f"ignored: {reason}"
        case Refused(reason, detail):
            return f"refused: {reason} {detail}".rstrip()


def _word(value: Datum) -> str:
    return word(shown_map(value))
