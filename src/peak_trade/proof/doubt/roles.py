"""What each guard, lock and update is to each claim: MUST, MAY or IRRELEVANT (inductive validity cores).

Source: Ghassabani, Gacek, Whalen, "Efficient generation of inductive validity cores for safety properties", FSE 2016.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from peak_trade.lang.machine import Machine
from peak_trade.lang.pretty import fingerprint
from peak_trade.proof.doubt.anatomy import Anatomy, Part, parts
from peak_trade.proof.solve import Limits

LIMITS: Final = Limits(question_rlimit=5_000_000)
CORES_MAX: Final = 4
"""How many proofs of one claim are looked for, each without what only may be needed of those before it."""


class Role(Enum):
    """What a part is to a claim: without it no proof is found; some proof rests on it; no proof that was found does."""

    MUST = "must"
    MAY = "may"
    IRRELEVANT = "irrelevant"


@dataclass(frozen=True, slots=True)
class Roles:
    """The role of each part to each claim that induction proves, in declared order."""

    machine: str
    fingerprint: str
    parts: tuple[Part, ...]
    claims: tuple[str, ...]
    found: Mapping[str, Mapping[str, Role]]
    """By claim, then by part; a part that is not there is IRRELEVANT to the claim."""

    def role(self, part: str, claim: str) -> Role:
        """Return the role of `part` to `claim`."""
        return self.found[claim].get(part, Role.IRRELEVANT)

    def best(self, part: str) -> Role:
        """Return the strongest role that `part` has to any claim."""
        roles = {self.role(part, claim) for claim in self.claims}
        return next(role for role in Role if role in roles or role is Role.IRRELEVANT)

    def idle(self) -> tuple[Part, ...]:
        """Return the parts that are IRRELEVANT to every claim, in declared order."""
        return tuple(part for part in self.parts if self.best(part.name) is Role.IRRELEVANT)


def roles(machine: Machine, limits: Limits = LIMITS, progress: Callable[[str], None] = lambda _: None) -> Roles:
    """Return the roles of all parts of `machine`, which must be well formed; `progress` is told each claim.

    Limits: CORES_MAX minimal cores of each claim, so that a MAY part may be called IRRELEVANT; a part
    that is called MUST is needed by every proof from the declared invariants by induction over one step.
    """
    anatomy = Anatomy.of(machine, limits)
    found = {}
    for name in anatomy.claims:
        found[name] = _roles(anatomy, name)
        progress(name)
    return Roles(machine.name, fingerprint(machine), parts(machine), tuple(anatomy.claims), found)


def _roles(anatomy: Anatomy, name: str) -> Mapping[str, Role]:
    first = anatomy.proof(name, least=True) or frozenset()
    must = frozenset(part for part in first if anatomy.proof(name, frozenset((part,))) is None)
    found = set(first)
    for _ in range(CORES_MAX - 1):
        other = anatomy.proof(name, frozenset(found - must), least=True)
        if other is None or other <= found:
            break
        found |= other
    return {part: Role.MUST if part in must else Role.MAY for part in sorted(found)}
