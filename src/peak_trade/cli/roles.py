"""`peak roles`: what each guard, lock and update is to each claim."""

import json
from collections.abc import Mapping

import rich_click as click
from click.exceptions import Exit

from peak_trade.cli.mutate import reasons_for
from peak_trade.cli.progress import bar
from peak_trade.cli.specs import machine_at
from peak_trade.proof.doubt.roles import Role, Roles, roles

PASS, VIOLATION = 0, 1
MARKS = {Role.MUST: "●", Role.MAY: "○", Role.IRRELEVANT: "·"}


@click.command("roles")
@click.argument("machine", default="session")
@click.option("--format", "style", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(machine: str, style: str) -> None:
    """Say for each guard, lock and update of MACHINE which claims rest on it.

    Exits 1 if one is irrelevant to every claim and no reason is written for it.
    """
    item = machine_at(machine)
    with bar(len(item.properties) + 1, f"{item.name}: roles") as show:
        done: list[str] = []

        def progress(name: str) -> None:
            done.append(name)
            show(len(done), name)

        found = roles(item, progress=progress)
    reasons = reasons_for(machine).idle
    click.echo(_json(found, reasons) if style == "json" else _text(found, reasons))
    bad = [part.name for part in found.idle() if part.name not in reasons]
    if bad:
        click.echo(f"next: claim something that rests on {bad[0]}, or write why nothing does", err=True)
    raise Exit(VIOLATION if bad else PASS)


def _named(found: Roles, part: str, role: Role) -> list[str]:
    return [claim for claim in found.claims if found.role(part, claim) is role]


def _text(found: Roles, reasons: Mapping[str, str]) -> str:
    lines = [f"{MARKS[Role.MUST]} must: no proof without it   {MARKS[Role.MAY]} may: some proof rests on it"]
    for part in found.parts:
        must, may = _named(found, part.name, Role.MUST), _named(found, part.name, Role.MAY)
        words = [f"{MARKS[role]} {', '.join(names)}" for role, names in ((Role.MUST, must), (Role.MAY, may)) if names]
        why = "  ".join(words) or f"{MARKS[Role.IRRELEVANT]} {reasons.get(part.name, 'nothing rests on it')}"
        lines.append(f"{part.name:<34} {part.kind:<7} {part.text}\n    {why}")
    return "\n".join(lines)


def _json(found: Roles, reasons: Mapping[str, str]) -> str:
    parts = {
        part.name: {
            "kind": part.kind,
            "text": part.text,
            "must": _named(found, part.name, Role.MUST),
            "may": _named(found, part.name, Role.MAY),
            "because": reasons.get(part.name, ""),
        }
        for part in found.parts
    }
    document = {"schema_version": 1, "machine": found.machine, "fingerprint": found.fingerprint, "parts": parts}
    return json.dumps(document, sort_keys=True, indent=2, ensure_ascii=False)
