"""What a system of any number means, as seen by one of the many, whoever it is: a plain machine.

Its variables are what is shared and what the tracked one has. What another does is there as an event whose payload is
that other's own variables, arbitrary but for the invariants, which hold of everyone (`Machine.mirrors`). So each run of
`compose.instance(system, n)`, for every n, seen by any one, is a run of this machine, and an invariant of this machine
is one of them all: a thread-modular proof (Hoenicke, Majumdar, Podelski: Thread modularity at many levels, POPL 2017).

A sum over the many is a variable. It changes by what the term of the acting one changes. Of a sum that is called
positive it is known that it is at least the terms of those who are looked at; the machine then has the lemma that the
term is never negative, and nothing that it claims may be concluded unless that lemma is proved with it.

Limits: a condition on every one of the many is known of those who are looked at, which makes more runs and never
fewer; where `lang.locality` says that the view of one is not enough, nothing may be concluded for any number.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from typing import cast

from peak_trade.lang.compose import Happening, View, composed, event_sort
from peak_trade.lang.expr import (
    Arith,
    Arithmetic,
    Compare,
    Comparison,
    Expr,
    Lit,
    Scope,
    Var,
    conjunction,
)
from peak_trade.lang.joint import Row, joint
from peak_trade.lang.machine import Always, Event, Field, Machine, Mirror, Transition, Update, Variable, Witness
from peak_trade.lang.promise import Sayings, Speaker, promises
from peak_trade.lang.rewrite import rewrite
from peak_trade.lang.sorts import INT, ScalarSort
from peak_trade.lang.system import Rule, Sum, System, names

OTHER = "other."
"""What the names of another's events and variables begin with."""


def tracked(system: System) -> Machine:
    """Return the machine of one tracked among any number of the many.

    It claims every property of `system` but the witnesses: what someone can reach is shown by `compose.instance`.
    """
    tracker = _Tracker(system)
    mine = [Happening(rule, rule.name, View({}), rule.every) for rule in system.rules]
    theirs = [tracker.theirs(rule) for rule in system.rules if rule.each]
    transitions = [tracker.transition(item, row) for item in (*mine, *theirs) for row in joint(system, item.rule)]
    found = names(system)
    totals = tuple(Variable(item.name, INT, 0, item.doc) for item in system.sums)
    events = (*(item.declared() for item in mine), *(tracker.declared(item) for item in theirs))
    variables = (*found.once, *totals, *found.each)
    made = composed(system, variables, events, transitions)
    claims = tuple(item for item in promises(tracker.sayings(events)) if not isinstance(item, Witness))
    return replace(
        made, properties=(*tracker.lemmas(), *claims), mirrors=tuple(tracker.mirror(item) for item in theirs)
    )


@dataclass(frozen=True, slots=True)
class _Tracker:
    """Makes the parts of the tracked machine of one system."""

    system: System

    @property
    def other(self) -> View:
        """How another one is called: its variables are payload fields."""
        return View({item.name: f"{OTHER}{item.name}" for item in names(self.system).each}, Scope.PAYLOAD)

    def theirs(self, rule: Rule) -> Happening:
        """Return how `rule` happens to another one."""
        every = (rule.every, self.other.said(rule.every))
        sums = (_at_least(item, [item.term, self.other.said(item.term)]) for item in self._positive())
        return Happening(rule, f"{OTHER}{rule.name}", self.other, conjunction((*every, *sums)))

    def declared(self, item: Happening) -> Event:
        """Return the event in which another acts: beside the rule's own payload, all that the other one has."""
        event = item.declared()
        theirs = names(self.system).each
        # Elsewhere a payload holds no map; here it stands for another's variables, and solvers take any sort.
        sorts = (cast("ScalarSort", one.sort) for one in theirs)
        fields = (Field(f"{OTHER}{one.name}", sort, one.doc, one.unit) for one, sort in zip(theirs, sorts, strict=True))
        return replace(event, payload=(*event.payload, *fields))

    def mirror(self, item: Happening) -> Mirror:
        """Return whose variables the payload of that event holds."""
        return Mirror(item.event, tuple((one.name, f"{OTHER}{one.name}") for one in names(self.system).each))

    def transition(self, item: Happening, row: Row) -> Transition:
        """Return the transition of one joint row: another's own variables are not written, sums are."""
        local = names(self.system).local
        kept = [one for one in row.updates if item.view.scope is Scope.CONTEXT or one.variable not in local]
        sums = self._sums(item.view, row.updates) if item.rule.each else ()
        return item.transition(row, (*map(item.view.update, kept), *sums))

    def sayings(self, events: tuple[Event, ...]) -> Sayings:
        """Return how properties are said: of the tracked one by its own events, of everyone by all."""
        rules = self.system.rules
        mine = {rule.name: (rule.name,) for rule in rules}
        everyone = {rule.name: (rule.name, f"{OTHER}{rule.name}") if rule.each else (rule.name,) for rule in rules}
        said = View({}).said
        return Sayings(self.system, Speaker("", said, everyone), (Speaker("", said, mine),), {}, event_sort(events))

    def lemmas(self) -> Iterator[Always]:
        """Give the lemmas on which what is known of sums rests."""
        for item in self._positive():
            holds = Compare(Comparison.GE, item.term, Lit(0, INT))
            says = f"No term of the sum {item.name} is ever negative."
            yield Always(positive_name(item), says, holds, lemma=True, span=item.span)
            says = f"The sum {item.name} is at least each of its terms."
            yield Always(f"{positive_name(item)}-LEAST", says, _at_least(item, [item.term]), lemma=True, span=item.span)

    def _positive(self) -> Iterator[Sum]:
        return (item for item in self.system.sums if item.positive)

    def _sums(self, view: View, updates: tuple[Update, ...]) -> Iterator[Update]:
        """Give how each sum changes when one of the many makes `updates`."""
        values = {update.variable: update.value for update in updates if update.index is None}

        def put(node: Expr) -> Expr | None:
            return values.get(node.name) if isinstance(node, Var) and node.scope is Scope.CONTEXT else None

        for item in self.system.sums:
            new = rewrite(item.term, put)
            if new != item.term:
                change = Arith(Arithmetic.SUB, view.said(new), view.said(item.term))
                yield Update(item.name, Arith(Arithmetic.ADD, _total(item), change), item.span)


def positive_name(item: Sum) -> str:
    """Return the name of the lemma that the term of `item` is never negative; of the one that follows it begins so."""
    return f"SUM-{item.name}"


def _total(item: Sum) -> Var:
    return Var(item.name, INT, Scope.CONTEXT)


def _at_least(item: Sum, terms: list[Expr]) -> Expr:
    least = reduce(lambda left, right: Arith(Arithmetic.ADD, left, right), terms)
    return Compare(Comparison.GE, _total(item), least)
