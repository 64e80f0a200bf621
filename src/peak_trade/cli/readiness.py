"""`peak readiness`: the C5.1 checklist from evidence that was found. It enables nothing."""

import json
from pathlib import Path
from typing import Any, Final

import rich_click as click
from click.exceptions import Exit

from peak_trade.cli.gather import origin
from peak_trade.evidence.checklist import ROWS, Command
from peak_trade.evidence.collect import write
from peak_trade.evidence.judge import Status
from peak_trade.evidence.paper import MARKS, headline, readiness_page
from peak_trade.evidence.readiness import Current, Readiness, basis_sha256, evaluate, shelf, sign_offs

PAGES: Final = {"readiness.html": "html", "readiness.md": "md"}
FORMATS: Final = ("text", "json", "md")
COMMANDS: Final = tuple(dict.fromkeys(need for row in ROWS for need in row.needs if isinstance(need, Command)))
"""The commands whose JSON a row of the checklist asks for."""


@click.command("readiness")
@click.option("--evidence", type=click.Path(path_type=Path, file_okay=False), help="Folder of packs.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Write readiness.html and .md there.")
@click.option(
    "--signers", type=click.Path(path_type=Path, dir_okay=False), help="Allowed-signers file for people's sign-offs."
)
@click.option("--format", "style", type=click.Choice(FORMATS), default="text", show_default=True)
def command(evidence: Path | None, out: Path | None, signers: Path | None, style: str) -> None:
    """Say which rows of the readiness checklist have evidence; a row without evidence is open, never passed.

    A person signs a row of theirs by signing SIGNOFF-ROLE.txt beside the packs, with the line `basis SHA256` in it, by
    ssh-keygen -Y sign -n peak-trade. Exits 0 if every row passed, 1 if one failed or a pack is not intact, 3 while
    anything is open or suspect.
    """
    try:
        found = readiness(evidence, signers)
        if out is not None:
            out.mkdir(parents=True, exist_ok=True)
            write(out, {name: readiness_page(found, form) for name, form in PAGES.items()})
    except (OSError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    match style:
        case "json":
            click.echo(json.dumps(_plain(found), sort_keys=True, indent=2, ensure_ascii=False))
        case "md":
            click.echo(readiness_page(found, "md"), nl=False)
        case _:
            click.echo(_text(found, evidence))
    if out is not None:
        click.echo(f"written: {out / 'readiness.html'}", err=style != "text")
    raise Exit(found.exit_code)


def readiness(evidence: Path | None, signers: Path | None) -> Readiness:
    """Return where every row stands, with the packs in `evidence`, if given, for the code and specs that are here."""
    here = origin()
    current = Current(here.spec_sha256, here.code_sha256)
    packs = shelf(evidence) if evidence is not None else ()
    basis = basis_sha256(packs, current)
    signed = sign_offs(evidence, signers, basis) if evidence is not None else {}
    return evaluate(packs, current, signed, basis)


def _plain(found: Readiness) -> dict[str, Any]:
    rows = [
        {
            "row": item.row.name,
            "area": item.row.area,
            "answers": list(item.row.answers),
            "says": item.row.says,
            "status": item.status.value,
            "evidence": [
                {"status": held.judged.status.value, "why": held.judged.why, "by": held.by} for held in item.held
            ],
        }
        for item in found.rows
    ]
    packs = [{"name": pack.name, "digest": pack.digest, "problem": pack.problem} for pack in found.packs]
    head = {"schema_version": 1, "exit_code": found.exit_code, "verdict": headline(found), "basis": found.basis_sha256}
    return {**head, "rows": rows, "packs": packs}


def _text(found: Readiness, evidence: Path | None) -> str:
    lines = [headline(found), ""]
    for item in found.rows:
        lines.append(f"{MARKS[item.status]} {item.row.name:<7} {item.status.value:<8} {item.row.says}")
        waiting = [held for held in item.held if held.judged.status is not Status.PASSED]
        reasons = dict.fromkeys(f"{held.judged.why}{f' ({held.by})' if held.by else ''}" for held in waiting)
        lines += [f"          {reason}" for reason in reasons]
    lines += [f"✗ pack {pack.name}: {pack.problem}" for pack in found.packs if pack.problem]
    lines += ["", f"basis {found.basis_sha256}"]
    machine_made = [item for item in found.rows if item.status is not Status.PASSED and item.row.area != "sign-off"]
    if machine_made:
        lines += ["next:", *(f"  {line}" for line in steps(evidence or Path("out/evidence")))]
    elif found.exit_code:
        lines.append("next: people sign the basis above; see peak readiness --help")
    return "\n".join(lines)


def steps(evidence: Path) -> tuple[str, ...]:
    """Return the commands that make all evidence that the program can make, in order."""
    attached = " ".join(["--tests out/junit.xml", *(f"--attach {item.name}=out/{item.name}.json" for item in COMMANDS)])
    return (
        "pytest --junitxml=out/junit.xml",
        "peak run --out out/ready --faults 100",
        "peak status out/ready --write",
        *(f"{item.line} --format json > out/{item.name}.json" for item in COMMANDS),
        f"peak evidence new --phase C5 --tag READINESS --run out/ready --out {evidence} {attached}",
        "(ulimit -f 100; peak run --out out/drill --faults 100)  # a drill: the system cuts the session off",
        f"peak incident new --severity S3 --tag DRILL --run out/drill --out {evidence}",
        f"peak readiness --evidence {evidence}",
    )
