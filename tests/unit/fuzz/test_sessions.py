"""Whole sessions of seeds: what is counted of them, and that whatever one does is told with its seed."""

import pytest

from peak_trade.broker.faults import FaultKind
from peak_trade.fuzz.campaign.sessions import session_of, sessions
from peak_trade.fuzz.found import trial as trials
from peak_trade.fuzz.jobs import Job
from peak_trade.fuzz.seeded import INTERRUPTS, seeded_world
from peak_trade.fuzz.world import Machines

JOB = Job(engine="sessions", seed=1, count=6, specs={})


def test_the_worlds_of_many_seeds_have_everything() -> None:
    """Within some hundred seeds each kind is planned, and there are deaths and interruptions of each sort."""
    worlds = [seeded_world(seed) for seed in range(300)]
    planned = {str(fault["kind"]) for world in worlds for fault in world.config.faults}
    assert planned == {str(kind) for kind in FaultKind}
    assert {len(world.crashes) for world in worlds} == {0, 1, 2}
    assert {deed.what for world in worlds for deed in world.deeds} >= {"replace", "replace_all", *INTERRUPTS}
    assert (seeded_world(7).config, seeded_world(7).deeds) == (seeded_world(7).config, seeded_world(7).deeds)
    assert seeded_world(7).config != seeded_world(8).config


def test_a_job_adds_up_its_sessions(machines: Machines) -> None:
    """The sums of six sessions are those of three and three, and each ended and healed exactly once."""
    whole = sessions(machines, JOB)
    halves = [sessions(machines, JOB.model_copy(update={"seed": seed, "count": 3})) for seed in (1, 4)]
    names = {name for half in halves for name in half.figures}
    assert whole.figures == {name: sum(half.figures.get(name, 0) for half in halves) for name in sorted(names)}
    for prefix in ("end: ", "healed: "):
        assert sum(count for name, count in whole.figures.items() if name.startswith(prefix)) == JOB.count
    assert whole.findings == []
    assert len(whole.coverage) > 100


def test_an_error_in_a_session_is_told_with_its_seed(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a session raises is a finding of that seed, and the job goes on."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(trials, "play", broken)
    found = sessions(machines, JOB.model_copy(update={"count": 2}))
    assert [item["seed"] for item in found.findings] == [1, 2]
    assert {item["problem"] for item in found.findings} == {"ZeroDivisionError: by nothing"}
    assert found.figures["end: RAISED"] == 2


def test_a_cancel_that_a_restarted_venue_forgot_is_told_or_mended(machines: Machines) -> None:
    """Book and venue have the same status of each order at the end, or the session says which differ."""
    assert session_of(1426, machines).problems == ()
