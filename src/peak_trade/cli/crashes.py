"""`peak fuzz crashes`: a session killed at each of its operations that lasts, and started again."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from functools import cache, partial
from typing import Any, Final

import rich_click as click
from click.exceptions import Exit

from peak_trade.broker.swarm import drawn
from peak_trade.cli.job import fenced
from peak_trade.cli.spread import SEED_MAX, SHOWN_MAX, machines, rated, spread
from peak_trade.fuzz.harm.crashes import AGAIN, Ground, Point, crashed, ground
from peak_trade.session.clock import wall_ns

PASS, VIOLATION = 0, 1
ORDERS_MAX: Final = 100_000
POINTS_MAX: Final = 1_000_000

At = tuple[int, ...]


@click.command("crashes")
@click.option("--orders", type=click.IntRange(1, ORDERS_MAX), default=500, show_default=True, help="Orders at least.")
@click.option("--seed", type=click.IntRange(0, SEED_MAX), default=1, show_default=True, help="Seed of the session.")
@click.option("--points", type=click.IntRange(1, POINTS_MAX), help="Only so many of the points, drawn by the seed.")
@click.option("--at", "only", type=click.IntRange(1), multiple=True, help="Only here; given again: die again there.")
@click.option("--twice", is_flag=True, help="Where a tail was torn, also die again at each step of the recovery.")
@click.option("--jobs", type=click.IntRange(1, 64), default=lambda: os.cpu_count() or 1, help="Processes; all cores.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(**options: Any) -> None:  # noqa: ANN401 - click's own options
    """Kill a session of ORDERS orders at every operation that lasts, start it again, and judge its end.

    Such are each write, fsync and replacement of its journal, and each order, cancel and step at the venue. Exits 0 if
    each time nothing was lost, nothing doubled, and the journal tells the same as the undisturbed session's; else 1.
    With --points the verdict says that it was sampled.
    """
    fenced()
    since_ns = wall_ns()
    place = _ground(options["seed"], options["orders"])
    work = partial(_crashed, seed=options["seed"], orders=options["orders"])
    points = _points(len(place.base.log), options)
    found = list(spread(work, points, min(options["jobs"], len(points)), "points"))
    if options["twice"]:
        again = [(*item.at, second) for item in found if item.torn for second in range(1, AGAIN + 1)]
        found += spread(work, again, min(options["jobs"], max(1, len(again))), "deaths in recovery")
    click.echo(rated(len(found), "sessions killed and started again", since_ns), err=True)
    failed = [item for item in found if item.problems]
    code = VIOLATION if failed else PASS
    if options["style"] == "json":
        click.echo(json.dumps(_plain(options, place, found, code), sort_keys=True, indent=2))
    else:
        click.echo("\n".join(_lines(place, found, code)))
    if failed:
        where = " ".join(f"--at {at}" for at in failed[0].at)
        click.echo(f"next: peak fuzz crashes --orders {options['orders']} --seed {options['seed']} {where}", err=True)
    raise Exit(code)


@cache
def _ground(seed: int, orders: int) -> Ground:
    """Return the undisturbed session, made once in each process."""
    return ground(seed, orders, machines())


def _crashed(at: At, seed: int, orders: int) -> Point:
    return crashed(at, _ground(seed, orders))


def _points(count: int, options: dict[str, Any]) -> list[At]:
    """Return every operation there is; or those that were asked for."""
    if options["only"]:
        if max(options["only"]) > count:
            raise click.UsageError(f"expected an operation from 1 to {count}, was {max(options['only'])}")
        return [tuple(options["only"])]
    every = sorted(range(1, count + 1), key=lambda at: drawn(options["seed"], "point", at))
    return [(at,) for at in sorted(every[: options["points"]])]


def _plain(options: dict[str, Any], place: Ground, found: list[Point], code: int) -> dict[str, Any]:
    bad = [item for item in found if item.problems]
    return {
        "schema_version": 1,
        "exit_code": code,
        "seed": options["seed"],
        "orders": place.base.orders,
        "steps": place.world.steps_max,
        "operations": dict(sorted(Counter(place.base.log).items())),
        "sampled": _sampled(place, found),
        "killed": len(found),
        "torn": sum(item.torn for item in found),
        "lost": sum(len(item.lost) for item in found),
        "doubled": sum(len(item.doubled) for item in found),
        "failed": [{"at": list(item.at), "what": item.name, "problems": item.problems} for item in bad],
    }


def _sampled(place: Ground, found: list[Point]) -> bool:
    return len({item.at[0] for item in found}) < len(place.base.log)


def _lines(place: Ground, found: list[Point], code: int) -> Iterator[str]:
    base = place.base
    yield f"{base.orders:,} orders in {place.world.steps_max:,} steps, {len(base.records):,} records"
    killed = Counter(item.name for item in found)
    for name, count in sorted(Counter(base.log).items()):
        yield f"  {name:<10} {count:>7,} operations, killed at {killed[name]:,}"
    torn, again = sum(item.torn for item in found), sum(len(item.at) > 1 for item in found)
    yield f"torn tails found and kept {torn:,}; killed again in the recovery {again:,}"
    lost, doubled = sum(len(item.lost) for item in found), sum(len(item.doubled) for item in found)
    bad = [item for item in found if item.problems]
    for item in bad[:SHOWN_MAX]:
        yield f"✗ killed at {', '.join(map(str, item.at))} ({item.name})"
        yield from (f"    {problem}" for problem in item.problems[:SHOWN_MAX])
    sampled = " (sampled)" if _sampled(place, found) else ""
    yield (
        f"{'FAIL' if code else 'PASS'}{sampled}: killed at {len({item.at[0] for item in found}):,} of "
        f"{len(base.log):,} points: {lost:,} lost, {doubled:,} doubled, {len(bad):,} failed"
    )
