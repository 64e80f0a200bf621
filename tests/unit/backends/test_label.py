"""Texts and measures that every picture rests on."""

from hypothesis import given
from hypothesis import strategies as st

from peak_trade.backends.label import anchor, brief, full, ident
from peak_trade.backends.legend import legend
from peak_trade.backends.metrics import width
from peak_trade.backends.palette import (
    CARD,
    FAINT,
    INK,
    LIVE_CARD,
    LIVE_TEXT,
    MUTED,
    PAPER,
    PATH_CARD,
    PATH_TEXT,
    TONES,
)
from peak_trade.lang.machine import Machine

CONTRAST_MIN = 4.5


@given(st.text(max_size=8), st.text(max_size=8))
def test_ids_tell_texts_apart(left: str, right: str) -> None:
    """Two texts have one id iff they are the same, and an id needs no escape anywhere."""
    assert (ident(left) == ident(right)) == (left == right)
    assert all(char.isascii() and (char.isalnum() or char in "_.-~") for char in ident(left))


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=30), st.integers(8, 16))
def test_width_grows_with_the_text(text: str, points: int) -> None:
    """A longer text is not narrower, and rounding never cuts a text off."""
    assert width(text, points) <= width(text + "i", points)
    assert width(text, points) <= sum(width(char, points) for char in text)
    assert width(text, points, bold=True) <= points * len(text) * 1015 // 1000 + 1


def test_width_is_helveticas() -> None:
    """Measured by the published widths: H 722, i 222 and 278 bold, in thousandths of the size."""
    assert width("Hi", 1000) == 944
    assert width("Hi", 1000, bold=True) == 1000
    assert width("\N{WARNING SIGN}\ufe0e", 10) == 10


def test_full_text_has_every_part(session: Machine) -> None:
    """The hint of the live gate names payload, ends, every lock with its refusal; a step names updates and reason."""
    gate = full(session, session.transition("S22"), "DRYRUN_ACTIVE").splitlines()
    assert gate[:2] == ["S22 go_live", "DRYRUN_ACTIVE → LIVE_ACTIVE"]
    assert [line.split(" else ")[1] for line in gate[2:]] == [lock.reason for lock in session.transition("S22").require]
    assert full(session, session.transition("S32"), "LIVE_ACTIVE").splitlines()[2:] == [
        "[step_no + 1 >= override_until]",
        "/ step_no := step_no + 1",
        "override_expired: The override has expired.",
    ]


def test_brief_prefers_the_reason(session: Machine) -> None:
    """A reason is shown; without one a short guard is; a long guard is left to the hint."""
    assert brief(session.transition("S04")) == "· flag_on"
    assert brief(session.transition("S09")) == ""
    assert brief(session.transition("S11")) == ""


def test_anchor_names_the_source_only_if_it_must(session: Machine) -> None:
    """A transition with one source keeps its id."""
    assert anchor(session.transition("S22"), "DRYRUN_ACTIVE") == "S22"
    assert anchor(session.transition("S40"), "LIVE_ACTIVE") == "S40--LIVE_ACTIVE"


def _brightness(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    high, low = sorted((_brightness(one), _brightness(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_texts_can_be_read_on_their_grounds() -> None:
    """Every text colour has the contrast that WCAG 2 asks for, light and dark."""
    pairs = [(text, ground) for text in (INK, MUTED) for ground in (PAPER, CARD, LIVE_CARD)]
    pairs += [(LIVE_TEXT, PAPER), (LIVE_TEXT, LIVE_CARD), (FAINT, PAPER), (PATH_TEXT, PAPER), (PATH_TEXT, PATH_CARD)]
    pairs += [(FAINT, PATH_CARD)]
    poor = [(text, ground) for text, ground in pairs if _contrast(text.light, ground.light) < CONTRAST_MIN]
    poor += [(text, ground) for text, ground in pairs if _contrast(text.dark, ground.dark) < CONTRAST_MIN]
    assert poor == []


def test_light_tones_are_all_different() -> None:
    """A light colour says which dark one takes its place."""
    assert len({tone.light for tone in TONES}) == len(TONES)


def test_legend_explains_only_what_is_drawn(session: Machine, lone: Machine) -> None:
    """Signs that a picture lacks are not in its legend."""
    assert {"NO-LIVE", "double border", "dashed border"} <= {
        word for word in ("NO-LIVE", "double border", "dashed border") if word in legend(session)
    }
    assert not any(word in legend(lone) for word in ("LIVE", "border", "lock", "reason", "sources"))
