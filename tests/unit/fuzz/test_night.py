"""A campaign hands out the same jobs for the same seed, and adds up what comes back whatever its order."""

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.fuzz.campaign.digest import CANARY_EVENTS_MAX, CanaryLives, canary, digest, filled
from peak_trade.fuzz.campaign.night import SESSION_JOBS, SESSIONS_EACH, Night, Plan
from peak_trade.fuzz.campaign.summary import lines, plain, summary
from peak_trade.fuzz.cover.coverage import Coverage, Goal
from peak_trade.fuzz.cover.gate import Verdict, parse
from peak_trade.fuzz.found.findings import FINDING, kept
from peak_trade.fuzz.jobs import Job, OtherSpec, Result, perform
from peak_trade.fuzz.world import Machines
from peak_trade.lang.machine import Machine

PLAN = Plan(
    engines=("sessions", "walk", "exhaustive"),
    seed=11,
    machines={"walk": ("order", "session"), "exhaustive": ("breaker",)},
    specs={"order": "0"},
)


def test_the_sessions_of_all_jobs_are_one_after_the_other() -> None:
    """Each seed from the first on is played once, and what is the same for any seed is done once."""
    each = SESSION_JOBS * SESSIONS_EACH
    jobs = list(PLAN.jobs(2 * each + 7))
    seeds = [job.seed + place for job in jobs if job.engine == "sessions" for place in range(job.count)]
    assert seeds == list(range(11, 11 + 2 * each + 7))
    assert [job.engine for job in jobs].count("exhaustive") == 1
    assert [(job.seed, job.options["machine"]) for job in jobs if job.engine == "walk"] == [
        (seed, machine) for seed in (11, 12, 13) for machine in ("order", "session")
    ]
    assert list(islice(PLAN.jobs(None), len(jobs) - 3)) == list(PLAN.jobs(2 * each))


@given(order=st.permutations(range(4)))
def test_the_order_of_results_changes_no_sum(order: list[int]) -> None:
    """A night is the same whatever job came back first."""
    jobs = list(islice(PLAN.jobs(None), 4))
    results = [
        Result(job=job, figures={"steps": at}, coverage=Coverage({Goal("state", "order", f"s{at}"): (1, at)}).plain(),
               findings=[{"seed": at, "problem": "p"}])
        for at, job in enumerate(jobs)
    ]  # fmt: skip
    there, here = Night(), Night()
    for at in range(4):
        there.add(results[at])
        here.add(results[order[at]])
    assert here.plain() == there.plain()
    assert len(here.findings) == 4


def test_a_job_that_cannot_be_done_here_is_refused() -> None:
    """The engines that there are stand in the message, and so does the specification that is not here."""
    job = Job(engine="wakl", seed=1, count=1, specs={"order": "0123"})
    there = {"walk": lambda asked: Result(job=asked)}
    with pytest.raises(LookupError, match="an engine of walk, was 'wakl'"):
        perform(job.model_dump_json(), there, {"order": "0123"})
    for here in ({"order": "0124"}, {}):
        with pytest.raises(OtherSpec, match="expected order 0123, was"):
            perform(job.model_copy(update={"engine": "walk"}).model_dump_json(), there, here)


@pytest.fixture(scope="module")
def own(machines: Machines) -> tuple[Machine, ...]:
    """The machines whose coverage is judged."""
    return machines.session, machines.order, machines.breaker


def night(*goals: Goal, **found: object) -> Night:
    """A night that saw these goals, and perhaps found something."""
    coverage = Coverage()
    for goal in goals:
        coverage.hit(goal, 3)
    made = Night()
    job = Job(engine="sessions", seed=3, count=1, specs={})
    findings = [{"seed": 3, **found}] if found else []
    made.add(Result(job=job, figures={"sessions": 1}, coverage=coverage.plain(), findings=findings))
    return made


def test_the_three_verdicts_of_a_campaign(own: tuple[Machine, ...]) -> None:
    """Enough covered passes; too little is inconclusive, as is what was cut short; only a finding fails."""
    every = [Goal("state", "breaker", item.name) for item in own[2].states]
    required = parse("breaker.states=100%", [item.name for item in own])
    verdicts = {count: summary(night(*every[:count]), own, required, (), {}).verdict for count in range(len(every) + 1)}
    assert verdicts == dict.fromkeys(range(3), Verdict.INCONCLUSIVE) | {3: Verdict.PASS}
    found = summary(night(*every), own, required, (), {})
    found = type(found)(found.night, found.rows, (), None, found.tables, {}, partial="partial: one of two")
    assert (found.verdict, found.why) == (Verdict.INCONCLUSIVE, "nothing was found, but partial: one of two")
    assert "not seen: open, half_open" in "\n".join(lines(summary(night(every[0]), own, required, (), {})))


def test_the_canary_dies(machines: Machines, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A claim that is false is refuted, shrunk to an order, kept in a folder, and replayed; one that is true is not."""
    root = tmp_path_factory.mktemp("canary")
    died = canary(machines, 2, root)
    assert 1 <= died.events <= CANARY_EVENTS_MAX
    assert kept(root / died.folder).kind == died.kind
    assert (root / died.folder / FINDING).is_file()


def test_a_canary_that_lives_is_no_pass(
    machines: Machines, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Where nothing is ever reported the campaign says so, and where."""
    monkeypatch.setattr("peak_trade.fuzz.campaign.digest.CANARY_SEEDS", 1)
    monkeypatch.setattr("peak_trade.fuzz.campaign.digest.filled", lambda played: filled(played)[:0])
    with pytest.raises(CanaryLives, match="while it was looked for"):
        canary(machines, 2, tmp_path_factory.mktemp("canary"))


def test_what_cannot_be_shrunk_is_not_lost(
    machines: Machines, own: tuple[Machine, ...], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A finding of a session that is in order when it is played again, and one of another engine, are files as told."""
    root = tmp_path_factory.mktemp("findings")
    found = [
        {"engine": "sessions", "machine": "", "seed": 4, "problem": "o1: it was odd 7 times", "problems": ["o1: odd"]},
        {"engine": "sessions", "machine": "", "seed": 5, "problem": "o2: it was odd 9 times", "problems": ["o2: odd"]},
        {"engine": "walk", "machine": "order", "seed": 2, "problem": "step and kernel differ", "steps": [1, 2]},
    ]
    told = list(digest(found, machines, root))
    assert [(item.engine, item.seed, item.times) for item in told] == [("sessions", 4, 2), ("walk", 2, 1)]
    assert "a program that fails" in told[0].why
    assert all((root / item.folder).is_file() for item in told)
    made = summary(night(problem="o1: odd"), own, (), told, {})
    assert made.verdict is Verdict.FAIL
    assert plain(made)["told"][1]["events"] == 2
