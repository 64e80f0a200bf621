"""A trace file replayed: through `lang.step`, the kernel and python-statemachine, and judged again."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import rich_click as click

from peak_trade.cli.specs import is_shipped, machine_at, relative, spec_names, system_names
from peak_trade.lang.compose import COUNT_MARK
from peak_trade.lang.machine import Machine
from peak_trade.lang.pretty import fingerprint
from peak_trade.lang.trace import Trace, plain
from peak_trade.proof.claim import Claim
from peak_trade.proof.recall.itf import Record, Told, TraceError, record, trace_of
from peak_trade.proof.recall.regress import MARK, source
from peak_trade.proof.recall.rerun import Agrees, Differs, Rerun, rerun
from peak_trade.proof.recall.shown import VERDICTS, claim_named

PASS, VIOLATION = 0, 1
FINGERPRINT_CHARS: Final = 12


def retrace(file: Path, options: Mapping[str, Any]) -> int:
    """Replay the trace in `file`, print what came of it, and return the exit code; UsageError iff it is none."""
    try:
        found = record(file.read_text(encoding="utf-8"), relative(file))
        machine = _machine(found, options["spec"], any_version=options["any_version"])
        claim, trace = _claim(found, machine), trace_of(found, machine)
    except (TraceError, OSError, UnicodeDecodeError) as error:
        raise click.UsageError(str(error)) from error
    result = rerun(machine, claim, found.told.verdict, trace)
    code = PASS if result.passed else VIOLATION
    show = _json if options["style"] == "json" else _text
    click.echo(show(found.told, (machine, trace), result, options["spec"]))
    if options["save_test"] is not None:
        _save(options["save_test"], found.told, (machine, trace), options["spec"])
    return code


def _machine(found: Record, spec: str | None, *, any_version: bool) -> Machine:
    """Return the machine of the trace; UsageError iff there is none, or another one, or another version of it."""
    told = found.told
    if spec is None and not is_shipped(told.machine):
        known = ", ".join((*spec_names(), *(f"{name}{COUNT_MARK}1" for name in system_names())))
        raise click.UsageError(
            f"{found.file}: expected a shipped machine ({known}), was {told.machine}; give its file with --spec"
        )
    machine = machine_at(told.machine if spec is None else spec)
    if machine.name != told.machine:
        raise click.UsageError(f"{spec}: expected machine {told.machine}, was {machine.name}; give another --spec")
    if fingerprint(machine) != told.fingerprint and not any_version:
        was, now = told.fingerprint[:FINGERPRINT_CHARS], fingerprint(machine)[:FINGERPRINT_CHARS]
        raise click.UsageError(
            f"{found.file}: expected {machine.name} with fingerprint {was}, was {now}: the specification has changed; "
            "make the trace again with `peak prove --out`, or replay it all the same with --any-version"
        )
    return machine


def _claim(found: Record, machine: Machine) -> Claim:
    if found.told.verdict not in VERDICTS:
        raise TraceError(found.file, "#meta, verdict", f"one of {', '.join(VERDICTS)}", found.told.verdict)
    try:
        return claim_named(machine, found.told.property)
    except KeyError:
        raise TraceError(found.file, "#meta, property", f"a claim of {machine.name}", found.told.property) from None


def _text(told: Told, run: tuple[Machine, Trace], result: Rerun, spec: str | None) -> str:
    lines = [f"{told.property} of {told.machine}, {told.verdict}: {told.says}"]
    wide = max(len(item.engine) for item in result.engines)
    for item in result.engines:
        match item:
            case Agrees(engine, steps):
                lines.append(f"✓ {engine:<{wide}}  {steps} steps as recorded")
            case Differs(engine, number, expected, was):
                lines.append(f"✗ {engine:<{wide}}  step {number}: expected {expected}, was {was}")
    mark, word = ("✓", "shows") if result.shown else ("✗", "does not show")
    lines.append(f"{mark} the trace {word} that {told.property} is {told.verdict} ({told.why})")
    if not result.passed:
        lines.append(f"next: peak prove {spec or run[0].name} --only {told.property}")
    return "\n".join(lines)


def _json(told: Told, run: tuple[Machine, Trace], result: Rerun, spec: str | None) -> str:
    del spec  # a program knows what it gave
    engines = [{"agrees": isinstance(item, Agrees), **asdict(item)} for item in result.engines]
    document = {
        "schema_version": 1,
        "exit_code": PASS if result.passed else VIOLATION,
        "told": asdict(told),
        "engines": engines,
        "shown": result.shown,
        "trace": plain(*run),
    }
    return json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False)


def _save(file: Path, told: Told, run: tuple[Machine, Trace], spec: str | None) -> None:
    """Write the test; UsageError iff another file is in its place."""
    machine, trace = run
    if file.exists() and MARK not in file.read_text(encoding="utf-8", errors="replace"):
        raise click.UsageError(f"{file}: expected no file or one that was written so, was another; give another name")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(source(told, trace, machine, _place(file, spec or told.machine)), encoding="utf-8")
    click.echo(f"next: pytest {relative(file)}", err=True)


def _place(file: Path, place: str) -> str:
    """Return the Python expression for `place` as the test in `file` finds it, wherever the project is."""
    if is_shipped(place):
        return f'"{place}"'
    here, there = file.resolve().parent, Path(place).resolve()
    shared = Path(os.path.commonpath((here, there)))
    ups = len(here.relative_to(shared).parts)
    return f'str(Path(__file__).resolve().parents[{ups}] / "{there.relative_to(shared).as_posix()}")'
