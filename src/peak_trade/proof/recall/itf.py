"""A trace and what it shows as a file in the Informal Trace Format, and back: reading what was written gives the same.

Apalache's ADR-015 (`#meta`, `vars`, `states`; `#bigint`, records, tagged unions), which its viewers read. Beside the
machine's own variables each state has `state`, `peak::outcome` of the step before it, and Quint's `mbt::actionTaken`
and `mbt::nondetPicks`; no specification can declare such names. What the trace shows is in `#meta`.

Limits: FILE_CHARS_MAX, STATES_MAX and DIGITS_MAX; a file beyond them is refused, as is one that repeats a key.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any, Final, TypeAlias

from peak_trade.lang.machine import Machine
from peak_trade.lang.pretty import fingerprint
from peak_trade.lang.sorts import INT, BoolSort, Datum, EnumSort, IntSort, MapSort, ScalarSort, Sort, describe, is_whole
from peak_trade.lang.step import Broken, Ignored, Outcome, Refused, Taken, Value
from peak_trade.lang.trace import Link, Trace

FORMAT: Final = "ITF"
ABOUT: Final = "https://apalache-mc.org/docs/adr/015adr-trace.html"
STATE, ACTION, PICKS, OUTCOME = "state", "mbt::actionTaken", "mbt::nondetPicks", "peak::outcome"
OWN: Final = (STATE, ACTION, PICKS, OUTCOME)
START: Final = "init"
FILE_CHARS_MAX: Final = 16_000_000
STATES_MAX: Final = 10_000
DIGITS_MAX: Final = 4_000

Json: TypeAlias = dict[str, Any]
_KINDS: Final[dict[type[object], str]] = {dict: "an object", list: "a list", str: "a text"}


@dataclass(frozen=True, slots=True)
class Told:
    """What a trace is evidence of: the claim, the verdict's word and why, and the machine that was judged."""

    machine: str
    fingerprint: str
    property: str
    kind: str
    verdict: str
    why: str
    says: str


@dataclass(frozen=True, slots=True)
class Record:
    """A file that was read: what it tells, its variables and its states, not yet understood."""

    file: str
    told: Told
    names: tuple[str, ...]
    states: tuple[Json, ...]


class TraceError(ValueError):
    """A file is no trace, or none of this machine: `place` says where in `file`."""

    def __init__(self, file: str, place: str, expected: str, was: str) -> None:
        self.file, self.place, self.expected, self.was = file, place, expected, was
        super().__init__(f"{file}: {place}: expected {expected}, was {was}; make the trace again or correct the file")


def write(machine: Machine, told: Told, trace: Trace) -> str:
    """Return the text of `trace`; the same trace gives the same text."""
    states = [_state(machine, 0, trace.start, None)]
    states += [_state(machine, index, link.value, link) for index, link in enumerate(trace.links, 1)]
    meta = {
        "format": FORMAT,
        "format-description": ABOUT,
        "description": f"{told.property} of {told.machine}, {told.verdict}: {told.says}",
        "source": f"{told.machine} {told.fingerprint}",
        **asdict(told),
    }
    names = [*OWN, *(item.name for item in machine.variables)]
    return json.dumps({"#meta": meta, "vars": names, "states": states}, indent=1, ensure_ascii=False) + "\n"


def record(text: str, file: str) -> Record:
    """Return what `text`, the contents of `file`, records; TraceError iff that is no trace of any machine."""
    if len(text) > FILE_CHARS_MAX:
        raise TraceError(file, "the file", f"at most {FILE_CHARS_MAX} characters", str(len(text)))
    data = _parsed(text, file)
    meta = _part(data, "#meta", dict, file, "the file")
    if meta.get("format") != FORMAT:
        raise TraceError(file, "#meta", f"format {FORMAT!r}", repr(meta.get("format"))[:80])
    told = Told(**{name: _part(meta, name, str, file, "#meta") for name in Told.__dataclass_fields__})
    names = _part(data, "vars", list, file, "the file")
    states = _part(data, "states", list, file, "the file")
    if not 0 < len(states) <= STATES_MAX:
        raise TraceError(file, "states", f"1 to {STATES_MAX} states", str(len(states)))
    for index, state in enumerate(states):
        if not isinstance(state, dict):
            raise TraceError(file, f"state {index}", "an object", type(state).__name__)
    return Record(file, told, tuple(map(str, names)), tuple(states))


