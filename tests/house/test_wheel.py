"""The wheel stands alone: specifications, bars and templates travel with it, and nothing that could trade live."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout and unpacked somewhere else."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_the_command_works_away_from_the_checkout(unpacked: Path, tmp_path: Path) -> None:
    """From the wheel alone, in an empty folder, `peak check`, a short run and its report work."""
    code = f"import sys; sys.path.insert(0, {str(unpacked)!r}); from peak_trade.cli.app import main; main(sys.argv[1:])"
    for arguments in (["check"], ["run", "--out", "a", "--steps", "120"], ["report", "a"]):
        command = [sys.executable, "-I", "-c", code, *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "a" / "report.html").stat().st_size > 10_000
    assert {path.name for path in (unpacked / "peak_trade" / "spec").glob("*.yaml")} == {"order.yaml", "session.yaml"}


def test_the_wheel_holds_nothing_that_could_trade(unpacked: Path) -> None:
    """The broker package has the mock and the absent adapter, and no module that names a connection."""
    names = {path.stem for path in (unpacked / "peak_trade" / "broker").glob("*.py")}
    assert {"mock", "absent", "port"} <= names
    assert not names & {"live", "paper", "rest", "websocket", "fix", "client"}
