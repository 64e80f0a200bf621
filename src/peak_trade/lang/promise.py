"""What the properties of a system say of its composed machine, in the machine's names."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from peak_trade.lang.expr import Compare, Comparison, Expr, Lit, Member, Not, Scope, Var, variables
from peak_trade.lang.machine import Always, Heard, LeadsTo, Property, Step, Witness
from peak_trade.lang.rewrite import rewrite
from peak_trade.lang.sorts import EnumSort
from peak_trade.lang.system import System, names


class NotOfSystems(ValueError):  # noqa: N818 - said of what was given
    """A system claims that an event is heard; `lang.assemble` refuses it, so the system was made in another way."""

    def __init__(self, claim: str) -> None:
        self.claim = claim
        super().__init__(f"{claim}: expected no claim `heard` of a system; claim it in the machine of the part")


@dataclass(frozen=True, slots=True)
class Speaker:
    """Whom a property is said of: the ending of its id, its names, and the events in which each rule happens to it."""

    suffix: str
    said: Callable[[Expr], Expr]
    events: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Sayings:
    """How the properties of one system are said: of everyone, of each one, and what stands for each sum."""

    system: System
    everyone: Speaker
    each: tuple[Speaker, ...]
    totals: Mapping[str, Expr]
    sort: EnumSort
    """The sort of the machine's events."""

    def of(self, claim: Property) -> Iterator[Property]:
        """Give what `claim` says: of each one if it names what is each one's own, else of everyone."""
        for speaker in self.each if is_local(self.system, claim) else (self.everyone,):
            yield self._by(speaker, claim)

    def _by(self, speaker: Speaker, claim: Property) -> Property:
        name = f"{claim.name}{speaker.suffix}"
        match claim:
            case Always() | Step():
                return replace(claim, name=name, holds=self._said(speaker, claim.holds))
            case Witness():
                return replace(claim, name=name, reach=self._said(speaker, claim.reach))
            case LeadsTo():
                when, then, rank = (self._said(speaker, part) for part in (claim.when, claim.then, claim.rank))
                fair = tuple(event for rule in claim.fair for event in speaker.events[rule])
                return replace(claim, name=name, when=when, then=then, rank=rank, fair=fair)
            case Heard():
                raise NotOfSystems(claim.name)
            case _:
                assert_never(claim)

    def _said(self, speaker: Speaker, expr: Expr) -> Expr:
        return speaker.said(rewrite(expr, lambda node: self._put(speaker, node)))

    def _put(self, speaker: Speaker, node: Expr) -> Expr | None:
        match node:
            case Var(name, _, scope) if name in self.totals and scope in (Scope.CONTEXT, Scope.NEXT):
                return self.totals[name] if scope is Scope.CONTEXT else after(self.totals[name])
            case Compare(Comparison.EQ, Var(scope=Scope.EVENT), Lit() as rule):
                return self._happens(speaker, (rule,))
            case Compare(Comparison.NE, Var(scope=Scope.EVENT), Lit() as rule):
                return Not(self._happens(speaker, (rule,)))
            case Member(Var(scope=Scope.EVENT), choices):
                return self._happens(speaker, choices)
            case _:
                return None

    def _happens(self, speaker: Speaker, rules: tuple[Lit, ...]) -> Expr:
        events = (event for rule in rules for event in speaker.events[str(rule.value)])
        return Member(Var("event", self.sort, Scope.EVENT), tuple(Lit(event, self.sort) for event in events))


def promises(sayings: Sayings) -> tuple[Property, ...]:
    """Return the properties of the machine whose names `sayings` knows, in declared order."""
    return tuple(said for claim in sayings.system.properties for said in sayings.of(claim))


def is_local(system: System, claim: Property) -> bool:
    """Return true iff `claim` names a variable that each one has, and so is said of each."""
    local = names(system).local
    return any(var.name in local for var in spoken(claim))


def spoken(claim: Property) -> frozenset[Var]:
    """Return the variables that `claim` names."""
    return frozenset(var for part in _parts(claim) for var in variables(part))


def after(expr: Expr) -> Expr:
    """Return the state expression `expr` said of the value after a step."""

    def put(node: Expr) -> Expr | None:
        match node:
            case Var(name, sort, Scope.CONTEXT):
                return Var(name, sort, Scope.NEXT)
            case _:
                return None

    return rewrite(expr, put)


def _parts(claim: Property) -> tuple[Expr, ...]:
    match claim:
        case Always(holds=expr) | Step(holds=expr) | Witness(reach=expr):
            return (expr,)
        case LeadsTo(when=when, then=then, rank=rank):
            return (when, then, rank)
        case Heard(when=when):
            return (when,)
        case _:
            assert_never(claim)
