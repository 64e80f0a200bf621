"""What is proved of any number, what is refuted with a few, and what is neither."""

from dataclasses import replace
from pathlib import Path

import pytest

from peak_trade.cli.specs import system_at
from peak_trade.lang.compose import instance
from peak_trade.lang.expr import FALSE, TRUE, Arith, Arithmetic, Compare, Comparison, Lit, Scope, Var
from peak_trade.lang.machine import Always, Property, Witness
from peak_trade.lang.sorts import INT, IntSort
from peak_trade.lang.step import Broken
from peak_trade.lang.system import System
from peak_trade.lang.trace import replay
from peak_trade.proof.cache import Cache
from peak_trade.proof.parametric import Task, claims, prove_system
from peak_trade.proof.prove import NoSuchClaim
from peak_trade.proof.verdict import NotInductive, Proved, Refuted, Report, Unknown

SOUND = system_at(str(Path(__file__).resolve().parents[2] / "golden" / "system" / "sound.yaml"))
PTREF = system_at(str(Path(__file__).resolve().parents[3] / "docs" / "models" / "ptref" / "system.yaml"))
COUNT = Var("counter.count", IntSort(0, 3), Scope.CONTEXT)
COUNTED = Var("counted", INT, Scope.CONTEXT)


def at_most(left: Var, right: int) -> Compare:
    """Return the claim that `left` is at most `right`."""
    return Compare(Comparison.LE, left, Lit(right, INT))


def claiming(*items: Property) -> System:
    """Return the sound system with these properties beside its own."""
    return replace(SOUND, properties=(*SOUND.properties, *items))


def judged(system: System, *only: str) -> Report:
    """Return the report on the claims `only` of `system`."""
    return prove_system(Task(system, frozenset(only) or None))


def test_what_holds_of_any_number_is_proved() -> None:
    """All that the sound system claims, its part's invariant and what is known of its sum included."""
    report = judged(SOUND)
    assert report.passed
    assert tuple(item.property for item in report.results) == claims(SOUND)
    assert {"ANY-1", "counter.CNT-1", "SUM-counted", "SUM-counted-LEAST", "SOUND-SORTS"} <= set(claims(SOUND))


def test_a_false_claim_about_one_is_refuted_with_one() -> None:
    """The run has the fewest side by side, is replayed, and ends where the claim breaks."""
    [found] = judged(claiming(Always("BAD", "Wrong.", at_most(COUNT, 1))), "BAD").results
    assert isinstance(found.verdict, Refuted)
    trace = found.verdict.trace
    assert trace is not None
    assert trace.machine == "sound@1"
    assert trace.links[-1].outcome == Broken("BAD[1]")
    machine = instance(claiming(Always("BAD", "Wrong.", at_most(COUNT, 1))), 1)
    assert replay(machine, trace.start, tuple((one.event, dict(one.payload)) for one in trace.links)) == trace


def test_a_claim_that_needs_two_to_fail_is_refuted_with_two() -> None:
    """No counter alone gets beyond 3: a bound on the sum that holds of one is refuted by two side by side."""
    [found] = judged(claiming(Always("SUM", "Wrong.", at_most(COUNTED, 3))), "SUM").results
    assert isinstance(found.verdict, Refuted)
    assert found.verdict.trace is not None
    assert found.verdict.trace.machine == "sound@2"


def test_a_claim_that_needs_more_than_three_is_not_called_true() -> None:
    """Three side by side cannot break it; four could: it is neither proved nor refuted, which is no pass."""
    [found] = judged(claiming(Always("SUM", "Wrong.", at_most(COUNTED, 9))), "SUM").results
    assert isinstance(found.verdict, NotInductive)
    assert "in the view of one among any number" in found.verdict.why or found.verdict.why


def test_what_the_view_of_one_cannot_exclude_is_not_refuted() -> None:
    """A run of the tracked machine in which others do what they cannot is shown as a step, never as a refutation."""
    close = replace(SOUND.rule("close"), updates=SOUND.rule("put").updates)
    reset = replace(close, updates=(replace(close.updates[0], value=Lit(0, INT)),))
    system = replace(SOUND, rules=tuple(reset if rule.name == "close" else rule for rule in SOUND.rules))
    [found] = judged(system, "ANY-1").results
    assert isinstance(found.verdict, NotInductive)


def test_a_sum_called_positive_that_is_not_spoils_every_proof() -> None:
    """What would be known of the sum is false, so nothing is concluded, and the reason says why."""
    [total] = SOUND.sums
    minus = Arith(Arithmetic.SUB, Lit(0, INT), COUNT)
    report = judged(replace(SOUND, sums=(replace(total, term=minus),)))
    assert not any(isinstance(item.verdict, Proved) for item in report.results)
    assert any(
        "SUM-counted is not proved" in item.verdict.reason
        for item in report.results
        if isinstance(item.verdict, Unknown)
    )


def test_an_obstacle_spoils_every_proof() -> None:
    """Where the view of one is not enough, nothing is proved for any number."""
    [total] = SOUND.sums
    limit = Var("limit", IntSort(1), Scope.CONTEXT)
    [found] = judged(replace(SOUND, sums=(replace(total, term=limit, positive=False),)), "ANY-2").results
    assert isinstance(found.verdict, Unknown)
    assert "does not start with 0" in found.verdict.reason


def test_a_lemma_that_nobody_declared_is_invented_for_any_number() -> None:
    """Without its lemmas the reference model's S3 is proved all the same: Spacer finds what is on its way."""
    bare = tuple(item for item in PTREF.properties if not (isinstance(item, Always) and item.lemma))
    [found] = judged(replace(PTREF, properties=bare), "S3").results
    assert found.verdict == Proved("spacer")
    assert found.inferred


def test_witnesses_are_runs_with_a_few() -> None:
    """What must be possible is shown with the fewest side by side, or honestly not."""
    two = Witness("W", "Two can count to six.", Compare(Comparison.EQ, COUNTED, Lit(6, INT)))
    never = Witness("N", "It cannot.", FALSE)
    report = judged(claiming(two, never), "W", "N")
    found = report.result("W").verdict
    assert isinstance(found, Proved)
    assert found.trace is not None
    assert found.trace.machine == "sound@2"
    assert not isinstance(report.result("N").verdict, Proved)


def test_only_what_is_claimed_can_be_asked_for() -> None:
    """An unknown id is an error: proving nothing must not look like a pass."""
    with pytest.raises(NoSuchClaim):
        judged(SOUND, "NO-SUCH")


def test_the_cache_changes_no_verdict(tmp_path: Path) -> None:
    """A second run reads what the first one kept, runs replayed; a changed rule is judged again."""
    task = Task(claiming(Always("BAD", "Wrong.", at_most(COUNT, 1)), Always("TRUE", "Trivial.", TRUE)))
    cache = Cache(tmp_path)
    first, second = prove_system(task, cache), prove_system(task, cache)
    assert [(item.property, item.verdict) for item in first.results] == [
        (item.property, item.verdict) for item in second.results
    ]
    put = replace(SOUND.rule("put"), when=TRUE)
    changed = replace(task.system, rules=tuple(put if rule.name == "put" else rule for rule in SOUND.rules))
    assert isinstance(prove_system(replace(task, system=changed), cache).result("ANY-2").verdict, Refuted)
