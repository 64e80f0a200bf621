"""A checkout in which a page can be worked through."""

import shutil
from pathlib import Path

import pytest
from strategies.pages import checkout


@pytest.fixture
def desk(tmp_path: Path, proved: Path) -> Path:
    """A checkout of what this one holds, with its base known as origin/main and what is proved of it known."""
    checkout(tmp_path)
    shutil.copytree(proved, tmp_path / ".peak-cache")
    return tmp_path
