"""From the parts of a specification to a machine: names are resolved, expressions get their sorts."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from peak_trade.lang import document, machine
from peak_trade.lang.elaborate import Names, elaborate
from peak_trade.lang.expr import TRUE, At, Expr, Scope, Var
from peak_trade.lang.pretty import OTHERWISE
from peak_trade.lang.read import Path as Place
from peak_trade.lang.shape import Shape
from peak_trade.lang.sorts import BOOL, INT, BoolSort, IntSort, MapSort, ScalarSort, Sort, start
from peak_trade.lang.source import Findings, suggestion
from peak_trade.lang.standin import stand_in
from peak_trade.lang.step import written_sort
from peak_trade.lang.syntax import Text
from peak_trade.lang.vocabulary import Vocabulary, vocabulary

HEARD: Final = "heard"
"""The key of a claim that an event is taken."""

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

    def _sort(self, item: document.FieldPart, path: Place, key: str = "type") -> ScalarSort | None:
        """Return the scalar sort that `item` names under `key`."""
        word: str = getattr(item, key)
        bounded = [end for end in ("min", "max") if getattr(item, end) is not None]
        if bounded and word != "int":
            place = self.shape.marks.key((*path, bounded[0]))
            self.findings.add("PT012", place, f"expected no bounds for {word}", "only int has them")
        match word:
            case "bool":
                return BoolSort()
            case "int":
                return IntSort(item.min, item.max)
            case name if name in self.names.enums:
                return self.names.enums[name]
            case name:
                if ("enums", name) not in self.shape.lost:
                    self._unknown("PT024", "type", name, (*path, key), {"bool", "int", *self.names.enums})
                self._doubt(path)
                return None

    def _doubt(self, path: Place) -> None:
        """Let nothing be said of the name of the variable or field at `path`: its own declaration is wrong."""
        self.names.unsure |= {str(path[-1]), f"next_{path[-1]}"}

    def _variable(self, path: Place, item: document.VariablePart) -> machine.Variable | None:
        kind, marks, name = document.MAP if item.type == document.MAP else "scalar", self.shape.marks, str(path[-1])
        wanted, other = ("of", "init") if kind == document.MAP else ("init", "of")
        if getattr(item, wanted) is None:
            self.findings.add("PT011", marks.at(path), f"expected the key `{wanted}`, was not there", "add it")
            self._doubt(path)
            return None
        if getattr(item, other) is not None:
            message, hint = f"expected no `{other}` for {item.type}", "delete it: only a map has elements"
            if kind == document.MAP:
                hint = "delete it: every element starts as false, the first member, the least number or 0"
            self.findings.add("PT012", marks.key((*path, other)), message, hint)
        sort: Sort | None = self._sort(item, path) if kind != document.MAP else self._map(item, path)
        if sort is None:
            return None
        free = item.init == document.ANY
        init = start(sort) if free or item.init is None or isinstance(sort, MapSort) else item.init
        return machine.Variable(name, sort, init, item.doc, item.unit, marks.key(path), free)

    def _map(self, item: document.VariablePart, path: Place) -> MapSort | None:
        element = self._sort(item, path, "of")
        return None if element is None else MapSort(element)

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
        base, bracket, _ = name.partition("[")
        variable = self.names.context.get(base)
        if variable is None:
            self.wrong = True
            if base not in self.names.unsure:
                self._unknown("PT022", "variable", base, place, set(self.names.context))
            return machine.Update(base, TRUE, mark)
        if not bracket and not isinstance(variable.sort, MapSort):
            return machine.Update(name, self._expr(text, place, names, variable.sort), mark)
        return self._store(
            Text(name, mark), self._expr(text, place, names, written_sort(variable.sort)), variable, names
        )

    def _store(self, target: Text, value: Expr, variable: Var, names: Names) -> machine.Update:
        """Return the update of the element that `target` says; a diagnostic says so if it is none of a map's."""
        if not isinstance(variable.sort, MapSort):
            hint = f"write `{variable.name}`"
            self.findings.add("PT036", target.place, f"`{variable.name}` is no map and has no elements", hint)
        elif "[" not in target.text:
            hint = f"write `{variable.name}[index]`"
            self.findings.add("PT036", target.place, f"`{variable.name}` is a map, not one value", hint)
        else:
            found = elaborate(self.findings, target, names, variable.sort.element, self.names.unsure)
            if isinstance(found, At):
                return machine.Update(variable.name, value, target.place, found.index)
            if found is not None:
                self.findings.add("PT036", target.place, "expected one element of a map", "write `map[index]`")
        self.wrong = True
        return machine.Update(variable.name, value, target.place)

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
        if item.when is not None and kind != HEARD:
            hint = f"delete it: only {HEARD} has one"
            self.findings.add("PT012", self.shape.marks.key((*path, "when")), f"expected no `when` for {kind}", hint)
        if item.by and kind != "witness":
            hint = "delete it: only witness has one"
            self.findings.add("PT012", self.shape.marks.key((*path, "by")), f"expected no `by` for {kind}", hint)
        if item.leads_to is not None:
            return self._leads_to(path, item, item.leads_to)
        if item.heard is not None:
            return self._heard(path, item, item.heard)
        expr = self._expr(getattr(item, kind), (*path, kind), self.names.claim(steps=kind == "step"), BOOL)
        match kind:
            case "step":
                return machine.Step(item.id, item.says, expr, answers, place)
            case "witness":
                for index, event in enumerate(item.by):
                    self._known_event(event, (*path, "by", index))
                return machine.Witness(item.id, item.says, expr, answers, place, tuple(item.by))
            case _:
                return machine.Always(item.id, item.says, expr, answers, kind == "lemma", place)

    def _heard(self, path: Place, item: document.PropertyPart, event: str) -> machine.Property | None:
        self._known_event(event, (*path, HEARD))
        names = self.names.hearing(event)
        when = self._expr(item.when, (*path, "when"), names, BOOL) if item.when and not self.wrong else TRUE
        place = self.shape.marks.at((*path, "id"))
        return machine.Heard(item.id, item.says, event, when, tuple(item.answers), place)

    def _leads_to(self, path: Place, item: document.PropertyPart, part: document.LeadsToPart) -> machine.Property:
        names, inner = self.names.claim(steps=False), (*path, "leads_to")
        for index, event in enumerate(part.fair):
            self._known_event(event, (*inner, "fair", index))
        when = self._expr(part.when, (*inner, "from"), names, BOOL)
        then = self._expr(part.then, (*inner, "to"), names, BOOL)
        rank = self._expr(part.rank, (*inner, "rank"), names, INT)
        place = self.shape.marks.at((*path, "id"))
        fair, answers = tuple(part.fair), tuple(item.answers)
        return machine.LeadsTo(item.id, item.says, when, then, rank, fair, answers, place, part.weak)
