"""How large quantities must be before a fault shows."""

from dataclasses import replace

import pytest

from peak_trade.lang.machine import Machine
from peak_trade.lang.parse import parse
from peak_trade.lang.source import NOWHERE, Source
from peak_trade.proof.doubt.mutate import Mutant
from peak_trade.proof.doubt.scope import Scope, largest, quantities
from peak_trade.proof.doubt.score import LIMITS
from peak_trade.proof.doubt.trial import Trial

TEXT = """\
machine: filling
version: 1
summary: A thing that is ordered once and filled piece by piece.
context:
  qty: {type: int, min: 0, init: 0, doc: Ordered}
  cum: {type: int, min: 0, init: 0, doc: Filled}
  left: {type: int, min: 0, max: 50, init: 50, doc: Of no matter}
states:
  blank: {initial: true, doc: Nothing ordered}
  open: {doc: Ordered}
events:
  order: {origin: operator, doc: Ordered, payload: {size: {type: int, min: 1, doc: How many}}}
  fill: {origin: venue, doc: Filled, payload: {last: {type: int, min: 1, doc: How many}}}
reasons:
  over: Too many.
  early: Not yet.
transitions:
  - {id: F1, from: blank, on: order, set: {qty: size}, to: open}
  - {id: F2, from: open, on: fill, when: cum + last <= qty, set: {cum: cum + last}}
refuse:
  - {in: open, on: fill, when: cum + last > qty, reason: over}
  - {in: open, on: order, reason: early}
  - {in: blank, on: fill, reason: early}
properties:
  - {id: F, always: cum <= qty, says: Never filled beyond what was ordered.}
"""


def machine_of(text: str) -> Machine:
    """The machine of a text."""
    parsed = parse(Source("filling.yaml", text))
    assert parsed.machine is not None, parsed.diagnostics
    return parsed.machine


def mutant_of(machine: Machine, guard: str) -> Mutant:
    """The fault that a fill is also taken under `guard`."""
    text = TEXT.replace("when: cum + last <= qty", f"when: cum + last <= qty or {guard}")
    faulty = machine_of(text.replace("when: cum + last > qty", f"when: cum + last > qty and not ({guard})"))
    old, new = machine.transition("F2"), faulty.transition("F2")
    assert old != new
    return Mutant("planted", "when-near", "F2", "Planted.", "fill", NOWHERE, faulty, old, new)


@pytest.mark.parametrize(
    ("guard", "needed"),
    [("cum == 6", 7), ("cum == 2", 3), ("last == 1", 2), ("last == 5", 5), ("cum + last == 12", 12)],
)
def test_a_planted_overfill_needs_its_quantity(guard: str, needed: int) -> None:
    """An overfill that happens only at a filled quantity of 6 is not to be seen with quantities below 7."""
    machine = machine_of(TEXT)
    mutant = mutant_of(machine, guard)
    trial = Trial.of(machine, (mutant,), LIMITS)
    known = trial.trace(trial.faulty(mutant), "F")
    assert known is not None
    found = Scope.of(trial).smallest(mutant, "F", known)
    assert (found.property, found.mutant, found.quantity) == ("F", "planted", needed)
    assert largest(mutant.machine, found.trace) == needed


def test_what_has_an_upper_bound_is_no_quantity() -> None:
    """A variable with a bound of its own does not count; every whole number of a payload does."""
    context, fields = quantities(machine_of(TEXT))
    assert context == {"qty", "cum"}
    assert fields == {"order": {"size"}, "fill": {"last"}}


def test_the_bound_is_no_part_of_the_machine() -> None:
    """Searching with bounds leaves the trial as it was: the same search gives the same answer again."""
    machine = machine_of(TEXT)
    mutant = mutant_of(machine, "cum == 2")
    trial = Trial.of(machine, (mutant, replace(mutant, name="twin")), LIMITS)
    known = trial.trace(trial.faulty(mutant), "F")
    assert known is not None
    scope = Scope.of(trial)
    assert scope.smallest(mutant, "F", known).quantity == scope.smallest(mutant, "F", known).quantity == 3
