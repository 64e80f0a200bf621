"""From the text of a system to a `System`, or to all that is wrong with the text."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from pydantic import ValidationError

from peak_trade.lang.blueprint import MovePart, RulePart, SystemPart
from peak_trade.lang.build import HEARD, Builder
from peak_trade.lang.document import PropertyPart
from peak_trade.lang.dotted import Words
from peak_trade.lang.elaborate import Names
from peak_trade.lang.expr import TRUE, Lit, Scope, Var
from peak_trade.lang.inherit import inherited
from peak_trade.lang.machine import Event, Field, Machine, Origin, Property, Update
from peak_trade.lang.misfit import misfits
from peak_trade.lang.read import Path as Place
from peak_trade.lang.read import read
from peak_trade.lang.shape import Shape
from peak_trade.lang.sorts import BOOL, INT, EnumSort
from peak_trade.lang.source import Diagnostic, Findings, Source, nearest
from peak_trade.lang.system import Answer, Move, Part, Rule, Sum, System, scalar

Load: TypeAlias = Callable[[str], Machine | str]
"""Gives the machine of a name, or the reason why there is none."""

Pair: TypeAlias = tuple[str, str]
"""A part and one of its events."""

CODES = {"unknown": "PT010", "missing": "PT011", "key": "PT013", "name": "PT013", "value": "PT012"}
ANY_EVENT = "*"


@dataclass(frozen=True, slots=True)
class Assembled:
    """A system, or None, and the diagnostics; the system is there iff there are none."""

    system: System | None
    diagnostics: tuple[Diagnostic, ...]
    source: Source


def is_system(text: str) -> bool:
    """Return true iff `text` is meant to declare a system: some line begins with that key."""
    return any(line.startswith("system:") for line in text.splitlines())


def assemble(source: Source, load: Load) -> Assembled:
    """Return the system that `source` declares, its machines loaded by name, or every diagnostic that is found."""
    findings = Findings(source)
    shape = _shape(findings)
    made = None if shape is None else _Assembler(findings, shape, load=load).system()
    found = findings.sorted()
    return Assembled(None if found else made, found, source)


def _shape(findings: Findings) -> Shape | None:
    readable = read(findings)
    if readable is None:
        return None
    data, marks = readable
    try:
        part = SystemPart.model_validate(data)
    except ValidationError as error:
        found = misfits(error, data)
        extras = [item.path for item in found if item.kind == "unknown"]
        for item in found:
            if item.kind == "missing" and any(_meant(path, item.path) for path in extras):
                continue  # it stands there under a misspelt name, which is reported
            inner = item.kind in ("unknown", "key")
            place = marks.key(item.path) if inner else marks.at(item.path[:-1] if item.kind == "missing" else item.path)
            key = str(item.path[-1]) if item.path else ""
            message = {"unknown": f"unknown key `{key}`", "missing": f"expected the key `{key}`, was not there"}
            likely = [str(one.path[-1]) for one in found if one.kind == "missing" and _meant(item.path, one.path)]
            hint = f"did you mean `{likely[0]}`?" if likely and item.kind == "unknown" else ""
            findings.add(CODES[item.kind], place, message.get(item.kind, item.message), hint)
        return None
    return Shape(part, marks, data, frozenset())  # type: ignore[arg-type]  # a builder's shape of another part


def _meant(extra: Place, missing: Place) -> bool:
    """Return true iff the unknown key at `extra` is like the missing one of the same mapping."""
    return extra[:-1] == missing[:-1] and nearest(str(extra[-1]), {str(missing[-1])}) != ""


@dataclass(slots=True)
class _Assembler(Builder):
    """Builds one system; a builder whose names are those of the parts, dotted, and the system's own."""

    parts: tuple[Part, ...] = ()
    load: Load = lambda _: "nothing is loaded"  # given by `assemble`; the fields before it have defaults

    def __post_init__(self) -> None:
        enums = {name: EnumSort(name, tuple(item)) for name, item in self._file.enums.items()}
        self.names = Words(enums)  # type: ignore[assignment]  # the same questions, another vocabulary

    @property
    def _file(self) -> SystemPart:
        return self.shape.part  # type: ignore[return-value]  # as above

    @property
    def _words(self) -> Words:
        return self.names  # type: ignore[return-value]  # as above

    def system(self) -> System | None:
        """Return the system; where something is wrong, without it. None iff a machine is missing."""
        file, words = self._file, self._words
        self.parts = tuple(self._members())
        if len(self.parts) < len(file.parts):
            return None  # what else is wrong cannot be told without them
        shared, own = (tuple(self._each(key, getattr(file, key).items(), self._variable)) for key in ("shared", "own"))
        bare = System(
            file.system, file.version, file.summary, tuple(words.enums.values()), self.parts, shared, own, (), (), ()
        )
        words.learn(bare)
        sums = tuple(self._sum(name) for name in file.sums)
        words.learn_sums(sums)
        rules = (*(self._rule(index, item) for index, item in enumerate(file.rules)), *self._free())
        words.learn_rules(rules)
        claims: tuple[Property, ...] = tuple(self._each("properties", enumerate(file.properties), self._property))
        both = (*claims, *(lemma for part in self.parts for lemma in inherited(part)))
        return System(bare.name, bare.version, bare.summary, bare.enums, self.parts, shared, own, sums, rules, both)

    def _members(self) -> Iterator[Part]:
        for name, item in self._file.parts.items():
            path: Place = ("parts", name)
            found = self.load(item.machine)
            if isinstance(found, Machine):
                yield Part(name, found, item.each, self.shape.marks.key(path))
            else:
                self.findings.add("PT070", self.shape.marks.at((*path, "machine")), found)

    def _sum(self, name: str) -> Sum:
        path: Place = ("sums", name)
        item = self._file.sums[name]
        term = self._expr(item.term, (*path, "term"), {**self._words.once, **self._words.each}, INT)
        return Sum(name, term if term != TRUE else Lit(0, INT), item.doc, item.positive, self.shape.marks.key(path))

    def _rule(self, index: int, item: RulePart) -> Rule:
        path: Place = ("rules", index)
        words = self._words
        fields = tuple(self._parameters(path, item))
        given = {one.name: Var(one.name, one.sort, Scope.PAYLOAD) for one in fields}
        known: Names = {**words.once, **(words.each if item.each else {}), **given}
        when = self._expr(item.when, (*path, "when"), known, BOOL) if item.when else TRUE
        everyone = {**words.once, **words.each}
        every = self._expr(item.every, (*path, "every"), everyone, BOOL) if item.every else TRUE
        moves = tuple(
            found
            for number, one in enumerate(item.do)
            if (found := self._move((*path, "do", number), one, known, item))
        )
        updates = tuple(self._update(name, value, path, known) for name, value in item.set.items())
        self._writable(path, item, updates)
        place = self.shape.marks.at((*path, "id"))
        return Rule(item.id, item.doc, Origin(item.origin), item.each, fields, when, every, moves, updates, place)

    def _parameters(self, path: Place, item: RulePart) -> Iterator[Field]:
        for key, part in item.parameters.items():
            place: Place = (*path, "for", key)
            sort = self._sort(part, place)
            if sort is not None:
                yield Field(key, sort, part.doc, part.unit, self.shape.marks.key(place))

    def _move(self, path: Place, item: MovePart, known: Names, rule: RulePart) -> Move | None:
        event = self._event_of(item.event, (*path, "event"))
        part = next((one for one in self.parts if one.name == _pair(item.event)[0]), None)
        if event is None or part is None:
            return None
        if part.each and not rule.each:
            message = f"`{rule.id}` happens to nobody, but `{part.name}` is each one's own"
            self.findings.add("PT072", self.shape.marks.at((*path, "event")), message, "write `each: true`")
        wanted = {one.name: scalar(part, one.sort) for one in event.payload}
        for name in sorted(wanted.keys() ^ item.arguments.keys()):
            what = "expected an argument for" if name in wanted else "there is no payload field"
            self.findings.add("PT072", self.shape.marks.at((*path, "with")), f"{what} `{name}` of `{item.event}`")
        arguments = tuple(
            (name, self._expr(_text(item.arguments[name]), (*path, "with", name), known, sort))
            for name, sort in wanted.items()
            if name in item.arguments
        )
        answers = [item.answer] if isinstance(item.answer, str) else dict.fromkeys(item.answer)
        return Move(
            part.name, event.name, arguments, tuple(map(Answer, answers)), self.shape.marks.at((*path, "event"))
        )

    def _event_of(self, dotted: str, path: Place) -> Event | None:
        part, name = _pair(dotted)
        found = next((one.machine for one in self.parts if one.name == part), None)
        if found is None:
            if part not in self._file.parts:
                self._unknown("PT071", "part", part, path, {one.name for one in self.parts})
            return None
        events = {event.name: event for event in found.events}
        if name not in events:
            self._unknown("PT021", "event", name, path, set(events))
        return events.get(name)

    def _writable(self, path: Place, item: RulePart, updates: tuple[Update, ...]) -> None:
        own = set(self._file.own)
        for update in updates:
            if update.variable in own and not item.each:
                message = f"`{item.id}` happens to nobody, but `{update.variable}` is each one's own"
                self.findings.add("PT072", self.shape.marks.at((*path, "id")), message, "write `each: true`")

    def _heard(self, path: Place, item: PropertyPart, event: str) -> Property | None:
        message = f"`{item.id}` claims that `{event}` is heard, which only a machine can claim"
        self.findings.add("PT074", self.shape.marks.key((*path, HEARD)), message, "claim it in the machine of the part")
        return None

    def _free(self) -> Iterator[Rule]:
        """Give a rule for each event that happens by itself, and report each event of which nothing is said."""
        offered = frozenset(_pair(one.event) for rule in self._file.rules for one in rule.do)
        offered |= self._listed("never", self._file.never)
        free = self._listed("free", self._file.free, offered)
        for part in self.parts:
            for event in part.machine.events:
                if (part.name, event.name) in free:
                    yield _alone(part, event)
                elif (part.name, event.name) not in offered and not self._astray():
                    message = f"nothing says when `{part.name}.{event.name}` happens"
                    self.findings.add("PT073", part.span, message, "a rule, or a line in `free` or `never`")

    def _astray(self) -> bool:
        """Return true iff some event or part that is named does not exist: it may have been meant for another."""
        return any(item.code in ("PT021", "PT071") for item in self.findings.items)

    def _listed(self, key: str, dotted: list[str], but: frozenset[Pair] = frozenset()) -> frozenset[Pair]:
        found: set[Pair] = set()
        for index, item in enumerate(dotted):
            part, name = _pair(item)
            known = next((one for one in self.parts if one.name == part), None)
            if name == ANY_EVENT and known is not None:
                found |= {(part, event.name) for event in known.machine.events} - but
            elif self._event_of(item, (key, index)) is not None:
                found.add((part, name))
        return frozenset(found)

    def _known_event(self, name: str, path: Place) -> None:
        if name not in self._words.rules:
            self._unknown("PT021", "rule", name, path, set(self._words.rules) - {"event"})


def _alone(part: Part, event: Event) -> Rule:
    """Return the rule by which `event` happens to `part` by itself, with any payload."""
    fields = tuple(Field(one.name, scalar(part, one.sort), one.doc, one.unit) for one in event.payload)
    arguments = tuple((one.name, Var(one.name, one.sort, Scope.PAYLOAD)) for one in fields)
    move = Move(part.name, event.name, arguments)
    name = f"{part.name}.{event.name}"
    return Rule(name, event.doc, event.origin, part.each, fields, moves=(move,), span=part.span)


def _pair(dotted: str) -> Pair:
    part, _, event = dotted.partition(".")
    return part, event


def _text(value: bool | int | str) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
