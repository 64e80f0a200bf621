"""Mutants of systems: what faults there are, and how they are judged."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from peak_trade.cli.specs import system_at
from peak_trade.lang.machine import Witness
from peak_trade.lang.step import Taken
from peak_trade.lang.system import Answer, System
from peak_trade.proof.doubt.docket import Docket
from peak_trade.proof.doubt.score import Equivalent, Killed, Stopped, Survived
from peak_trade.proof.doubt.variants import Variant, variants
from peak_trade.proof.parametric import Task, prove_system
from peak_trade.proof.verdict import Refuted

ROOT = Path(__file__).resolve().parents[3]


@cache
def ptref() -> System:
    """The reference model."""
    return system_at(str(ROOT / "docs" / "models" / "ptref" / "system.yaml"))


@cache
def named() -> dict[str, Variant]:
    """Its faults by name."""
    return {item.name: item for item in variants(ptref())}


@cache
def docket() -> Docket:
    """The faults that these tests judge, and what they share."""
    wanted = (
        "BFill.when.4.drop",
        "Stopped.every.3.drop",
        "Stopped.do.session.stopped.any",
        "BRej.when.2.negate",
        "session/PreOk.from.PREFLIGHT_OK.in",
    )
    return Docket.of(ptref(), [named()[name] for name in wanted])


def test_every_fault_is_another_system() -> None:
    """Names are unique, each differs from the declared system, and only in the rules it names or in one part."""
    found = variants(ptref())
    assert len({item.name for item in found}) == len(found)
    for item in found:
        assert item.system != ptref()
        changed = {rule.name for rule in item.system.rules if rule != ptref().rule(rule.name)}
        assert changed <= item.rules
        assert bool(changed) == (item.inner is None)


def test_each_way_of_going_wrong_is_there() -> None:
    """Conditions, updates, what everyone must have, and what parts must answer: each is varied."""
    kinds = {item.kind for item in variants(ptref()) if item.inner is None}
    assert kinds >= {"when-drop", "when-negate", "when-near", "set-drop", "set-shift", "unguarded"}
    assert kinds >= {"every-drop", "every-negate", "move-drop", "move-answer"}
    (move,) = named()["Stopped.do.session.stopped.refused"].system.rule("Stopped").moves
    assert move.answers == (Answer.REFUSED,)


def test_a_payload_bound_and_an_argument_are_faults_of_the_shipped_system() -> None:
    """Its rules have both, unlike those of the reference model."""
    found = {item.name: item for item in variants(system_at("system")) if item.inner is None}
    assert found["commit.qty.min"].payload
    shifted = found["commit.do.order.submit.with.order_qty.shift.1"].system.rule("commit").moves[0]
    assert shifted.arguments != system_at("system").rule("commit").moves[0].arguments


@pytest.mark.parametrize(("name", "claim"), [("BFill.when.4.drop", "S1"), ("session/PreOk.from.PREFLIGHT_OK.in", None)])
def test_a_fault_is_killed_by_a_replayed_run(name: str, claim: str | None) -> None:
    """The run ends in the breach; a fault that the part's own claims notice is noticed by them."""
    found = docket().judge(named()[name])
    assert isinstance(found.judged.fate, Killed)
    assert found.judged.fate.trace is not None
    assert all(isinstance(link.outcome, Taken) for link in found.judged.fate.trace.links[:-1])
    if claim is not None:
        assert found.judged.fate.property == claim
        verdict = prove_system(Task(named()[name].system, frozenset({claim}))).result(claim).verdict
        assert isinstance(verdict, Refuted)
        assert verdict.trace is not None
        assert len(verdict.trace.links) == len(found.judged.fate.trace.links)


def test_a_conjunct_that_follows_from_the_others_is_equivalent() -> None:
    """Z3 proves it for any number, from the invariants."""
    assert docket().judge(named()["Stopped.every.3.drop"]).judged.fate == Equivalent()


def test_a_fault_that_only_a_witness_notices_is_stopped_or_killed() -> None:
    """A broker that never rejects breaks no invariant; that an order can be rejected is what notices."""
    found = docket().judge(named()["BRej.when.2.negate"]).judged
    assert isinstance(found.fate, Killed | Stopped)
    claims = {item.name: item for item in ptref().properties}
    without = replace(ptref(), properties=tuple(one for one in claims.values() if not isinstance(one, Witness)))
    alone = Docket.of(without, [item for item in variants(without) if item.name == "BRej.when.2.negate"])
    left = alone.judge(alone.found[0]).judged
    assert left.fate == Survived()


def test_the_smallest_scope_of_an_overfill_is_one_order_of_one_lot() -> None:
    """It shows with a single order, and needs no larger quantity than the two lots that were filled."""
    docket_ = docket()
    least = docket_.least(docket_.judge(named()["BFill.when.4.drop"]))
    assert least is not None
    assert (least.property, least.orders, least.quantity) == ("S1", 1, 2)
