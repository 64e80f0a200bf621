"""`peak certify`: check a folder of certificates with cvc5, from its files alone; and write such a folder (`prove`)."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias, TypeVar

import rich_click as click
from click.exceptions import Exit

from peak_trade.lang.machine import Machine
from peak_trade.lang.pretty import fingerprint
from peak_trade.proof.certificate import HEAD, SOLVER, Absent, Certificate, certify
from peak_trade.proof.prove import prove
from peak_trade.proof.verdict import Report, Result
from peak_trade.session.clock import wall_ns

INDEX: Final = "index.json"
FOLDER: Final = Path("out/certificates")
PASS, VIOLATION, INCONCLUSIVE = 0, 1, 3
ACCEPTED, REJECTED, OPEN = "accepted", "rejected", "unknown"
MARKS: Final = {ACCEPTED: "✓", REJECTED: "✗", OPEN: "?"}
CERTIFY: Final = "Write each proof as SMT-LIB text, and have cvc5 check the files."
INSTALL: Final = "expected the second solver cvc5, was not installed; pip install 'peak-trade[certify]'"
NAME_CHARS_MAX: Final = 120

_PLAIN: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*\.smt2")
_OTHER: Final = re.compile(r"[^A-Za-z0-9._-]")


Outcome: TypeAlias = tuple[list["Row"], Path] | None
"""What cvc5 says of each certificate and the folder that they are in; None if nobody asked."""

_Command = TypeVar("_Command", bound=Callable[..., None])


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one certificate; `why` is the reason unless it was accepted, `took_ms` is wall time."""

    machine: str
    claim: str
    verdict: str
    why: str = ""
    questions: int = 0
    took_ms: int = 0


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
    return wanted(place(command))


def _noted(ctx: click.Context, param: click.Parameter, value: Any) -> None:  # noqa: ANN401 - click's interface
    ctx.meta[f"{__name__}.{param.name}"] = value
    if param.name == "certify" and value:
        ready()


def certified(found: Iterable[tuple[Machine, Result]], *, chosen: bool) -> Outcome:
    """Return what cvc5 says of the certificates of these results, and the folder; None iff nobody asked for them.

    They are written first, and read again from the disk. `chosen` results are not all of their machines; what they rest
    on is then proved again.
    """
    context = click.get_current_context()
    assert context is not None, "expected to be called by a command"
    meta = context.meta
    if not meta.get(f"{__name__}.certify"):
        return None
    folder: Path = meta[f"{__name__}.certificates"]
    results: dict[str, tuple[Machine, list[Result]]] = {}
    for machine, result in found:
        results.setdefault(machine.name, (machine, []))[1].append(result)
    rows: list[Row] = []
    for machine, judged in results.values():
        report = prove(machine) if chosen else Report(machine.name, fingerprint(machine), tuple(judged))
        rows += check(write(folder, machine, report, frozenset(item.property for item in judged)))
    return rows, folder


def ready() -> None:
    """Raise UsageError iff the second solver is not installed: a proof that nobody re-checked must not look so."""
    try:
        import peak_trade.proof.second  # noqa: PLC0415 - an extra: only who certifies needs it
    except ImportError as error:
        raise click.UsageError(INSTALL) from error
    del peak_trade


def write(folder: Path, machine: Machine, report: Report, only: frozenset[str] | None = None) -> Path:
    """Write the certificates of what `report` says is proved, and their index; return the machine's own folder.

    Certificates of an earlier time are taken away, so that the folder holds one report.
    """
    place = folder / _OTHER.sub("_", machine.name)
    place.mkdir(parents=True, exist_ok=True)
    for old in place.glob("*.smt2"):
        if old.read_text(errors="replace").startswith(HEAD):
            old.unlink()
    found = list(certify(machine, report, only))
    entries = [_write(place, item) for item in found if isinstance(item, Certificate)]
    absent = [asdict(item) for item in found if isinstance(item, Absent)]
    head = {"schema_version": 1, "machine": machine.name, "specification": report.fingerprint, "found_by": SOLVER}
    index = head | {"certificates": entries, "absent": absent}
    (place / INDEX).write_text(json.dumps(index, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    return place


def _write(place: Path, item: Certificate) -> dict[str, Any]:
    name = _OTHER.sub("_", item.claim)[:NAME_CHARS_MAX] + ".smt2"
    assert not (place / name).exists(), f"expected claims whose files differ, was {name} twice"
    (place / name).write_text(item.text)
    fields = {"claim": item.claim, "kind": item.kind, "method": item.method, "questions": item.questions}
    return fields | {"lemmas": list(item.lemmas), "sha256": item.sha256, "file": name}


def check(folder: Path) -> list[Row]:
    """Return what cvc5 says of each certificate that an index in `folder`, or one level below it, speaks of.

    UsageError iff there is no index.
    """
    indexes = sorted(path for path in (folder / INDEX, *folder.glob(f"*/{INDEX}")) if path.is_file())
    if not indexes:
        raise click.UsageError(
            f"expected certificates with {INDEX} in {folder}, was none; `peak prove --certify` writes them"
        )
    return [row for path in indexes for row in _checked(path)]


def _checked(path: Path) -> Iterable[Row]:
    try:
        index = json.loads(path.read_text())
        machine, spec = str(index["machine"]), str(index["specification"])
        entries = [(str(item["claim"]), str(item["file"]), str(item["sha256"])) for item in index["certificates"]]
        absent = [(str(item["claim"]), str(item["reason"])) for item in index["absent"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        yield Row(path.parent.name, INDEX, REJECTED, f"expected an index of certificates, was none: {error!r}")
        return
    for claim, file, sha256 in entries:
        yield _judged(path.parent, (machine, spec, claim), file, sha256)
    known = {file for _, file, _ in entries}
    for other in sorted(item.name for item in path.parent.glob("*.smt2") if item.name not in known):
        yield Row(machine, other, REJECTED, "expected a file that the index names, was another")
    for claim, reason in absent:
        yield Row(machine, claim, OPEN, f"no certificate: {reason}")
    if not entries and not absent:
        yield Row(machine, INDEX, OPEN, "no certificate at all is no evidence")


def _judged(place: Path, about: tuple[str, str, str], file: str, sha256: str) -> Row:
    from peak_trade.proof.second import Checked, Rejected, recheck  # noqa: PLC0415 - an extra, see `ready`

    machine, spec, claim = about
    if not _PLAIN.fullmatch(file) or not (place / file).is_file():
        return Row(machine, claim, REJECTED, f"expected a file in the folder of its index, was {file!r}")
    raw = (place / file).read_bytes()
    was = hashlib.sha256(raw).hexdigest()
    if was != sha256:
        return Row(machine, claim, REJECTED, f"expected sha256 {sha256[:12]}…, was {was[:12]}…")
    content = raw.decode(errors="replace")
    named = (f"{HEAD}: {claim} of the machine {machine}.", f"; specification: {spec}")
    if not set(named) <= set(content.split("\n", 8)[:8]):
        return Row(machine, claim, REJECTED, "expected the claim, machine and specification of its index, was another")
    before = wall_ns()
    found = recheck(content)
    took = (wall_ns() - before) // 1_000_000
    if isinstance(found, Checked):
        return Row(machine, claim, ACCEPTED, "", found.questions, took)
    return Row(machine, claim, REJECTED if isinstance(found, Rejected) else OPEN, found.reason, 0, took)


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
