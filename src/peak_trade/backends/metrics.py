"""How wide a text is in Helvetica, in whole thousandths of the font's size: the same on every computer.

A picture measured by the fonts of the computer that draws it would differ from one computer to the next. Arial and
Liberation Sans have these widths too; other fonts come within a tenth. Source: the widths of Adobe's Helvetica.afm and
Helvetica-Bold.afm, printable ASCII in order.

Limits: a character outside ASCII counts as one em, which is right for symbols and too much for accented letters.
"""

from typing import Final

EM: Final = 1000
_FIRST: Final = 32
_TEXT_STYLE: Final = "\ufe0e"  # asks for a symbol rather than a coloured picture; takes no room itself
_REGULAR: Final = (
    *(278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556),
    *(1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778),
    *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556),
    *(333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556),
    *(556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584),
)
_BOLD: Final = (
    *(278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278),
    *(556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611),
    *(975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778),
    *(667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556),
    *(333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611),
    *(611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584),
)


def width(text: str, points: int, *, bold: bool = False) -> int:
    """Return the width of `text` at a size of `points`, in whole points, rounded up."""
    widths = _BOLD if bold else _REGULAR
    shown = text.replace(_TEXT_STYLE, "")
    total = sum(widths[ord(char) - _FIRST] if " " <= char <= "~" else EM for char in shown)
    return -(-total * points // EM)
