"""A sequence as a picture: lifelines, a numbered arrow for each step, a note with what it changed. Pure SVG text.

Positions are computed from the widths of Helvetica and nothing else, so equal sequences give equal bytes on every
computer. Colours are the palette's, light and dark, and none speaks alone: a step that is not taken has a dashed arrow
that ends in a cross, and what is shown at the end says so in words.

Units: points of the picture's own grid, 1.2 pixels each.
Limits: legible up to about 12 lifelines; a longer trace makes a longer picture.
"""

from dataclasses import dataclass
from html import escape
from itertools import chain
from typing import Final, TypeAlias

from peak_trade.backends.metrics import width
from peak_trade.backends.palette import (
    CARD,
    FAINT,
    INK,
    LIVE,
    LIVE_CARD,
    LIVE_TEXT,
    MUTED,
    PAPER,
    PATH_CARD,
    PATH_TEXT,
    RULE,
    SAFE,
    Tone,
)
from peak_trade.backends.polish import FIRST_LINE, FONT, STYLE, SVG
from peak_trade.backends.sequence import Message, Note, Sequence

SMALL, NORMAL, HUGE = 9, 10, 15
LINE: Final = 13
PAD: Final = 6
GAP: Final = 22
MARGIN: Final = 14
NUMBERS: Final = 22
HEAD: Final = 26
ARROW: Final = 7
PIXELS_MAX_PER_POINT: Final = 1.2
_LOOKS: Final = {"bold": ' font-weight="bold"', "middle": ' text-anchor="middle"'}

Ends: TypeAlias = tuple[int, int, int, int]
"""Two points, or a place and a size."""


@dataclass(slots=True)
class Sheet:
    """What has been drawn so far, and how far down."""

    places: dict[str, int]
    down: int
    parts: list[str]

    def put(self, *parts: str) -> None:
        """Add elements."""
        self.parts += parts


def chart(found: Sequence) -> str:
    """Return the whole SVG file of `found`."""
    places = _columns(found)
    sheet = Sheet(places, MARGIN, [])
    wide = max(
        *(places[name] + _half(found, name) for name in found.lifelines),
        MARGIN + width(found.title, HUGE, bold=True),
        MARGIN + 4 * PAD + width(found.shows, NORMAL, bold=True),
    )
    wide += MARGIN
    _heading(sheet, found)
    top = sheet.down
    for note in found.start:
        _note(sheet, note, sheet.down, FAINT)
    sheet.down += _tall(found.start) + (PAD if found.start else 0)
    for number, message in enumerate(found.messages, 1):
        _message(sheet, number, message)
    bottom = sheet.down + PAD
    _verdict(sheet, found, wide)
    lines = [_line((x, top, x, bottom), RULE, dashed=name in found.sources) for name, x in places.items()]
    return _file(found, (wide, sheet.down + MARGIN), chain(lines, sheet.parts))


def _half(found: Sequence, name: str) -> int:
    """Return half the room that a lifeline needs for its name and its notes."""
    notes = chain(found.start, *(message.notes for message in found.messages))
    lines = [width(line, SMALL) + 2 * PAD for note in notes if note.part == name for line in note.lines]
    return (max([width(name, NORMAL, bold=True) + 4 * PAD, *lines]) + 1) // 2


def _columns(found: Sequence) -> dict[str, int]:
    """Return where each lifeline stands, as far to the left as names, notes and the texts of arrows let it."""
    places: dict[str, int] = {}
    right = MARGIN + NUMBERS
    for name in found.lifelines:
        place = right + _half(found, name)
        for message in found.messages:
            if any(note.part == name for note in message.notes) and message.source in places:
                place = max(place, places[message.source] + _room(message))
        places[name] = place
        right = place + _half(found, name) + GAP
    return places


def _room(message: Message) -> int:
    return width(f"{message.text}  {message.by}", NORMAL, bold=True) + 4 * PAD


def _heading(sheet: Sheet, found: Sequence) -> None:
    sheet.down += HUGE
    sheet.put(_text((MARGIN, sheet.down), found.title, INK, HUGE, "bold"))
    sheet.down += LINE
    for name in found.lifelines:
        half = width(name, NORMAL, bold=True) // 2 + 2 * PAD
        who, radius = name in found.sources, HEAD // 2 if name in found.sources else 4
        box = (sheet.places[name] - half, sheet.down, 2 * half, HEAD)
        sheet.put(_box(box, FAINT if who else INK, PAPER if who else CARD, radius))
        sheet.put(_text((sheet.places[name], sheet.down + 17), name, MUTED if who else INK, look="bold middle"))
    sheet.down += HEAD + PAD


