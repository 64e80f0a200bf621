"""Search for a shortest run from the start: one more step at a time (bounded model checking)."""

from dataclasses import dataclass, field

import z3

from peak_trade.backends.relation import Encoding, Frame, Offer
from peak_trade.backends.smt import Term
from peak_trade.lang.machine import Always
from peak_trade.lang.step import Payload, Value
from peak_trade.proof.obligation import Obligation
from peak_trade.proof.solve import Found, GaveUp, Limits, Oracle


@dataclass(frozen=True, slots=True)
class Path:
    """A run as a model has it: the values, and what is offered in each; the last offer may lead beyond them."""

    values: tuple[Value, ...]
    offers: tuple[tuple[str, Payload], ...]


@dataclass(slots=True, eq=False)
class Unroll:
    """The runs of one machine from its start, unrolled as deep as asked for and shared by all questions.

    Limits: a run of more steps than asked for is not found.
    """

    encoding: Encoding
    oracle: Oracle
    relation: Term
    moments: list[tuple[Frame, Offer]] = field(default_factory=list)

    @classmethod
    def of(cls, encoding: Encoding, lemmas: tuple[Always, ...], limits: Limits) -> "Unroll":
        """Return the runs of `encoding` whose every step leads to a value with all `lemmas`.

        Proved invariants exclude no run and save most of the work; others are the filter that runs apply.
        """
        oracle = Oracle.of(encoding.world, limits)
        oracle.always(encoding.initial())
        after = (encoding.at(item.holds, encoding.after) for item in lemmas)
        relation = encoding.world.every((encoding.relation(), *after))
        return cls(encoding, oracle, relation, [(encoding.before, encoding.offer)])

    def shortest(self, item: Obligation, steps_max: int, steps_min: int = 0) -> Path | GaveUp | None:
        """Return a shortest run of at most `steps_max` steps to what `item` forbids, or None iff there is none.

        That there is none of fewer than `steps_min` steps is known already.
        """
        for length in range(steps_min, steps_max + 1):
            self._extend(length)
            term = item.at if length == 0 else self._moved(item.by, length - 1)
            answer = self.oracle.ask(term, [_step(moment) for moment in range(length - 1)])
            if isinstance(answer, Found):
                return self._path(answer.model, length)
            if isinstance(answer, GaveUp):
                return answer
        return None

    def _extend(self, moment: int) -> None:
        """Make the constants of all moments up to `moment`, and the steps between them, known to the solver."""
        while len(self.moments) <= moment:
            self.moments.append(self.encoding.constants(len(self.moments)))
            last = len(self.moments) - 2
            self.oracle.assume(_step(last), self._moved(self.relation, last))

    def _moved(self, term: Term, moment: int) -> Term:
        """Return `term` said of `moment`: its constants renamed from those of the encoding."""
        here = self.encoding.before.terms() + self.encoding.offer.terms() + self.encoding.after.terms()
        frame, offer = self.moments[moment]
        there = frame.terms() + offer.terms() + self.moments[moment + 1][0].terms()
        return z3.substitute(term, *zip(here, there, strict=True))

    def _path(self, model: z3.ModelRef, length: int) -> Path:
        held = self.moments[: max(1, length)]
        values = tuple(self.encoding.value(model, frame) for frame, _ in held)
        offers = tuple(self.encoding.offered(model, offer) for _, offer in self.moments[:length])
        return Path(values, offers)


def _step(moment: int) -> str:
    return f"step.{moment}"
