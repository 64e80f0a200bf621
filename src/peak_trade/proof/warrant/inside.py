"""A value lies inside the certified invariant iff it is well sorted and satisfies every clause that was proved.

The clauses are inductive together: from a value inside, no step leads outside, whatever is offered and however often.
So one look at one value answers for every continuation of it. `predicate` is that look, compiled once: it takes
anything at all, not only values, and names the first thing that is wrong.

Units: as declared in the specification.
Limits: a claim counts only if its proof is one step of induction, over claims that count as well and over what an
engine inferred for it; a claim that is proved in another way is left out, and `left_out` names it. What the invariant
does not say is not seen: a value that was changed into another one inside passes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from peak_trade.backends.branch import after_state
from peak_trade.backends.fold import fold, negation
from peak_trade.backends.pythonic import SELECT, constant, python
from peak_trade.lang.expr import FALSE, TRUE, At, Expr, Scope, children, element, variables
from peak_trade.lang.machine import Always, Machine
from peak_trade.lang.maps import select
from peak_trade.lang.pretty import fingerprint
from peak_trade.lang.sorts import BoolSort, EnumSort, IntSort, Sort, example, inhabits
from peak_trade.proof.verdict import Proved, Report, Result

Inside: TypeAlias = Callable[[object], str | None]
"""The id of the first clause that a running value `(state, *context)` breaks, or None iff it lies inside."""

INDUCTIVE: Final = frozenset({"induction", "spacer"})
"""The methods of the proofs that a conjunction can be built of: one step, with what was inferred beside it."""

SORTS_SAYS: Final = "Each variable has a value of its sort, and the state is one of the machine's."


@dataclass(frozen=True, slots=True)
class Invariant:
    """The certified invariant of `machine`: its sorts and `clauses`; `left_out` names the claims that are no part."""

    machine: Machine
    clauses: tuple[Always, ...]
    left_out: tuple[str, ...] = ()

    @property
    def sorts_name(self) -> str:
        """The id under which a value that is not well sorted is reported."""
        return f"{self.machine.name.upper()}-SORTS"

    def says(self, clause: str) -> str:
        """Return the sentence of a clause that `predicate` names; KeyError if it is none."""
        return {self.sorts_name: SORTS_SAYS, **{item.name: item.says for item in self.clauses}}[clause]


class OtherMachine(ValueError):  # noqa: N818 - said of what was given
    """A report was given that judges another machine."""

    def __init__(self, machine: str, expected: str, was: str) -> None:
        self.machine, self.expected, self.was = machine, expected, was
        super().__init__(f"{machine}: expected a report on {expected}, was one on {was}; prove this machine again")


def certified(machine: Machine, report: Report) -> Invariant:
    """Return the invariant that `report` certifies; OtherMachine iff it judges another machine than this one.

    A claim counts iff it is proved by one step of induction and so are all that its proof needs.
    """
    if report.fingerprint != fingerprint(machine):
        raise OtherMachine(machine.name, fingerprint(machine), report.fingerprint)
    known = {claim.name for claim in _claims(machine)}
    proofs = {
        item.property: item
        for item in report.results
        if item.property in known and isinstance(item.verdict, Proved) and item.verdict.method in INDUCTIVE
    }
    while loose := [name for name, item in proofs.items() if _needs(item) - proofs.keys()]:
        proofs = {name: item for name, item in proofs.items() if name not in loose}
    inferred = {claim.name: claim for item in proofs.values() for claim in item.inferred}
    kept = tuple(claim for claim in _claims(machine) if claim.name in proofs)
    left_out = tuple(claim.name for claim in _claims(machine) if claim.name not in proofs)
    return Invariant(machine, (*kept, *inferred.values()), left_out)


def _needs(item: Result) -> frozenset[str]:
    """Return the other claims that a proof needs, without what was inferred for it."""
    return frozenset(item.lemmas) - {item.property, *(claim.name for claim in item.inferred)}


def declared(machine: Machine) -> Invariant:
    """Return the invariant of every claim that `machine` declares, proved or not.

    It is the certified one iff `certified` leaves nothing out, else it is stronger: who passes it is inside both.
    """
    return Invariant(machine, _claims(machine))


def predicate(invariant: Invariant) -> Inside:
    """Return the compiled look at a value; it never raises, whatever it is given.

    It agrees with `lang.evaluate` on each clause of each well-sorted value, in declared order, sorts first.
    """
    machine = invariant.machine
    made: dict[str, Any] = {
        "_inhabits": inhabits,
        SELECT: select,
        "_sorts": tuple(item.sort for item in machine.variables),
    }
    exec(compile(text(invariant), f"<invariant of {machine.name}>", "exec"), made)  # noqa: S102 - our own text, made from a closed AST
    found: Inside = made["inside"]
    return found


def text(invariant: Invariant) -> str:
    """Return the Python text of the look: one function for each state, folded for it."""
    machine, wrong = invariant.machine, constant(invariant.sorts_name)
    functions = [_function(invariant, number, state.name) for number, state in enumerate(machine.states)]
    rows = ", ".join(f"{constant(state.name)}: _in_{number}" for number, state in enumerate(machine.states))
    lines = (
        *functions,
        f"_TABLE = {{{rows}}}",
        "def inside(v):",
        "    try:",
        "        look = _TABLE[v[0]] if type(v) is tuple and type(v[0]) is str else None",
        "    except (KeyError, IndexError):",
        "        look = None",
        f"    return {wrong} if look is None else look(v)",
    )
    return "\n".join(lines) + "\n"


def _function(invariant: Invariant, number: int, state: str) -> str:
    machine, wrong = invariant.machine, constant(invariant.sorts_name)
    places = {item.name: f"a{index}" for index, item in enumerate(machine.variables)}
    misfits = [_misfit(f"a{index}", index, item.sort) for index, item in enumerate(machine.variables)]
    body = ["try:", f"    ({', '.join(('_', *places.values()))},) = v"]
    body += ["except ValueError:", f"    return {wrong}"]
    if misfits:
        body += [f"if {' or '.join(misfits)}:", f"    return {wrong}"]
    for claim in invariant.clauses:
        body += _clause(claim, state, places)
    return "\n".join((f"def _in_{number}(v):", *(f"    {line}" for line in body), "    return None"))


def _clause(claim: Always, state: str, places: dict[str, str]) -> list[str]:
    """Return the lines that name `claim` iff it does not hold in `state`."""
    holds: Expr = fold(claim.holds, after_state(state, {}))
    if holds == TRUE:
        return []
    names: dict[Expr, str] = {var: places[var.name] for var in variables(holds) if var.scope is Scope.CONTEXT}
    _elements(holds, names)
    test = "True" if holds == FALSE else python(negation(holds), names)
    return [f"if {test}:", f"    return {constant(claim.name)}"]


def _elements(expr: Expr, names: dict[Expr, str]) -> None:
    """Name the elements of maps that `expr` reads, the innermost first: the maps have no names of their own here."""
    for part in children(expr):
        _elements(part, names)
    if isinstance(expr, At):
        otherwise = constant(example(element(expr)))
        names[expr] = f"{SELECT}({names[expr.map]}, {python(expr.index, names)}, {otherwise})"


def _misfit(place: str, index: int, sort: Sort) -> str:
    """Return the test that what is at `place` is not of the sort of variable `index`; types must be exact."""
    match sort:
        case BoolSort():
            return f"type({place}) is not bool"
        case IntSort(low, high):
            ends = ((low, "<"), (high, ">"))
            return " or ".join(
                (f"type({place}) is not int", *(f"{place} {op} {end}" for end, op in ends if end is not None))
            )
        case EnumSort(_, members):
            return f"type({place}) is not str or {place} not in {{{', '.join(map(constant, members))}}}"
        case _:
            return f"not _inhabits({place}, _sorts[{index}])"


def _claims(machine: Machine) -> tuple[Always, ...]:
    return tuple(claim for claim in machine.properties if isinstance(claim, Always))
