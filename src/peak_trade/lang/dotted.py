"""What names mean in a system: those of its parts are dotted, others stand as they are."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from peak_trade.lang.elaborate import Names, members, predicate
from peak_trade.lang.expr import Expr, Scope, Var
from peak_trade.lang.sorts import INT, EnumSort
from peak_trade.lang.system import Part, Rule, Sum, System, names, states


@dataclass(slots=True)
class Words:
    """The names of one system, learned as it is built; `lang.vocabulary` is a machine's.

    `once` are the names of what exists once and of every constant, `each` those of what each one has, `after` those of
    the values after a step.
    """

    enums: dict[str, EnumSort]
    unsure: frozenset[str] = frozenset()
    context: dict[str, Var] = field(default_factory=dict)
    once: Names = field(default_factory=dict)
    each: Names = field(default_factory=dict)
    sums: Names = field(default_factory=dict)
    after: Names = field(default_factory=dict)
    rules: Names = field(default_factory=dict)

    def claim(self, *, steps: bool) -> Names:
        """Return the names of properties: everyone's, in steps also the rule and the values after."""
        return {**self.once, **self.each, **self.sums, **(self.after | self.rules if steps else {})}

    def learn(self, bare: System) -> None:
        """Give every variable, state, tag and constant of `bare` its name."""
        found = names(bare)
        self.once |= {str(lit.value): lit for sort in self.enums.values() for lit in members(sort)}
        for home, variables in ((self.once, found.once), (self.each, found.each)):
            for item in variables:
                home[item.name] = Var(item.name, item.sort, Scope.CONTEXT)
                self.after[_next(item.name)] = Var(item.name, item.sort, Scope.NEXT)
        for part in bare.parts:
            home = self.each if part.each else self.once
            self.once |= {f"{part.name}.{lit.value}": lit for sort in part.enums() for lit in members(sort)}
            home |= {f"{part.name}.is_{tag}": test for tag, test in _tags(part, Scope.CONTEXT)}
            self.after |= {f"{part.name}.next_is_{tag}": test for tag, test in _tags(part, Scope.NEXT)}
        self.context = {item.name: Var(item.name, item.sort, Scope.CONTEXT) for item in (*bare.shared, *bare.own)}

    def learn_sums(self, sums: tuple[Sum, ...]) -> None:
        """Give every sum its name, before and after a step."""
        for item in sums:
            self.sums[item.name] = Var(item.name, INT, Scope.CONTEXT)
            self.after[_next(item.name)] = Var(item.name, INT, Scope.NEXT)

    def learn_rules(self, rules: tuple[Rule, ...]) -> None:
        """Give every rule its name: which of them happens is the `event` of step properties."""
        sort = EnumSort("Rule", tuple(rule.name for rule in rules))
        self.rules = {"event": Var("event", sort, Scope.EVENT)}
        self.rules |= {str(lit.value): lit for lit in members(sort)}


def _tags(part: Part, scope: Scope) -> Iterator[tuple[str, Expr]]:
    control = Var(f"{part.name}.state", states(part), scope)
    for tag in sorted({tag for state in part.machine.states for tag in state.tags}):
        yield tag, predicate(control, part.machine.tagged(tag))


def _next(name: str) -> str:
    part, dot, rest = name.rpartition(".")
    return f"{part}{dot}next_{rest}"
