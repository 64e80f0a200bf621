"""From the text of a specification to a machine, or to all that is wrong with the text."""

from dataclasses import dataclass
from pathlib import Path

from peak_trade.lang.build import Builder
from peak_trade.lang.machine import Machine
from peak_trade.lang.read import FILE_BYTES_MAX
from peak_trade.lang.read import Path as Place
from peak_trade.lang.shape import shape
from peak_trade.lang.source import Diagnostic, Findings, Source


@dataclass(frozen=True, slots=True)
class Parsed:
    """A machine, or None, and the diagnostics; the machine is there iff there are none.

    `draft` is what could be made of the text in spite of the diagnostics, with stand-ins for what is wrong. It is for
    finding more mistakes at once and for nothing else. `lost` has the paths of the parts that it stands in for.
    """

    machine: Machine | None
    diagnostics: tuple[Diagnostic, ...]
    source: Source
    draft: Machine | None = None
    lost: frozenset[Place] = frozenset()


def parse_file(path: Path, name: str = "") -> Parsed:
    """Return what the file at `path` declares; `name` is how diagnostics call it, by default the path.

    OSError iff the file cannot be read; other mistakes are diagnostics.
    """
    with path.open("rb") as file:
        data = file.read(FILE_BYTES_MAX + 1)
    return parse(Source(name or str(path), data.decode("utf-8", "replace").removeprefix("\ufeff")))


def parse(source: Source) -> Parsed:
    """Return the machine that `source` declares, or every diagnostic that can be found at once."""
    findings = Findings(source)
    found = shape(findings)
    if found is None:
        return Parsed(None, findings.sorted(), source)
    draft = Builder(findings, found).build()
    return Parsed(None if findings.items else draft, findings.sorted(), source, draft, found.lost)
