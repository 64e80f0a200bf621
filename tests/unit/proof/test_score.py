"""What becomes of each fault."""

from collections.abc import Callable

import pytest

from peak_trade.lang.machine import Machine
from peak_trade.lang.step import Stepper, Taken, initial
from peak_trade.lang.trace import replay
from peak_trade.proof.doubt.mutate import mutants
from peak_trade.proof.doubt.score import Caught, Equivalent, Killed, Score, Stopped, Survived, score
from peak_trade.proof.prove import prove
from peak_trade.proof.verdict import Proved

Write = Callable[..., str]
Read = Callable[[str], Machine]
CLAIMS = """
- {id: A, always: count <= limit, says: x}
- {id: B, step: event != close or next_is_terminal, says: y}
- {id: L, lemma: limit == 3, says: l}
- {id: W, witness: state == shut and count == 3, says: z}
"""


@pytest.fixture
def machine(counter: Write, read: Read) -> Machine:
    """The counter with three claims, a lock that says nothing, and a word for the terminal state."""
    return read(counter(CLAIMS, ("require: {soon: count > 0}", "require: {soon: count > 0, full: count <= limit}")))


@pytest.fixture
def judged(machine: Machine) -> Score:
    """Its score."""
    return score(machine)


def test_each_fate_is_met(judged: Score) -> None:
    """A fault is killed by a run, caught by the checks, proved to be none, or survives; each where it must."""
    fates = {item.name: item.fate for item in judged.judged}
    assert isinstance(fates["T1.set.count.shift.1"], Killed)
    assert fates["T1.set.count.shift.1"].property == "A"
    assert isinstance(fates["T1.when.1.drop"], Caught)
    assert fates["T1.when.1.drop"].code == "PT051"
    assert fates["T2.require.full.drop"] == Equivalent()
    assert fates["T2.require.soon.drop"] == Survived()
    assert fates["T2.to.stay"] == Caught("PT041")


def test_judging_one_transition_is_judging_the_machine(machine: Machine, judged: Score) -> None:
    """What `prove` says of the whole mutant agrees: all is proved iff it survives or is none at all."""
    wanted = frozenset(item.name for item in machine.properties) | {"COUNTER-SORTS"}
    for mutant, item in zip(mutants(machine), judged.judged, strict=True):
        if isinstance(item.fate, Caught):
            continue
        report = prove(mutant.machine, only=wanted)
        proved = all(isinstance(one.verdict, Proved) for one in report.results)
        assert proved == isinstance(item.fate, Survived | Equivalent), item.name


def test_a_run_that_kills_is_a_run_of_the_mutant(machine: Machine, judged: Score) -> None:
    """Every trace is the replay of its own events from the start."""
    machines = {item.name: item.machine for item in mutants(machine)}
    traces = {item.name: item.fate.trace for item in judged.judged if isinstance(item.fate, Killed) and item.fate.trace}
    assert traces
    for name, trace in traces.items():
        events = tuple((link.event, dict(link.payload)) for link in trace.links)
        again = replay(machines[name], initial(machines[name]), events)
        assert again.start == trace.start
        assert [link.value for link in again.links[:-1]] == [link.value for link in trace.links[:-1]]


def test_an_equivalent_mutant_takes_the_same_steps(machine: Machine, judged: Score) -> None:
    """Explored by `lang.step` over small payloads, it takes a step iff the machine does, to the same value."""
    machines = {item.name: item.machine for item in mutants(machine)}
    none = [item.name for item in judged.judged if item.fate == Equivalent()]
    assert none
    offers = [("close", {}), *(("add", {"amount": amount}) for amount in range(1, 6))]
    for name in none:
        one, other = Stepper.of(machine), Stepper.of(machines[name])
        seen, frontier = {initial(machine)}, [initial(machine)]
        while frontier:
            value = frontier.pop()
            for event, payload in offers:
                outcome, after = one.step(value, event, payload)
                again, there = other.step(value, event, payload)
                assert (isinstance(outcome, Taken), after) == (isinstance(again, Taken), there), (name, value, event)
                if after not in seen:
                    seen.add(after)
                    frontier.append(after)


def test_the_shipped_order_notices_nearly_all(shipped: Callable[[str], Machine]) -> None:
    """What survives takes a report that changes nothing; of every seventh other fault none does (the command: all)."""
    machine = shipped("order")
    survive = {"correct@new.overfill.taken", "inform@pending_new.report_disagrees.taken"}
    some = (item for number, item in enumerate(mutants(machine)) if number % 7 == 0 or item.name in survive)
    found = score(machine, of=tuple(some))
    assert found.enough
    assert {item.name for item in found.survivors} == survive
    assert set(found.credit()) >= {"ORD-1", "ORD-2", "ORD-7"}


def test_the_gate_of_the_session_lets_no_fault_through(shipped: Callable[[str], Machine]) -> None:
    """No fault in the live gate, the grant behind it, or the expiry of the grant survives."""
    machine = shipped("session")
    gate = tuple(item for item in mutants(machine) if item.place in {"S20", "S22", "S35"})
    found = score(machine, of=gate)
    assert [item.name for item in found.survivors] == []
    assert {type(item.fate) for item in found.judged} >= {Killed, Equivalent}


def test_a_claim_without_a_proof_kills_nothing(counter: Write, read: Read) -> None:
    """What is not proved of the machine cannot be broken by a fault in it."""
    machine = read(counter("- {id: A, always: count < 2, says: x}"))
    assert "A" not in score(machine).credit()


def test_a_lost_proof_stops_a_mutant(counter: Write, read: Read) -> None:
    """A claim that only a run beyond the search would refute is no longer proved, and that stops the fault."""
    text = counter(
        "- {id: A, always: count <= 200, says: x}",
        ("when: count + amount <= limit, set: {count: count + amount}", "when: amount <= 1, set: {count: count}"),
        ("when: count + amount > limit", "when: amount > 1"),
    ).replace("max: 9, init: 0", "max: 300, init: 0")
    (found,) = [item for item in score(read(text)).judged if item.name == "T1.set.count.shift.1"]
    assert found.fate == Stopped("A")
