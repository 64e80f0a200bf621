"""How fast an order's checked step is, beside the same events through python-statemachine in the same process.

Units: nanoseconds of the clock that is passed in, bytes of `tracemalloc`. Runs of the two sides are interleaved, the
figure is the median of the runs, and a ratio compares medians.

Limits: for machines with the order's events. The clock should count the process's CPU time; other load still shifts
both sides, so compare the ratios and not the nanoseconds.
"""

import tracemalloc
from collections.abc import Callable
from itertools import repeat
from statistics import median
from typing import Any, TypeAlias

from peak_trade.backends.kernel import Kernel, Packed, Running, compile_kernel
from peak_trade.backends.statemachine import Book, machine_class
from peak_trade.lang.machine import Machine

RUNS = 9
KERNEL_STEPS = 50_000
KERNEL_ORDERS = 10_000
PEER_STEPS = 500
PEER_ORDERS = 40
INSTANCES = 10_000
PEER_INSTANCES = 200

Clock: TypeAlias = Callable[[], int]
Script: TypeAlias = tuple[tuple[str, Packed], ...]

ORDER: Script = (("submit", (3_000,)), ("accept", ()), ("fill", (1_000,)), ("fill", (1_000,)), ("fill", (1_000,)))
"""A whole order: sent, acknowledged, and filled in three parts."""

LONG: Script = (("submit", (100_000_000,)), ("accept", ()), ("fill", (1,)))
"""An order that can be filled in parts for as long as anybody measures."""

FILL: Packed = (1,)


def kernel_speed(machine: Machine, clock: Clock) -> dict[str, Any]:
    """Return what a checked step, a whole order and an instance cost, on the kernel and on python-statemachine."""
    kernel = compile_kernel(machine)
    working = _run(kernel, LONG)
    steps, peer_steps, orders, peer_orders = [], [], [], []
    for _ in range(RUNS):
        steps.append(_kernel_steps(kernel, working, clock))
        peer_steps.append(_peer_steps(kernel, working, clock))
        orders.append(_kernel_orders(kernel, clock))
        peer_orders.append(_peer_orders(kernel, clock))
    step, peer_step, order, peer_order = map(median, (steps, peer_steps, orders, peer_orders))
    return {
        "step_ns": round(step, 1),
        "peer_step_ns": round(peer_step),
        "step_ratio": round(peer_step / step, 1),
        "order_ns": round(order, 1),
        "peer_order_ns": round(peer_order),
        "order_ratio": round(peer_order / order, 1),
        "instance_bytes": _bytes(lambda: _run(kernel, LONG), INSTANCES),
        "peer_instance_bytes": _bytes(lambda: machine_class(kernel)(Book(working)), PEER_INSTANCES),
        "runs": RUNS,
    }


def _run(kernel: Kernel, script: Script) -> Running:
    value = kernel.initial
    for event, payload in script:
        _, value = kernel.step(value, event, payload)
    return value


def _kernel_steps(kernel: Kernel, value: Running, clock: Clock) -> float:
    step = kernel.step
    start = clock()
    for _ in repeat(None, KERNEL_STEPS):
        _, value = step(value, "fill", FILL)
    spent = clock() - start
    return spent / KERNEL_STEPS


def _peer_steps(kernel: Kernel, value: Running, clock: Clock) -> float:
    engine = machine_class(kernel)(Book(value))
    start = clock()
    for _ in repeat(None, PEER_STEPS):
        engine.send("fill", payload=FILL)
    spent = clock() - start
    return spent / PEER_STEPS


def _kernel_orders(kernel: Kernel, clock: Clock) -> float:
    step = kernel.step
    start = clock()
    for _ in repeat(None, KERNEL_ORDERS):
        value = kernel.initial
        for event, payload in ORDER:
            _, value = step(value, event, payload)
    spent = clock() - start
    return spent / KERNEL_ORDERS


def _peer_orders(kernel: Kernel, clock: Clock) -> float:
    engine_class = machine_class(kernel)
    start = clock()
    for _ in repeat(None, PEER_ORDERS):
        engine = engine_class(Book(kernel.initial))
        for event, payload in ORDER:
            engine.send(event, payload=payload)
    spent = clock() - start
    return spent / PEER_ORDERS


def _bytes(make: Callable[[], object], count: int) -> int:
    """Return the bytes that one of `count` instances takes, its place in a list included."""
    make()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        kept = [make() for _ in repeat(None, count)]
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return -(-(after - before) // len(kept))
