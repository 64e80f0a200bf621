"""Prove what a machine claims, or show why not. Every claim that it declares, and one that it need not declare."""

from collections.abc import Callable, Iterable
from typing import TypeAlias

from peak_trade.lang.machine import Machine
from peak_trade.lang.pretty import fingerprint
from peak_trade.proof.judge import Judge
from peak_trade.proof.obligation import sorts_name
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
    """Return the names of all that is to be proved of `machine`: what it declares, then that sorts are kept."""
    return (*(item.name for item in machine.properties), sorts_name(machine))


def prove(
    machine: Machine,
    limits: Limits = LIMITS,
    only: frozenset[str] | None = None,
    progress: Progress = lambda _: None,
) -> Report:
    """Return the verdicts on the claims of `machine`, or on those named by `only`, in declared order.

    The machine must have passed `lang.check` and `proof.decide`. `progress` is told each result when it is known;
    who wants times measures them there. Raises NoSuchClaim, and ReplayDisagrees on a bug of ours.
    Limits: `limits`; equal arguments give equal reports, on any machine.
    """
    wanted = frozenset(claims(machine)) if only is None else only
    if not wanted or wanted - frozenset(claims(machine)):
        raise NoSuchClaim(machine.name, wanted - frozenset(claims(machine)), claims(machine))
    judge = Judge.of(machine, limits)
    results = []
    for claim in (*machine.properties, None):
        name = sorts_name(machine) if claim is None else claim.name
        if name in wanted:
            results.append(judge.result(claim))
            progress(results[-1])
    return Report(machine.name, fingerprint(machine), tuple(results))
