"""A secret is found in whatever spelling it stands, and nothing that should hold none holds one."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.cli import secrets as commands
from peak_trade.cli.planting import planted
from peak_trade.fuzz.harm.secrets import PLACES, SHAPES, TEXTUAL, WINDOW_BYTES, search, secret_of, windows

SEEDS = st.integers(0, 10**6)
AROUND = st.binary(max_size=40)


@given(seed=SEEDS, before=AROUND, after=AROUND, name=st.sampled_from(sorted(TEXTUAL)), back=st.booleans())
def test_a_secret_is_found_in_every_spelling(seed: int, before: bytes, after: bytes, name: str, *, back: bool) -> None:
    """However a program writes it, and whatever stands around it, it is found where it stands."""
    text = secret_of(seed).text
    spelled = TEXTUAL[name](text[::-1] if back else text).encode()
    found = search("here", before + spelled + after, windows(text))
    assert found is not None
    assert found.offset <= len(before) + len(spelled)


@given(seed=SEEDS, before=AROUND, after=AROUND)
def test_a_secret_is_found_in_base64_wherever_it_begins(seed: int, before: bytes, after: bytes) -> None:
    """Encoded together with what stands beside it, at any alignment."""
    text = secret_of(seed).text
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        assert search("here", encode(before + text.encode() + after), windows(text)) is not None


@given(seed=SEEDS, begin=st.integers(0, 12))
def test_a_window_is_enough(seed: int, begin: int) -> None:
    """Eight bytes of it betray it; fewer do not."""
    text = secret_of(seed).text
    end = next(end for end in range(begin + 1, 25) if len(text[begin:end].encode()) >= WINDOW_BYTES)
    needles = windows(text)
    assert search("here", text[begin:end].encode(), needles) is not None
    assert search("here", text[begin:end].encode().hex().encode(), needles) is not None
    assert search("here", text[begin : end - 1].encode(), needles) is None


def test_secrets_are_of_every_shape_and_long_enough() -> None:
    """The shapes take turns; some spell differently in JSON, in URLs and in HTML than they are."""
    shapes = {secret_of(seed).shape: secret_of(seed).text for seed in range(3)}
    assert shapes.keys() == SHAPES.keys()
    assert min(len(text.encode()) for text in shapes.values()) >= WINDOW_BYTES
    assert json.dumps(shapes["unicode"])[1:-1] != shapes["unicode"]
    for text in shapes.values():
        assert TEXTUAL["URL"](text) == quote(text, safe="")
        assert TEXTUAL["URL of a form"](text) == quote_plus(text)
        assert TEXTUAL["URL, as a path"](text) == quote(text)
    assert TEXTUAL["HTML"](shapes["quoted"]) != TEXTUAL["Jinja"](shapes["quoted"]) or "'" not in shapes["quoted"]


@pytest.mark.parametrize(("place", "seed"), [("rejection", 2), ("environment", 0)])
def test_what_comes_in_does_not_come_out(place: str, seed: int) -> None:
    """It was delivered, many files were looked through, and it stands in none of them."""
    found = planted(place, seed, site=False)
    assert found.delivered > 0
    assert found.files > 50
    assert found.leaks == found.allowed == ()


def test_what_is_declared_is_found_and_counted_apart() -> None:
    """A parameter of the strategy is kept by declaration: the search does find it."""
    found = planted("strategy's parameter", 1, site=False)
    assert found.leaks == ()
    assert "run/config_snapshot.json" in {leak.where for leak in found.allowed}


def test_an_id_is_declared_only_in_its_own_form() -> None:
    """A text that is no id is none, whatever it is called."""
    for name in ("venue's order id", "status"):
        assert PLACES[name].takes(secret_of(0))
        assert not PLACES[name].takes(secret_of(1))
        assert not PLACES[name].takes(secret_of(2))
    assert not PLACES["rejection"].takes(secret_of(0))


def test_the_command_fails_for_a_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a place that declares nothing the same finding is a leak: exit 1, with file, byte and spelling."""
    monkeypatch.setattr(commands, "fenced", lambda: None)
    name = "strategy's parameter"
    args = ["--count", "1", "--jobs", "1", "--place", name]
    monkeypatch.setitem(PLACES, name, type(PLACES[name])("nothing is declared"))
    found = CliRunner().invoke(commands.command, args)
    assert found.exit_code == 1
    assert "run/config_snapshot.json, byte" in found.output
    assert "next: peak fuzz secrets --count 1" in found.output
