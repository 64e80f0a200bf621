"""Coverage adds up in any order, and a session's is what its journal says and its machines' values were."""

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.fuzz.cover.coverage import KINDS, Coverage, Goal, Tally, counts_of
from peak_trade.fuzz.cover.goals import goals, surroundings
from peak_trade.fuzz.cover.sightings import sighted
from peak_trade.fuzz.play import Played
from peak_trade.fuzz.rows import usual
from peak_trade.fuzz.seeded import seeded_world
from peak_trade.fuzz.world import Machines
from peak_trade.journal.record import Record
from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.expr import And
from peak_trade.lang.step import BUILT_IN, Stepper, Value, initial

Plays = Callable[..., Played]
names = st.builds(Goal, st.sampled_from(KINDS), st.sampled_from(("", "order")), st.sampled_from("abc"))
coverages = st.dictionaries(names, st.builds(Tally, st.integers(1, 9), st.integers(0, 9))).map(Coverage)
SEEDS = (2, 3, 6)


def merged(*parts: Coverage) -> Coverage:
    """The sum of coverages, one after the other."""
    found = Coverage()
    for part in parts:
        found.merge(part)
    return found


@given(st.lists(coverages, max_size=4), st.randoms(use_true_random=False))
def test_coverages_add_up_in_any_order(parts: list[Coverage], chance: object) -> None:
    """Merging is a sum of counts and the smallest seed, whatever comes first; a part is not changed by it."""
    before = [part.plain() for part in parts]
    whole = merged(*parts).plain()
    shuffled = list(parts)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis gives a `Random`
    assert merged(*shuffled).plain() == whole
    assert merged(merged(*parts[:2]), merged(*parts[2:])).plain() == whole
    assert [part.plain() for part in parts] == before


@given(coverages)
def test_a_coverage_goes_through_json(found: Coverage) -> None:
    """What `plain` says is JSON, sorted, and read back as it was."""
    again = Coverage.of(json.loads(json.dumps(found.plain())))
    assert again.goals == found.goals
    assert [item[:3] for item in found.plain()] == sorted(item[:3] for item in found.plain())


def test_hits_missed_and_counts() -> None:
    """A goal that was seen 0 times was not seen; what is missed keeps its order."""
    one, two, three = (Goal("state", "order", name) for name in ("new", "filled", "denied"))
    found = Coverage()
    found.hit(one, 5, 3)
    found.hit(one, 4)
    found.hit(two, 1, 0)
    assert (found.count(one), found.count(two), found.goals[one]) == (4, 0, Tally(4, 4))
    assert found.missed((three, one, two)) == (three, two)
    assert counts_of(found, "state", "order") == {"new": 4}
    assert str(one) == "state:order.new"
    assert str(Goal("fault", "", "bust")) == "fault:bust"


@pytest.fixture(scope="module")
def wanted(machines: Machines) -> frozenset[Goal]:
    """Every goal that a campaign of sessions has."""
    return frozenset((*goals(machines.session), *goals(machines.order), *goals(machines.breaker), *surroundings()))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_session_covers_what_its_journal_says(
    plays: Plays, machines: Machines, wanted: frozenset[Goal], seed: int
) -> None:
    """Taken steps, refusals, tripwires, rails, differences and faults are counted as often as they stand there."""
    played = plays(seeded_world(seed))
    found = sighted(machines, played.records, played.fired, seed)
    assert {goal for goal in found.goals.keys() - wanted if goal.name not in BUILT_IN} == set()
    assert {tally.seed for tally in found.goals.values()} == {seed}
    for kind, machine in (("session", machines.session), ("order", machines.order)):
        own = [record.body for record in played.records if record.kind == kind]
        taken = Counter(str(body["by"]) for body in own if body["outcome"] == "taken")
        assert counts_of(found, "transition", machine.name) == taken
        arcs = Counter[str]()
        for name, count in counts_of(found, "arc", machine.name).items():
            arcs[name.partition("@")[0]] += count
        assert arcs == taken
        lives: dict[str, list[str]] = {}
        for body in own:
            lives.setdefault(str(body.get("order")), []).extend([str(body["by"])] if body["outcome"] == "taken" else [])
        pairs = Counter(f"{one}>{two}" for life in lives.values() for one, two in pairwise(life))
        assert counts_of(found, "pair", machine.name) == pairs
        refused = Counter(str(body["by"]) for body in own if body["outcome"] in ("ignored", "refused"))
        assert counts_of(found, "refusal", machine.name) == refused
        assert {body["state"] for body in own} <= counts_of(found, "state", machine.name).keys()
    told = {kind: [record.body for record in played.records if record.kind == kind] for kind in ("trip", "difference")}
    assert counts_of(found, "tripwire", "") == Counter(body["wire"] for body in told["trip"])
    assert counts_of(found, "difference", "") == Counter(body["code"] for body in told["difference"])
    rails = (record.body["rail"] for record in played.records if record.body.get("rail"))
    assert counts_of(found, "rail", "") == Counter(rails)
    assert counts_of(found, "fault", "") == {kind: count for kind, count in played.fired.items() if count}


