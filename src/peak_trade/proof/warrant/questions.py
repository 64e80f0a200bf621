"""What a certificate asks: questions in SMT-LIB text, each of which must be answered `unsat`.

The hypotheses of a step are the invariant's, of the value before it and of whoever else acts (`Machine.mirrors`), as in
`backends.relation.Encoding.hypothesis`; nothing else is assumed. One question for each transition, so that a reader,
and a solver that fails, can say which step it was.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from peak_trade.backends import smtlib
from peak_trade.backends.definitions import Definitions
from peak_trade.backends.smtlib import STEP, Function, Moment, symbol
from peak_trade.lang.expr import Scope, Var
from peak_trade.lang.machine import Always, Machine, Mirror, Transition

AFTER: Final = Moment(now=STEP.next)
"""The value after the step, where a claim about one value is meant."""


Wrong: TypeAlias = Callable[[Transition], tuple[str, ...]]
"""What must not be true of a transition's step; nothing iff there is no question about it."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question: what it shows if it is answered `unsat`, the symbols that only it needs, and what it asserts."""

    shows: str
    asserts: tuple[str, ...]
    declares: tuple[str, ...] = ()

    def text(self) -> str:
        """Return it as a block of commands that leaves the solver as it was."""
        asserts = (f"(assert {item})" for item in self.asserts)
        return "\n".join((f"; {self.shows}", "(push 1)", *self.declares, *asserts, "(check-sat)", "(pop 1)"))


def invariant(claim: Always) -> Function:
    """Return the function `Inv.ID` of a declared or inferred invariant."""
    return Function(symbol(f"Inv.{claim.name}"), claim.holds)


@dataclass(frozen=True, slots=True)
class Questions:
    """What shows that the invariants `kept` hold for ever, and what then shows a claim."""

    machine: Machine
    kept: tuple[Always, ...]

    @property
    def terms(self) -> Definitions:
        """The definitions of the machine."""
        return Definitions(self.machine)

    def inductive(self) -> Iterator[Question]:
        """Yield: there is a start, every start has the bounds and the invariants, and no transition leaves them."""
        yield Question("there is a value in which the machine starts", (self.terms.whole("Start"), "(not Init)"))
        start = smtlib.every((self.terms.within(), *(invariant(item).at() for item in self.kept)))
        yield Question("every start lies within all bounds and has every invariant", ("Init", f"(not {start})"))
        if self.kept:
            after = smtlib.every(invariant(item).at(AFTER) for item in self.kept)
            yield from self.moves("keeps every invariant", lambda _: (f"(not {after})",))

    def moves(self, shows: str, wrong: Wrong, word: str = "Move") -> Iterator[Question]:
        """Yield for each transition that `wrong` of it, and the hypotheses, cannot be true of it together."""
        for item in self.machine.transitions:
            found = wrong(item)
            if found:
                asserts = (*self.hypotheses(item.event), self.terms.said(word, item), *found)
                yield Question(f"{item.name} ({item.event}) {shows}", asserts, self.payload(item.event))

    def hypotheses(self, event: str | None = None, moment: Moment = STEP) -> tuple[str, ...]:
        """Return what may be assumed of a value, and of who acts if `event` is offered in it; payload as declared."""
        own = (self.terms.within(moment), *(invariant(item).at(moment) for item in self.kept))
        theirs = () if event is None else self.theirs(event, moment)
        return tuple(dict.fromkeys((*own, *theirs)))

    def theirs(self, event: str, moment: Moment = STEP) -> tuple[str, ...]:
        """Return the invariants said of whoever else acts if `event` is offered; nothing if nobody else does."""
        others = tuple(self._names(item, moment) for item in self.machine.mirrors if item.event == event)
        return tuple(invariant(item).at(moment, names) for names in others for item in self.kept)

    def payload(self, event: str) -> tuple[str, ...]:
        """Return the declarations of the payload of `event`."""
        return tuple(f"(declare-const {name} {smtlib.sort(of)})" for name, of in self.terms.payload(event))

    def movable(self, events: Iterable[str]) -> tuple[str, ...]:
        """Return for each transition on `events` that no payload lets it be taken; what others do does not count."""
        wanted = frozenset(events) - frozenset(item.event for item in self.machine.mirrors)
        return tuple(self._never(item) for item in self.machine.transitions if item.event in wanted)

    def _never(self, item: Transition) -> str:
        taken = smtlib.every((self.terms.said("Guard", item), self.terms.said("Fits", item)))
        names = " ".join(f"({name} {smtlib.sort(of)})" for name, of in self.terms.payload(item.event))
        return f"(forall ({names}) (not {taken}))" if names else f"(not {taken})"

    def _names(self, mirror: Mirror, moment: Moment) -> dict[Var, str]:
        """Return the payload fields that stand for the variables of whoever acts in the event of `mirror`."""
        sorts = {item.name: item.sort for item in self.machine.variables}
        fields = {item.name: item.sort for item in self.machine.event(mirror.event).payload}
        return {
            Var(name, sorts[name], Scope.CONTEXT): smtlib.name(Var(field, fields[field], Scope.PAYLOAD), moment)
            for name, field in mirror.fields
        }
