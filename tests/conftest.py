"""No test of this process puts up the fence: it could not be taken down, and the next test may serve pages.

What the fence does is tested in processes of its own (`tests/contract/test_network.py`).
"""

from collections.abc import Iterator

import pytest

from peak_trade.session import fence


@pytest.fixture(autouse=True, scope="session")
def _unfenced() -> Iterator[None]:
    """Sessions opened by tests find a fence that was never put up."""
    fence._PROCESS.fence = fence.Fence("hook", "a test's process")
    yield
    fence._PROCESS.fence = None
