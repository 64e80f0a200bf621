"""A configuration is typed, bounded and off by default; what is wrong is said with its place."""

import pytest

from peak_trade.lang.source import Source
from peak_trade.session.config import Config, parse_config


def parse(text: str) -> tuple[Config | None, list[str]]:
    """Parse a text; return the configuration and `line:column code message` of each diagnostic."""
    config, found = parse_config(Source("c.yaml", text), {})
    return config, [f"{item.span.line}:{item.span.column} {item.code} {item.message}" for item in found]


def test_no_live_is_the_default() -> None:
    """An empty configuration has the flag off, the mock adapter and an allowlist of the mock alone."""
    config, found = parse("")
    assert not found
    assert config is not None
    assert (config.enable_live_broker, config.adapter, config.broker_allowlist) == (False, "mock", ["MOCK-VENUE"])


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("seed: x\n", "1:7 PT012"),
        ("seeed: 1\n", "1:1 PT010"),
        ("cash_ticks: 1\nlimits:\n  order_lots_max: -1\n", "3:19 PT012"),
        ("limits:\n  order_lot_max: 1\n", "2:3 PT010"),
        ("enable_live_broker: 'no'\n", "1:21 PT012"),
        ("seed: 1\nseed: 2\n", "2:1 PT004"),
        ("broker_allowlist: [ok, 'no spaces please']\n", "1:24 PT012"),
        ("seed: 1.5\n", "1:7 PT012"),
        ("limits: [", "1:10 PT001"),
        ("- 1\n", "1:1 PT012"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, place: str) -> None:
    """Each wrong value or key gives a diagnostic at its line and column, and no configuration."""
    config, found = parse(text)
    assert config is None
    assert any(line.startswith(place) for line in found), found


def test_a_misspelt_key_gets_a_suggestion() -> None:
    """An unknown key near a known one is answered with it."""
    _, found = parse_config(Source("c.yaml", "broker_alowlist: []\n"), {})
    assert "broker_allowlist" in found[0].hint


def test_equal_configurations_have_equal_hashes() -> None:
    """The hash is of the meaning, not of the text."""
    one, _ = parse("seed: 3\ncash_ticks: 5\n")
    other, _ = parse("# note\ncash_ticks: 5\nseed: 3\n")
    assert one is not None
    assert other is not None
    assert one.sha256() == other.sha256()
    assert one.sha256() != Config().sha256()
