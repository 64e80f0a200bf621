"""Campaigns are the same for any executor, and say what they did not learn."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import pytest
from click.testing import CliRunner

from peak_trade.broker.faults import FaultKind
from peak_trade.cli import fuzz
from peak_trade.fuzz import campaign as campaigns
from peak_trade.fuzz.campaign import Figures, campaign, session_of
from peak_trade.fuzz.seeded import seeded_world
from peak_trade.fuzz.world import Machines

SEEDS = range(1, 7)


def test_a_campaign_is_the_same_on_any_executor(machines: Machines) -> None:
    """Its sessions come in the order of their seeds, and are the same ones."""
    work = partial(session_of, machines=machines)
    alone = list(campaign(SEEDS, work))
    with ThreadPoolExecutor(2) as executor:
        assert list(campaign(SEEDS, work, executor)) == alone
    assert [item.seed for item in alone] == list(SEEDS)
    assert [item.problems for item in alone] == [()] * len(SEEDS)


def test_a_class_of_faults_that_never_fired_is_named() -> None:
    """About what never happened nothing was learned."""
    figures = Figures()
    assert set(figures.silent) == {kind.value for kind in FaultKind}
    figures.fired.update({kind.value: 1 for kind in FaultKind})
    figures.fired["bust"] = 0
    assert figures.silent == ("bust",)


def test_the_worlds_of_many_seeds_have_everything() -> None:
    """Within some hundred seeds each kind is planned, and there are deaths and interruptions of each sort."""
    worlds = [seeded_world(seed) for seed in range(300)]
    assert {str(fault["kind"]) for world in worlds for fault in world.config.faults} == {
        str(kind) for kind in FaultKind
    }
    assert {len(world.crashes) for world in worlds} == {0, 1, 2}
    assert {deed.what for world in worlds for deed in world.deeds} == {"replace", "replace_all", *fuzz_interrupts()}
    assert (seeded_world(7).config, seeded_world(7).deeds) == (seeded_world(7).config, seeded_world(7).deeds)
    assert seeded_world(7).config != seeded_world(8).config


def fuzz_interrupts() -> tuple[str, ...]:
    """What may interfere with a session."""
    return ("kill", "stop", "abort", "health_failed", "config_drift")


def test_an_error_in_a_session_is_told_with_its_seed(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a session raises is a problem of that seed, and the campaign goes on."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("by nothing")

    monkeypatch.setattr(campaigns, "play", broken)
    assert session_of(5, machines).problems == ("ZeroDivisionError: by nothing",)


def test_the_command_prints_the_same_for_any_number_of_jobs() -> None:
    """Two processes print what one prints; so few sessions leave classes of faults untouched, which is told."""
    runs = [
        CliRunner().invoke(
            fuzz.command, ["sessions", "--count", "4", "--seed", "11", "--jobs", jobs, "--format", "json"]
        )
        for jobs in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout
    found = json.loads(runs[0].stdout)
    assert found["exit_code"] == runs[0].exit_code == 3
    assert found["never_fired"]
    assert found["sessions"] == 4
    assert sum(found["ends"].values()) == 4


def test_a_failure_is_printed_with_seed_plan_and_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reads it can paste the plan and play the session again."""

    def failing(seed: int, machines: Machines) -> campaigns.Outcome:
        return replace(session_of_seed(seed, machines), problems=("the book has less",))

    session_of_seed = campaigns.session_of
    monkeypatch.setattr(fuzz, "session_of", failing)
    done = CliRunner().invoke(fuzz.command, ["sessions", "--count", "1", "--seed", "12", "--jobs", "1"])
    assert done.exit_code == 1
    assert "✗ seed 12:" in done.stdout
    assert "the book has less" in done.stdout
    assert '"kind": ' in done.stdout
    assert "next: peak fuzz sessions --count 1 --seed 12" in done.stderr


def test_a_cancel_that_a_restarted_venue_forgot_is_told_or_mended(machines: Machines) -> None:
    """Book and venue have the same status of each order at the end, or the session says which differ."""
    assert session_of(1426, machines).problems == ()
