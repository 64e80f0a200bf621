"""From the text of a specification to a machine, or to all that is wrong with the text."""

from dataclasses import dataclass, field
from pathlib import Path

from peak_trade.lang import document, machine
from peak_trade.lang.elaborate import Names, Text, elaborate, members, predicate
from peak_trade.lang.expr import TRUE, Expr, Scope, Var
from peak_trade.lang.pretty import OTHERWISE
from peak_trade.lang.read import FILE_BYTES_MAX, Marks, text_place
from peak_trade.lang.read import Path as Place
from peak_trade.lang.shape import shape
from peak_trade.lang.sorts import BOOL, INT, BoolSort, EnumSort, IntSort, Sort
from peak_trade.lang.source import Diagnostic, Findings, Source, suggestion


@dataclass(frozen=True, slots=True)
class Parsed:
    """A machine, or None, and the diagnostics; the machine is there iff there are none."""

    machine: machine.Machine | None
    diagnostics: tuple[Diagnostic, ...]
    source: Source


def parse_file(path: Path, name: str = "") -> Parsed:
    """Return what the file at `path` declares; `name` is how diagnostics call it, by default the path.

    OSError iff the file cannot be read; other mistakes are diagnostics.
    """
    with path.open("rb") as file:
        data = file.read(FILE_BYTES_MAX + 1)
    return parse(Source(name or str(path), data.decode("utf-8", "replace").removeprefix("\ufeff")))


def parse(source: Source) -> Parsed:
    """Return the machine that `source` declares, or every diagnostic that can be found at once."""
    findings = Findings(source)
    found = shape(findings)
    result = _Builder(findings, *found).build() if found else None
    return Parsed(None if findings.items else result, findings.sorted(), source)


