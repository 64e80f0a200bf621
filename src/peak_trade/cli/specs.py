"""Where the project's own specifications are, and the machines in them."""

from functools import cache
from pathlib import Path
from typing import IO, Any

import rich_click as click

from peak_trade.cli import findings
from peak_trade.lang.check import examine
from peak_trade.lang.machine import Machine
from peak_trade.lang.parse import parse_file
from peak_trade.lang.source import Diagnostic, suggestion


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
    """Return the names of the project's own specifications, in alphabetical order."""
    return tuple(sorted(path.stem for path in spec_folder().glob("*.yaml")))


@cache
def machine_named(name: str) -> Machine:
    """Return the project's own machine called `name`; UsageError iff there is none, WrongSpec iff it has mistakes."""
    if name not in spec_names():
        hint = suggestion(name, set(spec_names())) or f"no specification is in {spec_folder()}"
        raise click.UsageError(f"no specification is called `{name}`; {hint}")
    return _sound(spec_folder() / f"{name}.yaml")


def machine_at(place: str) -> Machine:
    """Return the machine in the file at `place`, or the project's own one of that name; errors as `machine_named`."""
    if place in spec_names():
        return machine_named(place)
    path = Path(place)
    if path.suffix in (".yaml", ".yml") or path.exists():
        return _sound(path)
    return machine_named(place)


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
