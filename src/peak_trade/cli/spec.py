"""`peak check`: what is wrong with a specification; `peak explain`: what a diagnostic's code means."""

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import rich_click as click
from click.exceptions import Exit

from peak_trade.cli import findings
from peak_trade.cli.catalogue import CODES
from peak_trade.cli.specs import assembled, declared, relative, spec_folder
from peak_trade.lang.check import examine, merged
from peak_trade.lang.locality import obstacles
from peak_trade.lang.machine import Machine
from peak_trade.lang.parse import parse_file
from peak_trade.lang.source import Diagnostic, suggestion
from peak_trade.lang.system import System

PASS, WRONG, INCONCLUSIVE = 0, 2, 3
OTHERS: Final = frozenset({"contract", "survivors"})
"""What else the files in a folder of specifications may declare; each is checked by the command that reads it."""
UNDECIDED: Final = "PT053"
UNSOLVABLE: Final = frozenset({"PT015", "PT043"})
"""With a name that means two things, or a sort without values, a solver's answers mean nothing."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A specification, its machine if it has no mistakes, and its mistakes."""

    file: str
    machine: Machine | System | None
    found: tuple[Diagnostic, ...]

    def __str__(self) -> str:
        """Return one line for a person."""
        if self.machine is None:
            return f"{self.file}: {_count(len(self.found), 'mistake')}"
        if isinstance(self.machine, System):
            why = "; ".join(obstacles(self.machine))
            sizes = _count(len(self.machine.parts), "part"), _count(len(self.machine.rules), "rule")
            return " · ".join((f"{self.file}: ok", *sizes, f"not for any number: {why}" if why else "any number"))
        states, events = len(self.machine.states), len(self.machine.events)
        parts = (_count(states, "state"), _count(events, "event"), f"{states * events} cells decided")
        return " · ".join((f"{self.file}: ok", *parts))


def check_file(path: Path) -> Checked:
    """Return what is wrong with the specification at `path`; UsageError iff it cannot be read."""
    from peak_trade.proof.decide import decide  # noqa: PLC0415 - the solver is loaded by the commands that need it

    name = relative(path)
    if declared(path) == "system":
        made = assembled(path)
        return Checked(name, made.system, made.diagnostics)
    try:
        parsed = parse_file(path, name)
    except OSError as error:
        raise click.UsageError(f"cannot read {name}: {error.strerror}") from error
    found = examine(parsed)
    if parsed.draft is not None and not UNSOLVABLE & {item.code for item in found}:
        solved = merged(parsed, decide(parsed.draft, parsed.source))
        found = tuple(sorted({*found, *solved}, key=lambda item: (item.span, item.code, item.message)))
    return Checked(name, None if found else parsed.machine, found)


def check_all(paths: Iterable[Path] = ()) -> int:
    """Print what is wrong with the specifications at `paths`, by default the project's own; return the exit code."""
    done = [check_file(path) for path in _files(tuple(paths))]
    _print_text(done)
    return _code(done)


def _files(paths: tuple[Path, ...]) -> list[Path]:
    files: dict[Path, None] = {}
    for path in paths or (spec_folder(),):
        inside = sorted(_declarations(path)) if path.is_dir() else [path]
        if not inside:
            raise click.UsageError(f"expected specifications in {path}, was none; nothing checked is no pass")
        files |= dict.fromkeys(inside)
    return list(files)


def _declarations(folder: Path) -> Iterator[Path]:
    """Give the files in `folder` that declare a machine or a system, or fail to."""
    for item in folder.rglob("*"):
        if item.suffix in (".yaml", ".yml") and declared(item) not in OTHERS:
            yield item


def _code(done: list[Checked]) -> int:
    codes = {item.code for checked in done for item in checked.found}
    return PASS if not codes else INCONCLUSIVE if codes == {UNDECIDED} else WRONG


def _print_text(done: list[Checked]) -> None:
    found = [item for checked in done for item in checked.found]
    if found:
        click.echo(findings.text(found, colour=coloured()) + "\n")
    click.echo("\n".join(str(checked) for checked in done))
    if found:
        click.echo(f"next: peak explain {found[0].code}", err=True)


def coloured() -> bool:
    """Return true iff the result goes to a terminal that shows colours and nobody asked for none."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return sys.stdout.isatty() and not plain


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


@click.command("check")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path, exists=True))
@click.option("--format", "style", type=click.Choice(findings.FORMATS), default="text", show_default=True)
def check(paths: tuple[Path, ...], style: str) -> None:
    """Show all that is wrong with the specifications at PATHS: files or folders, by default the project's own.

    Exits 0 if nothing is, 2 if something is (a mistake in a specification is wrong input, no violation), 3 if all that
    is left is a question that the solver gave up.
    """
    if style == "text":
        raise Exit(check_all(paths))
    done = [check_file(path) for path in _files(paths)]
    found, code = [item for checked in done for item in checked.found], _code(done)
    if style == "json":
        files = [{"file": checked.file, "mistakes": len(checked.found), "ok": not checked.found} for checked in done]
        click.echo(findings.document(found, exit_code=code, files=files))
    else:
        click.echo(
            findings.render(found, style, [checked.file for checked in done]), nl=bool(found) or style != "github"
        )
    raise Exit(code)


@click.command("explain")
@click.argument("code", required=False)
def explain(code: str | None) -> None:
    """Say what the diagnostic CODE means and how to mend it; without CODE, list all."""
    if code is None:
        click.echo("\n".join(f"{name}  {item.title}" for name, item in sorted(CODES.items())))
        return
    item = CODES.get(code.upper())
    if item is None:
        hint = suggestion(code.upper(), set(CODES)) or "`peak explain` lists all codes"
        raise click.UsageError(f"no diagnostic has the code `{code}`; {hint}")
    click.echo(f"{code.upper()}: {item.title}\n\n{item.explanation}")
