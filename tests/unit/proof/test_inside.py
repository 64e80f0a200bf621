"""The certified invariant of a machine, as a look at a value: what it says is what `lang.evaluate` says."""

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies.expressions import scalars
from strategies.machines import machines

from peak_trade.backends.kernel import compile_kernel
from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.expr import Compare, Comparison, Lit, Scope, Var
from peak_trade.lang.machine import Always, Machine
from peak_trade.lang.pretty import fingerprint
from peak_trade.lang.sorts import INT, inhabits
from peak_trade.lang.step import Stepper, Value
from peak_trade.proof.lockstep.draw import Dealer, pick
from peak_trade.proof.prove import prove
from peak_trade.proof.verdict import NotInductive, Proved, Report, Result, Unknown
from peak_trade.proof.warrant.inside import Invariant, OtherMachine, certified, declared, predicate

Shipped = Callable[[str], Machine]
ALIENS = (None, "", "x", 1.5, -1, 2**70, True, False, 0, (), b"1", [])
VALUES = 2_000
WALK_STEPS = 4_000


def meant(invariant: Invariant, value: object) -> str | None:
    """What the look is to say, by definition: sorts first, then each clause in order."""
    machine = invariant.machine
    sorts = invariant.sorts_name
    if not isinstance(value, tuple) or len(value) != len(machine.variables) + 1:
        return sorts
    if value[0] not in [state.name for state in machine.states]:
        return sorts
    if not all(inhabits(item, variable.sort) for item, variable in zip(value[1:], machine.variables, strict=True)):
        return sorts
    env = Env({item.name: part for item, part in zip(machine.variables, value[1:], strict=True)}, state=str(value[0]))
    return next((claim.name for claim in invariant.clauses if not evaluate(claim.holds, env)), None)


@pytest.mark.parametrize("name", ["order", "session"])
def test_the_look_says_what_the_definition_says(shipped: Shipped, name: str) -> None:
    """Over values near the edges, well sorted and spoilt, each clause is named by both, and by nobody else."""
    machine, rng = shipped(name), Random(5)
    invariant = declared(machine)
    inside, said = predicate(invariant), set()
    for _ in range(VALUES):
        near = Value(rng.choice(machine.states).name, ())
        for variable in machine.variables:
            near = Value(near.state, (*near.context, pick(rng, variable.sort, near)))
        value = [near.state, *near.context]
        if rng.random() < 0.3:
            value[rng.randrange(len(value))] = rng.choice(ALIENS)
        said.add(inside(tuple(value)))
        assert inside(tuple(value)) == meant(invariant, tuple(value)), value
    assert said >= {None, invariant.sorts_name} | ({"ORD-1", "ORD-2", "ORD-3", "ORD-4"} if name == "order" else set())


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_it_says_so_of_any_machine(data: st.DataObject) -> None:
    """Whatever a machine claims, the look agrees with the definition on each value that is drawn."""
    machine = data.draw(machines())
    invariant = declared(machine)
    inside = predicate(invariant)
    state = data.draw(st.sampled_from(machine.states)).name
    value = (state, *(data.draw(scalars(item.sort)) for item in machine.variables))
    assert inside(value) == meant(invariant, value)


@pytest.mark.parametrize("junk", [*ALIENS, ("new",), ("new", 1), ("new", 1, 0, 1, 0), (("new",), 1, 0, 1), [1, 2]])
def test_it_never_raises(shipped: Shipped, junk: object) -> None:
    """Whatever it is given that is no value, it names the sorts."""
    invariant = declared(shipped("order"))
    inside = predicate(invariant)
    assert inside(junk) == invariant.sorts_name
    assert [inside(("new", *parts)) for parts in ((junk, 0, 0), (0, junk, 0), (0, 0, junk))] == [
        meant(invariant, ("new", *parts)) for parts in ((junk, 0, 0), (0, junk, 0), (0, 0, junk))
    ]


@pytest.mark.parametrize("name", ["order", "session"])
def test_no_step_leads_out_of_the_certified_invariant(shipped: Shipped, name: str) -> None:
    """From any value inside, reachable or not, every event that is taken ends inside: the conjunction is inductive."""
    machine, rng = shipped(name), Random(7)
    claims = frozenset(item.name for item in machine.properties if isinstance(item, Always))
    invariant = certified(machine, prove(machine, only=claims))
    assert invariant.left_out == ()
    inside, stepper = predicate(invariant), Stepper.of(replace(machine, properties=()))
    kernel, dealer, taken = compile_kernel(machine), Dealer.of(machine), 0
    value = kernel.dump(kernel.initial)
    for _ in range(WALK_STEPS):
        context = tuple(pick(rng, item.sort, value) for item in machine.variables)
        drawn = Value(rng.choice(machine.states).name, context)
        if inside((drawn.state, *drawn.context)) is None:
            value = drawn
        outcome, after = stepper.step(value, *dealer.deal(rng, value))
        taken += after is not value
        assert inside((after.state, *after.context)) is None, (value, outcome, after)
        value = after
    assert taken > WALK_STEPS // 20