def trace_of(found: Record, machine: Machine) -> Trace:
    """Return the trace of `machine` that was recorded; TraceError iff it has other variables, sorts, events or states.

    Only names and sorts are looked at here; whether the steps are the machine's is for a replay to say.
    """
    reader = _Reader(found, machine)
    expected = {*OWN, *(item.name for item in machine.variables)}
    if set(found.names) != expected:
        odd = sorted(set(found.names) ^ expected)
        raise TraceError(found.file, "vars", f"the variables of {machine.name}", f"others: {', '.join(odd)[:200]}")
    start = reader.value(0)
    links = tuple(reader.link(index) for index in range(1, len(found.states)))
    return Trace(machine.name, start, links)


def told_of(machine: Machine, claim: tuple[str, str, str], verdict: str, why: str) -> Told:
    """Return what a trace of `machine` tells of `claim`: its id, kind and sentence."""
    name, kind, says = claim
    return Told(machine.name, fingerprint(machine), name, kind, verdict, why, says)


def _state(machine: Machine, index: int, value: Value, link: Link | None) -> Json:
    event, payload, outcome = (START, (), None) if link is None else (link.event, link.payload, link.outcome)
    context = zip(machine.variables, value.context, strict=True)
    return {
        "#meta": {"index": index},
        STATE: value.state,
        ACTION: event,
        PICKS: {name: encoded(scalar) for name, scalar in payload},
        OUTCOME: {"tag": "Start", "value": ""} if outcome is None else _outcome(outcome),
        **{item.name: encoded(scalar) for item, scalar in context},
    }


def encoded(value: Datum) -> Any:  # noqa: ANN401 - JSON data
    """Return `value` as ITF writes it: every whole number is a `#bigint`, every map a `#map` of its entries."""
    if is_whole(value):
        return {"#bigint": str(value)}
    if isinstance(value, tuple):
        return {"#map": [[encoded(index), encoded(element)] for index, element in value]}
    return value


def _outcome(outcome: Outcome) -> Json:
    words = [str(getattr(outcome, name)) for name in outcome.__slots__]
    return {"tag": type(outcome).__name__, "value": words[0], **({"detail": words[1]} if words[1:] else {})}


