"""The wheel stands alone: specifications, bars and templates travel with it, and nothing that could trade live."""

import ast
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPECS = {path.name for path in (ROOT / "spec").glob("*.yaml")}


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
    assert {path.name for path in (unpacked / "peak_trade" / "spec").glob("*.yaml")} == SPECS


def test_the_wheel_holds_nothing_that_could_trade(unpacked: Path) -> None:
    """The broker package has the mock and the absent adapter, and no module that names a connection."""
    names = {path.stem for path in (unpacked / "peak_trade" / "broker").glob("*.py")}
    assert {"mock", "absent", "port"} <= names
    assert not names & {"live", "paper", "rest", "websocket", "fix", "client"}


CLIENTS = {
    "_socket", "aiohttp", "asyncio", "ftplib", "grpc", "http", "httpx", "imaplib", "nntplib", "paramiko", "poplib",
    "requests", "smtplib", "socket", "socketserver", "ssl", "telnetlib", "urllib", "urllib3", "websocket", "websockets",
    "wsgiref", "xmlrpc", "zmq",
}  # fmt: skip


def imported(path: Path) -> set[str]:
    """The packages that a module imports anywhere in it, our own aside."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


def test_no_module_in_the_wheel_imports_a_client(unpacked: Path) -> None:
    """One module may listen on loopback; no other in the wheel imports what could open a connection."""
    found = {
        path.relative_to(unpacked / "peak_trade").as_posix(): imported(path) & CLIENTS
        for path in sorted(unpacked.rglob("*.py"))
    }
    assert len(found) > 100
    assert {name: names for name, names in found.items() if names} == {"watch/serve.py": {"http", "socketserver"}}


def test_the_wheel_holds_sources_and_data_only(unpacked: Path) -> None:
    """Nothing compiled is in the wheel, which could call the kernel behind the interpreter's back."""
    (wheel,) = unpacked.parent.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        kinds = {Path(name).suffix for name in archive.namelist()}
    assert ".py" in kinds
    assert not kinds & {".so", ".pyd", ".pyc", ".dll", ".dylib", ".a", ".sh", ".exe"}


def test_what_takes_an_order_is_an_adapter_that_calls_nothing_outside(unpacked: Path) -> None:
    """Only the broker package, and campaigns, which watch a venue's door, take orders; none of it starts a program."""
    package = unpacked / "peak_trade"
    takers = [path for path in sorted(package.rglob("*.py")) if "def place_order(" in path.read_text(encoding="utf-8")]
    assert {path.stem for path in takers} >= {"mock", "absent"}
    assert {path.parent.relative_to(package).as_posix() for path in takers} == {"broker", "fuzz/harm", "fuzz/judge"}
    for path in {*takers, *(package / "broker").glob("*.py")}:
        assert not imported(path) & {"ctypes", "subprocess", "multiprocessing", "pty", "importlib"}, path.name


def test_one_module_of_the_wheel_calls_the_kernel_itself(unpacked: Path) -> None:
    """ctypes, which the audit hook cannot see through, is imported by what puts up the fence and by nothing else."""
    found = [path.name for path in unpacked.rglob("*.py") if imported(path) & {"ctypes", "_ctypes", "cffi"}]
    assert found == ["libc.py"]
