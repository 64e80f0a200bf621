"""What a system means: with a given number of the many it is a plain machine.

Its variables are those of everyone side by side, there is one control state, and each rule is one event for each of
those to whom it can happen, with a transition for each joint row. `lang.track` is about any number.
"""

from dataclasses import dataclass, replace
from functools import reduce

from peak_trade.lang.expr import (
    TRUE,
    Arith,
    Arithmetic,
    Expr,
    Scope,
    Var,
    conjunction,
)
from peak_trade.lang.joint import Row, joint
from peak_trade.lang.machine import (
    Dismissal,
    Event,
    Machine,
    Reason,
    State,
    Transition,
    Update,
    Variable,
)
from peak_trade.lang.promise import Sayings, Speaker, promises
from peak_trade.lang.rewrite import rewrite
from peak_trade.lang.sorts import EnumSort
from peak_trade.lang.system import Rule, System, names

COMPOSED = "composed"
"""The one control state of a composed machine; the parts' states are variables."""
NOT_ENABLED = "not_enabled"
COUNT_MARK = "@"
"""Between a system's name and how many of the many its machine has: `system@2`."""
COUNT_MAX = 64
"""How many of the many one machine may have side by side."""


@dataclass(frozen=True, slots=True)
class View:
    """How one of the many is called: `names` has, for each variable of its own, the name to use; `scope` its scope."""

    names: dict[str, str]
    scope: Scope = Scope.CONTEXT

    def said(self, expr: Expr) -> Expr:
        """Return `expr` said of this one; what is shared and what is given keeps its name."""

        def put(node: Expr) -> Expr | None:
            match node:
                case Var(name, sort, Scope.CONTEXT) if name in self.names:
                    return Var(self.names[name], sort, self.scope)
                case Var(name, sort, Scope.NEXT) if name in self.names:
                    return Var(self.names[name], sort, Scope.NEXT)
                case _:
                    return None

        return rewrite(expr, put)

    def update(self, item: Update) -> Update:
        """Return the update said of this one."""
        index = None if item.index is None else self.said(item.index)
        name = self.names.get(item.variable, item.variable)
        return replace(item, variable=name, value=self.said(item.value), index=index)


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of a composed machine: the rule, the event's name, and whom it happens to."""

    rule: Rule
    event: str
    view: View
    extra: Expr = TRUE
    """What must hold beside the rule's own guard."""

    def declared(self) -> Event:
        """Return the event's declaration."""
        return Event(self.event, self.rule.origin, self.rule.doc, self.rule.parameters, self.rule.span)

    def transition(self, row: Row, updates: tuple[Update, ...]) -> Transition:
        """Return the transition of one joint row."""
        name = f"{self.event}:{row.name}" if row.name else self.event
        when = conjunction((self.view.said(row.guard), self.extra))
        locks = tuple(replace(lock, holds=self.view.said(lock.holds)) for lock in row.locks)
        return Transition(name, (COMPOSED,), self.event, None, when, locks, updates, span=self.rule.span)


def instance(system: System, count: int) -> Machine:
    """Return the machine of `system` with `count` of the many; what is each one's own ends in its number, from 1.

    A property that names what is each one's own is claimed of each, and its id ends in the number.
    Raises ValueError unless `count` is from 1 to COUNT_MAX.
    """
    if not 1 <= count <= COUNT_MAX:
        raise ValueError(f"expected 1 to {COUNT_MAX} of the many, was {count}")
    found = names(system)
    suffixes = [f"[{number}]" for number in range(1, count + 1)]
    views = {suffix: View({item.name: f"{item.name}{suffix}" for item in found.each}) for suffix in suffixes}
    happenings = []
    for rule in system.rules:
        every = conjunction(tuple(view.said(rule.every) for view in views.values()))
        here = views.items() if rule.each else [("", View({}))]
        happenings += [Happening(rule, f"{rule.name}{suffix}", view, every) for suffix, view in here]
    transitions = [
        item.transition(row, tuple(map(item.view.update, row.updates)))
        for item in happenings
        for row in joint(system, item.rule)
    ]
    each = [replace(item, name=view.names[item.name]) for view in views.values() for item in found.each]
    events = tuple(item.declared() for item in happenings)
    sayings = Sayings(
        system,
        Speaker("", View({}).said, _events(system, tuple(views))),
        tuple(Speaker(suffix, view.said, _events(system, (suffix,))) for suffix, view in views.items()),
        {item.name: _total([view.said(item.term) for view in views.values()]) for item in system.sums},
        event_sort(events),
    )
    made = composed(system, (*found.once, *each), events, transitions)
    return replace(made, name=f"{system.name}{COUNT_MARK}{count}", properties=promises(sayings))


def event_sort(events: tuple[Event, ...]) -> EnumSort:
    """Return the sort of the events of a machine that has these."""
    return EnumSort("Event", tuple(event.name for event in events))


def composed(
    system: System,
    variables: tuple[Variable, ...],
    events: tuple[Event, ...],
    transitions: list[Transition],
) -> Machine:
    """Return the machine with one control state and these parts, without claims; what no row takes is refused."""
    reasons = {lock.reason for item in transitions for lock in item.require}
    sentences = {f"{part.name}.{reason.name}": reason.doc for part in system.parts for reason in part.machine.reasons}
    return Machine(
        system.name,
        system.version,
        system.summary,
        system.all_enums(),
        variables,
        (State(COMPOSED, system.summary, initial=True),),
        events,
        (
            Reason(NOT_ENABLED, "The rule does not apply now."),
            *(Reason(name, doc) for name, doc in sentences.items() if name in reasons),
        ),
        tuple(transitions),
        (Dismissal((COMPOSED,), tuple(event.name for event in events), NOT_ENABLED, refused=True, when=None),),
        (),
    )


def _events(system: System, suffixes: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return, for each rule, the events in which it happens to someone with one of the suffixes."""
    return {
        rule.name: tuple(f"{rule.name}{suffix}" for suffix in suffixes) if rule.each else (rule.name,)
        for rule in system.rules
    }


def _total(terms: list[Expr]) -> Expr:
    """Return the sum of `terms`; there is at least one."""
    return reduce(lambda left, right: Arith(Arithmetic.ADD, left, right), terms)
