"""Each colour of a picture has a light and a dark tone, and never speaks alone: a shape, line or glyph says the same.

Hues are Okabe and Ito's, which readers with any kind of colour vision can tell apart. Texts keep a contrast of at
least 4.5 to 1 on both grounds.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Tone:
    """One colour as drawn, `light`, and what a dark page shows in its place."""

    light: str
    dark: str


PAPER: Final = Tone("#ffffff", "#0d1117")
CARD: Final = Tone("#f6f8fa", "#161b22")
INK: Final = Tone("#1b1f24", "#e6edf3")
MUTED: Final = Tone("#57606a", "#9ea7b3")
RULE: Final = Tone("#d0d7de", "#3d444d")
FAINT: Final = Tone("#656d76", "#8b949e")
SAFE: Final = Tone("#0072b2", "#56b4e9")
LIVE: Final = Tone("#d55e00", "#f0883e")
LIVE_TEXT: Final = Tone("#a84300", "#ffa657")
LIVE_CARD: Final = Tone("#fff3e8", "#2d1b0c")
PATH_CARD: Final = Tone("#e3f1fb", "#0c2538")
PATH_TEXT: Final = Tone("#005a8d", "#79c0ff")

TONES: Final = (PAPER, CARD, INK, MUTED, RULE, FAINT, SAFE, LIVE, LIVE_TEXT, LIVE_CARD, PATH_CARD, PATH_TEXT)
"""Every tone; light colours are all different, so that one can be exchanged for the other."""
