"""`peak mutate`: would the claims notice if the specification were wrong?"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import rich_click as click
from click.exceptions import Exit

from peak_trade.cli.progress import bar
from peak_trade.cli.specs import is_system, machine_at, relative, spec_folder, spec_names, system_at
from peak_trade.lang.machine import Machine
from peak_trade.lang.read import read
from peak_trade.lang.source import Findings, Source
from peak_trade.lang.system import System
from peak_trade.proof.doubt.docket import examine
from peak_trade.proof.doubt.exam import Exam, Reasons, exam, plain
from peak_trade.proof.doubt.mutate import mutants
from peak_trade.proof.doubt.score import SCORE_PERCENT_MIN
from peak_trade.proof.doubt.variants import variants

PASS, VIOLATION, INCONCLUSIVE = 0, 1, 3
REASONS: Final = Path("docs/evidence/survivors.yaml")
"""The written reasons, from the folder that has `spec/` in it."""


@click.command("mutate")
@click.argument("machines", nargs=-1)
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--whole", is_flag=True, help="Also roles, cut orders and smallest quantities.")
@click.option(
    "--write", type=click.Path(path_type=Path, dir_okay=False), help="File to write the evidence to; implies --whole."
)
def command(machines: tuple[str, ...], style: str, write: Path | None, *, whole: bool) -> None:
    """Judge every small fault that MACHINES (shipped names or files; by default all shipped ones) could have.

    Exits 0 if enough of them are noticed, each survivor has a written reason and no claim is vacuous; 1 if not; 3 if a
    case of a claim was neither reached nor shown to be out of reach.
    """
    found, stale = [], list[str]()
    for name in machines or spec_names():
        subject: Machine | System = system_at(name) if is_system(name) else machine_at(name)
        reasons = reasons_for(name)
        count = len(mutants(subject)) if isinstance(subject, Machine) else len(variants(subject))
        with bar(count, f"{subject.name}: mutants") as show:
            done = 0

            def progress(_: str, show: Any = show) -> None:  # noqa: ANN401 - the bar's own function
                nonlocal done
                done += 1
                show(done)

            all_of_it = whole or write is not None
            if isinstance(subject, Machine):
                item = exam(subject, progress, whole=all_of_it)
            else:
                item = examine(subject, progress, whole=all_of_it)
                reasons = _with_parts(subject, item, reasons)
        stale += [f"{part} of {name}" for part in item.stale(reasons)]
        found.append((name, item, reasons))
    code = max((_code(item, reasons) for _, item, reasons in found), key=(PASS, INCONCLUSIVE, VIOLATION).index)
    document = {"schema_version": 1, "machines": {item.machine: plain(item, why) for _, item, why in found}}
    if write is not None:
        write.parent.mkdir(parents=True, exist_ok=True)
        write.write_text(_json(document), encoding="utf-8")
    click.echo(_json(document | {"exit_code": code}).rstrip() if style == "json" else _text(found))
    if stale:  # said after the result, which took its time
        raise click.UsageError(
            f"{REASONS.as_posix()} explains {', '.join(stale)}, which needs no reason now; delete it"
        )
    if code and style == "text":
        click.echo(f"next: peak roles {found[0][0]}   says what no claim rests on", err=True)
    raise Exit(code)


def reasons_for(name: str, path: Path | None = None) -> Reasons:
    """Return the written reasons for the machine called `name`; UsageError iff the file cannot be read as such."""
    place = path or spec_folder().parent / REASONS
    if not place.is_file():
        return Reasons()
    findings = Findings(Source(relative(place), place.read_text(encoding="utf-8")))
    data = read(findings)
    if data is None:
        raise click.UsageError("\n".join(map(str, findings.sorted())))
    try:
        mine = data[0].get(name, {})
        return Reasons(_flat(mine.get("survivors", ()), "mutants"), _flat(mine.get("idle", ()), "parts"))
    except (AttributeError, KeyError, TypeError) as error:
        raise click.UsageError(
            f"{relative(place)}: expected lists of `mutants` or `parts` with `because`, was something else at {name}"
        ) from error


def _with_parts(system: System, item: Exam, reasons: Reasons) -> Reasons:
    """Return the reasons with those that the parts' machines have for what survives in the system, too."""
    theirs = {
        f"{part.name}/{name}": because
        for part in system.parts
        for name, because in reasons_for(part.machine.name).survivors.items()
    }
    left = {one.name: theirs[one.name] for one in item.score.survivors if one.name in theirs}
    return Reasons(left | dict(reasons.survivors), reasons.idle)


def _flat(groups: Iterable[dict[str, Any]], key: str) -> dict[str, str]:
    return {str(item): str(group["because"]) for group in groups for item in group[key]}


def _code(item: Exam, reasons: Reasons) -> int:
    if not item.score.enough or item.unexplained(reasons) or any(case.proved for case in item.vacuous):
        return VIOLATION
    return INCONCLUSIVE if item.vacuous else PASS


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def _text(found: list[tuple[str, Exam, Reasons]]) -> str:
    return "\n".join(line for _, item, reasons in found for line in _lines(item, reasons))


def _lines(item: Exam, reasons: Reasons) -> list[str]:
    data = plain(item, reasons)
    lines = [f"{item.machine}: property, mutants it notices, cut order, smallest quantity, roles"]
    for name, row in data["properties"].items():
        cut, quantity, roles = row.get("cut"), row.get("quantity"), row.get("roles")
        order = "" if cut is None else _order(cut)
        needs = f"{quantity['needed']} ({quantity['mutant']})" if quantity else ""
        shares = f"{roles['must']} must, {roles['may']} may" if roles else ""
        lines.append(f"  {name:<14} {len(row['mutants']):>4}  {order:<14} {shares:<18} {needs}".rstrip())
    lines += [f"? {case.property}: never interesting: {case.case}" for case in item.vacuous]
    for because in dict.fromkeys(survivor["because"] for survivor in data["survivors"]):
        named = [survivor["mutant"] for survivor in data["survivors"] if survivor["because"] == because]
        lines += [f"{'·' if because else '✗'} survive: {', '.join(named)}", f"    {because or 'No reason is written.'}"]
    lines += [f"✗ {name}: irrelevant to every claim, and no reason is written" for name in _idle(item, reasons)]
    counts = ", ".join(f"{number} {word}" for word, number in data["mutants"].items())
    lines.append(
        f"{item.machine}: {data['noticed']} of {data['real']} mutants noticed "
        f"({1000 * data['noticed'] // max(1, data['real']) / 10} %, at least {SCORE_PERCENT_MIN} %); {counts}"
    )
    return lines


def _idle(item: Exam, reasons: Reasons) -> tuple[str, ...]:
    survivors = {one.name for one in item.score.survivors}
    return tuple(name for name in item.unexplained(reasons) if name not in survivors)


def _order(cut: dict[str, Any]) -> str:
    if cut["order"] is not None:
        return f"cut {'' if cut['exact'] else '≤ '}{cut['order']}"
    return "cut none" if cut["order_min"] is None else f"cut ≥ {cut['order_min']}"
