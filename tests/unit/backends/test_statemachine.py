from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import statemachine
from statemachine.exceptions import TransitionNotAllowed

from peak_trade.backends.kernel import IllSorted, Kernel, Unnameable, compile_kernel
from peak_trade.backends.statemachine import STRICT, Blocked, Book, Driver, EnginesDisagree, flags, machine_class
from peak_trade.lang.cells import enabled
from peak_trade.lang.expr import TRUE
from peak_trade.lang.machine import Machine
from peak_trade.lang.parse import parse_file
from peak_trade.lang.pretty import expression
from peak_trade.lang.reserved import why_reserved
from peak_trade.lang.step import Broken, Ignored, Refused, Taken, Value

ROOT = Path(__file__).resolve().parents[3]


def declared(name: str) -> Machine:
    """The machine that the project declares under this name."""
    machine = parse_file(ROOT / "spec" / f"{name}.yaml").machine
    assert machine is not None
    return machine


KERNELS = {name: compile_kernel(declared(name)) for name in ("order", "session")}
KERNEL = KERNELS["order"]
QUIET = (False, 0, 0, "plain")
"""What an order has besides its quantities while nothing is asked, pending or marked."""
CANCELED = Value("canceled", (10, 4, 0, *QUIET))


def engine_at(state: str, *context: Any) -> tuple[Any, Book]:
    """A machine of the library at a value, and its book."""
    book = Book((state, *context))
    return machine_class(KERNEL)(book), book


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_the_class_fails_loudly(kernel: Kernel) -> None:
    """All four flags have their strict values, those of the library's own StateMachine."""
    wanted = {
        "allow_event_without_transition": False,
        "catch_errors_as_events": False,
        "enable_self_transition_entries": False,
        "atomic_configuration_update": True,
    }
    assert flags(machine_class(kernel)) == wanted == STRICT
    assert {name: getattr(statemachine.StateMachine, name) for name in wanted} == wanted


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_the_class_has_the_states_and_events_of_the_machine(kernel: Kernel) -> None:
    """States and events are those declared, no more, and no state is final."""
    engine = machine_class(kernel)
    happening = {row.event for row in kernel.machine.transitions} | {event for _, event in kernel.ignored}
    assert {event.id for event in engine._events} == happening
    assert [state.id for state in engine.states] == [state.name for state in kernel.machine.states]
    assert [state.id for state in engine.states if state.initial] == [kernel.machine.initial.name]
    assert not engine.final_states


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
def test_diagrams_show_guards(kernel: Kernel) -> None:
    """Every guard's name is its text, and every callback's qualified name is its own."""
    shown, qualified, callbacks = set(), set(), set()
    for state in machine_class(kernel).states:
        for transition in state.transitions:
            for spec in transition._specs:
                if callable(spec.func):
                    callbacks.add(spec.func)
                    qualified.add(spec.func.__qualname__)
            shown |= {str(spec) for spec in transition.cond}
    taken = {expression(enabled(row)) for row in kernel.machine.transitions if enabled(row) != TRUE}
    ignored = {row.text for rows in kernel.ignored.values() for row in rows if row.guard is not None}
    assert taken
    assert ignored
    assert shown == taken | ignored
    words = {name.rpartition(".")[2] for name in qualified}
    assert len({function.__code__.co_varnames[:2] for function in callbacks}) == 1
    assert all(f"update_{row.name}" in words for row in kernel.machine.transitions)


def test_one_class_for_each_fingerprint() -> None:
    """Kernels of equal machines share a class, others do not; the library's registry would keep each for ever."""
    assert machine_class(KERNEL) is machine_class(compile_kernel(declared("order")))
    assert machine_class(KERNEL) is not machine_class(KERNELS["session"])


def test_every_public_name_of_the_library_is_reserved() -> None:
    """No state or event can have the name of anything that the library's machines have."""
    public = {name for name in dir(statemachine.StateMachine) if not name.startswith("_")}
    assert len(public) > 20
    assert not [name for name in public if not why_reserved(name)]


@pytest.mark.parametrize("name", ["on_fill", "before_fill", "after_fill", "on_enter_new", "mro", "initial_state"])
def test_names_that_the_library_would_call_are_refused(name: str) -> None:
    """An event that the library takes for a callback or an attribute of its own makes no class."""
    first, *rest = KERNEL.machine.events
    machine = replace(KERNEL.machine, events=(replace(first, name=name), *rest))
    rows = tuple(replace(row, event=name if row.event == first.name else row.event) for row in machine.transitions)
    with pytest.raises(Unnameable) as caught:
        machine_class(compile_kernel(replace(machine, transitions=rows, dismissals=())))
    assert caught.value.name == name


def test_the_library_returns_outcomes() -> None:
    """Sent straight to the library, an event gives what was taken or ignored, and the book moves with it."""
    engine, book = engine_at("partially_filled", 10, 4, 6, *QUIET)
    assert engine.send("fill", payload=(1,)) == Taken("O10")
    assert engine.send("accept", payload=()) == Ignored("duplicate_accept")
    assert (book.state, book.value) == ("partially_filled", ("partially_filled", 10, 5, 5, *QUIET))


