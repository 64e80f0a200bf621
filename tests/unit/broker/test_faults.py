"""Fault plans are data: what is wrong with one is said, and what is right comes back from its text."""

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peak_trade.broker.errors import (
    BrokerError,
    DuplicateId,
    InvalidRequest,
    Permanent,
    RateLimited,
    Transient,
    VenueRejected,
    VenueTimeout,
    VenueUnavailable,
)
from peak_trade.broker.faults import ALL, KINDS, SEVEN, Fault, FaultKind, Lie, Phase, PlanError, merged
from peak_trade.broker.schedule import Schedule
from peak_trade.broker.script import built, dump, load, ordered, plain
from peak_trade.broker.swarm import seeded, swarm

WIDE = [kind for kind in FaultKind if KINDS[kind].phase is Phase.VENUE]
NARROW = [kind for kind in FaultKind if KINDS[kind].phase is not Phase.VENUE]


@st.composite
def windows(draw: st.DrawFn) -> Fault:
    """A fault of the whole venue."""
    kind, steps = draw(st.sampled_from(WIDE)), draw(st.integers(1, 9))
    return Fault(
        kind,
        step=draw(st.integers(1, 50)),
        steps=1 if kind is FaultKind.RESTART else steps,
        by=draw(st.sampled_from([-3, 1, 1000])) if kind is FaultKind.CLOCK_SKEW else 0,
        how=draw(st.sampled_from(Lie)) if kind is FaultKind.WRONG_SNAPSHOT else None,
    )


NARROWS = st.builds(Fault, st.sampled_from(NARROW), order=st.integers(1, 30))
FAULTS = st.lists(NARROWS | windows(), max_size=30)
PLANS = FAULTS.map(lambda faults: [fault for at, fault in enumerate(faults) if fits(fault, faults[:at])])


def fits(fault: Fault, others: list[Fault]) -> bool:
    """Whether a fault leaves the phases and windows of others alone."""
    if fault.order:
        return all((fault.order, fault.phase) != (other.order, other.phase) for other in others)
    return not any(fault.kind is other.kind and set(steps(fault)) & set(steps(other)) for other in others)


def steps(fault: Fault) -> range:
    """The steps of a window."""
    return range(fault.step, fault.step + fault.steps)


@given(PLANS)
def test_a_plan_survives_its_text(plan: list[Fault]) -> None:
    """load(dump(plan)) is the plan in its order, as JSON and as YAML."""
    text = dump(plan)
    assert load(text) == ordered(plan)
    yaml = "".join("- {" + ", ".join(f"{key}: {value}" for key, value in plain(item).items()) + "}\n" for item in plan)
    assert load(yaml or "[]") == tuple(plan)


@given(FAULTS)
def test_two_faults_get_in_each_others_way_iff_they_share_phase_or_step(faults: list[Fault]) -> None:
    """A plan is refused iff two faults of an order share a phase, or two windows of a kind share a step."""
    apart = all(fits(fault, faults[:at]) for at, fault in enumerate(faults))
    try:
        Schedule(faults)
    except PlanError:
        assert not apart
    else:
        assert apart


@given(FAULTS)
def test_a_window_is_found_in_its_steps_only(faults: list[Fault]) -> None:
    """The window of a kind at a step is the one whose steps contain it."""
    plan = [fault for at, fault in enumerate(faults) if fits(fault, faults[:at])]
    schedule = Schedule(plan)
    for kind in WIDE:
        for step in range(1, 60):
            inside = [fault for fault in plan if fault.kind is kind and step in steps(fault)]
            assert [schedule.window(kind, step)] == (inside or [None])


