"""What must happen: each condition of the ranking rule, broken in turn."""

from collections.abc import Callable

import pytest

from peak_trade.lang.machine import Machine
from peak_trade.lang.parse import parse
from peak_trade.lang.pretty import document
from peak_trade.lang.source import Source
from peak_trade.lang.step import Refused
from peak_trade.proof.prove import prove
from peak_trade.proof.rank import ASTRAY, GROWS, IDLE, NEGATIVE, NONE
from peak_trade.proof.verdict import NotInductive, Proved, Refuted, Verdict

DRAIN = """\
machine: drain
version: 1
summary: Something that must end.
context:
  left: {type: int, min: 0, init: 5, doc: What is left}
states:
  running: {initial: true, doc: Not ended}
  astray: {doc: Neither}
  ended: {doc: Ended}
events:
  tick: {origin: clock, doc: Time passes, payload: {by: {type: int, min: 1, max: 3, doc: How far}}}
  poke: {origin: operator, doc: Something else}
reasons:
  over: It is over.
  busy: Not now.
transitions:
  - {id: T1, from: running, on: tick, when: by < left, set: {left: left - by}}
  - {id: T2, from: running, on: tick, when: by >= left, set: {left: 0}, to: ended}
  - {id: T3, from: running, on: poke}
  - {id: T4, from: astray, on: poke, to: running}
ignore:
  - {in: ended, on: [tick, poke], reason: over}
  - {in: astray, on: tick, reason: over}
properties:
  - id: L
    leads_to: {from: state == running, to: state == ended, rank: left, fair: [tick]}
    says: It ends.
"""
Edit = Callable[..., Machine]


@pytest.fixture
def edited() -> Edit:
    """The machine after exact edits of its text."""

    def of(*edits: tuple[str, str]) -> Machine:
        text = DRAIN
        for old, new in edits:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        parsed = parse(Source("drain.yaml", text))
        assert parsed.machine is not None, parsed.diagnostics
        return parsed.machine

    return of


def judged(machine: Machine) -> Verdict:
    """The verdict on what must happen."""
    return prove(machine, only=frozenset(("L",)), engines=("induction", "bmc")).results[0].verdict


def test_a_rank_that_falls_proves_the_end(edited: Edit) -> None:
    """All conditions hold: the claim is proved by ranking."""
    assert judged(edited()) == Proved("ranking")


def test_a_refused_fair_event_refutes(edited: Edit) -> None:
    """A fair event that some payload keeps from being taken could come for ever: a real run shows it."""
    verdict = judged(edited(("when: by < left,", "when: by < left, require: {busy: by < 3},")))
    assert isinstance(verdict, Refuted)
    assert verdict.trace is not None
    assert verdict.trace.links[-1].outcome == Refused("busy", "T1")
    assert verdict.trace.links[-1].payload == (("by", 3),)


def test_each_fair_event_must_be_taken(edited: Edit) -> None:
    """With two fair events, one that is taken does not excuse one that is not: only the other might keep coming."""
    refused = ("  - {id: T3, from: running, on: poke}\n", "")
    row = ("ignore:\n", "refuse:\n  - {in: running, on: poke, reason: busy}\nignore:\n")
    verdict = judged(edited(refused, row, ("fair: [tick]", "fair: [tick, poke]")))
    assert isinstance(verdict, Refuted)
    assert judged(edited(refused, row)) == Proved("ranking")


@pytest.mark.parametrize(
    ("edits", "why"),
    [
        ((("rank: left", "rank: left - 1"),), NEGATIVE),
        ((("on: poke}\n", "on: poke, to: astray}\n"),), ASTRAY),
        ((("on: poke}\n", "on: poke, set: {left: left + 1}}\n"),), GROWS),
        ((("set: {left: left - by}", "set: {left: left}"),), IDLE),
    ],
)
def test_a_rank_that_does_not_explain_is_no_proof(edited: Edit, edits: tuple[tuple[str, str], ...], why: str) -> None:
    """A breach of another condition is shown by a value or a step from one, and is neither proof nor refutation."""
    verdict = judged(edited(*edits))
    assert isinstance(verdict, NotInductive)
    assert verdict.why == why
    assert verdict.start.state == "running"
    assert len(verdict.links) == (0 if why == NEGATIVE else 1)


def test_an_invariant_may_carry_the_rank(edited: Edit) -> None:
    """Where the rank is sound only under an invariant, the proof names it; without it there is none."""
    rank = ("rank: left", "rank: left - 1")
    fence = ("properties:\n", "properties:\n  - {id: A, always: state == ended or left >= 1, says: x}\n")
    result = prove(edited(rank, fence), only=frozenset(("L",))).results[0]
    assert result.verdict == Proved("ranking")
    assert result.lemmas == ("A",)


WEAK = ("fair: [tick]}", "fair: [tick, poke], weak: true}")
STILL = ("  - {id: T3, from: running, on: poke}\n", "")
LAZY = ("ignore:\n", "ignore:\n  - {in: running, on: poke, reason: busy}\n")


def test_under_weak_fairness_one_that_can_be_taken_will_do(edited: Edit) -> None:
    """A fair event that is refused refutes the claim as it stands, and not if only what can be taken must be."""
    strong = ("fair: [tick]}", "fair: [tick, poke]}")
    assert isinstance(judged(edited(STILL, LAZY, strong)), Refuted)
    machine = edited(STILL, LAZY, WEAK)
    assert judged(machine) == Proved("ranking")
    assert 'weak": true' in document(machine)


def test_under_weak_fairness_some_payload_must_do(edited: Edit) -> None:
    """It suffices that one payload lets the event be taken; if none does, the run to that value refutes."""
    some = ("when: by < left,", "when: by < left, require: {busy: by < 3},")
    assert judged(edited(STILL, LAZY, WEAK, some)) == Proved("ranking")
    none = ("when: by >= left, set", "when: by >= left, require: {busy: left > 1}, set")
    found = judged(edited(STILL, LAZY, WEAK, none))
    assert isinstance(found, Refuted)
    assert found.why == NONE
    assert found.trace is not None
    assert found.trace.last.context == (1,)
