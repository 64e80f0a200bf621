"""A trace as a file and back, and what is said of files that are none."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peak_trade.lang.machine import Machine, Variable
from peak_trade.lang.parse import parse_file
from peak_trade.lang.sorts import INT, MapSort
from peak_trade.lang.step import initial
from peak_trade.lang.trace import Trace, replay
from peak_trade.proof.lockstep.draw import pick
from peak_trade.proof.recall.itf import DIGITS_MAX, STATES_MAX, TraceError, record, told_of, trace_of, write

ROOT = Path(__file__).resolve().parents[3]
STEPS = 12
Edit = Callable[[dict[str, Any]], object]


def read(path: str) -> Machine:
    """The machine of a file of this project."""
    machine = parse_file(ROOT / path).machine
    assert machine is not None
    return machine


ELEVATOR = read("docs/models/elevator.yaml")
MACHINES = (ELEVATOR, read("docs/models/needham-schroeder.yaml"), read("docs/models/bank-retry.yaml"))


def walk(machine: Machine, seed: int) -> Trace:
    """Steps of `machine` on random payloads, taken or not."""
    rng, value = Random(seed), initial(machine)
    offers = []
    for _ in range(STEPS):
        event = rng.choice(machine.events)
        offers.append((event.name, {item.name: pick(rng, item.sort, value) for item in event.payload}))
    return replay(machine, value, tuple(offers))


def told(machine: Machine, says: str = "made up") -> str:
    """The text of a trace of `machine` that climbs two floors, or of a random one."""
    up = (("press", {"wanted": 2}), ("go_on", {}), ("go_on", {}), ("go_on", {}))
    trace = replay(machine, initial(machine), up) if machine == ELEVATOR else walk(machine, 1)
    return write(machine, told_of(machine, ("ELE-W1", "witness", says), "proved", "witness"), trace)


@given(st.sampled_from(MACHINES), st.integers(0, 2**32), st.text(max_size=20))
@settings(max_examples=60, deadline=None)
def test_what_was_written_is_read_back(machine: Machine, seed: int, says: str) -> None:
    """Any trace of any machine comes back as it was, with what it tells; written again it has the same bytes."""
    trace, about = walk(machine, seed), told_of(machine, ("X-1", "always", says), "refuted", "made up")
    text = write(machine, about, trace)
    found = record(text, "x.json")
    assert found.told == about
    assert trace_of(found, machine) == trace
    assert write(machine, found.told, trace_of(found, machine)) == text


def test_it_is_the_informal_trace_format() -> None:
    """Numbers are `#bigint`, members are texts, states are numbered, and each variable is named in `vars`."""
    data = json.loads(told(ELEVATOR))
    assert data["#meta"]["format"] == "ITF"
    assert [state["#meta"]["index"] for state in data["states"]] == [0, 1, 2, 3, 4]
    assert data["states"][2]["floor"] == {"#bigint": "1"}
    assert data["states"][1]["mbt::actionTaken"] == "press"
    assert data["states"][1]["mbt::nondetPicks"] == {"wanted": {"#bigint": "2"}}
    assert data["states"][1]["peak::outcome"] == {"tag": "Taken", "value": "E1"}
    assert all(set(data["vars"]) == set(state) - {"#meta"} for state in data["states"])


def test_a_map_is_a_map() -> None:
    """A variable that is a map is a `#map` of its entries, and comes back as it was."""
    book = Variable("book", MapSort(INT), ((-3, 2**70), (5, 1)), "x")
    machine = replace(ELEVATOR, variables=(*ELEVATOR.variables, book))
    trace = replay(machine, initial(machine), (("go_on", {}),))
    text = write(machine, told_of(machine, ("X", "x", "x"), "proved", "x"), trace)
    entries = json.loads(text)["states"][0]["book"]["#map"]
    assert entries == [[{"#bigint": "-3"}, {"#bigint": str(2**70)}], [{"#bigint": "5"}, {"#bigint": "1"}]]
    assert trace_of(record(text, "x.json"), machine) == trace


def test_plain_numbers_are_read_too() -> None:
    """The format lets others write small numbers as they are."""
    data = json.loads(told(ELEVATOR))
    data["states"][2]["floor"] = 1
    assert trace_of(record(json.dumps(data), "x"), ELEVATOR) == trace_of(record(told(ELEVATOR), "x"), ELEVATOR)


def put(*path: str | int, value: object) -> Edit:
    """An edit that puts `value` at a place."""

    def edit(data: dict[str, Any]) -> None:
        part: Any = data
        for key in path[:-1]:
            part = part[key]
        part[path[-1]] = value

    return edit


WRONG: dict[str, tuple[Edit, str]] = {
    "another format": (put("#meta", "format", value="CSV"), "#meta"),
    "no property": (lambda data: data["#meta"].pop("property"), "#meta, property"),
    "a number for a text": (put("#meta", "why", value=3), "#meta, why"),
    "no states": (put("states", value=[]), "states"),
    "too many states": (put("states", value=[{}] * (STATES_MAX + 1)), "states"),
    "a state that is none": (put("states", 1, value=7), "state 1"),
    "another variable": (lambda data: data["vars"].append("roof"), "vars"),
    "a variable without a value": (lambda data: data["states"][2].pop("floor"), "state 2, floor"),
    "a truth value for a number": (put("states", 2, "floor", value=True), "state 2, floor"),
    "a float": (put("states", 2, "floor", value=1.0), "state 2, floor"),
    "no digits": (put("states", 2, "floor", value={"#bigint": "one"}), "state 2, floor"),
    "digits of another script": (put("states", 2, "floor", value={"#bigint": "١"}), "state 2, floor"),
    "too many digits": (put("states", 2, "floor", value={"#bigint": "1" * (DIGITS_MAX + 1)}), "state 2, floor"),
    "a number for a truth value": (put("states", 0, "door_open", value=0), "state 0, door_open"),
    "an unknown state": (put("states", 3, "state", value="flying"), "state 3, state"),
    "an unknown event": (put("states", 1, "mbt::actionTaken", value="jump"), "state 1, mbt::actionTaken"),
    "another payload": (put("states", 1, "mbt::nondetPicks", value={}), "state 1, mbt::nondetPicks"),
    "a payload of another sort": (put("states", 1, "mbt::nondetPicks", "wanted", value="up"), "state 1, wanted"),
    "an unknown outcome": (put("states", 1, "peak::outcome", "tag", value="Won"), "state 1, peak::outcome"),
    "an outcome without its words": (put("states", 1, "peak::outcome", value={"tag": "Taken"}), "peak::outcome"),
    "an outcome of another shape": (put("states", 1, "peak::outcome", value=[]), "state 1, peak::outcome"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_refused_with_its_place(case: str) -> None:
    """Each mistake is said with file, place, what was expected and what was there; nothing of it is a traceback."""
    edit, place = WRONG[case]
    data = json.loads(told(ELEVATOR))
    edit(data)
    with pytest.raises(TraceError, match=r"x\.json: .*expected .*, was ") as caught:
        trace_of(record(json.dumps(data), "x.json"), ELEVATOR)
    assert place in caught.value.place


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "nonsense", '{"#meta": 1}', "[" * 100_000, '{"a": NaN}', '{"#meta": {}, "#meta": {}}'],
    ids=["empty", "list", "bare", "words", "number", "deep", "nan", "twice"],
)
def test_what_is_no_trace_at_all_is_refused(text: str) -> None:
    """Text that is no JSON, or no trace, is said to be so."""
    with pytest.raises(TraceError, match="expected"):
        record(text, "x.json")


@given(st.binary(max_size=40), st.integers(0, 3000))
@settings(max_examples=100, deadline=None)
def test_a_damaged_file_is_refused_or_read(noise: bytes, place: int) -> None:
    """Whatever stands in a file, it is a trace or a TraceError, never another exception."""
    text = told(ELEVATOR)
    damaged = text[:place] + noise.decode("latin-1") + text[place + len(noise) :]
    try:
        found = trace_of(record(damaged, "x.json"), ELEVATOR)
    except TraceError:
        return
    assert len(found.links) == 4
