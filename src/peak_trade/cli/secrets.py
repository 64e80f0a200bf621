"""`peak fuzz secrets`: secrets planted everywhere outside, and looked for in everything that comes of a run."""

import json
import os
from collections.abc import Iterator
from typing import Any, Final

import rich_click as click
from click.exceptions import Exit

from peak_trade.cli.job import fenced
from peak_trade.cli.planting import Planted, planted
from peak_trade.cli.spread import SEED_MAX, SHOWN_MAX, rated, spread
from peak_trade.fuzz.harm.secrets import PLACES, SHAPES
from peak_trade.session.clock import wall_ns

PASS, VIOLATION, INCONCLUSIVE = 0, 1, 3
COUNT_MAX: Final = 1_000_000
SITE_EACH: Final = 9
"""Of so many cases one makes the review site too, which takes longer than all else."""
WORDS: Final = {PASS: "PASS", VIOLATION: "FAIL", INCONCLUSIVE: "INCONCLUSIVE"}

COLUMNS: Final = {"planted": 7, "reached": 7, "leaked": 6, "declared": 8}

Case = tuple[str, int, bool]


@click.command("secrets")
@click.option("--count", type=click.IntRange(1, COUNT_MAX), default=len(PLACES) * len(SHAPES), show_default=True)
@click.option("--seed", type=click.IntRange(0, SEED_MAX), default=1, show_default=True, help="Seed of the first ones.")
@click.option("--place", "only", type=click.Choice(list(PLACES)), help="Only at this place.")
@click.option("--jobs", type=click.IntRange(1, 64), default=lambda: os.cpu_count() or 1, help="Processes; all cores.")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(count: int, seed: int, only: str | None, jobs: int, style: str) -> None:
    """Plant COUNT secrets, at each place in turn, and look for them in all that a run leaves and shows.

    Looked through are journal, artifacts, pages, site, metrics, evidence and incident packs, what is served, and what
    commands print. Exits 0 if no secret is found in any spelling, 1 if one is, 3 if a place was never reached. Texts of
    the form that a place is declared to take are counted apart.
    """
    fenced()
    since_ns = wall_ns()
    names = [only] if only else list(PLACES)
    cases = [(names[at % len(names)], seed + at // len(names), at % SITE_EACH == SITE_EACH - 1) for at in range(count)]
    found = list(spread(_planted, cases, min(jobs, count), "secrets"))
    click.echo(rated(len(found), "secrets", since_ns), err=True)
    leaking = [item for item in found if item.leaks]
    never = [name for name in names if not any(item.delivered for item in found if item.place == name)]
    code = VIOLATION if leaking else INCONCLUSIVE if never else PASS
    if style == "json":
        click.echo(json.dumps(_plain(names, found, (seed, code)), sort_keys=True, indent=2))
    else:
        click.echo("\n".join(_lines(names, found, code)))
    if leaking:
        first = leaking[0]
        click.echo(f'next: peak fuzz secrets --count 1 --seed {first.seed} --place "{first.place}"', err=True)
    elif never:
        again = min(COUNT_MAX, max(3 * count, len(PLACES) * len(SHAPES)))
        click.echo(f"next: peak fuzz secrets --count {again} --seed {seed}", err=True)
    raise Exit(code)


def _planted(case: Case) -> Planted:
    place, seed, site = case
    return planted(place, seed, site=site)


def _plain(names: list[str], found: list[Planted], facts: tuple[int, int]) -> dict[str, Any]:
    seed, code = facts
    rows = {name: [item for item in found if item.place == name] for name in names}
    return {
        "schema_version": 1,
        "exit_code": code,
        "seed": seed,
        "looked_through": sum(item.files for item in found),
        "places": {name: _row(mine) for name, mine in rows.items()},
        "leaks": [
            {"place": item.place, "seed": item.seed, "shape": item.shape, "where": leak.where, "byte": leak.offset,
             "spelling": leak.spelling}
            for item in found for leak in item.leaks
        ],
    }  # fmt: skip


def _row(mine: list[Planted]) -> dict[str, int]:
    return {
        "planted": len(mine),
        "reached": sum(item.delivered > 0 for item in mine),
        "leaked": sum(bool(item.leaks) for item in mine),
        "declared": sum(bool(item.allowed) for item in mine),
    }


def _lines(names: list[str], found: list[Planted], code: int) -> Iterator[str]:
    yield f"{'place':<22} {' '.join(f'{key:>{width}}' for key, width in COLUMNS.items())}  what it is"
    for name in names:
        mine = [item for item in found if item.place == name]
        row = _row(mine)
        yield f"{name:<22} {' '.join(f'{row[key]:>{width}}' for key, width in COLUMNS.items())}  {PLACES[name].about}"
        for item in [item for item in mine if item.leaks][:1]:
            yield from (
                f"  ✗ seed {item.seed}, {item.shape}: {leak.where}, byte {leak.offset}, {leak.spelling}"
                for leak in item.leaks[:SHOWN_MAX]
            )
        if not row["reached"]:
            yield "  ? it never came in, so nothing is known of it"
    leaked, files = sum(bool(item.leaks) for item in found), sum(item.files for item in found)
    yield f"{WORDS[code]}: {len(found):,} secrets, looked for in {files:,} files and outputs: {leaked:,} leaked"
