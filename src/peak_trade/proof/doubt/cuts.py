"""How many things must fail together before a claim does: minimal cuts, as in fault trees, each shown by a run.

What fails is a part of a transition that is dropped: a lock or a guard that is open, an update that is not done. Every
proof found says which parts it rests on; a cut must hit them all. So the smallest set that hits all known proofs is
tried next: it leaves another proof, or a run shows it to be a cut, and then no smaller one exists.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from peak_trade.backends.relation import Encoding
from peak_trade.lang.machine import Always, Heard, Machine, Step
from peak_trade.lang.trace import Trace
from peak_trade.proof import obligation
from peak_trade.proof.confirm import confirm
from peak_trade.proof.doubt.anatomy import Anatomy, parts, without
from peak_trade.proof.doubt.trial import flaws
from peak_trade.proof.obligation import Obligation
from peak_trade.proof.solve import Limits
from peak_trade.proof.unroll import Path, Unroll

LIMITS: Final = Limits(question_rlimit=5_000_000, refutation_steps_max=8)
ORDER_MAX: Final = 3
TRIES_MAX: Final = 400
"""How many sets are tried for one claim."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The claim `property` falls if the parts `dropped` fail together: `trace` is a replayed run of that machine.

    `order` is how many they are. `exact` iff every smaller set of failures leaves a proof.
    """

    property: str
    order: int
    dropped: tuple[str, ...]
    trace: Trace
    exact: bool


@dataclass(frozen=True, slots=True)
class NoCut:
    """No cut was found: the claim stands, by proof, under any `order_min` - 1 failures, and `open` sets are undecided.

    `order_min` is None iff it stands whatever fails.
    """

    property: str
    order_min: int | None
    open: tuple[tuple[str, ...], ...] = ()


def cuts(
    machine: Machine,
    only: frozenset[str] | None = None,
    limits: Limits = LIMITS,
    progress: Callable[[str], None] = lambda _: None,
) -> tuple[Cut | NoCut, ...]:
    """Return the smallest cut of each claim of `machine` that induction proves (of those in `only`), in declared order.

    Limits: ORDER_MAX failures; runs of `limits.refutation_steps_max` steps; claims about what must happen have no runs
    of finite length against them and are left out. Parts whose loss `peak check` reports cannot fail unseen.
    """
    anatomy = Anatomy.of(machine, limits)
    search = _Search(anatomy, limits, _sound(machine, anatomy))
    found = []
    for name in anatomy.claims:
        if name in anatomy.obligations and (only is None or name in only):
            found.append(search.cut(name))
            progress(name)
    return tuple(found)


def _sound(machine: Machine, anatomy: Anatomy) -> frozenset[str]:
    """Return the parts that can be dropped unseen. Locks and updates decide no cell, so only guards need the solver."""
    guards = {part.name: part.transition for part in parts(machine) if part.kind == "guard"}
    return frozenset(name for name in anatomy.names if _well_formed(machine, frozenset((name,)), guards))


def _well_formed(machine: Machine, off: frozenset[str], guards: Mapping[str, str]) -> bool:
    events = {machine.transition(guards[name]).event for name in off if name in guards}
    return not flaws(without(machine, off), machine, sorted(events))


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    anatomy: Anatomy
    limits: Limits
    failing: frozenset[str]

    def cut(self, name: str) -> Cut | NoCut:
        proofs: list[frozenset[str]] = []
        tried: set[frozenset[str]] = set()
        undecided: list[frozenset[str]] = []
        off: frozenset[str] | None = frozenset()
        while off is not None and len(tried) < TRIES_MAX:
            tried.add(off)
            rests = self.anatomy.proof(name, off, least=len(off) < ORDER_MAX)
            if rests is not None:
                proofs.append(rests & self.failing)
            elif self._can_fail(off):
                trace = self._trace(name, off)
                if trace is not None:
                    exact = not any(len(one) < len(off) for one in undecided)
                    return Cut(name, len(off), tuple(sorted(off)), trace, exact)
                undecided.append(off)
            if frozenset() in proofs:
                return NoCut(name, None)
            off = next((one for one in _hitting(proofs) if one not in tried), None)
        least = min((len(one) for one in undecided), default=ORDER_MAX + 1)
        if off is not None:
            least = min(least, len(off))
        return NoCut(name, least, tuple(tuple(sorted(one)) for one in undecided))

    def _can_fail(self, off: frozenset[str]) -> bool:
        guards = {part.name: part.transition for part in parts(self.anatomy.machine) if part.kind == "guard"}
        return _well_formed(self.anatomy.machine, off, guards)

    def _trace(self, name: str, off: frozenset[str]) -> Trace | None:
        """Return a run of the machine without `off` to the violation, or None if none is found.

        The invariants that its steps still keep exclude no run of it, and save most of the search.
        """
        machine = without(self.anatomy.machine, off)
        encoding, left = Encoding.of(machine), self.anatomy.left(off)
        lemmas = (item for item in machine.properties if isinstance(item, Always) and item.name in left)
        item = _obligation(encoding, name)
        found = Unroll.of(encoding, tuple(lemmas), self.limits).shortest(item, self.limits.refutation_steps_max)
        return confirm(machine, item, found) if isinstance(found, Path) else None


def _obligation(encoding: Encoding, name: str) -> Obligation:
    claim = next((item for item in encoding.machine.properties if item.name == name), None)
    match claim:
        case Always():
            return obligation.always(encoding, claim)
        case Step():
            return obligation.step(encoding, claim)
        case Heard():
            return obligation.heard(encoding, claim)
        case _:
            return obligation.sorts(encoding)


def _hitting(proofs: list[frozenset[str]]) -> Iterator[frozenset[str]]:
    """Yield the sets of at most ORDER_MAX parts that hit all `proofs`, the smallest first, in order of their names."""
    names = sorted(frozenset().union(*proofs))
    for size in range(1, ORDER_MAX + 1):
        yield from _of(size, proofs, names)


def _of(size: int, proofs: list[frozenset[str]], names: list[str]) -> Iterator[frozenset[str]]:
    if size == 1:
        yield from (frozenset((name,)) for name in names if all(name in proof for proof in proofs))
        return
    for chosen in combinations(names, size):
        found = frozenset(chosen)
        if all(found & proof for proof in proofs) and not any(
            all((found - {name}) & proof for proof in proofs) for name in chosen
        ):
            yield found
