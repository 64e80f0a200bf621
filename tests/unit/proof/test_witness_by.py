"""A witness that names its events: found by these alone, in a machine and in a system."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from peak_trade.cli.specs import system_at
from peak_trade.lang.compose import instance
from peak_trade.lang.expr import Compare, Comparison, Lit, Scope, Var
from peak_trade.lang.machine import Machine, Witness
from peak_trade.lang.sorts import INT, IntSort
from peak_trade.proof.cache import keys
from peak_trade.proof.case import Case, Finding, Open
from peak_trade.proof.change.delta import Word
from peak_trade.proof.change.diff import diff
from peak_trade.proof.parametric import Task, prove_system
from peak_trade.proof.planner import opinions
from peak_trade.proof.prove import prove
from peak_trade.proof.recall.shown import PROVED, shows
from peak_trade.proof.solve import Limits
from peak_trade.proof.verdict import Proved, Refuted, Unknown

ROOT = Path(__file__).resolve().parents[3]
SOUND = system_at(str(ROOT / "tests" / "golden" / "system" / "sound.yaml"))
COUNT = Var("counter.count", IntSort(0, 3), Scope.CONTEXT)
Write = Callable[..., str]
Read = Callable[[str], Machine]
FULL = "- {id: W, witness: count == 3, by: [add], says: It fills.}\n"
SHUT = "- {id: W, witness: state == shut, by: [close], says: It is shut.}\n"
SMALL = Limits(witness_steps_max=5, refutation_steps_max=5, exploration_values_max=2000)


def verdict(machine: Machine) -> object:
    """The verdict on W."""
    return prove(machine, SMALL, frozenset(("W",))).result("W").verdict


def claim_of(machine: Machine) -> Witness:
    """The witness of `machine`."""
    (found,) = (item for item in machine.properties if isinstance(item, Witness))
    return found


def without(claim: str) -> str:
    """`claim` with no events named."""
    head, _, rest = claim.partition(" by: [")
    return head + rest.partition("],")[2]


def test_it_is_found_by_these_events_alone(counter: Write, read: Read) -> None:
    """The run has no other event in it, and is the shortest of those."""
    machine = read(counter(FULL))
    found = verdict(machine)
    assert isinstance(found, Proved)
    assert found.trace is not None
    assert {link.event for link in found.trace.links} == {"add"}
    assert found.trace.last.context[0] == 3


def test_what_needs_another_event_is_not_found(counter: Write, read: Read) -> None:
    """To be shut the counter must count first: by `close` alone it never is, by both or by all it is."""
    assert verdict(read(counter(SHUT))) == Unknown("not reached within 5 steps")
    for claim in (SHUT.replace("[close]", "[close, add]"), without(SHUT)):
        assert isinstance(verdict(read(counter(claim))), Proved)


def test_the_explorer_leaves_it_open(counter: Write, read: Read) -> None:
    """It walks by all events, so it has no opinion; without `by` it has one."""
    for claim, kind in ((SHUT, Open), (without(SHUT), Finding)):
        machine = small(read(counter(claim)))
        said = opinions(Case.of(machine, SMALL), claim_of(machine))
        assert isinstance(said["explore"], kind), said["explore"]


def small(machine: Machine) -> Machine:
    """The counter with an end to its numbers."""
    count, limit = machine.variables
    add = machine.event("add")
    less = replace(add, payload=(replace(add.payload[0], sort=IntSort(1, 9)),))
    return replace(
        machine,
        variables=(count, replace(limit, sort=IntSort(0, 9))),
        events=tuple(less if one is add else one for one in machine.events),
    )


def test_a_run_by_another_event_does_not_show_it(counter: Write, read: Read) -> None:
    """A run from a file shows a witness only if each of its events is named."""
    machine = read(counter(without(SHUT)))
    found = verdict(machine)
    assert isinstance(found, Proved)
    assert found.trace is not None
    free = claim_of(machine)
    assert [link.event for link in found.trace.links] == ["add", "close"]
    for by, wanted in (((), True), (("close", "add"), True), (("close",), False), (("add",), False)):
        assert shows(machine, replace(free, by=by), PROVED, found.trace) is wanted


def test_what_no_step_of_these_reaches_is_refuted(counter: Write, read: Read) -> None:
    """No addition shuts the counter, from whatever value: that is proved, and the proof is about these events alone."""
    found = verdict(read(counter(SHUT.replace("[close]", "[add]"))))
    assert isinstance(found, Refuted)
    assert found.trace is None


def test_in_a_system_its_events_are_rules_of_whomever() -> None:
    """By `put`, with or without `close`, a counter reaches two; by `close` alone none does."""
    goal = Compare(Comparison.EQ, COUNT, Lit(2, INT))
    for by, reached in ((("put",), True), (("put", "close"), True), (("close",), False)):
        system = replace(SOUND, properties=(*SOUND.properties, Witness("W", "Two.", goal, by=by)))
        [found] = prove_system(Task(system, frozenset(("W",)))).results
        assert isinstance(found.verdict, Proved) is reached, by
        if isinstance(found.verdict, Proved):
            assert found.verdict.trace is not None
            assert {link.event.partition("[")[0] for link in found.verdict.trace.links} == {"put"}
            machine = instance(system, 1)
            (claim,) = (item for item in machine.properties if isinstance(item, Witness))
            assert shows(machine, claim, PROVED, found.verdict.trace)
            assert not shows(machine, replace(claim, by=("close",)), PROVED, found.verdict.trace)


def test_the_cache_keeps_them_apart(counter: Write, read: Read) -> None:
    """Other events, another verdict: they are another entry."""
    texts = (SHUT, SHUT.replace("[close]", "[close, add]"), without(SHUT))
    found = []
    for text in texts:
        machine = read(counter(text))
        found.append(keys(machine, (claim_of(machine),), SMALL, ("bmc",))["W"])
    assert len(set(found)) == len(texts)


@pytest.mark.parametrize(
    ("was", "now", "word"),
    [
        ("witness: count == 3, by: [add]", "witness: count == 3, by: [add]", Word.SAME),
        ("witness: count == 3, by: [add]", "witness: count == 3, by: [add, close]", Word.LOOSER),
        ("witness: count == 3, by: [add]", "witness: count == 3", Word.LOOSER),
        ("witness: count == 3", "witness: count == 3, by: [add]", Word.STRICTER),
        ("witness: count == 3", "witness: count == 3, by: [close, add]", Word.SAME),
        ("witness: count == 3, by: [add]", "witness: count == 3, by: [close]", Word.INCOMPARABLE),
        ("witness: count >= 3, by: [add, close]", "witness: count == 3, by: [add]", Word.STRICTER),
        ("witness: count == 3, by: [add, close]", "witness: count >= 3, by: [add]", Word.INCOMPARABLE),
    ],
)
def test_it_claims_more_the_fewer_events_lead_there(counter: Write, read: Read, was: str, now: str, word: Word) -> None:
    """One that is allowed more events claims less, and is flagged with its clause."""
    old, new = (read(counter(f"- {{id: W, {claim}, says: So., answers: [C1]}}\n")) for claim in (was, now))
    delta = diff(old, new)
    assert [item.word for item in delta.claims] == [word]
    weaker = word in (Word.LOOSER, Word.INCOMPARABLE)
    assert [(item.kind, item.clauses) for item in delta.loosened] == ([("property", ("C1",))] if weaker else [])
