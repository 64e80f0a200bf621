"""One world: all that a session meets, as data. The same world gives the same session, whoever runs it and when."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from peak_trade.broker.faults import Fault
from peak_trade.broker.script import ordered, plain
from peak_trade.lang.machine import Machine
from peak_trade.lang.sorts import Scalar
from peak_trade.market.bars import Bars
from peak_trade.market.strategy import Strategy
from peak_trade.session.assembly import Setup
from peak_trade.session.config import Config

VERSION: Final = "fuzz"
DRAIN_STEPS_MAX: Final = 200
"""How many steps a session may take after its data: more than its stop budget, so one that takes them all hangs."""


@dataclass(frozen=True, slots=True)
class Machines:
    """The three machines that a session runs on."""

    session: Machine
    order: Machine
    breaker: Machine


@dataclass(frozen=True, slots=True)
class Deed:
    """What a person or a machine does to the session from outside, before a step; `hands.DEEDS` says what there is.

    `order` is the ordinal of an order at the venue, `lots` a quantity, `facts` the payload of an event.
    """

    step: int
    what: str
    order: int = 0
    lots: int = 0
    facts: tuple[tuple[str, Scalar], ...] = ()


@dataclass(frozen=True, slots=True)
class World:
    """One world. `make` gives a fresh strategy; `crashes` are the writes to the journal at which a process dies.

    `before` and `between` name what is done to the run's folder before it is opened, and between a death and the next
    start: see `folders`. `fails` is the errno with which the disk refuses at operation `fails_at`, instead of dying.
    """

    config: Config
    bars: Bars
    make: Callable[[], Strategy]
    deeds: tuple[Deed, ...] = ()
    crashes: tuple[int, ...] = ()
    test_override: bool = False
    before: str = ""
    between: str = ""
    fails: int = 0
    fails_at: int = 0

    @property
    def steps_max(self) -> int:
        """How many steps of data there are."""
        return len(self.bars.steps)

    @property
    def patience_steps(self) -> int:
        """After how many steps a session that is not over hangs."""
        return self.steps_max + DRAIN_STEPS_MAX

    def undisturbed(self) -> "World":
        """Return the same world in which nothing goes wrong and nobody interferes."""
        calm = replace(self, config=self.config.model_copy(update={"faults": []}), deeds=(), crashes=())
        return replace(calm, before="", between="", fails=0, fails_at=0)

    def setup(self, machines: Machines, folder: Path) -> Setup:
        """Return what a session in this world is made from, in `folder`."""
        return Setup(
            folder=folder,
            session=machines.session,
            order=machines.order,
            breaker=machines.breaker,
            config=self.config,
            bars=self.bars,
            strategy=self.make(),
            steps_max=self.steps_max,
            version=VERSION,
            test_override=self.test_override,
        )


def planned(plan: tuple[Fault, ...]) -> list[dict[str, str | int]]:
    """Return a fault plan as a configuration takes it, in the order in which it is printed."""
    return [plain(fault) for fault in ordered(plan)]
