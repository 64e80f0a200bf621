"""What all tests share: no fence in their processes, and the verdicts on all that is shipped, proved once for all.

What the fence does is tested in processes of its own (`tests/contract/test_network.py`): it could not be taken down,
and the next test may serve pages.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from peak_trade.session import fence


@pytest.fixture(autouse=True, scope="session")
def _unfenced() -> Iterator[None]:
    """Sessions opened by tests find a fence that was never put up."""
    fence._PROCESS.fence = fence.Fence("hook", "a test's process")
    yield
    fence._PROCESS.fence = None


@pytest.fixture(scope="session")
def proved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of verdicts on all that is shipped, where commands look for it that run beside it; none changes it.

    All of it is proved anew in each session of tests, by the first of its processes that asks; the others wait. What
    evidence packs of these proofs is in `proofs.json` beside it.
    """
    from peak_trade.cli import gather

    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "proved"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock, pytest.MonkeyPatch.context() as patch:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "proofs.json").exists():
            patch.chdir(folder)
            found = gather.proofs()
            assert found["exit_code"] == 0, found
            (folder / "proofs.json").write_text(json.dumps(found))
    return folder / ".peak-cache"