def test_the_library_refuses_with_exceptions() -> None:
    """A refused event, a wrong payload and a broken invariant raise, and leave state and value as they were."""
    engine, book = engine_at("partially_filled", 10, 4, 6, *QUIET)
    with pytest.raises(TransitionNotAllowed):
        engine.send("fill", payload=(7,))
    for payload, field in (((True,), "last_qty"), ((), "last_qty"), ((1, 2), "*")):
        with pytest.raises(Blocked) as blocked:
            engine.send("fill", payload=payload)
        assert blocked.value.outcome == Refused("payload_invalid", field)
    assert (book.state, book.value) == ("partially_filled", ("partially_filled", 10, 4, 6, *QUIET))


def test_a_broken_step_leaves_nothing_half_done() -> None:
    """The library rolls back the state but not the context; the update is judged before it is written."""
    engine, book = engine_at("new", 10, 0, 3, *QUIET)
    for event, payload in (("cancel", ()), ("pend_cancel", ()), ("fill", (2,)), ("inform", (10, 0))):
        with pytest.raises(Blocked) as blocked:
            engine.send(event, payload=payload)
        assert blocked.value.outcome == Broken("ORD-2")
        assert (book.state, book.value) == ("new", ("new", 10, 0, 3, *QUIET))
    with pytest.raises(Blocked) as blocked:
        engine.send("fill", payload=(5,))
    assert blocked.value.outcome == Refused("value_bounds", "leaves")


def test_a_terminal_state_still_answers() -> None:
    """A fill after the close counts, its bust too, and what is refused then raises instead of vanishing."""
    engine, book = engine_at("canceled", 10, 4, 0, *QUIET)
    assert engine.send("fill", payload=(6,)) == Taken("O14")
    assert book.value == ("canceled", 10, 10, 0, *QUIET)
    assert engine.send("bust", payload=(4,)) == Taken("O19")
    assert engine.send("correct", payload=(7,)) == Taken("O26")
    assert book.value == ("canceled", 10, 7, 0, *QUIET)
    engine, _ = engine_at("rejected", 10, 0, 0, *QUIET)
    with pytest.raises(TransitionNotAllowed):
        engine.send("expire", payload=())


def test_a_driver_gives_the_kernel_s_reasons() -> None:
    """Taken, ignored and refused events come back as the kernel says, and the value moves only when taken."""
    driver = Driver(KERNEL)
    script: list[tuple[str, dict[str, Any], Any]] = [
        ("submit", {"order_qty": 5}, Taken("O01")),
        ("time_out", {}, Taken("O05")),
        ("cancel", {}, Refused("outcome_unknown")),
        ("accept", {}, Taken("O03")),
        ("fill", {"last_qty": 2}, Taken("O10")),
        ("fill", {"last_qty": 9}, Refused("overfill")),
        ("fill", {}, Refused("payload_invalid", "last_qty")),
        ("fill", {"last_qty": 1, "more": 1}, Refused("payload_invalid", "more")),
        ("accept", {}, Ignored("duplicate_accept")),
        ("cancel_reject", {}, Ignored("no_cancel_pending")),
        ("nonsense", {}, Refused("unknown_event", "nonsense")),
        ("states", {}, Refused("unknown_event", "states")),
        ("cancel", {}, Taken("O50")),
        ("cancel", {}, Refused("cancel_pending")),
        ("pend_cancel", {}, Taken("O51")),
        ("pend_cancel", {}, Ignored("duplicate_pending")),
        ("cancel_accept", {}, Taken("O52")),
        ("fill", {"last_qty": 1}, Taken("O14")),
    ]
    for event, payload, outcome in script:
        before = driver.value
        assert driver.fire(event, payload) == outcome
        assert isinstance(outcome, Taken) or driver.value is before
    assert (driver.state, driver.value, driver.variable("cum")) == ("canceled", ("canceled", 5, 3, 0, *QUIET), 3)
    with pytest.raises(KeyError):
        driver.variable("nothing")


def test_each_lock_is_refused_by_its_own_name() -> None:
    """The live gate's first closed lock names the refusal, with the transition that it locks."""
    names = [item.name for item in KERNELS["session"].machine.variables]
    open_gate: dict[str, Any] = {
        "live_flag": True,
        "allowlist_count": 1,
        "adapter": "mock",
        "journal_ok": True,
        "kill_switch": "clear",
        "running_digest": 9,
        "test_override_given": True,
        "override_granted": True,
        "override_digest": 9,
        "override_until": 5,
        "step_no": 0,
        "open_orders": 0,
        "trading": "active",
        "stop_budget": 100,
        "operator_needed": False,
    }
    closed: dict[str, dict[str, Any]] = {
        "flag_off": {"live_flag": False},
        "allowlist_empty": {"allowlist_count": 0},
        "override_missing": {"override_granted": False},
        "override_expired": {"step_no": 5},
        "digest_changed": {"override_digest": 8},
        "kill_switch_latched": {"kill_switch": "latched"},
    }
    for reason, change in closed.items():
        context = open_gate | change
        driver = Driver.at(KERNELS["session"], Value("DRYRUN_ACTIVE", tuple(context[name] for name in names)))
        assert driver.fire("go_live", {}) == Refused(reason, "S22")
    driver.restore(Value("DRYRUN_ACTIVE", tuple(open_gate[name] for name in names)))
    assert driver.fire("go_live", {}) == Taken("S22")
    assert driver.state == "LIVE_ACTIVE"


