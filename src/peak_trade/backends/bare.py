"""The barest Hypothesis machine over a kernel: one rule, one draw for the event, nothing judged. A peer for benchmarks.

Limits: it finds nothing, and is there to say how fast Hypothesis can be at most.
"""

from collections import Counter
from typing import Any, ClassVar

from hypothesis import strategies as st
from hypothesis.stateful import rule

from peak_trade.backends.kernel import Packed
from peak_trade.backends.offers import Offers
from peak_trade.backends.payloads import likely
from peak_trade.backends.stateful import Stateful
from peak_trade.lang.machine import Machine


class BareRules(Stateful):
    """Offers that are known beforehand, one after another, to the kernel; `counts` has how many were `offered`."""

    known: ClassVar[Offers]
    counts: ClassVar[Counter[str]]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.counts = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.running = self.known.kernel.initial

    def move(self, offer: tuple[str, Packed]) -> None:
        """Let the kernel step."""
        self.counts["offered"] += 1
        _, self.running = self.known.kernel.step(self.running, *offer)


def bare_rules(machine: Machine) -> type[BareRules]:
    """Return the machine that offers every event of `machine` with likely payloads."""
    known = Offers.of(machine)
    offers = [
        (known.names.events[event.name], packed)
        for event in machine.events
        for packed in likely(event, known.near(event, known.kernel.initial))
    ]

    def offer(self: BareRules, offer: tuple[str, Packed]) -> None:
        self.move(offer)

    members: dict[str, Any] = {"known": known, "offer": rule(offer=st.sampled_from(offers))(offer)}
    return type("BareKernelRules", (BareRules,), members)
