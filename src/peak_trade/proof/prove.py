"""Prove what a machine claims, or show why not: each claim that it declares, and what it need not declare."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from peak_trade.lang.machine import Machine
from peak_trade.lang.pretty import fingerprint
from peak_trade.proof.case import Case
from peak_trade.proof.claim import claims_of
from peak_trade.proof.planner import ENGINES, judged
from peak_trade.proof.solve import Limits
from peak_trade.proof.verdict import Report, Result

Progress: TypeAlias = Callable[[Result], None]
LIMITS = Limits()


class NoSuchClaim(LookupError):  # noqa: N818 - named by what happened, like the other exceptions
    """A claim was asked for that the machine does not make; proving nothing must not look like a pass."""

    def __init__(self, machine: str, wrong: Iterable[str], known: Iterable[str]) -> None:
        self.machine, self.wrong, self.known = machine, tuple(sorted(wrong)), tuple(known)
        expected, was = ", ".join(self.known), ", ".join(self.wrong)
        super().__init__(f"{machine}: expected claims among {expected}, was {was}; correct the name")


def claims(machine: Machine) -> tuple[str, ...]:
    """Return the names of all that is to be proved of `machine`: what it declares, then what it need not declare."""
    return tuple(item.name for item in claims_of(machine))


def chosen(machine: Machine, only: frozenset[str] | None) -> frozenset[str]:
    """Return the names that `only` selects of the claims of `machine`, None all; NoSuchClaim iff it names no claim."""
    known = claims(machine)
    wanted = frozenset(known) if only is None else only
    if not wanted or wanted - frozenset(known):
        raise NoSuchClaim(machine.name, wanted - frozenset(known), known)
    return wanted


def prove(
    machine: Machine,
    limits: Limits = LIMITS,
    only: frozenset[str] | None = None,
    progress: Progress = lambda _: None,
    engines: Iterable[str] = ENGINES,
) -> Report:
    """Return the verdicts on the claims of `machine`, or on those named by `only`, in declared order.

    The machine must have passed `lang.check` and `proof.decide`. `progress` is told each result when it is known; who
    wants times measures them there. `engines` are those that may be asked, always in the order of the plan.
    Raises NoSuchClaim, and ReplayDisagrees on a bug of ours.
    Limits: `limits`; equal arguments give equal reports, on any machine.
    """
    wanted = chosen(machine, only)
    case, allowed, results = Case.of(machine, limits), tuple(engines), []
    for claim in claims_of(machine):
        if claim.name in wanted:
            results.append(judged(case, claim, allowed))
            progress(results[-1])
    return Report(machine.name, fingerprint(machine), tuple(results))