def test_the_trading_lock_is_refused_by_its_own_name() -> None:
    """Reduced trading refuses what adds to a position, halted trading everything, each by name; resuming opens both."""
    kernel = KERNELS["session"]
    start = dict(zip((item.name for item in kernel.machine.variables), kernel.initial[1:], strict=True))
    checked = start | {"allowlist_count": 1, "adapter": "mock", "journal_ok": True, "kill_switch": "clear"}
    driver = Driver.at(kernel, Value("DRYRUN_ACTIVE", tuple((checked | {"running_digest": 9}).values())))
    adding, reducing = {"sent": 2, "adding": 1}, {"sent": 2, "adding": 0}
    script: list[tuple[str, dict[str, Any], Any]] = [
        ("resume_trading", {}, Refused("not_restricted", "S39")),
        ("order_batch", adding, Taken("S33")),
        ("reduce_trading", {}, Taken("S37")),
        ("reduce_trading", {}, Ignored("already_restricted")),
        ("order_batch", adding, Refused("only_reducing", "S33")),
        ("order_batch", reducing, Taken("S33")),
        ("halt_trading", {}, Taken("S38")),
        ("halt_trading", {}, Ignored("already_restricted")),
        ("order_batch", reducing, Refused("trading_halted", "S33")),
        ("resume_trading", {}, Taken("S39")),
        ("order_batch", adding, Taken("S33")),
    ]
    for event, payload, outcome in script:
        assert driver.fire(event, payload) == outcome
    assert (driver.variable("open_orders"), driver.variable("trading")) == (6, "active")


def test_a_driver_goes_on_from_a_value() -> None:
    """A driver made at a value, or put there, steps from it; a value of another machine is refused."""
    driver = Driver.at(KERNEL, CANCELED)
    assert driver.fire("fill", {"last_qty": 1}) == Taken("O14")
    driver.restore(CANCELED)
    assert KERNEL.dump(driver.value) == CANCELED
    assert driver.fire("fill", {"last_qty": 2}) == Taken("O14")
    for wrong in (Value("nowhere", CANCELED.context), Value("canceled", (10, -4, 0, *QUIET))):
        with pytest.raises(IllSorted):
            Driver.at(KERNEL, wrong)
        with pytest.raises(IllSorted):
            driver.restore(wrong)


def sabotaged(name: str, **changes: Any) -> Kernel:
    """The order's kernel with some of its functions replaced, and a class of its own."""
    return replace(KERNEL, fingerprint=f"sabotaged: {name}", **changes)


def test_a_false_guard_is_found() -> None:
    """A guard that lets everything through makes the engines differ; the driver says how, and never steps again."""
    driver = Driver.at(
        sabotaged("loose", guards={**KERNEL.guards, "O10": lambda _, __: True}), Value("new", (5, 0, 5, *QUIET))
    )
    with pytest.raises(EnginesDisagree) as caught:
        driver.fire("fill", {"last_qty": 5})
    assert caught.value.event == "fill"
    assert caught.value.payload == (5,)
    assert caught.value.expected == (Taken("O11"), ("filled", 5, 5, 0, *QUIET))
    assert caught.value.was == (Broken("ORD-13"), ("new", 5, 0, 5, *QUIET))
    with pytest.raises(EnginesDisagree):
        driver.fire("accept", {})


def test_a_guard_that_stays_shut_is_found() -> None:
    """If the library finds no transition where the kernel takes one, its outcome is None."""
    driver = Driver.at(
        sabotaged("shut", guards={**KERNEL.guards, "O11": lambda _, __: False}), Value("new", (5, 0, 5, *QUIET))
    )
    with pytest.raises(EnginesDisagree) as caught:
        driver.fire("fill", {"last_qty": 5})
    assert caught.value.was == (None, ("new", 5, 0, 5, *QUIET))


def test_a_false_update_is_found() -> None:
    """An update that changes another variable makes the values differ though the outcome is the same."""
    updates = {**KERNEL.updates, "O14": lambda value, _: (value[0], value[1] + 1, *value[2:])}
    driver = Driver.at(sabotaged("greedy", updates=updates), CANCELED)
    with pytest.raises(EnginesDisagree) as caught:
        driver.fire("fill", {"last_qty": 1})
    assert caught.value.expected[0] == caught.value.was[0] == Taken("O14")
    assert caught.value.expected[1] != caught.value.was[1]


def test_a_state_changed_behind_the_driver_is_found() -> None:
    """Whoever writes the library's state past all guards is found at the next event."""
    driver = Driver.at(KERNEL, CANCELED)
    driver.engine.current_state_value = "expired"
    with pytest.raises(EnginesDisagree):
        driver.fire("cancel_accept", {})
