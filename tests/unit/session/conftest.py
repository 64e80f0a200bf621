"""A small session that tests can open, disturb and read back."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from peak_trade.cli.specs import machine_named
from peak_trade.evidence.story import Story, tell
from peak_trade.journal.scan import read
from peak_trade.market.crossover import crossover
from peak_trade.market.synthetic import walk
from peak_trade.session.assembly import Session, Setup, open_session
from peak_trade.session.config import Config, VenuePart

BARS = walk(3, 4, 40, volume_lots=50_000)
CONFIG = Config(
    cash_ticks=10**10,
    wind_down_steps=8,
    venue=VenuePart(participation_permille_min=5, participation_permille_max=40),
)


def setup(folder: Path, **changes: Any) -> Setup:
    """A setup over the small seeded bars; `changes` replace its parts."""
    plain = Setup(
        folder=folder,
        session=machine_named("session"),
        order=machine_named("order"),
        breaker=machine_named("breaker"),
        config=CONFIG,
        bars=BARS,
        strategy=crossover(2, 5, 200_000_000),
        steps_max=40,
        version="test",
    )
    return replace(plain, **changes)


Open = Callable[..., Session]


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Open]:
    """Opens sessions in one folder and closes what is still open at the end."""
    sessions: list[Session] = []

    def open_one(*, resume: bool = False, **changes: Any) -> Session:
        session = open_session(setup(tmp_path / "run", **changes), resume=resume)
        sessions.append(session)
        return session

    yield open_one
    for session in sessions:
        session.close()


@pytest.fixture
def told(tmp_path: Path) -> Callable[[], Story]:
    """Tells the story of the journal as it is on disk now."""
    return lambda: tell(read(tmp_path / "run" / "journal" / "journal.jsonl"))
