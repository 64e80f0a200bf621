"""What every step keeps: the greatest set of declared invariants that the start has and no step leaves."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from peak_trade.backends.relation import Encoding
from peak_trade.backends.smt import Term
from peak_trade.lang.machine import Always
from peak_trade.proof.obligation import Obligation
from peak_trade.proof.solve import Answer, GaveUp, Impossible, Limits, Oracle


@dataclass(frozen=True, slots=True)
class Induction:
    """`kept` are proved, each with the other invariants that its step needs; `gave_up` says why others are open.

    `spent` is what Z3 spent on each.
    """

    kept: Mapping[str, frozenset[str]]
    gave_up: Mapping[str, str]
    spent: Mapping[str, int]

    @property
    def names(self) -> frozenset[str]:
        """The names of the invariants that are proved."""
        return frozenset(self.kept)


@dataclass(frozen=True, slots=True, eq=False)
class Inductor:
    """Asks about the start, and about one step from any value that has chosen invariants.

    Steps are not filtered by the declared invariants: what those would forbid at run time must not come up at all.
    """

    start: Oracle
    one: Oracle

    @classmethod
    def of(cls, encoding: Encoding, limits: Limits) -> "Inductor":
        """Return the inductor of `encoding`; every declared invariant is an assumption by its name."""
        start, one = Oracle.of(encoding.world, limits), Oracle.of(encoding.world, limits)
        start.always(encoding.initial())
        one.always(encoding.sorts(encoding.before))
        for claim in encoding.machine.properties:
            if isinstance(claim, Always):
                one.assume(claim.name, encoding.hypothesis(claim.holds))
        return cls(start, one)

    def possible(self, term: Term, using: Iterable[str] = ()) -> Answer:
        """Return whether `term`, of a value and a step, is possible under `using`; if not, by which least part.

        Tried without any invariant first, so that what needs none says so.
        """
        names = frozenset(using)
        alone = self.one.ask(term)
        if isinstance(alone, Impossible) or not names:
            return alone
        answer = self.one.ask(term, names)
        return Impossible(self.one.least(term, answer.core)) if isinstance(answer, Impossible) else answer

    def greatest(self, claims: tuple[Obligation, ...]) -> Induction:
        """Return the greatest inductive subset of `claims` (Houdini), each tried alone first.

        A claim on which Z3 gives up leaves the set, so that nothing rests on it.
        """
        return _Houdini(self).run(claims)


@dataclass(slots=True)
class _Houdini:
    """The state of one search for the greatest inductive subset."""

    inductor: Inductor
    gave_up: dict[str, str] = field(default_factory=dict)
    spent: dict[str, int] = field(default_factory=dict)

    def run(self, claims: tuple[Obligation, ...]) -> Induction:
        left = {item.name: item for item in claims if self._stays(item.name, self.inductor.start, item.at, ())}
        alone = {name for name, item in left.items() if self._impossible(item, (name,))}
        while True:
            rest = {name: item for name, item in left.items() if name not in alone}
            out = {name for name, item in rest.items() if not self._stays(name, self.inductor.one, item.by, left)}
            if not out:
                break
            left = {name: item for name, item in left.items() if name not in out}
        kept = {name: frozenset() if name in alone else self._needs(item, left) for name, item in left.items()}
        return Induction(kept, self.gave_up, self.spent)

    def _ask(self, name: str, oracle: Oracle, term: Term, using: Iterable[str]) -> Answer:
        before = oracle.spent()
        answer = oracle.ask(term, using)
        self.spent[name] = self.spent.get(name, 0) + oracle.spent() - before
        return answer

    def _impossible(self, item: Obligation, using: Iterable[str]) -> bool:
        return isinstance(self._ask(item.name, self.inductor.one, item.by, using), Impossible)

    def _stays(self, name: str, oracle: Oracle, term: Term, using: Iterable[str]) -> bool:
        answer = self._ask(name, oracle, term, using)
        if isinstance(answer, GaveUp):
            self.gave_up[name] = answer.reason
        return isinstance(answer, Impossible)

    def _needs(self, item: Obligation, using: Iterable[str]) -> frozenset[str]:
        return self.inductor.one.least(item.by, frozenset(using)) - {item.name}
