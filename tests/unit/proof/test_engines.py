"""Engines behind one interface: what each can prove by itself, and that none says what another refutes."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peak_trade.backends.domains import Bounds
from peak_trade.backends.successors import predicate
from peak_trade.lang.expr import Compare, Comparison, Lit, Scope, Var
from peak_trade.lang.machine import Always, Machine
from peak_trade.lang.parse import parse
from peak_trade.lang.pretty import expression
from peak_trade.lang.sorts import INT, EnumSort
from peak_trade.lang.source import Source
from peak_trade.proof import cache as caching
from peak_trade.proof import planner
from peak_trade.proof.cache import Cache
from peak_trade.proof.case import Case, Engine, Finding, Open
from peak_trade.proof.claim import Claim, claims_of
from peak_trade.proof.cycles import weak_fairness
from peak_trade.proof.explore import Graph, explore
from peak_trade.proof.infer import quick, spacer
from peak_trade.proof.lockstep.contest import contest
from peak_trade.proof.lockstep.sample import sample
from peak_trade.proof.many import Job, prove_job, prove_many
from peak_trade.proof.planner import ENGINES, EnginesContradict, opinions, reconcile
from peak_trade.proof.prove import claims, prove
from peak_trade.proof.readback import Reader, UnreadableError
from peak_trade.proof.solve import GaveUp, Limits
from peak_trade.proof.verdict import NotInductive, Proved, Refuted, Result, Unknown

SWING = """\
machine: swing
version: 1
summary: Two numbers that follow each other.
context:
  one: {type: int, init: 0, doc: x}
  two: {type: int, init: 0, doc: x}
states:
  on: {initial: true, doc: x}
events:
  go: {origin: clock, doc: x}
reasons:
  no: x
transitions:
  - {id: T, from: on, on: go, set: {one: two, two: "1 if one < 5 else 0"}}
properties:
  - {id: A, always: one < 7, says: x}
"""
Small = Callable[..., Machine]


@pytest.fixture(scope="module")
def reference() -> Small:
    """The reference model, of so many orders and any or small quantities, after edits."""
    path = Path(__file__).with_name("reference.py")
    names: dict[str, object] = {"__name__": "reference"}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)  # noqa: S102 - a file of this folder

    def of(orders: int, most: int | None = None, *edits: tuple[str, str]) -> Machine:
        machine = names["reference"](orders, edits)  # type: ignore[operator]
        return machine if most is None else names["small"](machine, most)  # type: ignore[no-any-return, operator]

    return of


def read(text: str) -> Machine:
    """The machine of a text."""
    parsed = parse(Source("x.yaml", text))
    assert parsed.machine is not None, parsed.diagnostics
    return parsed.machine


def judged(machine: Machine, name: str, *engines: str) -> Result:
    """The result on one claim by these engines, or all."""
    return prove(machine, only=frozenset((name,)), engines=engines or ENGINES).result(name)


@pytest.mark.parametrize(
    ("orders", "most", "counts"),
    [(1, 3, (297, 751, 12)), (1, 5, (735, 1_960, 12)), (1, 10, (3_020, 8_745, 12)), (2, 3, (24_231, 92_775, 20))],
)
def test_exact_counts_of_the_reference_model(
    reference: Small, orders: int, most: int, counts: tuple[int, int, int]
) -> None:
    """Distinct states and generated transitions, initial values included, are those that other checkers agree on."""
    graph = explore(reference(orders, most), 100_000)
    assert isinstance(graph, Graph)
    initial = graph.parents.count(-1)
    assert (len(graph.values), graph.transitions + initial, graph.depth) == counts
    assert initial == most**orders
    assert graph.complete


def test_what_spacer_invents_is_proved_again(reference: Small) -> None:
    """Positions reconcile, for any quantity, by lemmas that nobody declared; with them induction alone proves it."""
    machine = reference(1)
    assert isinstance(judged(machine, "S3_1", "induction", "bmc").verdict, NotInductive)
    result = judged(machine, "S3_1")
    assert result.verdict == Proved("spacer")
    assert {item.name for item in result.inferred} <= set(result.lemmas)
    assert all(item.lemma for item in result.inferred)
    more = replace(machine, properties=(*machine.properties, *result.inferred))
    assert judged(more, "S3_1", "induction").verdict == Proved("induction")
    for item in result.inferred:
        fewer = tuple(one for one in more.properties if one != item)
        assert judged(replace(more, properties=fewer), "S3_1", "induction").verdict != Proved("induction")


def test_each_guard_of_the_reference_model_counts(reference: Small) -> None:
    """Without a guard of the venue's fill, positions differ or a fill is too large: a replayed run shows it."""
    over = reference(1, None, (" and x <= qty_1 - fil_1", ""))
    found = judged(over, "S1_1").verdict
    assert isinstance(found, Refuted)
    assert found.trace is not None
    assert len(found.trace.links) == 6
    lost = reference(1, None, ("bst_1 == OPEN and inm_1 == NO_REPORT and x <=", "bst_1 == OPEN and x <="))
    assert isinstance(judged(lost, "S3_1").verdict, Refuted)


