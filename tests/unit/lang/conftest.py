"""The shipped machines."""

from pathlib import Path

import pytest

from peak_trade.lang.machine import Machine
from peak_trade.lang.parse import parse_file

SPEC = Path(__file__).parents[3] / "spec"


@pytest.fixture(scope="session", params=["session", "order"])
def shipped(request: pytest.FixtureRequest) -> Machine:
    """Return each shipped machine in turn."""
    machine = parse_file(SPEC / f"{request.param}.yaml").machine
    assert machine is not None
    return machine
