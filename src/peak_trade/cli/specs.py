"""Where the project's own specifications are, and the machines in them."""

from functools import cache
from pathlib import Path
from typing import IO, Any

import rich_click as click

from peak_trade.cli import findings
from peak_trade.lang.assemble import Assembled, assemble
from peak_trade.lang.check import examine
from peak_trade.lang.compose import COUNT_MARK, instance
from peak_trade.lang.machine import Machine
from peak_trade.lang.parse import parse_file
from peak_trade.lang.read import FILE_BYTES_MAX
from peak_trade.lang.source import Diagnostic, Source, suggestion
from peak_trade.lang.system import System


class WrongSpec(click.ClickException):
    """A specification with mistakes where one without is needed; exit code 2."""

    exit_code = 2

    def __init__(self, path: str, found: tuple[Diagnostic, ...]) -> None:
        super().__init__(f"expected a specification without mistakes, {path} has {len(found)}")
        self.path, self.found = path, found

    def show(self, file: IO[Any] | None = None) -> None:
        """Write the mistakes and the command that shows them again."""
        lines = [findings.text(self.found), "", f"{self.format_message()}", f"next: peak check {self.path}"]
        click.echo("\n".join(lines), file=file, err=file is None)


def spec_folder() -> Path:
    """Return the folder of the project's own specifications: inside an installed package, or in the checkout."""
    package = Path(__file__).resolve().parents[1]
    return next((path for path in (package / "spec", package.parents[1] / "spec") if path.is_dir()), package / "spec")


def spec_names() -> tuple[str, ...]:
    """Return the names of the project's own machines, in alphabetical order."""
    return _declaring("machine")


def system_names() -> tuple[str, ...]:
    """Return the names of the project's own systems, in alphabetical order."""
    return _declaring("system")


@cache
def _declaring(what: str) -> tuple[str, ...]:
    """Return the names of the files of the specification folder that declare `what`."""
    return tuple(sorted(path.stem for path in spec_folder().glob("*.yaml") if declared(path) == what))


def declared(path: Path) -> str:
    """Return what the file at `path` declares, by its first key: `machine`, `system`, or something else."""
    with path.open(encoding="utf-8", errors="replace") as file:
        words = (line.partition(":")[0] for line in file if line[:1].isalpha())
        return next(words, "")


@cache
def machine_named(name: str) -> Machine:
    """Return the project's own machine called `name`; UsageError iff there is none, WrongSpec iff it has mistakes."""
    if name not in spec_names():
        hint = suggestion(name, set(spec_names())) or f"no specification is in {spec_folder()}"
        raise click.UsageError(f"no specification is called `{name}`; {hint}")
    return _sound(spec_folder() / f"{name}.yaml")


def machine_at(place: str) -> Machine:
    """Return the machine in the file at `place`, or the project's own one of that name; errors as `machine_named`.

    `PLACE@2` is the machine of the system at PLACE with two of its many side by side.
    """
    system, mark, count = place.rpartition(COUNT_MARK)
    if mark and count.isdecimal():
        return _side_by_side(system_at(system), int(count))
    if is_system(place):
        raise click.UsageError(
            f"{place} is a system; expected a machine, such as {place}{COUNT_MARK}2: two side by side"
        )
    if place in spec_names():
        return machine_named(place)
    path = Path(place)
    if path.suffix in (".yaml", ".yml") or path.exists():
        return _sound(path)
    return machine_named(place)


def is_shipped(place: str) -> bool:
    """Return true iff `place` is the name of one of the project's own machines, or `NAME@2` of one of its systems."""
    return place in spec_names() or (COUNT_MARK in place and place.rpartition(COUNT_MARK)[0] in system_names())


def is_system(place: str) -> bool:
    """Return true iff `place` is a file that declares a system, or the name of one of the project's own."""
    path = Path(place)
    return place in system_names() or (path.is_file() and declared(path) == "system")


def system_at(place: str) -> System:
    """Return the system in the file at `place`, or the project's own one of that name; errors as `machine_named`."""
    path = spec_folder() / f"{place}.yaml" if place in system_names() else Path(place)
    if not path.is_file():
        hint = suggestion(place, set(system_names()))
        raise click.UsageError(f"no system is called `{place}`; {hint}")
    found = assembled(path)
    if found.system is None:
        raise WrongSpec(relative(path), found.diagnostics)
    return found.system


@cache
def assembled(path: Path) -> Assembled:
    """Return what the file at `path` declares as a system; its machines are the files beside it."""
    try:
        text = path.read_bytes()[: FILE_BYTES_MAX + 1].decode("utf-8", "replace").removeprefix("\ufeff")
    except OSError as error:
        raise click.UsageError(f"cannot read {path}: {error.strerror}") from error
    return assemble(Source(relative(path), text), lambda name: _member(path, name))


def _member(path: Path, name: str) -> Machine | str:
    """Return the machine called `name` beside the system at `path`, or why it has none."""
    beside = path.parent / f"{name}.yaml"
    if not beside.is_file():
        known = suggestion(name, {one.stem for one in path.parent.glob("*.yaml")} - {path.stem})
        return f"no file {beside.name} is beside {path.name}; {known}"
    if declared(beside) == "system":
        return f"{beside.name} is a system; a part is a machine, so that no composition goes round in a circle"
    parsed = parse_file(beside, relative(beside))
    found = examine(parsed)
    if parsed.machine is None or found:
        return f"{beside.name} has {len(found)} mistakes; see `peak check {relative(beside)}`"
    return parsed.machine


def _side_by_side(system: System, count: int) -> Machine:
    try:
        return instance(system, count)
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def relative(path: Path) -> str:
    """Return how output calls `path`: relative to the working folder if it is inside, with forward slashes."""
    absolute = path.resolve()
    return (absolute.relative_to(Path.cwd()) if absolute.is_relative_to(Path.cwd()) else absolute).as_posix()


def _sound(path: Path) -> Machine:
    try:
        parsed = parse_file(path, relative(path))
    except OSError as error:
        raise click.UsageError(f"cannot read {path}: {error.strerror}") from error
    found = examine(parsed)
    if parsed.machine is None or found:
        raise WrongSpec(relative(path), found)
    return parsed.machine