@dataclass(slots=True)
class _Builder:
    """Resolves names and elaborates expressions; keeps going after a mistake."""

    findings: Findings
    part: document.MachinePart
    marks: Marks
    enums: dict[str, EnumSort] = field(default_factory=dict)
    context: Names = field(default_factory=dict)
    payloads: dict[str, Names] = field(default_factory=dict)
    constants: Names = field(default_factory=dict)

    def build(self) -> machine.Machine:
        part = self.part
        self.enums = {name: EnumSort(name, tuple(words)) for name, words in part.enums.items()}
        self.constants = {lit.value: lit for enum in self.enums.values() for lit in members(enum)}  # type: ignore[misc]
        variables = tuple(self._variable(name, item) for name, item in part.context.items())
        self.context = {item.name: Var(item.name, item.sort, Scope.CONTEXT) for item in variables}
        events = tuple(self._event(name, item) for name, item in part.events.items())
        for event in events:
            self.payloads[event.name] = {item.name: Var(item.name, item.sort, Scope.PAYLOAD) for item in event.payload}
        return machine.Machine(
            part.machine,
            part.version,
            part.summary,
            tuple(self.enums.values()),
            variables,
            tuple(self._state(name, item) for name, item in part.states.items()),
            events,
            tuple(machine.Reason(name, doc, self.marks.key(("reasons", name))) for name, doc in part.reasons.items()),
            tuple(self._transition(index, item) for index, item in enumerate(part.transitions)),
            (
                *(self._dismissal("ignore", index, item) for index, item in enumerate(part.ignore)),
                *(self._dismissal("refuse", index, item) for index, item in enumerate(part.refuse)),
            ),
            tuple(found for index, item in enumerate(part.properties) if (found := self._property(index, item))),
        )

    def _state(self, name: str, item: document.StatePart) -> machine.State:
        return machine.State(name, item.doc, tuple(item.tags), item.initial, self.marks.key(("states", name)))

    def _sort(self, item: document.FieldPart, path: Place) -> Sort:
        bounded = item.min is not None or item.max is not None
        if bounded and item.type != "int":
            self.findings.add("PT012", self.marks.at(path), f"expected no bounds for {item.type}", "only int has them")
        match item.type:
            case "bool":
                return BoolSort()
            case "int":
                return IntSort(item.min, item.max)
            case name if name in self.enums:
                return self.enums[name]
            case name:
                hint = suggestion(name, {"bool", "int", *self.enums})
                self.findings.add("PT024", self.marks.at((*path, "type")), f"unknown type `{name}`", hint)
                return INT

    def _variable(self, name: str, item: document.VariablePart) -> machine.Variable:
        path: Place = ("context", name)
        return machine.Variable(name, self._sort(item, path), item.init, item.doc, item.unit, self.marks.key(path))

    def _event(self, name: str, item: document.EventPart) -> machine.Event:
        path: Place = ("events", name)
        fields = []
        for key, part in item.payload.items():
            place: Place = (*path, "payload", key)
            fields.append(machine.Field(key, self._sort(part, place), part.doc, part.unit, self.marks.key(place)))
        return machine.Event(name, machine.Origin(item.origin), item.doc, tuple(fields), self.marks.key(path))

    def _expr(self, text: str, path: Place, names: Names, wanted: Sort) -> Expr:
        place = self.marks.at(path)
        at = Text(text, place.shifted(text_place(self.findings, place), place.width))
        return elaborate(self.findings, at, names, wanted) or TRUE

    def _groups(self, groups: str | list[str], path: Place) -> tuple[str, ...]:
        names: list[str] = []
        for index, group in enumerate([groups] if isinstance(groups, str) else groups):
            place = path if isinstance(groups, str) else (*path, index)
            names += [name for name in self._group(group, place) if name not in names]
        return tuple(names)

    def _group(self, group: str, path: Place) -> list[str]:
        if not group.startswith("@"):
            self._known("PT020", "state", group, path, set(self.part.states))
            return [group]
        tagged = [name for name, state in self.part.states.items() if group[1:] in state.tags]
        if not tagged:
            tags = {tag for state in self.part.states.values() for tag in state.tags}
            self._known("PT025", "tag", group[1:], path, tags)
        return tagged

    def _known(self, code: str, what: str, name: str, path: Place, known: set[str]) -> bool:
        if name in known:
            return True
        self.findings.add(code, self.marks.at(path), f"unknown {what} `{name}`", suggestion(name, known))
        return False

    def _reason(self, name: str, path: Place) -> None:
        self._known("PT023", "reason", name, path, set(self.part.reasons))

    def _transition(self, index: int, item: document.TransitionPart) -> machine.Transition:
        path: Place = ("transitions", index)
        self._known("PT021", "event", item.on, (*path, "on"), set(self.part.events))
        if item.to is not None:
            self._known("PT020", "state", item.to, (*path, "to"), set(self.part.states))
        if item.reason:
            self._reason(item.reason, (*path, "reason"))
        names = self.constants | self.context | self.payloads.get(item.on, {})
        when = self._expr(item.when, (*path, "when"), names, BOOL) if item.when else TRUE
        sources = self._groups(item.sources, (*path, "from"))
        locks = tuple(self._requirement(reason, text, path, names) for reason, text in item.require.items())
        updates = tuple(self._update(name, value, path, names) for name, value in item.set.items())
        place = self.marks.at((*path, "id"))
        return machine.Transition(item.id, sources, item.on, item.to, when, locks, updates, item.reason, place)

    def _requirement(self, reason: str, text: str, path: Place, names: Names) -> machine.Requirement:
        place: Place = (*path, "require", reason)
        if reason not in self.part.reasons:
            hint = suggestion(reason, set(self.part.reasons))
            self.findings.add("PT023", self.marks.key(place), f"unknown reason `{reason}`", hint)
        return machine.Requirement(reason, self._expr(text, place, names, BOOL), self.marks.key(place))

    def _update(self, name: str, value: bool | int | str, path: Place, names: Names) -> machine.Update:
        place: Place = (*path, "set", name)
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if name not in self.context:
            hint = suggestion(name, set(self.context))
            self.findings.add("PT022", self.marks.key(place), f"unknown variable `{name}`", hint)
            return machine.Update(name, TRUE, self.marks.key(place))
        variable = self.context[name]
        assert isinstance(variable, Var)
        return machine.Update(name, self._expr(text, place, names, variable.sort), self.marks.key(place))

    def _dismissal(self, kind: str, index: int, item: document.DismissalPart) -> machine.Dismissal:
        path: Place = (kind, index)
        events = (item.on,) if isinstance(item.on, str) else tuple(dict.fromkeys(item.on))
        names = self.constants | self.context
        for position, event in enumerate(events):
            place: Place = (*path, "on") if isinstance(item.on, str) else (*path, "on", position)
            self._known("PT021", "event", event, place, set(self.part.events))
        if len(events) == 1:
            names = names | self.payloads.get(events[0], {})
        when: Expr | None = TRUE
        if item.when is not None:
            when = None if item.when == OTHERWISE else self._expr(item.when, (*path, "when"), names, BOOL)
        self._reason(item.reason, (*path, "reason"))
        states = self._groups(item.states, (*path, "in"))
        return machine.Dismissal(states, events, item.reason, kind == "refuse", when, self.marks.at(path))

    def _property(self, index: int, item: document.PropertyPart) -> machine.Property | None:
        path: Place = ("properties", index)
        place, answers = self.marks.at((*path, "id")), tuple(item.answers)
        kinds = [kind for kind in ("always", "lemma", "step", "witness", "leads_to") if getattr(item, kind) is not None]
        if len(kinds) != 1:
            found = " and ".join(kinds) or "none"
            hint = "a property has exactly one of always, lemma, step, witness, leads_to"
            self.findings.add("PT060", place, f"expected one claim, was {found}", hint)
            return None
        kind = kinds[0]
        if kind == "leads_to":
            return self._leads_to(item, path)
        names = self._scope(steps=kind == "step")
        expr = self._expr(getattr(item, kind), (*path, kind), names, BOOL)
        match kind:
            case "step":
                return machine.Step(item.id, item.says, expr, answers, place)
            case "witness":
                return machine.Witness(item.id, item.says, expr, answers, place)
            case _:
                return machine.Always(item.id, item.says, expr, answers, kind == "lemma", place)

    def _leads_to(self, item: document.PropertyPart, path: Place) -> machine.Property:
        part, names = item.leads_to, self._scope(steps=False)
        assert part is not None
        inner: Place = (*path, "leads_to")
        for index, event in enumerate(part.fair):
            self._known("PT021", "event", event, (*inner, "fair", index), set(self.part.events))
        when = self._expr(part.when, (*inner, "from"), names, BOOL)
        then = self._expr(part.then, (*inner, "to"), names, BOOL)
        rank = self._expr(part.rank, (*inner, "rank"), names, INT)
        place = self.marks.at((*path, "id"))
        return machine.LeadsTo(item.id, item.says, when, then, rank, tuple(part.fair), tuple(item.answers), place)

    def _scope(self, *, steps: bool) -> Names:
        """Return the names of properties: context, state, tags; in steps also the event and the state after."""
        states = EnumSort("State", tuple(self.part.states))
        events = EnumSort("Event", tuple(self.part.events))
        tags = {tag for state in self.part.states.values() for tag in state.tags}
        names: Names = self.constants | {str(lit.value): lit for lit in members(states)} | self.context
        places = [("state", "is_", Scope.STATE)] + ([("next_state", "next_is_", Scope.NEXT_STATE)] if steps else [])
        for word, prefix, scope in places:
            var = Var(word, states, scope)
            names[word] = var
            for tag in tags:
                tagged = tuple(name for name, state in self.part.states.items() if tag in state.tags)
                names[prefix + tag] = predicate(var, tagged)
        if steps:
            names["event"] = Var("event", events, Scope.EVENT)
            names |= {str(lit.value): lit for lit in members(events)}
            names |= {f"next_{name}": Var(name, var.sort, Scope.NEXT) for name, var in self._variables()}
        return names

    def _variables(self) -> list[tuple[str, Var]]:
        return [(name, var) for name, var in self.context.items() if isinstance(var, Var)]
