"""`peak prove --from`: does what a run recorded lie inside the certified invariant, and so is it safe from now on?"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import rich_click as click
from click.exceptions import Exit

from peak_trade.backends.kernel import Running, compile_kernel
from peak_trade.cli.specs import machine_at, machine_named
from peak_trade.evidence import exhibit
from peak_trade.evidence.bag import DATA
from peak_trade.evidence.slice import SLICE
from peak_trade.evidence.values import ORDER, SESSION, Known, valued
from peak_trade.journal.errors import JournalRefusal
from peak_trade.journal.record import Record, decode
from peak_trade.journal.scan import read
from peak_trade.lang.machine import Always, Machine
from peak_trade.lang.pretty import fingerprint
from peak_trade.proof.prove import LIMITS, prove
from peak_trade.proof.warrant.inside import Inside, Invariant, certified, predicate

MACHINES: Final = (SESSION, ORDER)
ROWS_MAX: Final = 50
INSIDE, OUTSIDE, UNKNOWN = "inside", "outside", "unknown"
CODES: Final = {INSIDE: 0, OUTSIDE: 1, UNKNOWN: 3}
MARKS: Final = {INSIDE: "✓", OUTSIDE: "✗", UNKNOWN: "?"}
SAFE: Final = "inside: safe in every continuation, however long"


@dataclass(frozen=True, slots=True)
class Row:
    """What is to be said of one value; `clause` is the id that it breaks, `why` the sentence or the reason."""

    known: Known
    verdict: str
    clause: str = ""
    why: str = ""


@dataclass(slots=True)
class Place:
    """What was given: the values in it, the fingerprints of the machines that they are of, and those machines."""

    spec: dict[str, str] = field(default_factory=dict)
    machines: dict[str, Machine] = field(default_factory=dict)
    known: list[Known] = field(default_factory=list)
    damage: str = ""


class Answering(click.RichCommand):
    """A command that answers for what a run recorded if `--from` is given, and else does its own work."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - click's interface
        """Answer and leave with the exit code, or go on."""
        place, every = ctx.params.pop("place"), ctx.params.pop("every")
        if place is None:
            return super().invoke(ctx)
        if ctx.params["machines"]:
            raise click.UsageError("expected no MACHINES with --from: what was recorded says of which machines it is")
        told, code = answer(place, every=every, style=ctx.params["style"])
        click.echo(told)
        raise Exit(code)


def recorded(command: Any) -> Any:  # noqa: ANN401 - a decorator, as click's own
    """Give `command` the options that `Answering` takes away again."""
    kind = click.Path(path_type=Path, exists=True)
    of = "Judge instead the values in this run folder, journal, pack or snapshot: inside what is proved, or not?"
    every = "With --from: every recorded value, and not only the last of each."
    option = click.option("--from", "place", type=kind, metavar="RUN", help=of)
    return option(click.option("--every", is_flag=True, help=every)(command))


def answer(path: Path, *, every: bool, style: str) -> tuple[str, int]:
    """Return the text about the values recorded at `path`, and the exit code: 0 inside, 1 outside, 3 unknown.

    `path` is a run folder, a journal, an incident or evidence pack, or a snapshot. With `every`, each recorded value is
    judged, else the last of the session and of each order.

    Raises:
        UsageError: it is none of these, or of another specification than the one at hand.
    """
    place = _snapshot(path) if path.suffix == ".json" else _journal(path)
    for name, machine in place.machines.items():
        if place.spec.get(name) != fingerprint(machine):
            was = place.spec.get(name) or "no fingerprint"
            raise click.UsageError(
                f"{path}: expected values of the {name} specification {fingerprint(machine)}, was {was}; "
                "check out the commit whose specification drove the run"
            )
    invariants = {name: _certified(machine) for name, machine in place.machines.items()}
    last = {(known.machine, known.subject): known for known in place.known if not known.found}
    latest = frozenset(map(id, last.values()))
    rows = list(_rows(place.known if every else last.values(), invariants))
    shown = [row for row in rows if row.verdict != INSIDE or id(row.known) in latest]
    verdict = next((word for word in (OUTSIDE, UNKNOWN) if word in {row.verdict for row in rows}), INSIDE)
    if verdict == INSIDE and (place.damage or not rows):
        verdict = UNKNOWN
    facts = _facts(place, invariants, rows) | {"verdict": verdict, "exit_code": CODES[verdict]}
    write = _json if style == "json" else _text
    return write(facts, place, shown, path), CODES[verdict]


def _journal(path: Path) -> Place:
    """Read a run folder, a journal, or a pack; a damaged journal is read up to the damage."""
    data = path / DATA
    packed = path.is_dir() and (data / exhibit.SPEC).is_dir()
    found = [path] if path.is_file() else [
        item for item in (path / exhibit.JOURNAL_FILE, data / exhibit.JOURNAL_FILE, data / exhibit.JOURNAL / SLICE)
        if item.is_file()
    ]  # fmt: skip
    if not found:
        raise click.UsageError(f"expected a run folder, a journal, a pack or a snapshot (.json), was {path}")
    machines = {name: machine_at(str(data / exhibit.SPEC / f"{name}.yaml")) for name in MACHINES} if packed else {
        name: machine_named(name) for name in MACHINES
    }  # fmt: skip
    place = Place(machines=machines, spec=_packed_spec(data) if packed else {})
    records = _sliced(found[0]) if found[0].name == SLICE else read(found[0])
    place.known = list(valued(_watched(records, place), *map(compile_kernel, machines.values())))
    return place


def _watched(records: Iterable[Record], place: Place) -> Iterator[Record]:
    """Yield the records, note the fingerprints in the first one, and the damage that ends them."""
    try:
        for record in records:
            if record.kind == "run":
                place.spec = {name: str(record.body.get(f"{name}_spec")) for name in MACHINES}
            yield record
    except (JournalRefusal, ValueError, KeyError) as error:
        place.damage = f"{type(error).__name__}: {error}"


