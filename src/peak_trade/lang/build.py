"""From the parts of a specification to a machine: names are resolved, expressions get their sorts."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from peak_trade.lang import document, machine
from peak_trade.lang.elaborate import Names, elaborate
from peak_trade.lang.expr import TRUE, Expr, Scope, Var
from peak_trade.lang.pretty import OTHERWISE
from peak_trade.lang.read import Path as Place
from peak_trade.lang.shape import Shape
from peak_trade.lang.sorts import BOOL, INT, BoolSort, IntSort, Sort
from peak_trade.lang.source import Findings, suggestion
from peak_trade.lang.standin import stand_in
from peak_trade.lang.syntax import Text
from peak_trade.lang.vocabulary import Vocabulary, vocabulary

Item = TypeVar("Item")
Made = TypeVar("Made")


@dataclass(slots=True)
class Builder:
    """Builds one machine and keeps going after a mistake; `wrong` is true iff the part at hand has one."""

    findings: Findings
    shape: Shape
    names: Vocabulary = field(init=False)
    wrong: bool = False
    strays: list[tuple[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.names = vocabulary(self.shape)

    def build(self) -> machine.Machine:
        """Return the machine; if rows have a mistake, with what stands in for them."""
        part, marks = self.shape.part, self.shape.marks
        variables = tuple(self._each("context", part.context.items(), self._variable))
        self.names.context = {item.name: Var(item.name, item.sort, Scope.CONTEXT) for item in variables}
        events = tuple(self._event(name, item) for name, item in part.events.items())
        for event in events:
            fields = {item.name: Var(item.name, item.sort, Scope.PAYLOAD) for item in event.payload}
            self.names.payloads[event.name] = fields
        made = machine.Machine(
            part.machine,
            part.version,
            part.summary,
            tuple(self.names.enums.values()),
            variables,
            tuple(self._state(name, item) for name, item in part.states.items()),
            events,
            tuple(machine.Reason(name, doc, marks.key(("reasons", name))) for name, doc in part.reasons.items()),
            tuple(self._each("transitions", enumerate(part.transitions), self._transition)),
            (
                *self._each("ignore", enumerate(part.ignore), self._dismissal),
                *self._each("refuse", enumerate(part.refuse), self._dismissal),
            ),
            tuple(self._each("properties", enumerate(part.properties), self._property)),
            tuple(self._places(name) for name in self.names.enums),
        )
        return stand_in(made, self.strays) if self.strays else made

    def _each(
        self, section: str, items: Iterable[tuple[Any, Item]], make: Callable[[Place, Item], Made | None]
    ) -> Iterator[Made]:
        """Give what `make` makes of each sound item; of a row that is not sound, keep the data."""
        for key, item in items:
            path: Place = (section, key)
            self.wrong = path in self.shape.lost
            made = None if self.wrong else make(path, item)
            if made is not None and not self.wrong:
                yield made
            elif section in ("transitions", "ignore", "refuse"):
                self.strays.append((section, self.shape.data[section][key]))

    def _places(self, enum: str) -> machine.EnumPlaces:
        path, marks = ("enums", enum), self.shape.marks
        count = len(self.names.enums[enum].members)
        return machine.EnumPlaces(marks.key(path), tuple(marks.at((*path, index)) for index in range(count)))

    def _state(self, name: str, item: document.StatePart) -> machine.State:
        place = self.shape.marks.key(("states", name))
        return machine.State(name, item.doc, tuple(dict.fromkeys(item.tags)), item.initial, place)

    def _sort(self, item: document.FieldPart, path: Place) -> Sort | None:
        bounded = [key for key in ("min", "max") if getattr(item, key) is not None]
        if bounded and item.type != "int":
            place = self.shape.marks.key((*path, bounded[0]))
            self.findings.add("PT012", place, f"expected no bounds for {item.type}", "only int has them")
        match item.type:
            case "bool":
                return BoolSort()
            case "int":
                return IntSort(item.min, item.max)
            case name if name in self.names.enums:
                return self.names.enums[name]
            case name:
                if ("enums", name) not in self.shape.lost:
                    self._unknown("PT024", "type", name, (*path, "type"), {"bool", "int", *self.names.enums})
                self.names.unsure |= {str(path[-1]), f"next_{path[-1]}"}
                return None

    def _variable(self, path: Place, item: document.VariablePart) -> machine.Variable | None:
        sort, name = self._sort(item, path), str(path[-1])
        if sort is None:
            return None
        return machine.Variable(name, sort, item.init, item.doc, item.unit, self.shape.marks.key(path))

    def _event(self, name: str, item: document.EventPart) -> machine.Event:
        path: Place = ("events", name)
        fields = []
        for key, part in item.payload.items():
            place: Place = (*path, "payload", key)
            sort = None if place in self.shape.lost else self._sort(part, place)
            if sort is not None:
                fields.append(machine.Field(key, sort, part.doc, part.unit, self.shape.marks.key(place)))
        return machine.Event(name, machine.Origin(item.origin), item.doc, tuple(fields), self.shape.marks.key(path))

    def _expr(self, text: str, path: Place, names: Names, wanted: Sort) -> Expr:
        at = Text(text, self.shape.marks.at(path))
        found = elaborate(self.findings, at, names, wanted, self.names.unsure)
        self.wrong |= found is None
        return found or TRUE

    def _unknown(self, code: str, what: str, name: str, path: Place, known: set[str]) -> None:
        marks = self.shape.marks
        place = marks.key(path) if len(path) > 3 and path[2] in ("set", "require") else marks.at(path)
        self.findings.add(code, place, f"unknown {what} `{name}`", suggestion(name, known))
        self.wrong = True

    def _known_event(self, name: str, path: Place) -> None:
        if name not in self.shape.part.events:
            self._unknown("PT021", "event", name, path, set(self.shape.part.events))

    def _known_state(self, name: str, path: Place) -> None:
        if name not in self.shape.part.states:
            self._unknown("PT020", "state", name, path, set(self.shape.part.states))

    def _known_reason(self, name: str, path: Place) -> None:
        if name not in self.shape.part.reasons:
            self._unknown("PT023", "reason", name, path, set(self.shape.part.reasons))

    def _groups(self, groups: str | list[str], path: Place) -> tuple[str, ...]:
        names: dict[str, None] = {}
        for index, group in enumerate([groups] if isinstance(groups, str) else groups):
            place = path if isinstance(groups, str) else (*path, index)
            names |= dict.fromkeys(self._group(group, place))
        return tuple(names)

    def _group(self, group: str, path: Place) -> tuple[str, ...]:
        if not group.startswith("@"):
            self._known_state(group, path)
            return (group,)
        tagged = self.names.tagged(group[1:])
        if not tagged and f"is_{group[1:]}" in self.names.unsure:
            self.wrong = True
        elif not tagged:
            self._unknown("PT025", "tag", group[1:], path, self.names.tags())
        return tagged

    def _transition(self, path: Place, item: document.TransitionPart) -> machine.Transition:
        self._known_event(item.on, (*path, "on"))
        if item.to is not None:
            self._known_state(item.to, (*path, "to"))
        if item.reason is not None:
            self._known_reason(item.reason, (*path, "reason"))
        names = self.names.guard((item.on,))
        when = self._expr(item.when, (*path, "when"), names, BOOL) if item.when else TRUE
        sources = self._groups(item.sources, (*path, "from"))
        locks = tuple(self._requirement(reason, text, path, names) for reason, text in item.require.items())
        updates = tuple(self._update(name, value, path, names) for name, value in item.set.items())
        place = self.shape.marks.at((*path, "id"))
        return machine.Transition(item.id, sources, item.on, item.to, when, locks, updates, item.reason or "", place)

    def _requirement(self, reason: str, text: str, path: Place, names: Names) -> machine.Requirement:
        place: Place = (*path, "require", reason)
        self._known_reason(reason, place)
        return machine.Requirement(reason, self._expr(text, place, names, BOOL), self.shape.marks.key(place))

    def _update(self, name: str, value: bool | int | str, path: Place, names: Names) -> machine.Update:
        place: Place = (*path, "set", name)
        text, mark = str(value).lower() if isinstance(value, bool) else str(value), self.shape.marks.key(place)
        variable = self.names.context.get(name)
        if variable is not None:
            return machine.Update(name, self._expr(text, place, names, variable.sort), mark)
        self.wrong = True
        if name not in self.names.unsure:
            self._unknown("PT022", "variable", name, place, set(self.names.context))
        return machine.Update(name, TRUE, mark)

    def _dismissal(self, path: Place, item: document.DismissalPart) -> machine.Dismissal:
        events = (item.on,) if isinstance(item.on, str) else tuple(dict.fromkeys(item.on))
        for position, event in enumerate([item.on] if isinstance(item.on, str) else item.on):
            self._known_event(event, (*path, "on") if isinstance(item.on, str) else (*path, "on", position))
        when: Expr | None = TRUE
        if item.when is not None:
            otherwise = item.when == OTHERWISE
            when = None if otherwise else self._expr(item.when, (*path, "when"), self.names.guard(events), BOOL)
        self._known_reason(item.reason, (*path, "reason"))
        states = self._groups(item.states, (*path, "in"))
        return machine.Dismissal(states, events, item.reason, path[0] == "refuse", when, self.shape.marks.at(path))

    def _property(self, path: Place, item: document.PropertyPart) -> machine.Property | None:
        place, answers = self.shape.marks.at((*path, "id")), tuple(item.answers)
        kinds = [kind for kind in document.CLAIMS if getattr(item, kind) is not None]
        if len(kinds) != 1:
            found, hint = " and ".join(kinds) or "none", f"a property has exactly one of {', '.join(document.CLAIMS)}"
            self.findings.add("PT060", place, f"expected one claim, was {found}", hint)
            return None
        kind = kinds[0]
        if item.leads_to is not None:
            return self._leads_to(path, item, item.leads_to)
        expr = self._expr(getattr(item, kind), (*path, kind), self.names.claim(steps=kind == "step"), BOOL)
        match kind:
            case "step":
                return machine.Step(item.id, item.says, expr, answers, place)
            case "witness":
                return machine.Witness(item.id, item.says, expr, answers, place)
            case _:
                return machine.Always(item.id, item.says, expr, answers, kind == "lemma", place)

    def _leads_to(self, path: Place, item: document.PropertyPart, part: document.LeadsToPart) -> machine.Property:
        names, inner = self.names.claim(steps=False), (*path, "leads_to")
        for index, event in enumerate(part.fair):
            self._known_event(event, (*inner, "fair", index))
        when = self._expr(part.when, (*inner, "from"), names, BOOL)
        then = self._expr(part.then, (*inner, "to"), names, BOOL)
        rank = self._expr(part.rank, (*inner, "rank"), names, INT)
        place = self.shape.marks.at((*path, "id"))
        return machine.LeadsTo(item.id, item.says, when, then, rank, tuple(part.fair), tuple(item.answers), place)
