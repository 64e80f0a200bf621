"""One order's machine as a replay drives it: by the kernel alone, or by kernel and python-statemachine together."""

from typing import Protocol

from peak_trade.backends.kernel import Kernel, Packed, Running
from peak_trade.lang.step import Outcome, Value


class Engine(Protocol):
    """A running order; `backends.statemachine.Driver` is one."""

    @property
    def value(self) -> Running:
        """The running value: state, OrderQty, CumQty, LeavesQty, and what the specification has besides."""

    def send(self, event: str, packed: Packed) -> Outcome:
        """Return what the event does; the value changes iff it is taken."""

    def restore(self, value: Value) -> None:
        """Go on from `value`."""


class Stepped:
    """An order stepped by the kernel."""

    __slots__ = ("_value", "kernel")

    def __init__(self, kernel: Kernel) -> None:
        self.kernel = kernel
        self._value = kernel.initial

    @property
    def value(self) -> Running:
        """The running value."""
        return self._value

    def send(self, event: str, packed: Packed) -> Outcome:
        """Return what the event does; the value changes iff it is taken."""
        outcome, self._value = self.kernel.step(self._value, event, packed)
        return outcome

    def restore(self, value: Value) -> None:
        """Go on from `value`; IllSorted iff it is none of the machine's values."""
        self._value = self.kernel.load(value)
