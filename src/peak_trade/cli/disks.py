"""`peak fuzz disks`: sessions over disks that fail in every way, and whether what was lost was said."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import rich_click as click
from click.exceptions import Exit

from peak_trade.cli.job import fenced
from peak_trade.cli.spread import SEED_MAX, SHOWN_MAX, machines, rated, spread
from peak_trade.fuzz.harm.crashes import Ground
from peak_trade.fuzz.harm.damage import ENDS, SILENT, UNFIRED, WORLDS, Hurt, damaged_ground, hurt
from peak_trade.fuzz.harm.harms import KINDS
from peak_trade.session.clock import wall_ns

PASS, VIOLATION, INCONCLUSIVE = 0, 1, 3
COUNT_MAX: Final = 1_000_000
EACH: Final = 10
SAYERS_MAX: Final = 3
WORDS: Final = {PASS: "PASS", VIOLATION: "FAIL", INCONCLUSIVE: "INCONCLUSIVE"}

Case = tuple[str, int]


@click.command("disks")
@click.option("--count", type=click.IntRange(1, COUNT_MAX), default=EACH * len(KINDS), show_default=True, help="Cases.")
@click.option("--seed", type=click.IntRange(0, SEED_MAX), default=1, show_default=True, help="Seed of the first ones.")
@click.option("--kind", "only", type=click.Choice(list(KINDS)), help="Only this class of faults.")
@click.option("--jobs", type=click.IntRange(1, 64), default=lambda: os.cpu_count() or 1, help="Processes; all cores.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(count: int, seed: int, only: str | None, jobs: int, style: str) -> None:
    """Play COUNT sessions over disks that fail, each class of faults in turn, and start again what they left.

    Exits 0 if all that was acknowledged was recovered, or its loss was said, and nothing was applied twice; 1 if a
    session went on wrong and said nothing; 3 if a class of faults never took effect.
    """
    fenced()
    since_ns = wall_ns()
    names = [only] if only else list(KINDS)
    cases = [(names[number % len(names)], seed + number // len(names)) for number in range(count)]
    found = list(spread(_hurt, cases, min(jobs, count), "cases"))
    click.echo(rated(len(found), "cases", since_ns), err=True)
    fired = {item.kind for item in found if item.end != UNFIRED}
    never = [name for name in names if name not in fired]
    failed = [item for item in found if item.problems]
    code = VIOLATION if failed else INCONCLUSIVE if never else PASS
    if style == "json":
        click.echo(json.dumps(_plain(found, never, (seed, code)), sort_keys=True, indent=2))
    else:
        click.echo("\n".join(_lines(names, found, code)))
    if failed:
        click.echo(f"next: peak fuzz disks --count 1 --seed {failed[0].seed} --kind '{failed[0].kind}'", err=True)
    elif never:
        again = min(COUNT_MAX, max(10 * count, EACH * len(names)))
        click.echo(f"next: peak fuzz disks --count {again} --seed {seed}", err=True)
    raise Exit(code)


@cache
def _ground(world: int) -> Ground:
    """Return the undisturbed session of a world, made once in each process."""
    return damaged_ground(world, machines())


def _hurt(case: Case) -> Hurt:
    name, seed = case
    return hurt(name, KINDS[name], seed, _ground(seed % WORLDS))


def _plain(found: list[Hurt], never: list[str], facts: tuple[int, int]) -> dict[str, Any]:
    seed, code = facts
    rows: dict[str, Counter[str]] = {}
    for item in found:
        rows.setdefault(item.kind, Counter()).update([item.end])
    return {
        "schema_version": 1,
        "exit_code": code,
        "seed": seed,
        "kinds": {name: dict(sorted(row.items())) for name, row in sorted(rows.items())},
        "said_by": {name: _sayers(found, name) for name in sorted(rows)},
        "never_fired": never,
        "failed": [
            {"kind": item.kind, "seed": item.seed, "problems": item.problems} for item in found if item.problems
        ],
    }


def _sayers(found: list[Hurt], kind: str) -> dict[str, int]:
    return dict(Counter(name for item in found if item.kind == kind for name in item.by).most_common())


def _lines(names: list[str], found: list[Hurt], code: int) -> Iterator[str]:
    yield f"{'fault':<25} {'injected':>8} {'recovered':>9} {'detected':>8} {'healed':>6} {'silent':>6}  said by"
    for name in names:
        mine = [item for item in found if item.kind == name]
        ends = Counter(item.end for item in mine)
        sayers = list(_sayers(found, name).items())
        shown = ", ".join(f"{who} {count}" for who, count in sayers[:SAYERS_MAX])
        more = f", and {len(sayers) - SAYERS_MAX} more" if len(sayers) > SAYERS_MAX else ""
        counts = f"{ends['recovered']:>9} {ends['detected']:>8} {ends['healed']:>6} {ends[SILENT]:>6}"
        yield f"{name:<25} {len(mine) - ends[UNFIRED]:>8} {counts}  {shown or '-'}{more}"
        if len(mine) == ends[UNFIRED]:
            yield "  ? never took effect, so nothing is known of it"
    for item in [item for item in found if item.problems][:SHOWN_MAX]:
        yield f"✗ {item.kind}, seed {item.seed}"
        yield from (f"    {problem}" for problem in item.problems[:SHOWN_MAX])
    ends = Counter(item.end for item in found)
    counted = ", ".join(f"{ends[end]:,} {end}" for end in ENDS)
    yield f"{WORDS[code]}: {len(found) - ends[UNFIRED]:,} faults of {len(names)} classes: {counted}"