def test_clauses_are_those_of_the_values_along_the_way(plays: Plays, machines: Machines) -> None:
    """Each order stepped by the definition of meaning has, in each of its cells, the clauses that are counted."""
    order, stepper = machines.order, Stepper.of(machines.order)
    rows = [row for row in order.transitions if row.name in ("O04", "O10", "O11", "O50") and len(row.sources) > 1]
    alone = [row for row in rows if not isinstance(row.when, And)]
    expected, found = Counter[str](), Counter[str]()
    for seed in SEEDS:
        played, values = plays(seeded_world(seed)), dict[str, Value]()
        for body in (record.body for record in played.records if record.kind == "order"):
            name, event = str(body["order"]), order.event(str(body["event"]))
            value = values.setdefault(name, initial(order))
            payload: dict[str, Any] = {item.name: body[item.name] for item in event.payload}
            context = {item.name: one for item, one in zip(order.variables, value.context, strict=True)}
            for row in alone:
                if row.event == event.name and value.state in row.sources:
                    holds = evaluate(row.when, Env(context, payload, value.state, event.name))
                    expected[f"{row.name}.when.1={'true' if holds else 'false'}"] += 1
            values[name] = stepper.step(value, event.name, payload)[1]
        seen = counts_of(sighted(machines, played.records, {}, seed), "clause", "order")
        found.update({name: count for name, count in seen.items() if name.split(".")[0] in {row.name for row in alone}})
    assert found == expected
    assert len(expected) > 3


def test_a_session_that_died_covers_what_one_that_lived_does(plays: Plays, machines: Machines) -> None:
    """A resumed session's journal is one trace: nothing is seen twice because a process began anew."""
    lived, died = plays(usual(3)), plays(replace(usual(3), crashes=(13,)))
    assert died.deaths == 1
    one, other = (sighted(machines, played.records, {}, 1) for played in (lived, died))
    assert one.plain() == other.plain()


def test_after_a_record_that_its_machine_does_not_give_no_more_is_seen_of_it(plays: Plays, machines: Machines) -> None:
    """One order's record is forged: what follows about it is not counted, and all about the others is."""
    records = list(plays(seeded_world(3)).records)
    place = next(at for at, record in enumerate(records) if record.body.get("event") == "accept")
    name = records[place].body["order"]
    body = {**records[place].body, "by": "O11"}
    forged = [*records[:place], Record(records[place].seq, "order", body), *records[place + 1 :]]
    rest = [record for at, record in enumerate(records) if at < place or record.body.get("order") != name]
    assert sighted(machines, forged, {}, 3).plain() == sighted(machines, rest, {}, 3).plain()
    assert len(rest) < len(records)


def test_the_breaker_is_seen_in_its_states(machines: Machines) -> None:
    """Of the breaker the states between commits are known, each time it comes to another one."""
    states = ("closed", "open", "open", "half_open", "closed")
    records = [Record(at, "breaker", {"state": state}) for at, state in enumerate(states)]
    found = sighted(machines, records, {}, 0)
    assert counts_of(found, "state", "breaker") == {"closed": 2, "open": 1, "half_open": 1}