class _Reader:
    """Reads the states of one record as those of one machine."""

    def __init__(self, found: Record, machine: Machine) -> None:
        self.found, self.machine = found, machine

    def value(self, index: int) -> Value:
        """Return the value in the state at `index`."""
        name = self._get(index, STATE, str)
        if name not in {state.name for state in self.machine.states}:
            raise self._wrong(index, STATE, f"a state of {self.machine.name}", name)
        return Value(name, tuple(self._datum(index, item.name, item.sort) for item in self.machine.variables))

    def link(self, index: int) -> Link:
        """Return the step that led to the state at `index`."""
        name = self._get(index, ACTION, str)
        event = {item.name: item for item in self.machine.events}.get(name)
        if event is None:
            raise self._wrong(index, ACTION, f"an event of {self.machine.name}", name)
        picks = self._get(index, PICKS, dict)
        if set(picks) != {item.name for item in event.payload}:
            raise self._wrong(index, PICKS, f"the payload of {name}", ", ".join(sorted(picks)) or "nothing")
        payload = {item.name: self._decoded((index, item.name), picks[item.name], item.sort) for item in event.payload}
        return Link(name, tuple(sorted(payload.items())), self._outcome(index), self.value(index))

    def _outcome(self, index: int) -> Outcome:
        data = self._get(index, OUTCOME, dict)
        kinds = {kind.__name__: kind for kind in (Taken, Ignored, Refused, Broken)}
        kind, words = (
            kinds.get(str(data.get("tag"))),
            [data.get("value"), *([data["detail"]] if "detail" in data else [])],
        )
        if kind is None or len(words) != len(kind.__slots__) or not all(isinstance(word, str) for word in words):
            raise self._wrong(index, OUTCOME, f"one of {', '.join(kinds)} with its words", json.dumps(data))
        found: Outcome = kind(*words)
        return found

    def _datum(self, index: int, name: str, sort: Sort) -> Datum:
        if name not in self.found.states[index]:
            raise self._wrong(index, name, "a value", "nothing")
        place, data = (index, name), self.found.states[index][name]
        return self._map(place, data, sort.element) if isinstance(sort, MapSort) else self._decoded(place, data, sort)

    def _map(self, place: tuple[int, str], data: object, element: ScalarSort) -> Datum:
        pairs = data.get("#map") if isinstance(data, dict) and len(data) == 1 else None
        if not isinstance(pairs, list) or not all(isinstance(pair, list) and len(pair) == 2 for pair in pairs):
            raise self._wrong(*place, describe(MapSort(element)), json.dumps(data))
        return tuple((self._whole(place, index, INT), self._decoded(place, item, element)) for index, item in pairs)

    def _decoded(self, place: tuple[int, str], data: object, sort: ScalarSort) -> Any:  # noqa: ANN401 - of the sort given
        match sort:
            case BoolSort() if isinstance(data, bool):
                return data
            case IntSort():
                return self._whole(place, data, sort)
            case EnumSort(_, members) if isinstance(data, str) and data in members:
                return data
            case _:
                raise self._wrong(*place, describe(sort), json.dumps(data))

    def _whole(self, place: tuple[int, str], data: object, sort: Sort) -> int:
        """Return the number; ITF writes `#bigint`, and plain JSON numbers are read too. Bounds are for the replay."""
        if is_whole(data):
            return data
        digits = data.get("#bigint") if isinstance(data, dict) and len(data) == 1 else None
        if not isinstance(digits, str) or not digits.removeprefix("-").isdecimal() or not digits.isascii():
            raise self._wrong(*place, describe(sort), json.dumps(data))
        if len(digits) > DIGITS_MAX:
            raise self._wrong(*place, f"at most {DIGITS_MAX} digits", f"{len(digits)}")
        return int(digits)

    def _get(self, index: int, name: str, kind: type[object]) -> Any:  # noqa: ANN401 - of the type given
        return _part(self.found.states[index], name, kind, self.found.file, f"state {index}")

    def _wrong(self, index: int, name: str, expected: str, was: str) -> TraceError:
        return TraceError(self.found.file, f"state {index}, {name}", expected, was[:200])


def _parsed(text: str, file: str) -> Json:
    try:
        data = json.loads(text, object_pairs_hook=_unrepeated, parse_constant=_no_number)
    except RecursionError:
        raise TraceError(file, "the file", "a trace", "JSON that is nested too deep") from None
    except ValueError as error:
        raise TraceError(file, "the file", "JSON", str(error)) from None
    if not isinstance(data, dict):
        raise TraceError(file, "the file", "an object", type(data).__name__)
    return data


def _unrepeated(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(name for name in names if names.count(name) > 1)!r} twice")
    return found


def _no_number(word: str) -> Any:  # noqa: ANN401 - never returns
    raise ValueError(f"{word}, which is no number")


def _part(data: Json, name: str, kind: type[object], file: str, place: str) -> Any:  # noqa: ANN401 - of the type given
    found = data.get(name)
    if not isinstance(found, kind):
        was = "nothing" if name not in data else json.dumps(found)[:80]
        raise TraceError(file, f"{place}, {name}", _KINDS[kind], was)
    return found
