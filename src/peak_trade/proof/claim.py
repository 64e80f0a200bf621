"""What is to be judged of a machine: each claim that it declares, and two that it need not declare."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from peak_trade.lang.machine import Machine, Property
from peak_trade.lang.pretty import kind_of
from peak_trade.proof.obligation import deadlock_name, may_end, sorts_name

SORTS_SAYS = "No update ever leaves the bounds of its variable."
DEADLOCK_SAYS = "In every reachable state that is not terminal some event can be taken."


@dataclass(frozen=True, slots=True)
class Automatic:
    """A claim that is made of every machine without being written."""

    name: str
    kind: Literal["sorts", "deadlock"]
    says: str


Claim: TypeAlias = Property | Automatic


def claims_of(machine: Machine) -> tuple[Claim, ...]:
    """Return all that is to be judged of `machine`: what it declares, that sorts are kept, that it is never stuck.

    The last is left out iff the machine does not say where it may end: it has one state only, without a tag
    `terminal`, as what `lang.compose` makes.
    """
    found: tuple[Claim, ...] = (*machine.properties, Automatic(sorts_name(machine), "sorts", SORTS_SAYS))
    if may_end(machine) is None:
        return found
    return (*found, Automatic(deadlock_name(machine), "deadlock", DEADLOCK_SAYS))


def kind(claim: Claim) -> str:
    """Return the key under which `claim` is declared, or `sorts` or `deadlock`."""
    return claim.kind if isinstance(claim, Automatic) else kind_of(claim)
