"""The page of a reconciliation: one self-contained HTML file, made from what was compared and what differs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from peak_trade.evidence.policy import sealed

ROWS_MAX: Final = 2_000
TONES: Final = {"agree": "good", "differ": "bad", "hard": "bad"}
"""The class under which the page shows a verdict or a severity; every other is unsure."""


@dataclass(frozen=True, slots=True)
class Row:
    """One difference as the page shows it, in words."""

    code: str
    subject: str
    book: str
    venue: str
    action: str
    severity: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What was compared: `verdict` is agree, differ or inconclusive, `why` its sentence, `facts` figures by name."""

    run: str
    verdict: str
    why: str
    facts: Mapping[str, str]
    rows: Sequence[Row]


def page(found: Reconciliation) -> str:
    """Return the page's HTML; it makes no request, runs no script, and shows at most ROWS_MAX differences."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    rows, rest = found.rows[:ROWS_MAX], max(0, len(found.rows) - ROWS_MAX)
    return sealed(
        environment.get_template("reconciliation.html").render(found=found, rows=rows, rest=rest, tones=TONES)
    )