SHELF = """\
machine: shelf
version: 1
summary: Numbered boxes.
context:
  held: {type: map, of: int, min: 0, max: 5, doc: How much is in each box}
  last: {type: int, init: 0, doc: The box that was used last}
states:
  open: {initial: true, doc: In use}
events:
  put: {origin: operator, doc: More, payload: {box: {type: int, doc: Which}}}
transitions:
  - {id: T1, from: open, on: put, set: {last: box}}
properties:
  - {id: P, always: "held[held[last] + 1] <= 4", says: The box that a box names is not full.}
"""


@pytest.mark.parametrize(
    "held", [(), ((1, 5),), ((1, 4),), ((1, 0),), ((1, 9),), ((2, 1), (1, 2)), ((0, 2), (3, 5)), 7]
)
@pytest.mark.parametrize("last", [0, 1, -7])
def test_maps_are_looked_into(read: Callable[[str], Machine], held: object, last: int) -> None:
    """A map must be canonical and in its bounds, and its elements are read as the definition reads them."""
    invariant = declared(read(SHELF))
    assert predicate(invariant)(("open", held, last)) == meant(invariant, ("open", held, last))


PLAIN = (False, 0, 0, "plain")
"""Nothing asked for, nothing pending, no mark: the rest of an order's value."""


def four(order: Machine) -> Machine:
    """The order machine with four of its claims, whatever else it may come to claim."""
    names = ("ORD-1", "ORD-2", "ORD-3", "ORD-4")
    return replace(order, properties=tuple(item for item in order.properties if item.name in names))


def result(name: str, method: str, lemmas: tuple[str, ...] = (), inferred: tuple[Always, ...] = ()) -> Result:
    """A result as an engine might give it; an empty method is no proof."""
    verdict = Proved(method) if method else Unknown("the solver gave up")
    return Result(name, "always", "", verdict, lemmas, 0, inferred)


def test_only_what_one_step_of_induction_proves_is_part_of_it(shipped: Shipped) -> None:
    """A claim without a proof, with a deeper one, or resting on such a claim, is left out and named."""
    order = four(shipped("order"))
    more = Always("INV-1", "inferred", Compare(Comparison.GE, Var("qty", INT, Scope.CONTEXT), Lit(0, INT)))
    results = (
        result("ORD-1", "spacer", ("INV-1", "ORD-1"), (more,)),
        result("ORD-2", "2-induction"),
        result("ORD-3", "induction", ("ORD-2",)),
        result("ORD-4", "induction", ("ORD-3", "ORD-1")),
        result("ORD-9", "induction"),
    )
    found = certified(order, Report("order", fingerprint(order), results))
    assert [claim.name for claim in found.clauses] == ["ORD-1", "INV-1"]
    assert found.left_out == ("ORD-2", "ORD-4", "ORD-3")
    assert predicate(found)(("new", 5, 9, 0, *PLAIN)) == "ORD-1"
    assert predicate(found)(("new", 5, 1, 4, *PLAIN)) is None
    assert found.says("INV-1") == "inferred"


def test_a_claim_that_is_refuted_or_open_is_left_out(shipped: Shipped) -> None:
    """Of a machine with one false claim the invariant is the rest; a value that breaks only that claim is inside."""
    order = four(shipped("order"))
    false = Always("ORD-X", "no", Compare(Comparison.LT, Var("cum", INT, Scope.CONTEXT), Lit(3, INT)))
    machine = replace(order, properties=(*order.properties, false))
    report = prove(machine)
    assert not isinstance(report.result("ORD-X").verdict, Proved | NotInductive)
    found = certified(machine, report)
    assert found.left_out == ("ORD-X",)
    assert predicate(found)(("filled", 5, 5, 0, *PLAIN)) is None
    assert predicate(declared(machine))(("filled", 5, 5, 0, *PLAIN)) == "ORD-X"


def test_a_report_on_another_machine_certifies_nothing(shipped: Shipped) -> None:
    """Two machines differ in their fingerprints, and so does what is proved of them."""
    order, session = shipped("order"), shipped("session")
    with pytest.raises(OtherMachine, match="expected a report on"):
        certified(order, Report("order", fingerprint(session), ()))