def _sliced(path: Path) -> Iterator[Record]:
    """Yield the records of a slice, whose chain begins before it; `peak evidence verify` follows the chain."""
    for line in path.read_bytes().splitlines():
        body = json.loads(line)["record"]
        yield decode(json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())


def _packed_spec(data: Path) -> dict[str, str]:
    path = data / exhibit.ORIGIN
    if not path.is_file():
        return {}
    return dict(exhibit.Origin.model_validate_json(path.read_text(encoding="utf-8")).spec_sha256)


def _snapshot(path: Path) -> Place:
    """Read a snapshot: what this command writes with `--format json`, or what is written like it."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        spec = {name: str(document["spec"][name]) for name in MACHINES if name in document["spec"]}
        machines = {name: machine_named(name) for name in spec}
        known = [_known(machines[str(item["machine"])], item) for item in document["values"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise click.UsageError(
            f"expected a snapshot with `spec` and `values` in {path}, was {type(error).__name__}: {error}; "
            "`peak prove --from RUN --format json` writes one"
        ) from error
    return Place(spec, machines, known)


def _known(machine: Machine, item: dict[str, Any]) -> Known:
    context = item.get("context") or {}
    missing = [variable.name for variable in machine.variables if variable.name not in context]
    value: Running | None = None
    if not missing:
        value = (item.get("state"), *(context[variable.name] for variable in machine.variables))
    doubt = f"the snapshot does not say {', '.join(missing)}" if missing else str(item.get("doubt") or "")
    return Known(int(item.get("seq", 0)), machine.name, str(item.get("subject", "")), value, doubt)


def _certified(machine: Machine) -> Invariant:
    """Return the invariant that is proved now."""
    names = frozenset(item.name for item in machine.properties if isinstance(item, Always))
    return certified(machine, prove(machine, LIMITS, names))


def _rows(values: Iterable[Known], invariants: dict[str, Invariant]) -> Iterator[Row]:
    looks = {name: predicate(invariant) for name, invariant in invariants.items()}
    for known in values:
        yield _row(known, invariants[known.machine], looks[known.machine])


def _row(known: Known, invariant: Invariant, look: Inside) -> Row:
    if known.found:
        return Row(known, OUTSIDE, known.found, "found by the session itself, which stopped for the operator")
    if known.value is None:
        return Row(known, UNKNOWN, "", known.doubt)
    clause = look(known.value)
    if clause is not None:
        return Row(known, OUTSIDE, clause, invariant.says(clause))
    if known.doubt:
        return Row(known, UNKNOWN, "", known.doubt)
    if invariant.left_out:
        return Row(known, UNKNOWN, "", f"not proved now: {', '.join(invariant.left_out)}")
    return Row(known, INSIDE)


def _facts(place: Place, invariants: dict[str, Invariant], judged: list[Row]) -> dict[str, Any]:
    return {
        "spec": place.spec,
        "invariant": {name: [item.name for item in found.clauses] for name, found in invariants.items()},
        "not_proved": {name: list(found.left_out) for name, found in invariants.items() if found.left_out},
        "judged": {word: sum(row.verdict == word for row in judged) for word in CODES},
        "damage": place.damage,
    }


def _json(facts: dict[str, Any], place: Place, shown: list[Row], _: Path) -> str:
    values = []
    for row in shown:
        known, machine = row.known, place.machines[row.known.machine]
        parts = None if known.value is None else known.value[1:]
        names = [item.name for item in machine.variables]
        values.append(
            {
                "machine": known.machine,
                "subject": known.subject,
                "seq": known.seq,
                "state": None if known.value is None else known.value[0],
                "context": None if parts is None else dict(zip(names, parts, strict=True)),
                "doubt": known.doubt,
                "verdict": row.verdict,
                "clause": row.clause,
                "why": row.why,
            }
        )
    return json.dumps({"schema_version": 1, **facts, "values": values}, sort_keys=True, indent=2, ensure_ascii=False)


def _text(facts: dict[str, Any], place: Place, shown: list[Row], path: Path) -> str:
    wanted = [row for row in shown if row.verdict != INSIDE or row.known.machine == SESSION]
    lines = [_line(row) for row in wanted[:ROWS_MAX]]
    if len(wanted) > ROWS_MAX:
        lines.append(f"  and {len(wanted) - ROWS_MAX} more; --format json has them all")
    if place.damage:
        lines.append(f"? the journal is damaged, and nobody knows what came after: {place.damage}")
    counts = facts["judged"]
    clauses = ", ".join(f"{len(names)} claims of {name}" for name, names in facts["invariant"].items())
    lines.append(f"{sum(counts.values())} values: " + ", ".join(f"{count} {word}" for word, count in counts.items()))
    lines.append(f"invariant: {clauses} and their sorts, proved now by induction")
    lines += [f"not proved now: {name} {', '.join(found)}" for name, found in facts["not_proved"].items()]
    if facts["verdict"] == INSIDE:
        lines.append(SAFE)
    else:
        following = f"peak journal show {path}" if path.is_dir() and not (path / DATA).is_dir() else "peak prove"
        lines.append(f"next: {following}")
    return "\n".join(lines)


def _line(row: Row) -> str:
    known = row.known
    state = "" if known.value is None else f" in {known.value[0]}"
    who = f"{known.machine} {known.subject}".rstrip()
    clause = f" breaks {row.clause}" if row.clause else ""
    why = f": {row.why}" if row.why else ""
    return f"{MARKS[row.verdict]} {row.verdict:<7} {who}{state}, record {known.seq}{clause}{why}"
