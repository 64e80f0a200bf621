"""`peak docs`: the docs gates, once: reference targets, token policy, hygiene, templates; and the pages as a site."""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from os import cpu_count
from pathlib import Path
from typing import Any, Final

import rich_click as click
from click.exceptions import Exit

from peak_trade.cli import findings, manual
from peak_trade.cli.spec import coloured
from peak_trade.gates import git
from peak_trade.gates.baseline import BASELINE_FILE, debt, read_baseline, shrunk, write_baseline
from peak_trade.gates.errors import UnusableError
from peak_trade.gates.fix import fix
from peak_trade.gates.scan import Mapper
from peak_trade.gates.snapshot import GATES, Outcome, Snapshot, snapshot

FORMATS: Final = ("text", "json", "github", "sarif")
SHOWN_MAX: Final = 200
"""How many findings the text shows; the other formats hold all."""
BUILD: Final = "build"
SITE: Final = Path("out/docs")
FOR_GATES: Final = {"changed": "--changed", "everything": "--all", "mend": "--fix", "rebase": "--write-baseline"}
PROCESSES_MAX: Final = 8
CHUNK_PAGES: Final = 64
ALONE_PAGES_MAX: Final = 400
"""So many pages are read faster alone than by processes that must start first."""
NEXT: Final = {
    "targets": "mend the targets, or write examples with &#47;",
    "tokens": "peak docs tokens --fix",
    "hygiene": "edit the lines above",
    "templates": "restore the page or section, or link to the page",
}


@click.command("docs")
@click.argument("gate", type=click.Choice(("snapshot", *GATES, BUILD)), default="snapshot")
@click.option("--changed", is_flag=True, help="Only pages that the change since --base wrote or can have broken.")
@click.option("--all", "everything", is_flag=True, help="All pages; the default.")
@click.option("--base", metavar="REF", help="The commit that --changed compares with, for example origin/main.")
@click.option("--fix", "mend", is_flag=True, help="Rewrite illustrative paths with &#47; first, and nothing else.")
@click.option(
    "--write-baseline", "rebase", is_flag=True, help="Shrink the baseline by what is cured; write the first one."
)
@click.option("--format", "style", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option(
    "--root", type=click.Path(path_type=Path, exists=True, file_okay=False), help="Folder to check; else the checkout."
)
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), help=f"Where `build` writes the site; else {SITE}."
)
def command(gate: str, style: str, root: Path | None, **options: Any) -> None:  # noqa: ANN401 - click's own options
    """Run one docs gate, or with `snapshot`, the default, all of them once.

    `targets`: each link, image, anchor and path in inline code exists; `tokens`: an illustrative path is written with
    `&#47;`; `hygiene`: no local absolute path, no invisible character; `templates`: they exist, are complete and found.

    `build` is no gate of its own: it writes the pages as a site that needs no server and no network, by Sphinx, whose
    every warning is a failure, and says where the site begins. It needs the development extra.

    Exits 0 if all pass, 1 if something new was found, 2 if the call or a file of settings is wrong.
    """
    _refuse(gate, options)
    if gate == BUILD:
        place = (root or git.toplevel(Path.cwd()) or Path.cwd()).resolve()
        click.echo(str(manual.build(place, options["out"] or SITE)))
        return
    gates = GATES if gate == "snapshot" else (gate,)
    try:
        place = (root or git.toplevel(Path.cwd()) or Path.cwd()).resolve()
        with _pool() as mapper:
            run = partial(snapshot, place, options["base"] or "", mapper=mapper)
            if options["mend"]:
                _fixed(place, run(gates=("tokens",)))
            told = run(gates=gates)
        if options["rebase"]:
            _rebased(place, told)
            told = snapshot(place, gates=gates)
    except UnusableError as error:
        raise click.UsageError(str(error)) from error
    click.echo(_rendered(told, style), nl=style != "github" or bool(told.new))
    raise Exit(0 if told.passed else 1)


def _refuse(gate: str, options: dict[str, Any]) -> None:
    """Raise UsageError iff the options contradict each other or the gate."""
    if options["changed"] and options["everything"]:
        raise click.UsageError("--changed and --all exclude each other")
    if options["changed"] != (options["base"] is not None):
        raise click.UsageError("--changed and --base REF go together, for example --changed --base origin/main")
    if options["out"] is not None and gate != BUILD:
        raise click.UsageError("--out is for `peak docs build`")
    unfit = [flag for key, flag in FOR_GATES.items() if options[key] and gate == BUILD]
    if unfit:
        raise click.UsageError(f"{unfit[0]} is for the gates; `peak docs build` takes --out and --root")
    if options["mend"] and gate not in ("tokens", "snapshot"):
        raise click.UsageError("--fix is for `peak docs tokens` and `peak docs snapshot`")
    if options["rebase"] and (options["changed"] or gate not in ("targets", "snapshot")):
        raise click.UsageError("--write-baseline needs all pages: `peak docs targets --write-baseline`")


