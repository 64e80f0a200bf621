"""The engine of whole sessions: each is played in the world of its seed, and judged by how it ended and by its journal.

A session is in order iff it ended where it may, and its book equals the venue's or it said the difference itself. First
everything may break; but each fault strikes once, and windows end with the data, so after it the venue is healed, and
the session must be over within `world.DRAIN_STEPS_MAX` steps.

Limits: a session is played in one process from its first step to its last, in a folder that is gone afterwards.
"""

import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Final

from peak_trade.fuzz.cover.coverage import Coverage
from peak_trade.fuzz.cover.sightings import sighted
from peak_trade.fuzz.found.trial import Trial, tried_in
from peak_trade.fuzz.jobs import Job, Result
from peak_trade.fuzz.matrix import MEMORY
from peak_trade.fuzz.play import Played
from peak_trade.fuzz.seeded import seeded_world
from peak_trade.fuzz.world import DRAIN_STEPS_MAX, Machines

ENGINE: Final = "sessions"
HEALS: Final = (4, 16, 64, DRAIN_STEPS_MAX)
"""Within how many steps after its data a session was over, as it is counted."""


def sessions(machines: Machines, job: Job) -> Result:
    """Return what the sessions of `job.count` seeds, from the job's seed on, showed."""
    figures, coverage, findings = Counter[str](), Coverage(), list[dict[str, Any]]()
    for seed in range(job.seed, job.seed + job.count):
        trial = session_of(seed, machines)
        figures.update(sums(trial, seed))
        if trial.played is not None:
            coverage.merge(sighted(machines, trial.played.records, trial.played.fired, seed))
        if trial.problems:
            findings.append({"engine": ENGINE, "seed": seed, "problem": trial.kinds[0], "problems": [*trial.problems]})
    return Result(job=job, figures=dict(sorted(figures.items())), coverage=coverage.plain(), findings=findings)


def session_of(seed: int, machines: Machines) -> Trial:
    """Play the session of one seed."""
    with tempfile.TemporaryDirectory(prefix="peak-", dir=MEMORY if MEMORY.is_dir() else None) as folder:
        return tried_in(seeded_world(seed), machines, Path(folder) / "run")


def sums(trial: Trial, seed: int) -> Counter[str]:
    """Return what is counted of a session; `end: STATE` says where it ended, `healed: N` within how many steps."""
    if trial.played is None:
        return Counter({"sessions": 1, "end: RAISED": 1})
    after = trial.played.steps - seeded_world(seed).steps_max
    healed = next((f"healed: {most}" for most in HEALS if after <= most), "healed: never")
    return Counter({"sessions": 1, f"end: {trial.played.state}": 1, healed: 1}) + _sums(trial.played)


def _sums(played: Played) -> Counter[str]:
    bodies = [record.body for record in played.records]
    return Counter(
        {
            "steps": played.steps,
            "orders": sum(body.get("event") == "submit" for body in bodies),
            "executions": sum(bool(body.get("exec_id")) and "price_ticks" in body for body in bodies),
            "deaths": played.deaths,
            "reconciles": played.reconciles,
            "retries": sum(count for name, count in played.counts.items() if name.startswith("retries.")),
            "sessions with a reported difference": int(bool(played.verdict.reported)),
        }
    )