def _message(sheet: Sheet, number: int, message: Message) -> None:
    tone, start = LIVE if message.bad else SAFE if message.taken else FAINT, sheet.places[message.source]
    sheet.down += LINE + PAD + 2
    sheet.put(_text((MARGIN, sheet.down + 3), str(number), MUTED, look="bold"))
    label = _text((start + 2 * PAD, sheet.down - 6), message.text, LIVE_TEXT if message.bad else INK, look="bold")
    ends = [sheet.places[note.part] for note in message.notes]
    by = start + 2 * PAD + width(f"{message.text}  ", NORMAL, bold=True)
    sheet.put('<g class="edge">')
    sheet.put(_line((start, sheet.down, max(ends), sheet.down), tone, dashed=not message.taken, thick=True))
    sheet.put(f'<circle cx="{start}" cy="{sheet.down}" r="3" fill="{tone.light}"/>')
    sheet.put(*(_tip(end, sheet.down, tone, taken=message.taken) for end in ends))
    sheet.put(label, _text((by, sheet.down - 6), message.by, MUTED), "</g>")
    sheet.down += PAD
    for note in message.notes:
        _note(sheet, note, sheet.down, tone)
    sheet.down += _tall(message.notes) + PAD


def _tall(notes: tuple[Note, ...]) -> int:
    lines = max((len(note.lines) for note in notes), default=0)
    return lines * LINE + PAD if lines else 0


def _note(sheet: Sheet, note: Note, down: int, tone: Tone) -> None:
    if not note.lines:
        return
    half = max(width(line, SMALL) for line in note.lines) // 2 + PAD
    x, tall = sheet.places[note.part], len(note.lines) * LINE + PAD - 2
    sheet.put(_box((x - half, down, 2 * half, tall), tone, LIVE_CARD if tone is LIVE else CARD, 3))
    for index, line in enumerate(note.lines, 1):
        sheet.put(_text((x, down + index * LINE - 2), line, LIVE_TEXT if tone is LIVE else INK, SMALL, "middle"))


def _verdict(sheet: Sheet, found: Sequence, wide: int) -> None:
    sheet.down += 2 * PAD
    edge, fill, ink = (LIVE, LIVE_CARD, LIVE_TEXT) if found.bad else (SAFE, PATH_CARD, PATH_TEXT)
    sheet.put(_box((MARGIN, sheet.down, wide - 2 * MARGIN, HEAD), edge, fill, 4))
    sheet.put(_text((MARGIN + 2 * PAD, sheet.down + 17), found.shows, ink, look="bold"))
    sheet.down += HEAD


def _tip(x: int, y: int, tone: Tone, *, taken: bool) -> str:
    if taken:
        return f'<polygon points="{x},{y} {x - ARROW},{y - 4} {x - ARROW},{y + 4}" fill="{tone.light}"/>'
    cross = f"M{x - 4},{y - 4}L{x + 4},{y + 4}M{x - 4},{y + 4}L{x + 4},{y - 4}"
    return f'<path d="{cross}" stroke="{tone.light}" stroke-width="2" fill="none"/>'


def _line(ends: Ends, tone: Tone, *, dashed: bool, thick: bool = False) -> str:
    x1, y1, x2, y2 = ends
    dash = ' stroke-dasharray="4 3"' if dashed else ""
    wide = "1.8" if thick else "1"
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{tone.light}" stroke-width="{wide}"{dash}/>'


def _box(box: Ends, edge: Tone, fill: Tone, radius: int) -> str:
    x, y, wide, tall = box
    place = f'x="{x}" y="{y}" width="{wide}" height="{tall}" rx="{radius}"'
    return f'<rect {place} fill="{fill.light}" stroke="{edge.light}" stroke-width="1.2"/>'


def _text(place: tuple[int, int], text: str, tone: Tone, size: int = NORMAL, look: str = "") -> str:
    """Return a text element; `look` may have the words `bold` and `middle`."""
    (x, y), words = place, look.split()
    look = "".join(_LOOKS[word] for word in words)
    return f'<text x="{x}" y="{y}" font-size="{size}" fill="{tone.light}"{look}>{escape(text)}</text>'


def _file(found: Sequence, size: tuple[int, int], parts: chain[str]) -> str:
    wide, tall = size
    root = f'<svg xmlns="{SVG}" viewBox="0 0 {wide} {tall}" width="100%" class="picture" role="img"'
    root += f' style="max-width:{wide * PIXELS_MAX_PER_POINT:.0f}px;height:auto" font-family="{escape(FONT)}">'
    head = (f"<title>{escape(found.title)}</title>", f"<desc>{escape(found.shows)}</desc>", f"<style>{STYLE}</style>")
    ground = f'<rect width="{wide}" height="{tall}" fill="{PAPER.light}"/>'
    return "\n".join((FIRST_LINE, root, *head, ground, *parts, "</svg>")) + "\n"
