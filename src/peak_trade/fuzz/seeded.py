"""The world of a seed: short bars, a strategy that keeps orders at work, and a plan of faults of any kind.

A function of the seed alone. Limits: `STEPS_MIN` to `STEPS_MAX` steps, one or two symbols, faults for the first
`ORDERS_MAX` orders.
"""

from functools import partial
from typing import Final

from peak_trade.broker.faults import Fault, FaultKind, Phase
from peak_trade.broker.swarm import drawn, seeded, swarm
from peak_trade.fuzz.traders import Busy
from peak_trade.fuzz.world import Deed, World, planned
from peak_trade.journal.store import CHECKPOINT_COMMITS
from peak_trade.market.synthetic import walk
from peak_trade.session.config import AdapterPart, Config, LimitsPart, VenuePart

STEPS_MIN: Final = 16
STEPS_MAX: Final = 40
ORDERS_MAX: Final = 100
RATES_PERMILLE: Final = (100, 250, 500, 900)
STOPPED_EARLY: Final = 6
"""One session of so many is interfered with by an operator, a health check or a drifted configuration."""
DIES: Final = 4
"""In one session of so many the process dies, once or twice."""
STRANGE: Final = 12
"""In one session of so many somebody else trades on the same account."""
TIGHT: Final = 8
"""In one session of so many a limit is so tight that it is met; each limit by itself."""
OPERATIONS_MAX: Final = 120
"""At which of its journal's writes a process may die."""
MARKED: Final = 4
"""One death of so many is at one of the `AROUND` operations around the first checkpoint."""
AROUND: Final = 12
OPERATIONS_EACH: Final = 2
"""A commit is a write and an fsync."""
INTERRUPTS: Final = ("kill", "stop", "abort", "health_failed", "config_drift")


def seeded_world(seed: int) -> World:
    """Return the world of `seed`."""
    steps = STEPS_MIN + drawn(seed, "steps") % (STEPS_MAX - STEPS_MIN + 1)
    symbols = 1 + drawn(seed, "symbols") % 2
    rate = RATES_PERMILLE[drawn(seed, "rate") % len(RATES_PERMILLE)]
    plan = seeded(seed, ORDERS_MAX, steps, rate, swarm(seed))
    config = _config(seed).model_copy(update={"faults": planned(plan)})
    deeds = (*_replaces(seed, plan), *_interrupts(seed, steps), *_strangers(seed, steps))
    return World(config, walk(seed, symbols, steps, volume_lots=40), partial(Busy, seed), deeds, _crashes(seed))


def _config(seed: int) -> Config:
    """Return a configuration whose limits are met now and then, and in most worlds are not."""
    draw = drawn(seed, "config")
    share = 200 + draw % 5 * 200

    def tight(limit: str, met: int, usual: int) -> int:
        return usual if drawn(seed, "tight", limit) % TIGHT else met

    return Config(
        seed=seed,
        cash_ticks=tight("cash", 8 * 10**6, 10**9),
        wind_down_steps=4,
        attempts_max=1 + draw // 8 % 4,
        reconcile_steps=1 + draw // 64 % 8,
        patience_steps=1 + draw // 512 % 5,
        adapter_limits=AdapterPart(
            failures_max=1 + draw // 4096 % 5,
            cooldown_steps=1 + draw // 32768 % 2,
            calls_per_second_max=tight("calls", 2, 100),
        ),
        limits=LimitsPart(
            order_lots_max=tight("order", 40, 200_000),
            open_orders_max=tight("open", 2, 1_000),
            collar_permille_max=tight("collar", 20, 100),
            short_allowed=draw // 2**18 % 4 == 0,
            day_loss_ticks_max=(10**5, 10**6, 10**9, 10**9)[draw // 2**20 % 4],
            position_lots_max=(60, 400, 400, 400)[draw // 2**22 % 4],
            self_cross_allowed=draw // 2**24 % 2 == 0,
            unknown_row_orders_max=(1, 10)[draw // 2**25 % 2],
            reject_row_orders_max=(1, 10)[draw // 2**26 % 2],
        ),
        venue=VenuePart(
            participation_permille_min=share // 2,
            participation_permille_max=share,
            fee_permille=draw // 2**28 % 3,
            slippage_ticks=draw // 2**30 % 3,
        ),
    )


def _replaces(seed: int, plan: tuple[Fault, ...]) -> tuple[Deed, ...]:
    """Return hands at the venue, as a session asks for no replacement itself.

    One for each order whose replacement is struck, and one for all orders just before each restart, which forgets it.
    """
    struck = [fault.order for fault in plan if fault.phase is Phase.REPLACING]
    before = [fault.step - 1 for fault in plan if fault.kind is FaultKind.RESTART and fault.step > 1]
    one = (Deed(1, "replace", order, 1 + drawn(seed, "less", order) % 9) for order in struck)
    return (*one, *(Deed(step, "replace_all", lots=1) for step in before))


def _interrupts(seed: int, steps: int) -> tuple[Deed, ...]:
    draw = drawn(seed, "interrupt")
    if draw % STOPPED_EARLY:
        return ()
    what = INTERRUPTS[draw // STOPPED_EARLY % len(INTERRUPTS)]
    facts = (("drifted_flag", draw // 2**16 % 2 == 1),) if what == "config_drift" else ()
    return (Deed(2 + draw // 2**20 % steps, what, facts=facts),)


def _strangers(seed: int, steps: int) -> tuple[Deed, ...]:
    """Return somebody else's order at the venue, in a few worlds."""
    draw = drawn(seed, "stranger")
    return () if draw % STRANGE else (Deed(2 + draw // STRANGE % (steps - 1), "place", lots=1 + draw // 2**20 % 9),)


def _crashes(seed: int) -> tuple[int, ...]:
    draw = drawn(seed, "crash")
    if draw % DIES:
        return ()
    count = 1 + draw // DIES % 2
    return tuple(_death(drawn(seed, "crash", number)) for number in range(count))


def _death(draw: int) -> int:
    """Return the operation at which a process dies: any of the first ones, or one around the first checkpoint."""
    if draw // OPERATIONS_MAX % MARKED:
        return 1 + draw % OPERATIONS_MAX
    return OPERATIONS_EACH * CHECKPOINT_COMMITS - AROUND // 2 + draw % AROUND
