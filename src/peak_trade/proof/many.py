"""Many machines: what is known already is read, the rest is proved, on any executor."""

from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cache as cache_once
from functools import partial

from peak_trade.lang.machine import Machine
from peak_trade.lang.pretty import fingerprint
from peak_trade.proof.cache import Cache, keys
from peak_trade.proof.case import Case
from peak_trade.proof.claim import claims_of
from peak_trade.proof.planner import ENGINES
from peak_trade.proof.prove import LIMITS, Progress, chosen, prove
from peak_trade.proof.solve import Limits
from peak_trade.proof.verdict import Report, Result


@dataclass(frozen=True, slots=True)
class Job:
    """One machine, what is to be judged of it (None: everything), and by whom."""

    machine: Machine
    only: frozenset[str] | None = None
    limits: Limits = LIMITS
    engines: tuple[str, ...] = ENGINES


def prove_job(job: Job, cache: Cache | None = None, progress: Progress = lambda _: None) -> Report:
    """Return the report on `job`, with the results that `cache` holds; fresh ones are kept there.

    Verdicts and the lengths of runs do not depend on the cache; which of several shortest runs is shown may, as Z3
    answers by what it was asked before. Raises as `prove`.
    """
    machine, wanted = job.machine, chosen(job.machine, job.only)
    claims = {item.name: item for item in claims_of(machine) if item.name in wanted}
    entries = keys(machine, claims.values(), job.limits, job.engines)
    replaying = cache_once(partial(Case.bare, machine, job.limits))
    found: dict[str, Result] = {}
    for name, item in claims.items():
        known = None if cache is None else cache.read(entries[name], item, replaying)
        if known is not None:
            found[name] = known
            progress(known)
    left = frozenset(claims) - frozenset(found)
    if left:
        for fresh in prove(machine, job.limits, left, progress, job.engines).results:
            found[fresh.property] = fresh
            if cache is not None:
                cache.write(entries[fresh.property], claims[fresh.property], fresh)
    return Report(machine.name, fingerprint(machine), tuple(found[name] for name in claims))


def prove_many(
    jobs: Iterable[Job],
    executor: Executor | None = None,
    cache: Cache | None = None,
    progress: Callable[[Report], None] = lambda _: None,
) -> tuple[Report, ...]:
    """Return the reports on `jobs` in their order; `progress` is told each when it and all before it are there.

    A machine is judged by one worker: its claims share too much to be parted. Executors of other processes need a
    `cache` that can be sent to them.
    """
    work = partial(prove_job, cache=cache)
    reports = []
    for report in map(work, jobs) if executor is None else executor.map(work, jobs):
        reports.append(report)
        progress(report)
    return tuple(reports)