@contextmanager
def _pool() -> Iterator[Mapper]:
    """Give a `map` over processes, which start with the first page iff there are many; no process outlives it."""
    workers = min(PROCESSES_MAX, cpu_count() or 1)
    executor: list[ProcessPoolExecutor] = []

    def mapped(function: Any, places: Sequence[Any]) -> Any:  # noqa: ANN401 - as `map`
        if len(places) <= ALONE_PAGES_MAX or workers == 1:
            return map(function, places)
        if not executor:
            executor.append(ProcessPoolExecutor(workers, mp_context=get_context("spawn")))
        return executor[0].map(function, places, chunksize=CHUNK_PAGES)

    try:
        yield mapped
    finally:
        for item in executor:
            item.shutdown(cancel_futures=True)


def _fixed(root: Path, told: Snapshot) -> None:
    try:
        done = fix(root, told.new)
    except OSError as error:
        raise click.UsageError(f"cannot write {error.filename}: {error.strerror}") from error
    for name, count in done.items():
        click.echo(f"fixed {name}: {_count(count, 'token')}", err=True)


def _rebased(root: Path, told: Snapshot) -> None:
    """Write the baseline anew: the first one takes all that is found, a later one only ever shrinks."""
    known = read_baseline(root)
    outcome = next(item for item in told.outcomes if item.gate == "targets")
    after = shrunk(known, (*outcome.new, *outcome.old))
    write_baseline(root, after)
    before = 0 if known is None else known.total()
    click.echo(f"{BASELINE_FILE}: {before} -> {_count(after.total(), 'finding')}", err=True)


def _rendered(told: Snapshot, style: str) -> str:
    match style:
        case "text":
            return _text(told)
        case "json":
            facts = {
                "pages": told.pages,
                "scope": "all" if told.everything else "changed",
                "gates": [_facts(item) for item in told.outcomes],
            }
            return findings.document(told.new, exit_code=0 if told.passed else 1, **facts)
        case _:
            return findings.render(told.new, style, [])


def _text(told: Snapshot) -> str:
    shown = findings.text(told.new[:SHOWN_MAX], colour=coloured())
    left = len(told.new) - SHOWN_MAX
    parts = [shown] if shown else []
    parts += [f"… and {left} more; --format json shows all"] if left > 0 else []
    cured = [f"cured: {file}: {code} {message}" for item in told.outcomes for code, file, message in sorted(item.cured)]
    parts += ["\n".join(cured[:SHOWN_MAX])] if cured else []
    return "\n\n".join([*parts, _table(told)])


def _table(told: Snapshot) -> str:
    """Return the verdict of each gate and what to do next."""
    rows = [("gate", "verdict", "new", "old", "cured", "ignored", "next")]
    rows += [
        (
            item.gate,
            "PASS" if item.passed else "FAIL",
            str(len(item.new)),
            str(len(item.old)),
            str(item.cured.total()),
            str(item.ignored),
            _next(item),
        )
        for item in told.outcomes
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    verdict = "PASS" if told.passed else "FAIL"
    return "\n".join([f"docs gates: {verdict} · {_count(told.pages, 'page')} · {_scope(told)}", *lines])


def _next(item: Outcome) -> str:
    if not item.passed:
        return f"{NEXT[item.gate]}; peak explain {item.new[0].code}"
    return "peak docs targets --write-baseline" if item.cured else ""


def _facts(item: Outcome) -> dict[str, Any]:
    cured = Counter({" ".join(key): count for key, count in item.cured.items()})
    return {
        "gate": item.gate,
        "verdict": "PASS" if item.passed else "FAIL",
        "new": len(item.new),
        "old": len(item.old),
        "debt": [dict(zip(("code", "file", "message"), debt(known), strict=True)) for known in item.old],
        "cured": dict(sorted(cured.items())),
        "ignored": item.ignored,
        "next": _next(item),
    }


def _scope(told: Snapshot) -> str:
    return "all pages" if told.everything else "changed pages and those that name what is gone"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
