"""`peak certify`: check a folder of certificates with cvc5, from its files alone; and write such a folder (`prove`)."""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import rich_click as click
from click.exceptions import Exit

from peak_trade.cli.dossier import ACCEPTED, OPEN, REJECTED, Row, check, write
from peak_trade.evidence.proofs import Proofs, Sealed, told
from peak_trade.evidence.proofs import document as document_of
from peak_trade.lang.compose import COUNT_MARK
from peak_trade.lang.machine import Machine
from peak_trade.lang.pretty import fingerprint
from peak_trade.proof.verdict import Report, Result
from peak_trade.proof.warrant.certificate import SOLVER

FOLDER: Final = Path("out/certificates")
PASS, VIOLATION, INCONCLUSIVE = 0, 1, 3
MARKS: Final = {ACCEPTED: "✓", REJECTED: "✗", OPEN: "?"}
CERTIFY: Final = "Write each proof as SMT-LIB text, and have cvc5 check the files."
INSTALL: Final = "expected the second solver cvc5, was not installed; pip install 'peak-trade[certify]'"


Judged: TypeAlias = tuple[str, Machine, Result]
"""How commands call a specification, the machine that a result is about, and the result."""

Outcome: TypeAlias = tuple[list[Row], Path] | None
"""What cvc5 says of each certificate and the folder that they are in; None if nobody asked."""

_Command = TypeVar("_Command", bound=Callable[..., None])


@click.command("certify")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), default=FOLDER)
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(folder: Path, *, style: str) -> None:
    """Check the certificates in FOLDER with cvc5: neither the specification nor Z3 is asked.

    Exits 0 if every one is accepted, 1 if one is rejected or is not what its index says, 3 if one is left open.
    """
    ready()
    rows = check(folder)
    click.echo(document(rows, folder) if style == "json" else text(rows, folder))
    raise Exit(code(rows))


def certifying(command: _Command) -> _Command:
    """Give a command that proves the options `--certify` and `--certificates`; `certified` reads them."""
    told = click.option(
        "--evidence",
        type=click.Path(path_type=Path, dir_okay=False),
        expose_value=False,
        callback=_noted,
        help="File to write what was proved and accepted to; needs --certify.",
    )
    wanted = click.option("--certify", is_flag=True, expose_value=False, callback=_noted, help=CERTIFY)
    place = click.option(
        "--certificates",
        type=click.Path(path_type=Path, file_okay=False),
        default=FOLDER,
        show_default=True,
        expose_value=False,
        callback=_noted,
        help="Folder for the certificates.",
    )
    return wanted(place(told(command)))


def _noted(ctx: click.Context, param: click.Parameter, value: Any) -> None:  # noqa: ANN401 - click's interface
    ctx.meta[f"{__name__}.{param.name}"] = value
    if param.name == "certify" and value:
        ready()


def telling() -> bool:
    """Return true iff the command at hand writes evidence; that must not depend on what a cache holds."""
    context = click.get_current_context(silent=True)
    return context is not None and context.meta.get(f"{__name__}.evidence") is not None


def certified(found: Iterable[Judged], whole: Callable[[], Iterable[Judged]] | None = None) -> Outcome:
    """Return what cvc5 says of the certificates of these results, and the folder; None iff nobody asked for them.

    They are written first, and read again from the disk. `whole` gives the results on all claims where those found are
    not all, because what they rest on is part of their certificates.
    """
    context = click.get_current_context()
    assert context is not None, "expected to be called by a command"
    folder: Path = context.meta.get(f"{__name__}.certificates", FOLDER)
    place: Path | None = context.meta.get(f"{__name__}.evidence")
    if not context.meta.get(f"{__name__}.certify"):
        if place is not None:
            raise click.UsageError("expected --certify with --evidence, was none; what nobody checked is no evidence")
        return None
    if place is not None and whole is not None:
        raise click.UsageError("expected all claims with --evidence, was --only; a part would look like all")
    wanted = list(found)
    rows = [row for group in _groups(wanted if whole is None else whole()) for row in _shown(folder, group, wanted)]
    if place is not None:
        _tell(place, wanted, rows)
    return rows, folder