def test_spacer_is_not_believed_when_it_refutes(reference: Small) -> None:
    """A false claim is open to the engine that invents lemmas; too small a budget is a limit that was reached."""
    broken = reference(1, None, ("loc_1: loc_1 + inq_1", "loc_1: loc_1"))
    claim = next(item for item in broken.properties if item.name == "S3_1")
    found = spacer(Case.of(broken, Limits()), claim)
    assert isinstance(found, Open)
    assert not found.exhausted
    machine = reference(1)
    poor = spacer(Case.of(machine, Limits(inference_rlimit=1_000)), claim)
    assert isinstance(poor, Open)
    assert poor.exhausted


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32))
def test_an_answer_within_a_small_budget_is_the_answer(seed: int) -> None:
    """On random small machines: where Spacer is open before its small budget ends, it is so with the whole one."""
    machine = sample(Random(seed))
    case = Case.of(machine, Limits(inference_rlimit=400_000))
    for claim in claims_of(machine):
        found = quick(case, claim)
        if isinstance(found, Open) and not found.exhausted:
            assert isinstance(spacer(case, claim), Open)


@pytest.mark.parametrize(("rlimit", "asked"), [(20_000_000, 1), (5, 2)])
def test_spacer_is_asked_again_only_with_more(monkeypatch: pytest.MonkeyPatch, rlimit: int, asked: int) -> None:
    """The whole budget is spent only on what the small one did not suffice for."""
    calls: list[str] = []

    def counted(engine: Engine) -> Engine:
        def count(case: Case, claim: Claim) -> Finding | Open:
            calls.append("spacer")
            return engine(case, claim)

        return count

    plan = tuple((name, counted(engine) if name == "spacer" else engine) for name, engine in planner.PLAN)
    monkeypatch.setattr(planner, "PLAN", plan)
    wrong = read(SWING.replace("one < 7", "one < 1"))
    case = Case.of(wrong, Limits(inference_rlimit=rlimit))
    found = planner.judged(case, wrong.properties[0], ("induction", "spacer")).verdict
    assert isinstance(found, NotInductive)
    assert len(calls) == asked


def test_some_claims_need_more_than_one_moment() -> None:
    """What is not inductive is 2-inductive; alone, that engine says so, and knows runs that are short."""
    machine = read(SWING)
    assert isinstance(judged(machine, "A", "induction").verdict, NotInductive)
    assert judged(machine, "A", "kinduction").verdict == Proved("2-induction")
    wrong = judged(read(SWING.replace("one < 7", "one < 1")), "A", "kinduction").verdict
    assert isinstance(wrong, Refuted)
    assert wrong.trace is not None
    assert len(wrong.trace.links) == 2


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32))
def test_engines_never_contradict_each_other(seed: int) -> None:
    """On random small machines: the walk always knows, and whatever another engine says is the same."""
    machine = sample(Random(seed))
    case = Case.of(machine, Limits(refutation_steps_max=4, witness_steps_max=4, inference_rlimit=200_000))
    for claim in claims_of(machine):
        said = opinions(case, claim)
        assert isinstance(said["explore"], Finding)


def test_a_contradiction_is_no_verdict(reference: Small) -> None:
    """Proved against refuted, or two shortest runs of different length, is an error that names both engines."""
    machine = reference(1)
    claim = machine.properties[0]
    with pytest.raises(EnginesContradict) as caught:
        reconcile(machine, claim, {"induction": Proved("induction"), "bmc": Refuted(None, "x")})
    assert caught.value.said == {"induction": "proved", "bmc": "refuted"}
    reconcile(machine, claim, {"induction": Proved("induction"), "explore": Proved("exploration")})


def test_a_campaign_is_the_same_for_any_workers() -> None:
    """Specification n of a seed is one specification; a campaign counts every claim once for each engine."""
    found = contest(3, 11)
    assert found.first is None
    assert (found.specs, found.verdicts) == (3, contest(3, 11).verdicts)
    for engine in ENGINES:
        assert sum(count for (name, _), count in found.verdicts.items() if name == engine) == found.claims


def test_liveness_of_the_reference_model(reference: Small) -> None:
    """A stopping session ends if venue, book and its last step are weakly fair; without any of these it may not."""
    machine = reference(1, 3)
    graph = explore(machine, 10_000)
    assert isinstance(graph, Graph)
    states = EnumSort("State", tuple(item.name for item in machine.states))
    state = Var("state", states, Scope.STATE)
    when = predicate(machine, Compare(Comparison.EQ, state, Lit("STOPPING", states)))

    def then(value: tuple[object, ...]) -> bool:
        return value[0] in ("STOPPED", "ERROR")

    names = frozenset(item.name for item in machine.events)
    venue = frozenset(name for name in names if name.startswith("B"))
    book = frozenset(name for name in names if name.startswith("R") and name != "Retry")
    groups = [frozenset(("Stopped",)), frozenset(("OpAck",)), venue, book]
    assert weak_fairness(graph, groups, when, then) is None
    for missing in range(4):
        found = weak_fairness(graph, groups[:missing] + groups[missing + 1 :], when, then)
        assert (found is None) == (missing == 1)
        assert found is None or all(graph.values[place][0] == "STOPPING" for place in found)


