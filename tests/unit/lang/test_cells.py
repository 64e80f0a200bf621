"""The decision table has every cell once, and `otherwise` means what the other rows leave."""

from itertools import product

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies.expressions import PAYLOAD, WIDE, scalars
from strategies.machines import machines

from peak_trade.lang.cells import cells, enabled
from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.machine import Machine, Transition
from peak_trade.lang.sorts import Scalar

VALUES = st.fixed_dictionaries({var.name: scalars(var.sort) for var in (*WIDE, *PAYLOAD)})
SLOW = settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@SLOW
@given(machines())
def test_the_table_has_each_cell_and_each_row_where_it_says(machine: Machine) -> None:
    """The keys are all pairs of state and event; a row stands in exactly the cells that it names."""
    table = cells(machine)
    states, events = [state.name for state in machine.states], [event.name for event in machine.events]
    assert list(table) == list(product(states, events))
    for (state, event), choices in table.items():
        rows = [row for row in machine.transitions if state in row.sources and event == row.event]
        rows += [row for row in machine.dismissals if state in row.states and event in row.events]  # type: ignore[misc]
        assert [choice.row for choice in choices] == rows


@SLOW
@given(machines(), VALUES)
def test_otherwise_applies_iff_no_stated_row_does(machine: Machine, values: dict[str, Scalar]) -> None:
    """The condition written out for `otherwise` is the complement of the others in its cell."""
    for (state, event), choices in cells(machine).items():
        env = Env(values, values, state, event)
        stated = [evaluate(choice.when, env) for choice in choices if choice.row.when is not None]
        for choice in choices:
            if choice.row.when is None:
                assert evaluate(choice.when, env) is not any(stated)
            else:
                assert choice.when is choice.row.when


@SLOW
@given(machines(), VALUES)
def test_enabled_is_the_guard_and_every_lock(machine: Machine, values: dict[str, Scalar]) -> None:
    """A transition is enabled iff it is chosen and each lock is open."""
    for row in machine.transitions:
        assert isinstance(row, Transition)
        env = Env(values, values)
        parts = [row.when, *(lock.holds for lock in row.require)]
        assert evaluate(enabled(row), env) is all(evaluate(part, env) for part in parts)
