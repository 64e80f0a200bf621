from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from peak_trade.evidence import speed
from peak_trade.lang.machine import Machine
from peak_trade.lang.parse import parse_file

ROOT = Path(__file__).resolve().parents[3]
TICK_NS = 1_000_000


def order() -> Machine:
    """The project's order."""
    machine = parse_file(ROOT / "spec/order.yaml").machine
    assert machine is not None
    return machine


def ticking() -> Callable[[], int]:
    """A clock that is one tick further each time it is read."""
    return count(0, TICK_NS).__next__


def test_figures_are_time_by_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each figure is the time between two readings divided by the events between them, and ratios are of figures."""
    for name, value in {
        "RUNS": 3,
        "KERNEL_STEPS": 1000,
        "KERNEL_ORDERS": 100,
        "PEER_STEPS": 4,
        "PEER_ORDERS": 2,
    }.items():
        monkeypatch.setattr(speed, name, value)
    monkeypatch.setattr(speed, "PEER_INSTANCES", 5)
    found = speed.kernel_speed(order(), ticking())
    assert (found["step_ns"], found["peer_step_ns"], found["step_ratio"]) == (1000.0, 250_000, 250.0)
    assert (found["order_ns"], found["peer_order_ns"], found["order_ratio"]) == (10_000.0, 500_000, 50.0)
    assert found["runs"] == 3
    assert 100 <= found["instance_bytes"] <= 200 < found["peer_instance_bytes"]


def test_the_measured_events_are_taken() -> None:
    """What is measured are steps that are taken: the order ends filled, and the long one can be filled on and on."""
    kernel = speed.compile_kernel(order())
    assert speed._run(kernel, speed.ORDER)[:4] == ("filled", 3_000, 3_000, 0)
    state, qty, cum, leaves = speed._run(kernel, speed.LONG)[:4]
    assert state == "partially_filled"
    assert leaves > speed.KERNEL_STEPS
    assert qty == cum + leaves
