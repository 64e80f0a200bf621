"""`peak bench fuzz`: the engines of campaigns beside plain Hypothesis, in the same process, as ratios.

At the specification's level all step `spec/order.yaml`: lanes, walk, the generated Hypothesis rules with the kernel as
the system under test, and the barest Hypothesis machine that there can be: one rule, nothing judged. At the session's
level all play real sessions with faults: seeded worlds, of which one in four dies, and the generated rules, whose
sessions die more often. What only the rules judge after each step is left out of two rows, dying out of one.

Units: steps a second of this process's CPU time; rows take turns, and each is warmed up before.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

import rich_click as click

from peak_trade.cli.job import fenced
from peak_trade.cli.measured import report
from peak_trade.cli.specs import machine_named
from peak_trade.lang.machine import Machine
from peak_trade.session.clock import cpu_ns

SPEC_RATIO_MIN: Final = 1_000
SESSION_RATIO_MIN: Final = 5
EXAMPLES: Final = 10
"""Programs of Hypothesis at a time."""
STEPS: Final = 50
RULES: Final = 30
"""Rules in a program about sessions; each takes some steps of the session, or plans something."""
WALK_STEPS: Final = 20_000
LANE_STEPS: Final = 50
SESSIONS: Final = 5

Work = Callable[[int], int]
"""Does a portion of a row's work with a seed; returns how many steps that were."""


@click.command("fuzz")
@click.option("--seconds", type=click.IntRange(1, 3_600), default=40, show_default=True, help="CPU time of all rows.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(seconds: int, style: str) -> None:
    """Measure the engines of campaigns against plain Hypothesis, at the specification's and at the session's level."""
    fenced()
    rates = rated(seconds)
    ratios = compared(rates)
    kept = ratios["lanes_to_hypothesis"] >= SPEC_RATIO_MIN and ratios["sessions_to_hypothesis"] >= SESSION_RATIO_MIN
    promises = {"lanes_to_hypothesis_min": SPEC_RATIO_MIN, "sessions_to_hypothesis_min": SESSION_RATIO_MIN}
    facts = {f"{name}_steps_per_second": round(rate, 1) for name, rate in rates.items()}
    report({**facts, **ratios, **promises, "kept": kept}, style, f"peak bench fuzz --seconds {4 * seconds}")


def rated(seconds: int) -> dict[str, float]:
    """Return the steps a second of every row, all measured within so much CPU time."""
    return measured({**spec_rows(machine_named("order")), **session_rows()}, seconds * 10**9)


def beside(seconds: int) -> str:
    """Return in a few lines how fast the engines are beside plain Hypothesis, here and now."""
    rates = rated(seconds)
    ratios = compared(rates)
    speeds = ", ".join(f"{name.replace('_', ' ')} {rate:,.0f}" for name, rate in rates.items())
    times = ", ".join(f"{name.replace('_', ' ')} {ratio:,.1f}" for name, ratio in ratios.items())
    return f"steps a second of CPU time: {speeds}\nratios: {times}"


def compared(rates: Mapping[str, float]) -> dict[str, float]:
    """Return the ratios: each engine to the generated rules, and to the peer that judges least."""
    pairs = {
        "lanes_to_hypothesis": ("lanes", "hypothesis"),
        "walk_to_hypothesis": ("walk", "hypothesis"),
        "lanes_to_bare_hypothesis": ("lanes", "bare_hypothesis"),
        "walk_to_bare_hypothesis": ("walk", "bare_hypothesis"),
        "sessions_to_hypothesis": ("sessions", "session_hypothesis"),
        "sessions_to_undying_hypothesis": ("sessions", "undying_session_hypothesis"),
        "sessions_to_judged_hypothesis": ("sessions", "judged_session_hypothesis"),
    }
    return {name: round(rates[one] / rates[other], 1) for name, (one, other) in pairs.items()}


def measured(rows: Mapping[str, Work], budget_ns: int) -> dict[str, float]:
    """Return the steps a second of each row; portions in turn, until each row had its share of the CPU time."""
    for work in rows.values():
        work(0)
    steps, spent, number = dict.fromkeys(rows, 0), dict.fromkeys(rows, 0), 0
    while waiting := [name for name in rows if spent[name] < budget_ns // len(rows)]:
        number += 1
        for name in waiting:
            begin = cpu_ns()
            steps[name] += rows[name](number)
            spent[name] += cpu_ns() - begin
    return {name: steps[name] / (spent[name] / 1e9) for name in rows}


def spec_rows(machine: Machine) -> dict[str, Work]:
    """Return the rows at the specification's level."""
    from peak_trade.backends.bare import bare_rules  # noqa: PLC0415 - Hypothesis and NumPy only where they are needed
    from peak_trade.backends.rules import kernel_rules  # noqa: PLC0415 - as above
    from peak_trade.fuzz.engines.lanes import LANES, lanes  # noqa: PLC0415 - as above
    from peak_trade.fuzz.engines.walk import walk  # noqa: PLC0415 - as above
    from peak_trade.fuzz.jobs import Job  # noqa: PLC0415 - as above

    def job(engine: str, seed: int, count: int) -> Job:
        return Job(engine=engine, seed=seed, count=count, specs={}, options={"machine": machine.name})

    def by_lanes(seed: int) -> int:
        lanes(machine, job("lanes", seed, LANE_STEPS))
        return LANE_STEPS * LANES

    def by_walk(seed: int) -> int:
        walk(machine, job("walk", seed, WALK_STEPS))
        return WALK_STEPS

    return {
        "lanes": by_lanes,
        "walk": by_walk,
        "hypothesis": drawing(kernel_rules(machine), "offered", STEPS),
        "bare_hypothesis": drawing(bare_rules(machine), "offered", STEPS),
    }


def session_rows() -> dict[str, Work]:
    """Return the rows at the session's level."""
    from peak_trade.cli.spread import machines as session_machines  # noqa: PLC0415 - as above
    from peak_trade.fuzz.campaign.sessions import sessions  # noqa: PLC0415 - as above
    from peak_trade.fuzz.drawn.rules import session_rules  # noqa: PLC0415 - as above
    from peak_trade.fuzz.jobs import Job  # noqa: PLC0415 - as above

    machines = session_machines()
    judged = session_rules(machines)
    unjudged = type("UnjudgedRules", (judged,), {"checked": False})

    def by_seeds(number: int) -> int:
        job = Job(engine="sessions", seed=SESSIONS * number, count=SESSIONS, specs={})
        return sessions(machines, job).figures["steps"]

    undying = type("UndyingRules", (unjudged,), {"crash": None})
    return {
        "sessions": by_seeds,
        "undying_session_hypothesis": drawing(undying, "steps", RULES),
        "session_hypothesis": drawing(unjudged, "steps", RULES),
        "judged_session_hypothesis": drawing(judged, "steps", RULES),
    }


def drawing(rules: Any, counter: str, steps_max: int) -> Work:  # noqa: ANN401 - Hypothesis is not imported here
    """Return the work of letting Hypothesis draw programs; `counts` of the rules says how many steps they took."""

    def work(seed: int) -> int:
        fresh: Any = type(rules.__name__, (rules,), {"seed": seed})
        fresh.examine(EXAMPLES, steps_max, shrinks=False)
        return int(fresh.counts[counter])

    return work
