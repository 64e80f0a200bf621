"""What each lock is for."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from peak_trade.lang.machine import Always, Machine
from peak_trade.proof.gates import Backed, Lock, Needed, NotNeeded, Undecided, entering, gates, needs, without

Write = Callable[..., str]
Read = Callable[[str], Machine]
LOCKED = ("require: {soon: count > 0}", "require: {soon: count > 0, full: count <= limit}")


def test_no_lock_of_the_live_gate_is_idle(shipped: Callable[[str], Machine]) -> None:
    """Without any one lock of the live gate every claim stands, and stands on a second line that is named."""
    machine = shipped("session")
    (gate,) = entering(machine, "live")
    found = gates(machine)
    assert tuple(item.lock for item in found) == tuple(
        Lock(gate, one.reason) for one in machine.transition(gate).require
    )
    assert {item for item in found if not isinstance(item, Needed | Backed)} == set()
    backed = {item.lock.reason: item.lemmas for item in found if isinstance(item, Backed)}
    assert set(backed) == {one.reason for one in machine.transition(gate).require}
    assert "SES-16" in backed["flag_off"]
    assert "SES-17" in backed["override_expired"]


@pytest.mark.parametrize(
    ("behind", "reason"),
    [("flag_off", "flag_off"), ("digest_changed", "digest_changed")],
)
def test_without_the_second_line_the_lock_of_the_gate_is_needed(
    shipped: Callable[[str], Machine], behind: str, reason: str
) -> None:
    """Once the grant of the override has lost its own lock, the lock of the gate is all that keeps the claim."""
    whole = shipped("session")
    invariants = tuple(item for item in whole.properties if isinstance(item, Always))
    machine = without(replace(whole, properties=invariants), Lock("S20", behind))
    found = {item.lock.reason: item for item in gates(machine)}[reason]
    assert isinstance(found, Needed)
    assert found.trace.links[-1].event == "go_live"


def test_a_lock_that_keeps_a_claim_is_needed(counter: Write, read: Read) -> None:
    """Without the lock the claim is refuted by a replayed run."""
    machine = read(counter("- {id: A, always: state != shut or count > 0, says: x}"))
    (found,) = needs(machine, ("T2",))
    assert isinstance(found, Needed)
    assert (found.lock, found.refutes) == (Lock("T2", "soon"), "A")
    assert [link.event for link in found.trace.links] == ["close"]


def test_a_lock_before_another_line_is_backed(counter: Write, read: Read) -> None:
    """Without the lock the claim still holds, but leans on an invariant that it did not need before."""
    text = counter(
        "- {id: A, always: state != shut or count <= limit, says: x}\n- {id: B, lemma: count <= limit, says: y}", LOCKED
    )
    found = {item.lock.reason: item for item in needs(read(text), ("T2",))}
    assert found["full"] == Backed(Lock("T2", "full"), "A", ("B",))
    assert found["soon"] == NotNeeded(Lock("T2", "soon"))


def test_a_lock_that_only_a_proof_needs_is_undecided(counter: Write, read: Read) -> None:
    """Without the lock the claim is neither proved nor refuted: a lemma is missing."""
    found = needs(read(counter("- {id: A, always: state != shut or count <= limit, says: x}", LOCKED)), ("T2",))
    (full,) = [item for item in found if item.lock == Lock("T2", "full")]
    assert isinstance(full, Undecided)
    assert full.reason.startswith("A ")


def test_taking_away_a_lock_changes_nothing_else(counter: Write, read: Read) -> None:
    """The machine without a lock differs in that lock only; a lock that is not there cannot be taken away."""
    machine = read(counter())
    less = without(machine, Lock("T2", "soon"))
    assert less.transition("T2").require == ()
    assert less.transition("T1") == machine.transition("T1")
    assert (less.dismissals, less.variables) == (machine.dismissals, machine.variables)
    with pytest.raises(KeyError):
        without(machine, Lock("T1", "soon"))