def test_a_walk_within_bounds_proves_nothing(reference: Small) -> None:
    """Bounds that cut something off leave open what they do not refute; without an end there is no walk."""
    machine = reference(1)
    found = explore(machine, 10_000)
    assert isinstance(found, GaveUp)
    assert "qty_1" in found.reason
    graph = explore(machine, 10_000, Bounds({}, 3))
    assert isinstance(graph, Graph)
    assert (len(graph.values), graph.complete) == (297, False)
    assert isinstance(explore(machine, 100, Bounds({}, 3)), GaveUp)


def test_terms_are_read_back() -> None:
    """What is read back from a machine's own claims means the same, by Z3; what has no expression is refused."""
    machine = read(SWING.replace("one < 7", "one + 2 * two < 7 or not (one == 3) or (one if two > 1 else two) >= 0"))
    case = Case.of(machine, Limits())
    (claim,) = machine.properties
    assert isinstance(claim, Always)
    term = case.encoding.at(claim.holds, case.encoding.before)
    parts = Reader.of(case.encoding, case.encoding.before).conjuncts(term)
    world = case.encoding.world
    again = world.every(case.encoding.at(part, case.encoding.before) for part in parts)
    oracle = case.inductor.start.of(world, Limits())
    assert type(oracle.ask(term != again)).__name__ == "Impossible"
    one, two = case.encoding.before.terms()[1:]
    with pytest.raises(UnreadableError):
        Reader.of(case.encoding, case.encoding.before).conjuncts(one * two > 3)
    (order,) = Reader.of(case.encoding, case.encoding.before).conjuncts(one - two + 1 <= 0)
    assert expression(order) == "one < two"


def test_what_is_known_is_not_proved_again(reference: Small, tmp_path: Path) -> None:
    """A second report is the first, from the cache alone; another limit, invariant or Z3 is another question."""
    false = Always("NO", "x", Compare(Comparison.EQ, Lit(1, INT), Lit(2, INT)))
    machine = replace(reference(1), properties=(*reference(1).properties, false))
    cache = Cache(tmp_path / "kept")
    first = prove_job(Job(machine), cache)
    files = sorted(path.name for path in tmp_path.rglob("*.json"))
    assert len(files) == len(first.results) == len(claims(machine))
    assert (tmp_path / "kept" / ".gitignore").read_text() == "*\n"
    assert prove_job(Job(machine), cache) == first
    assert any(item.inferred for item in first.results)
    assert isinstance(first.result("NO").verdict, Refuted)
    told = replace(machine, summary="Other words.")
    assert prove_job(Job(told), cache).results == first.results
    assert sorted(path.name for path in tmp_path.rglob("*.json")) == files
    fewer = replace(machine, transitions=machine.transitions[1:])
    asked = ((machine, Limits()), (machine, Limits(question_rlimit=5)), (fewer, Limits()))
    entries = [caching.keys(one, claims_of(one), limits, ENGINES)["S2"] for one, limits in asked]
    assert len(set(entries)) == 3


def test_a_damaged_entry_is_judged_again(reference: Small, tmp_path: Path) -> None:
    """Whatever is in the folder, the verdict is right: damage and wrong runs are reported, and made anew."""
    machine = reference(1, None, (" and x <= qty_1 - fil_1", ""))
    heard: list[str] = []
    cache = Cache(tmp_path, heard.append)
    job = Job(machine, frozenset(("S1_1",)))
    first = prove_job(job, cache)
    (path,) = tmp_path.rglob("*.json")
    good = path.read_text(encoding="utf-8")
    edits = (('"PreOk"', '"PreFail"'), ('"proved": false', '"proved": true'), ('"INIT"', '"STOPPING"'))
    for bad in ("", "{}", "[1]", *(good.replace(*edit) for edit in edits)):
        assert bad != good
        path.write_text(bad, encoding="utf-8")
        assert prove_job(job, cache).results[0].verdict == first.results[0].verdict
    assert len(heard) == 6
    assert path.read_text(encoding="utf-8") == good


def test_many_jobs_come_back_in_order(reference: Small) -> None:
    """Reports are in the order of the jobs, and each is told."""
    jobs = [Job(reference(1), frozenset((name,))) for name in ("S2", "S1_1")]
    heard: list[object] = []
    reports = prove_many(jobs, progress=heard.append)
    assert [item.results[0].property for item in reports] == ["S2", "S1_1"]
    assert tuple(heard) == reports


def test_a_budget_of_nothing_is_unknown() -> None:
    """With next to nothing to spend no engine proves anything, and none pretends to."""
    poor = Limits(question_rlimit=1, inference_rlimit=1, exploration_values_max=1)
    assert isinstance(prove(read(SWING), poor).result("A").verdict, Unknown)
