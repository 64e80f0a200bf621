"""What each name of a specification means, in guards and in claims."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from peak_trade.lang import document
from peak_trade.lang.elaborate import Names, members, predicate
from peak_trade.lang.expr import Scope, Var
from peak_trade.lang.shape import Shape
from peak_trade.lang.sorts import EnumSort, Sort
from peak_trade.lang.words import words


@dataclass(slots=True)
class Vocabulary:
    """The names of one specification; `unsure` are those whose own declarations are wrong."""

    part: document.MachinePart
    enums: dict[str, EnumSort]
    unsure: frozenset[str]
    context: dict[str, Var] = field(default_factory=dict)
    payloads: dict[str, dict[str, Var]] = field(default_factory=dict)

    def constants(self) -> Names:
        """Return the members of all enumerations."""
        return {str(lit.value): lit for enum in self.enums.values() for lit in members(enum)}

    def guard(self, events: tuple[str, ...]) -> Names:
        """Return the names of guards and updates: constants, context, and the payload if there is one event."""
        payload = self.payloads.get(events[0], {}) if len(events) == 1 else {}
        return {**self.constants(), **self.context, **payload}

    def claim(self, *, steps: bool) -> Names:
        """Return the names of properties: context, state, tags; in steps also the event and the state after."""
        states = EnumSort("State", tuple(self.part.states))
        events = EnumSort("Event", tuple(self.part.events))
        names: Names = {**self.constants(), **_constants(states), **self.context}
        places = [("state", "is_", Scope.STATE)] + ([("next_state", "next_is_", Scope.NEXT_STATE)] if steps else [])
        for word, prefix, scope in places:
            var = Var(word, states, scope)
            names[word] = var
            names |= {prefix + tag: predicate(var, self.tagged(tag)) for tag in self.tags()}
        if steps:
            names |= {"event": Var("event", events, Scope.EVENT), **_constants(events)}
            names |= {f"next_{name}": Var(name, var.sort, Scope.NEXT) for name, var in self.context.items()}
        return names

    def hearing(self, event: str) -> Names:
        """Return the names of a claim that `event` is heard: those of claims about values, and the event's payload."""
        return {**self.claim(steps=False), **self.payloads.get(event, {})}

    def tags(self) -> set[str]:
        """Return the tags that some state carries."""
        return {tag for state in self.part.states.values() for tag in state.tags}

    def tagged(self, tag: str) -> tuple[str, ...]:
        """Return the names of the states that carry `tag`, in declared order."""
        return tuple(name for name, state in self.part.states.items() if tag in state.tags)


def _constants(sort: Sort) -> Names:
    return {str(lit.value): lit for lit in members(sort)}


def vocabulary(shape: Shape) -> Vocabulary:
    """Return the names that `shape` declares, without the variables, which are added one by one."""
    sound = {name: item for name, item in shape.part.enums.items() if ("enums", name) not in shape.lost}
    enums = {name: EnumSort(name, tuple(item)) for name, item in sound.items()}
    return Vocabulary(shape.part, enums, frozenset(_unsure(shape)))


def _unsure(shape: Shape) -> Iterator[str]:
    for path in shape.lost:
        names = words(_at(shape.data, path)) | {str(path[-1])}
        match path:
            case ("context", str(name)):
                yield from (name, f"next_{name}")
            case ("enums", _) | ("events", _, "payload", *_):
                yield from names
            case ("states", *_):
                yield from (prefix + name for prefix in ("is_", "next_is_") for name in names)


def _at(data: Any, path: tuple[str | int, ...]) -> Any:  # noqa: ANN401 - YAML holds any data
    for step in path:
        inside = (isinstance(data, dict) and step in data) or (isinstance(data, list) and isinstance(step, int))
        data = data[step] if inside else None
    return data
