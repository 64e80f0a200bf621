"""A goal of coverage as the prover is asked for it: as what must not be, at a value or in a step."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

from peak_trade.backends.clauses import clauses, compile_probe
from peak_trade.backends.guards import Clause
from peak_trade.backends.relation import Encoding, Move
from peak_trade.backends.smt import Term
from peak_trade.fuzz.cover.coverage import Goal
from peak_trade.lang.cells import cells
from peak_trade.lang.expr import TRUE, Compare, Comparison, Expr, Lit, Not, Scope, Var, conjunction
from peak_trade.lang.machine import Machine, Transition, Witness
from peak_trade.lang.step import Ignored, Payload, Refused, Taken, Value
from peak_trade.lang.trace import Link
from peak_trade.proof import obligation
from peak_trade.proof.case import Case
from peak_trade.proof.obligation import Obligation
from peak_trade.proof.solve import Found
from peak_trade.proof.succession import afterwards, somehow

Seen: TypeAlias = Callable[[Value, Link | None], bool]


class NoSuchGoal(LookupError):  # noqa: N818 - named by what happened, like the other exceptions
    """A goal is none of the machine's."""

    def __init__(self, machine: str, goal: Goal) -> None:
        self.machine, self.goal = machine, goal
        super().__init__(f"expected a goal of {machine}, was {goal}; take it from fuzz.cover.goals")


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What must not be if a goal cannot be reached; `then` is the transition that must be possible after it, or none.

    `bad` is the same over a value and an offer alone, for engines that need no step to a value.
    """

    item: Obligation
    bad: Term
    then: Move | None = None


def target(case: Case, goal: Goal) -> Target:
    """Return what the prover is asked for `goal`; NoSuchGoal iff it is none of the case's machine."""
    makers = {
        "state": _state,
        "transition": _transition,
        "arc": _arc,
        "pair": _pair,
        "clause": _clause,
        "mcdc": _decides,
        "refusal": _refusal,
    }
    if goal.kind not in makers or goal.machine != case.machine.name:
        raise NoSuchGoal(case.machine.name, goal)
    try:
        return makers[goal.kind](case, goal)
    except KeyError as error:
        raise NoSuchGoal(case.machine.name, goal) from error


def following(case: Case, move: Move, value: Value) -> tuple[str, Payload]:
    """Return an offer that `move` takes in `value`, of which it is known that there is one."""
    encoding = case.encoding
    found = case.inductor.one.ask(encoding.world.every((encoding.is_value(value), *_goes(case, move))))
    assert isinstance(found, Found), f"expected an offer for {move.transition} in {value}, was {found}"
    return encoding.offered(found.model, encoding.offer)


def _state(case: Case, goal: Goal) -> Target:
    encoding = case.encoding
    state = case.machine.state(goal.name)
    there = Compare(Comparison.EQ, Var("state", encoding.states, Scope.STATE), Lit(state.name, encoding.states))
    item = obligation.reach(encoding, Witness(str(goal), "", there), case.invariants(proved=False))
    return Target(item, item.at)


def _transition(case: Case, goal: Goal) -> Target:
    row = case.machine.transition(goal.name)
    term = case.encoding.world.every(_goes(case, _move(case.encoding, row.name)))
    return _stepped(case, goal, term, lambda _, link: link is not None and link.outcome == Taken(row.name))


def _arc(case: Case, goal: Goal) -> Target:
    name, _, source = goal.name.rpartition("@")
    row, state = case.machine.transition(name), case.machine.state(source)
    term = case.encoding.world.every((*_goes(case, _move(case.encoding, row.name)), _in(case.encoding, (state.name,))))

    def seen(before: Value, link: Link | None) -> bool:
        return link is not None and link.outcome == Taken(row.name) and before.state == state.name

    return _stepped(case, goal, term, seen)


def _pair(case: Case, goal: Goal) -> Target:
    one, _, other = goal.name.partition(">")
    encoding, first = case.encoding, _move(case.encoding, case.machine.transition(one).name)
    second = _move(encoding, case.machine.transition(other).name)
    then = afterwards(encoding, first, encoding.world.every(_goes(case, second)))
    goes = encoding.world.every(_goes(case, first))
    both = encoding.world.every((goes, then))
    taken = _stepped(case, goal, both, lambda _, link: link is not None and link.outcome == Taken(one))
    return Target(taken.item, encoding.world.every((goes, somehow(encoding, second, then))), second)


