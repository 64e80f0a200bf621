"""All that a pack is made from, collected beforehand: making one reads nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from peak_trade.evidence.exhibit import Exhibit
from peak_trade.evidence.slice import Slice
from peak_trade.evidence.story import Story


@dataclass(frozen=True, slots=True)
class Source:
    """Where the run's bars are: in the package, packed as the file `path`, or known by their hash only."""

    name: str
    sha256: str
    where: Literal["shipped", "packed", "by hash"]
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a pack is made from: what it shows, the run's folder, the specifications, the bars, and a slice."""

    run: Path
    exhibit: Exhibit
    story: Story
    specs: Mapping[str, str]
    bars: Source
    slice: Slice | None = None
