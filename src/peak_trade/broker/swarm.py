"""Fault plans from a seed: a function of the seed and the place, so that a longer plan begins with the shorter one."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from peak_trade.broker.faults import ALL, KINDS, Fault, FaultKind, Lie, Phase

SECOND: Final = 4
"""An order that is struck is struck in another phase as well once in so many."""
RARITY: Final = 10
"""Windows are so much rarer among the steps than faults are among the orders."""
WINDOW_STEPS_MAX: Final = 3


def drawn(*key: object) -> int:
    """Return 64 bits that are a function of the key."""
    return int.from_bytes(hashlib.blake2b("|".join(map(str, key)).encode(), digest_size=8).digest())


def swarm(seed: int, kinds: Sequence[FaultKind] = ALL) -> tuple[FaultKind, ...]:
    """Return the kinds that are on in the run of this seed: each with even chance, and at least one.

    Source: Groce et al., Swarm Testing, ISSTA 2012: what is left out of a run lets the rest go further.
    """
    chosen = tuple(kind for kind in kinds if drawn(seed, "swarm", kind) % 2)
    return chosen or (kinds[drawn(seed, "swarm") % len(kinds)],)


def seeded(
    seed: int, orders: int, steps: int, rate_permille: int, kinds: Sequence[FaultKind] = ALL
) -> tuple[Fault, ...]:
    """Return a plan in which each of the first `orders` orders meets a fault of `kinds` at this rate.

    Windows of `kinds` begin in the first `steps` steps, RARITY times as rarely.
    """
    narrow = tuple(kind for kind in kinds if KINDS[kind].phase is not Phase.VENUE)
    wide = tuple(kind for kind in kinds if KINDS[kind].phase is Phase.VENUE)
    plan: list[Fault] = []
    if rate_permille and narrow:
        for number in range(1, orders + 1):
            plan += _order(seed, number, rate_permille, narrow)
    return (*plan, *(_windows(seed, steps, rate_permille, wide) if wide else ()))


def _order(seed: int, number: int, rate_permille: int, kinds: Sequence[FaultKind]) -> Iterator[Fault]:
    draw = drawn(seed, "fault", number)
    if draw % 1000 >= rate_permille:
        return
    kind = kinds[draw // 1000 % len(kinds)]
    yield Fault(kind, order=number)
    draw = drawn(seed, "second", number)
    other = kinds[draw // SECOND % len(kinds)]
    if draw % SECOND == 0 and KINDS[other].phase is not KINDS[kind].phase:
        yield Fault(other, order=number)


def _windows(seed: int, steps: int, rate_permille: int, kinds: Sequence[FaultKind]) -> Iterator[Fault]:
    free = dict.fromkeys(kinds, 1)
    for step in range(1, steps + 1):
        draw = drawn(seed, "window", step)
        if draw % (1000 * RARITY) >= rate_permille:
            continue
        draw //= 1000 * RARITY
        kind = kinds[draw % len(kinds)]
        fault = _window(kind, step, draw // len(kinds))
        if step >= free[kind]:
            free[kind] = fault.end
            yield fault


def _window(kind: FaultKind, step: int, draw: int) -> Fault:
    steps, rest = 1 + draw % WINDOW_STEPS_MAX, draw // WINDOW_STEPS_MAX
    match kind:
        case FaultKind.RESTART:
            return Fault(kind, step=step, steps=1)
        case FaultKind.CLOCK_SKEW:
            return Fault(kind, step=step, steps=steps, by=(-1 if rest % 2 else 1) * (1 + rest // 2 % 5))
        case FaultKind.WRONG_SNAPSHOT:
            return Fault(kind, step=step, steps=steps, how=tuple(Lie)[rest % len(Lie)])
        case _:
            return Fault(kind, step=step, steps=steps)