def _clause(case: Case, goal: Goal) -> Target:
    name, _, word = goal.name.rpartition("=")
    clause = _found(case.machine, name)
    holds = clause.holds if word == "true" else Not(clause.holds)
    return _looked(case, goal, clause, conjunction((_before(case.machine, clause), holds)))


def _decides(case: Case, goal: Goal) -> Target:
    name, _, word = goal.name.rpartition("=")
    clause = _found(case.machine, name)
    holds = clause.holds if word == "true" else Not(clause.holds)
    return _looked(case, goal, clause, conjunction((holds, clause.decides)))


def _refusal(case: Case, goal: Goal) -> Target:
    encoding, terms = case.encoding, list[Term]()
    for (state, event), choices in cells(case.machine).items():
        for choice in choices:
            refused = _refusing(choice.row, choice.when, goal.name)
            terms += [
                encoding.world.every((_in(encoding, (state,)), _offered(encoding, one, event))) for one in refused
            ]
    if not terms:
        raise KeyError(goal.name)

    def seen(_: Value, link: Link | None) -> bool:
        return link is not None and isinstance(link.outcome, Refused | Ignored) and link.outcome.reason == goal.name

    return _stepped(case, goal, encoding.world.some(terms), seen)


def _refusing(row: object, when: Expr, reason: str) -> Iterable[Expr]:
    """Yield when a row refuses for `reason`, given when it is chosen."""
    if not isinstance(row, Transition):
        if row.reason == reason:  # type: ignore[attr-defined]  # the other kind of row
            yield when
        return
    for place, lock in enumerate(row.require):
        if lock.reason == reason:
            yield conjunction((when, *(item.holds for item in row.require[:place]), Not(lock.holds)))


def _before(machine: Machine, clause: Clause) -> Expr:
    """Return when `clause` is evaluated at all: of a lock, that its row is chosen and the locks before it are open."""
    rows = {row.name: row for row in machine.transitions}
    parts = clause.name.removeprefix(f"{clause.row}.")
    if clause.row not in rows or not parts.startswith("require."):
        return TRUE
    row, rest = rows[clause.row], parts.removeprefix("require.")
    known = [lock.reason for lock in row.require]
    place = next(index for index, reason in enumerate(known) if rest == reason or rest.startswith(f"{reason}."))
    return conjunction((row.when, *(lock.holds for lock in row.require[:place])))


def _found(machine: Machine, name: str) -> Clause:
    return {clause.name: clause for clause in clauses(machine)}[name]


def _looked(case: Case, goal: Goal, clause: Clause, when: Expr) -> Target:
    """Return the target of an offer in which the probe says `goal`."""
    encoding, probe = case.encoding, compile_probe(case.machine)
    offers = encoding.world.some(_offered(encoding, when, event) for event in clause.events)

    def seen(before: Value, link: Link | None) -> bool:
        if link is None:
            return False
        payload, event = dict(link.payload), case.machine.event(link.event)
        packed = tuple(payload[item.name] for item in event.payload)
        reading = probe.look((before.state, *before.context), link.event, packed)
        return goal.name in (reading.deciding if goal.kind == "mcdc" else reading.outcomes)

    return _stepped(case, goal, encoding.world.every((_in(encoding, clause.states), offers)), seen)


def _stepped(case: Case, goal: Goal, by: Term, seen: Seen) -> Target:
    never = case.encoding.world.some(())
    return Target(Obligation(str(goal), "reached", never, by, case.machine.properties, seen), by)


def _goes(case: Case, move: Move) -> tuple[Term, ...]:
    """Return what must be for `move` to be taken at run time: it leaves no declared invariant."""
    kept = (case.encoding.at(item.holds, move.after) for item in case.invariants(proved=False))
    return (move.guard, move.fits, *kept)


def _offered(encoding: Encoding, when: Expr, event: str) -> Term:
    return encoding.world.every((encoding.is_event(event), encoding.given(when, event)))


def _in(encoding: Encoding, states: tuple[str, ...]) -> Term:
    return encoding.world.some(
        encoding.before.state == encoding.world.literal(name, encoding.states) for name in states
    )


def _move(encoding: Encoding, name: str) -> Move:
    return next(move for move in encoding.moves if move.transition == name)
