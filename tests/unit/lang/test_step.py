"""The step: total, atomic, deterministic, and within the declared sorts."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.machine import Always, Event, Machine
from peak_trade.lang.parse import parse
from peak_trade.lang.sorts import BoolSort, EnumSort, IntSort, Sort, inhabits
from peak_trade.lang.source import Source
from peak_trade.lang.step import (
    BUILT_IN,
    PAYLOAD_INVALID,
    UNKNOWN_EVENT,
    VALUE_BOUNDS,
    Broken,
    Ignored,
    Refused,
    Stepper,
    Taken,
    Value,
    initial,
    misfit,
)
from peak_trade.lang.trace import plain, replay, text

anything = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.text(max_size=8),
    st.binary(max_size=8),
)


def payload_of(event: Event) -> st.SearchStrategy[dict[str, Any]]:
    """Return payloads that fit `event`; numbers are small, so that guards on them go both ways."""

    def field(sort: Sort) -> st.SearchStrategy[Any]:
        match sort:
            case BoolSort():
                return st.booleans()
            case IntSort(low, high):
                start = 0 if low is None else low
                return st.integers(start, start + 4 if high is None else min(high, start + 4))
            case EnumSort(_, names):
                return st.sampled_from(names)

    return st.fixed_dictionaries({item.name: field(item.sort) for item in event.payload})


@st.composite
def walks(draw: st.DrawFn, machine: Machine) -> list[tuple[str, dict[str, Any]]]:
    """Return some fitting events of `machine`."""
    events = draw(st.lists(st.sampled_from(machine.events), max_size=25))
    return [(event.name, draw(payload_of(event))) for event in events]


@given(st.data())
def test_the_step_is_total_and_atomic(shipped: Machine, data: st.DataObject) -> None:
    """Whatever is offered in whatever reachable value, an outcome comes back, and no change without `Taken`."""
    stepper, value = Stepper.of(shipped), initial(shipped)
    for event, payload in data.draw(walks(shipped)):
        value = stepper.step(value, event, payload)[1]
    names = st.sampled_from([field.name for event in shipped.events for field in event.payload]) | st.text(max_size=5)
    event = data.draw(st.sampled_from([event.name for event in shipped.events]) | st.text())
    payload = data.draw(st.dictionaries(names | st.integers() | st.none(), anything, max_size=7))
    outcome, after = stepper.step(value, event, payload)
    assert isinstance(outcome, Taken | Ignored | Refused | Broken)
    assert isinstance(outcome, Taken) or after is value


@given(st.data())
def test_every_value_on_a_walk_is_well_sorted_and_keeps_the_invariants(shipped: Machine, data: st.DataObject) -> None:
    """After any fitting events each variable is of its sort, every invariant holds, and nothing ever breaks one."""
    stepper, value = Stepper.of(shipped), initial(shipped)
    for event, payload in data.draw(walks(shipped)):
        outcome, value = stepper.step(value, event, payload)
        assert not isinstance(outcome, Broken)
        assert value.state in {state.name for state in shipped.states}
        for variable, scalar in zip(shipped.variables, value.context, strict=True):
            assert inhabits(scalar, variable.sort)
        names = dict(zip([item.name for item in shipped.variables], value.context, strict=True))
        claims = [item for item in shipped.properties if isinstance(item, Always)]
        assert all(evaluate(claim.holds, Env(names, state=value.state)) for claim in claims)


@given(st.data())
def test_exactly_one_choice_of_a_cell_applies(shipped: Machine, data: st.DataObject) -> None:
    """On fitting payloads the order of rows cannot matter, because one row applies and one only."""
    stepper, value = Stepper.of(shipped), initial(shipped)
    for event, payload in data.draw(walks(shipped)):
        names = dict(zip([item.name for item in shipped.variables], value.context, strict=True))
        env = Env(names, payload, value.state, event)
        assert sum(evaluate(choice.when, env) for choice in stepper.table[value.state, event]) == 1
        value = stepper.step(value, event, payload)[1]


@given(st.data())
def test_a_payload_of_other_sorts_is_refused_by_the_fields_name(shipped: Machine, data: st.DataObject) -> None:
    """A payload with a field missing, unknown or of another type is refused before any guard sees it."""
    event = data.draw(st.sampled_from([event for event in shipped.events if event.payload]))
    payload: dict[Any, Any] = data.draw(payload_of(event))
    field = data.draw(st.sampled_from(event.payload))
    wrong = data.draw(st.sampled_from(["missing", "unknown", "type"]))
    if wrong == "missing":
        del payload[field.name]
    elif wrong == "unknown":
        payload["surprise"] = 1
    else:
        payload[field.name] = 1 if isinstance(field.sort, BoolSort) else True
    outcome, after = Stepper.of(shipped).step(initial(shipped), event.name, payload)
    assert outcome == Refused(PAYLOAD_INVALID, "surprise" if wrong == "unknown" else field.name)
    assert after == initial(shipped)


@given(st.data())
def test_misfit_is_none_iff_the_payload_fits(shipped: Machine, data: st.DataObject) -> None:
    """`misfit` agrees with the definition: the same names, each value of its sort."""
    event = data.draw(st.sampled_from(shipped.events))
    payload: Mapping[str, Any] = data.draw(
        payload_of(event) | st.dictionaries(st.sampled_from([field.name for field in event.payload] or ["x"]), anything)
    )
    names = {field.name for field in event.payload}
    fits = payload.keys() == names and all(inhabits(payload[item.name], item.sort) for item in event.payload)
    assert (misfit(event, payload) is None) is fits


@given(st.text())
def test_an_event_that_is_not_declared_is_refused(shipped: Machine, name: str) -> None:
    """An unknown event is refused by its own reason, in every state."""
    if name not in {event.name for event in shipped.events}:
        for state in shipped.states:
            value = Value(state.name, initial(shipped).context)
            assert Stepper.of(shipped).step(value, name, {}) == (Refused(UNKNOWN_EVENT, name), value)


@settings(max_examples=30)
@given(st.data())
def test_a_replayed_trace_is_the_run(shipped: Machine, data: st.DataObject) -> None:
    """Replay gives the same values as stepping; its plain form names exactly what changed."""
    events = data.draw(walks(shipped))
    trace = replay(shipped, initial(shipped), tuple(events))
    stepper, value, context = Stepper.of(shipped), initial(shipped), plain(shipped, trace)["start"]["context"]
    for (event, payload), link, step in zip(events, trace.links, plain(shipped, trace)["steps"], strict=True):
        outcome, value = stepper.step(value, event, payload)
        assert (link.outcome, link.value) == (outcome, value)
        assert all(context[name] != new for name, new in step["changed"].items())
        context |= step["changed"]
        assert tuple(context.values()) == value.context
        assert step["state"] == value.state
    assert trace.last == value
    assert len(text(shipped, trace).splitlines()) == len(events) + 1


TANK = """
machine: tank
version: 1
summary: A tank of bounded size.
context:
  level: {type: int, min: 0, max: 10, init: 8, unit: lots, doc: what is in it}
  full: {type: bool, init: false, doc: whether it was ever full}