@given(PLANS, PLANS)
def test_what_is_written_goes_before_what_is_drawn(plan: list[Fault], drawn: list[Fault]) -> None:
    """The merged plan is a plan, holds all that was written, and all that was drawn beside it."""
    both = merged(plan, drawn)
    Schedule(both)
    assert set(plan) <= set(both) <= {*plan, *drawn}
    assert {fault for fault in drawn if fits(fault, plan)} <= set(both)


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("", "plan", "empty"),
        ("{}", "plan:1: fault 0", "list"),
        ("[1]", "plan:1: fault 1", "mapping"),
        ('[{"kind":"reject"}]', "fault 1", "order"),
        ('[{"kind":"reject","order":1},\n {"kind":"reject","order":0}]', "plan:2: fault 2", "order"),
        ('[{"kind":"bang","order":1}]', "plan:1: fault 1", "bang"),
        ('[{"kind":"reject","order":true}]', "fault 1", "True"),
        ('[{"kind":"reject","order":1,"x":2}]', "fault 1", "x"),
        ('[{"kind":"reject","order":"1"}]', "fault 1", "order"),
        ('[{"kind":"reject","order":1,"step":2}]', "fault 1", "step"),
        ("- {kind: reject, order: 1}\n\n- {kind: outage, step: 1}", "plan:3: fault 2", "steps"),
        ("- {kind: outage, step: 0, steps: 1}", "fault 1", "step"),
        ("- {kind: restart, step: 4, steps: 2}", "fault 1", "steps"),
        ("- {kind: clock_skew, step: 4, steps: 2}", "fault 1", "by"),
        ("- {kind: outage, step: 4, steps: 2, by: 1}", "fault 1", "by"),
        ("- {kind: wrong_snapshot, step: 4, steps: 2}", "fault 1", "how"),
        ("- {kind: wrong_snapshot, step: 4, steps: 2, how: badly}", "fault 1", "badly"),
        ("- {kind: outage, step: 4, steps: 2, how: omit}", "fault 1", "how"),
        ("- {kind: reject, order: 1}\n- {kind: timeout_after, order: 1}", "order 1", "placing"),
        ("- {kind: outage, step: 1, steps: 3}\n- {kind: outage, step: 3, steps: 3}", "step 3", "apart"),
        ("- {kind: reject, order: 1", "plan:", ""),
        ("- &a {kind: reject, order: 1}\n- *a", "plan:1", ""),
    ],
)
def test_what_is_no_plan_is_refused(text: str, place: str, word: str) -> None:
    """The error says where, what was found, and what to write."""
    with pytest.raises(PlanError) as caught:
        load(text, "plan")
    assert place in caught.value.place
    assert word in str(caught.value)
    assert caught.value.remedy


def test_every_kind_says_what_it_does() -> None:
    """Each kind has a phase and one sentence."""
    for kind, about in KINDS.items():
        assert about.does[0].isupper(), kind
        assert about.does.endswith("."), kind
        assert ". " not in about.does, kind


@given(st.integers(0, 2**64), st.integers(0, 100), st.integers(0, 100), st.integers(0, 1000))
@settings(deadline=None)
def test_a_longer_plan_starts_with_the_shorter_one(seed: int, orders: int, count: int, rate: int) -> None:
    """A seeded plan is a function of seed and place; rate 0 is empty, rate 1000 strikes each order."""
    plan = seeded(seed, orders, count, rate)
    longer = seeded(seed, orders + 50, count + 50, rate)
    assert plan == tuple(fault for fault in longer if 0 < fault.order <= orders or 0 < fault.step <= count)
    assert rate != 1000 or {fault.order for fault in plan if fault.order} == set(range(1, orders + 1))
    assert rate or not plan
    Schedule(plan)


def test_a_seeded_plan_knows_every_kind() -> None:
    """Among many orders and steps each kind appears, at about the rate, some orders are struck twice."""
    plan = seeded(1, 2000, 2000, 250)
    assert {fault.kind for fault in plan} == set(FaultKind)
    struck = {fault.order for fault in plan if fault.order}
    assert 400 < len(struck) < 600
    assert len(struck) < sum(fault.order > 0 for fault in plan)
    assert {fault.kind for fault in seeded(1, 500, 500, 250, SEVEN)} == set(SEVEN)
    assert seeded(1, 500, 500, 250, WIDE)
    assert all(fault.order == 0 for fault in seeded(1, 500, 500, 250, WIDE))


def test_a_swarm_leaves_kinds_out() -> None:
    """Each kind is on in about half of the seeds, none is always on, and something is on in each."""
    chosen = [swarm(seed) for seed in range(400)]
    for kind in ALL:
        assert 140 < sum(kind in kinds for kinds in chosen) < 260, kind
    assert all(chosen)
    assert all(swarm(seed, ALL[:1]) == ALL[:1] for seed in range(20))


def test_plain_data_gives_a_plan() -> None:
    """What a configuration holds inline is read like a file."""
    data = [{"kind": "restart", "step": 3}, {"kind": "bust", "order": 2}]
    assert built(data) == (Fault(FaultKind.RESTART, step=3, steps=1), Fault(FaultKind.BUST, order=2))
    assert [plain(fault) for fault in built(data)] == data


@pytest.mark.parametrize(
    "error",
    [
        VenueTimeout("a"),
        VenueUnavailable("here", "place_order"),
        RateLimited("a"),
        VenueRejected("a", "why"),
        InvalidRequest("a", "why"),
        DuplicateId("a"),
    ],
)
def test_an_error_survives_the_way_from_another_process(error: BrokerError) -> None:
    """Pickled and back it has its class, facts and message, and is either transient or permanent."""
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own bytes
    assert (type(again), vars(again), str(again)) == (type(error), vars(error), str(error))
    assert isinstance(error, BrokerError)
    assert isinstance(error, Transient) != isinstance(error, Permanent)
