"""The circuit breaker as it runs: `spec/breaker.yaml` through our own kernel, and nothing beside it."""

from typing import Final

from peak_trade.backends.kernel import Kernel, Running
from peak_trade.broker.errors import VenueUnavailable
from peak_trade.lang.step import Taken, Value

OPEN: Final = "open"
KEPT: Final = ("failures", "waited", "opened")
"""What of a breaker changes and is kept between processes, besides its state; no call is ever on its way then."""


class CircuitOpen(VenueUnavailable):
    """The adapter's own circuit breaker holds the call back; the venue has not got it, and trying again is no use."""

    def __init__(self, where: str, call: str) -> None:
        super().__init__(where, call)

    def __str__(self) -> str:
        return (
            f"expected a venue that answers, was a circuit opened by its failures; {self.call} waits for the cool-down"
        )


class Breaker:
    """One breaker with its limits; `value` is the machine's.

    Raises:
        IllSorted: a limit is below 1.
    """

    __slots__ = ("_step", "kernel", "value")

    def __init__(self, kernel: Kernel, failures_max: int, cooldown_steps: int) -> None:
        self.kernel = kernel
        self._step = kernel.step
        names = [item.name for item in kernel.machine.variables]
        start = dict(zip(names, kernel.initial[1:], strict=True))
        start |= {"failures_max": failures_max, "cooldown_steps": cooldown_steps}
        self.value: Running = kernel.load(Value(kernel.initial[0], tuple(start.values())))

    @property
    def state(self) -> str:
        """The control state: closed, open or half open."""
        return str(self.value[0])

    def offer(self, event: str) -> bool:
        """Offer an event; return whether it was taken."""
        outcome, self.value = self._step(self.value, event, ())
        return isinstance(outcome, Taken)

    def kept(self) -> dict[str, int | str]:
        """Return what the next process must know of this one."""
        found = self._variables()
        return {"state": self.state, **{name: found[name] for name in KEPT}}

    def restore(self, kept: dict[str, int | str]) -> None:
        """Go on from what an earlier process kept.

        Raises:
            IllSorted: it is no value of the breaker.
        """
        found = self._variables() | {name: kept[name] for name in KEPT} | {"calling": False}
        self.value = self.kernel.load(Value(str(kept["state"]), tuple(found.values())))

    def _variables(self) -> dict[str, int | str]:
        names = (item.name for item in self.kernel.machine.variables)
        return dict(zip(names, self.value[1:], strict=True))