states: {OPEN: {initial: true, doc: open}}
events:
  pour: {origin: operator, doc: pour, payload: {amount: {type: int, doc: how much}}}
reasons: {shut: It is shut.}
transitions:
  - {id: T1, from: OPEN, on: pour, require: {shut: not full}, set: {full: level + amount == 10, level: level + amount}}
properties:
  - {id: P1, always: level != 9, says: There is never nine in it.}
"""


def test_locks_then_bounds_then_invariants_decide() -> None:
    """Updates see the value before the step, all at once; the first of lock, bound and invariant names the refusal."""
    tank = parse(Source("tank", TANK)).machine
    assert tank is not None
    stepper, start = Stepper.of(tank), initial(tank)
    assert stepper.step(start, "pour", {"amount": 3}) == (Refused(VALUE_BOUNDS, "level"), start)
    assert stepper.step(start, "pour", {"amount": -9}) == (Refused(VALUE_BOUNDS, "level"), start)
    assert stepper.step(start, "pour", {"amount": 1}) == (Broken("P1"), start)
    full = Value("OPEN", (10, True))
    assert stepper.step(start, "pour", {"amount": 2}) == (Taken("T1"), full)
    assert stepper.step(full, "pour", {"amount": 1}) == (Refused("shut", "T1"), full)
    assert frozenset({UNKNOWN_EVENT, PAYLOAD_INVALID, VALUE_BOUNDS}) == BUILT_IN