def _groups(found: Iterable[Judged]) -> list[tuple[Machine, list[Result]]]:
    groups: dict[str, tuple[Machine, list[Result]]] = {}
    for _, machine, result in found:
        groups.setdefault(machine.name, (machine, []))[1].append(result)
    return list(groups.values())


def _shown(folder: Path, group: tuple[Machine, list[Result]], wanted: Iterable[Judged]) -> list[Row]:
    machine, results = group
    only = frozenset(result.property for _, other, result in wanted if other.name == machine.name)
    if not only:
        return []
    return check(write(folder, machine, Report(machine.name, fingerprint(machine), tuple(results)), only))


def _tell(place: Path, found: Iterable[Judged], rows: Iterable[Row]) -> None:
    """Write what was proved and accepted to the file at `place`, and nothing else."""
    from peak_trade.proof.warrant.second import VERSION  # noqa: PLC0415 - an extra, see `ready`

    sealed = {(row.machine, row.claim): Sealed(row.sha256, row.verdict == ACCEPTED, row.why) for row in rows}
    parts: dict[str, list[Judged]] = {}
    for item in found:
        parts.setdefault(item[0].rpartition(COUNT_MARK)[0] or item[0], []).append(item)
    told_of = {
        name: Proofs(
            specification=_about(items),
            found_by=SOLVER,
            checked_by=f"cvc5 {VERSION}",
            results=[told(result, sealed.get((machine.name, result.property))) for _, machine, result in items],
        )
        for name, items in parts.items()
    }
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(document_of(told_of), indent=2, sort_keys=True, ensure_ascii=False) + "\n")


def _about(items: list[Judged]) -> str:
    """Return the fingerprint of what was judged: of a system that is the machine with one tracked among any number."""
    machines = [machine for _, machine, _ in items]
    return fingerprint(next((item for item in machines if COUNT_MARK not in item.name), machines[0]))


def ready() -> None:
    """Raise UsageError iff the second solver is not installed: a proof that nobody re-checked must not look so."""
    try:
        import peak_trade.proof.warrant.second  # noqa: PLC0415 - an extra: only who certifies needs it
    except ImportError as error:
        raise click.UsageError(INSTALL) from error
    del peak_trade


def code(rows: Iterable[Row]) -> int:
    """Return the exit code: 0 only if there is a row and every one is accepted."""
    found = {row.verdict for row in rows}
    if REJECTED in found:
        return VIOLATION
    return PASS if found == {ACCEPTED} else INCONCLUSIVE


def worse(one: int, other: int) -> int:
    """Return the worse of two exit codes: a violation before what is left open."""
    return VIOLATION if VIOLATION in (one, other) else max(one, other)


def plain(checked: Outcome) -> dict[str, Any]:
    """Return the outcome as a part of a JSON document; nothing if nobody asked."""
    return {} if checked is None else {"certificates": [asdict(row) for row in checked[0]]}


def document(rows: list[Row], folder: Path) -> str:
    """Return the rows as JSON."""
    body = {"schema_version": 1, "exit_code": code(rows)} | plain((rows, folder))
    return json.dumps(body, indent=2, sort_keys=True, ensure_ascii=False)


def text(rows: Iterable[Row], folder: Path) -> str:
    """Return the rows as lines for a person, totals after them, and what to run next unless all are accepted."""
    found = list(rows)
    lines = [_line(row) for row in found]
    count, took = Counter(row.verdict for row in found), sum(row.took_ms for row in found) / 1000
    questions = sum(row.questions for row in found)
    total = ", ".join(f"{count[word]} {word}" for word in MARKS if count[word])
    lines.append(f"{total} by cvc5, {questions} questions in {took:.1f} s, from the files in {folder}")
    bad = next((row for row in found if row.verdict != ACCEPTED), None)
    if bad is not None:
        lines.append(f"next: peak prove {bad.machine} --certify --certificates {folder}")
    return "\n".join(lines)


def _line(row: Row) -> str:
    asked = f"{row.questions:>4} questions {row.took_ms:>5} ms" if row.verdict == ACCEPTED else row.why
    return f"{MARKS[row.verdict]} {row.machine:<10} {row.claim:<18} {row.verdict:<9} {asked}"
