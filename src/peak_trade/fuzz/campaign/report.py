"""The page of a campaign: one HTML file without a request or a script, from what came back and what was made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from peak_trade.evidence.policy import bare, sealed, wide
from peak_trade.fuzz.campaign.digest import Told
from peak_trade.fuzz.cover.gate import Row, Verdict
from peak_trade.fuzz.cover.heat import LEGEND, Line

MISSES_MAX: Final = 12
TONES: Final = {Verdict.PASS: "good", Verdict.FAIL: "bad", Verdict.INCONCLUSIVE: "unsure"}
MARKS: Final = {Verdict.PASS: "✓", Verdict.FAIL: "✗", Verdict.INCONCLUSIVE: "?"}
"""A glyph beside the colour, so that the verdict needs no colour."""


@dataclass(frozen=True, slots=True)
class Picture:
    """An SVG as a part of the page."""

    svg: Markup
    wide: bool

    @classmethod
    def of(cls, svg: str) -> "Picture":
        """Return the picture of an SVG of ours."""
        return cls(Markup(bare(svg)), wide(svg))  # noqa: S704 - our own picture


@dataclass(frozen=True, slots=True)
class Story:
    """All that stands on the page; `partial` is why not every job was done, empty iff every one was."""

    seed: int
    verdict: Verdict
    why: str
    partial: str
    command: str
    facts: Mapping[str, str]
    rows: Sequence[Row]
    told: Sequence[Told]
    canary: Told | None
    figures: Mapping[str, Mapping[str, int]]
    tables: Mapping[str, Sequence[Line]]
    pictures: Mapping[str, Picture]


def page(story: Story) -> str:
    """Return the page's HTML."""
    folders = [Path(__file__).parent / "templates", Path(str(files("peak_trade.evidence"))) / "templates"]
    found = Environment(loader=FileSystemLoader(folders), autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    words = {"tones": TONES, "marks": MARKS, "legend": LEGEND, "misses_max": MISSES_MAX}
    return sealed(found.get_template("night.html").render(story=story, **words))
