"""Venues to test with; orders, bars and programs of operations are in `strategies.venues`."""

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from strategies.venues import ALL_OF_IT, Program, bar, order, perform, program

from peak_trade.broker.faults import Fault
from peak_trade.broker.messages import OrderRequest
from peak_trade.broker.mock import MockVenue, Settings
from peak_trade.market.bars import Bar


@pytest.fixture
def do() -> Callable[..., None]:
    """Does one operation of a program."""
    return perform


@pytest.fixture
def opened(tmp_path: Path) -> Callable[..., MockVenue]:
    """Opens venues on one ledger; what a bar trades is all there is for us unless the settings say otherwise."""

    def open_venue(settings: Settings = ALL_OF_IT, faults: Iterable[Fault] = (), seed: int = 7) -> MockVenue:
        return MockVenue.open(tmp_path / "venue.jsonl", seed, settings, faults)

    return open_venue


@pytest.fixture
def make_program() -> Callable[..., Program]:
    """Makes random programs."""
    return program


@pytest.fixture
def make_order() -> Callable[..., OrderRequest]:
    """Makes orders."""
    return order


@pytest.fixture
def make_bar() -> Callable[..., Bar]:
    """Makes bars."""
    return bar
