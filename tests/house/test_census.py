"""What a session pulls in, counted: nothing of it is a client of a network, and what comes near one has a reason."""

import ast
import json
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))

NEAR = {
    "_socket", "_ssl", "asyncio", "ftplib", "http", "imaplib", "logging.handlers", "multiprocessing.connection",
    "nntplib", "poplib", "smtpd", "smtplib", "socket", "socketserver", "ssl", "telnetlib", "urllib.request", "wsgiref",
    "webbrowser", "xmlrpc",
}  # fmt: skip
"""The standard library's modules that open, or lead to, a network."""

CLIENTS = {
    "aiohttp", "alpaca", "alpaca_trade_api", "asyncssh", "boto3", "botocore", "ccxt", "curl_cffi", "fix", "grpc",
    "h11", "h2", "httpcore", "httplib2", "httpx", "ib_async", "ib_insync", "ibapi", "kafka", "nats", "paho", "paramiko",
    "pika", "pycurl", "quickfix", "redis", "requests", "twisted", "tornado", "urllib3", "uvloop", "websocket",
    "websockets", "yfinance", "zmq",
}  # fmt: skip
"""Packages that are clients of networks, brokers among them."""

TOLERATED = {
    "_socket": "the C half of socket",
    "_ssl": "the C half of ssl",
    "logging.handlers": "tornado imports it, and tenacity imports tornado where the extra for clusters is installed",
    "asyncio": "python-statemachine imports it for asynchronous callbacks, of which there are none here",
    "multiprocessing.connection": "pyrate-limiter imports it for buckets that processes share, of which there are none",
    "socket": "asyncio imports it",
    "ssl": "asyncio imports it",
}
"""What is there all the same after a run, and why; behind the fence none of it can be used."""
PRESENT = {"tornado"}
"""A client that tenacity imports where it is there, as with the extra for clusters; nothing else asks for it."""

CODE = """
import importlib, json, sys
sys.path.insert(0, {src!r})
{work}
print(json.dumps(sorted(sys.modules)))
"""
RUN = """
from peak_trade.cli.app import main
try:
    main(["run", "--out", "a", "--steps", "120", "--faults", "100", "--format", "json"])
except SystemExit as left:
    assert not left.code, left.code
print()
"""
SESSION = "[importlib.import_module(name) for name in {names!r}]"


def pulled(work: str, folder: Path) -> set[str]:
    """Return the modules that a fresh interpreter has after `work`."""
    code = CODE.format(src=str(ROOT / "src"), work=work)
    command = [sys.executable, "-I", "-c", code]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture(scope="module")
def after_a_run(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The modules after a whole `peak run` with faults."""
    return pulled(RUN, tmp_path_factory.mktemp("run"))


def test_a_run_pulls_in_no_client(after_a_run: set[str]) -> None:
    """After a whole run, what comes near a network is exactly what is tolerated, each with its reason."""
    assert after_a_run & NEAR == set(TOLERATED)
    assert {name.partition(".")[0] for name in after_a_run} & CLIENTS <= PRESENT


MADE_WITH_HYPOTHESIS = {f"backends/{name}.py" for name in ("bare", "payloads", "rules", "stateful")}
"""What makes rules for Hypothesis; no layer that acts imports it, which is a contract of import-linter."""


def test_what_acts_pulls_in_no_client(tmp_path: Path) -> None:
    """Importing every module of the layers that can act brings nothing near a network but what is tolerated."""
    layers = ("lang", "backends", "market", "journal", "broker", "rails", "session")
    folder = ROOT / "src" / "peak_trade"
    names = [
        ".".join(path.relative_to(ROOT / "src").with_suffix("").parts)
        for layer in layers
        for path in sorted((folder / layer).rglob("*.py"))
        if path.stem != "__init__" and path.relative_to(folder).as_posix() not in MADE_WITH_HYPOTHESIS
    ]
    found = pulled(SESSION.format(names=names), tmp_path)
    assert found & NEAR <= set(TOLERATED)
    assert {name.partition(".")[0] for name in found} & CLIENTS <= PRESENT


WRITERS = {"requests": "sphinx", "tornado": "distributed", "urllib3": "requests"}
"""Clients that come with the documentation's builder or with the extra for clusters, by who asks for them."""


def needed(name: str, extra: str = "") -> set[str]:
    """Return the names of the distributions that `name` is installed with, itself included; normalised."""
    found: set[str] = set()
    left = [(name, extra)]
    while left:
        one, wanted = left.pop()
        for text in distribution(one).requires or ():
            requirement = Requirement(text)
            here = requirement.marker is None or requirement.marker.evaluate({"extra": wanted})
            if here and canonicalize_name(requirement.name) not in found:
                found.add(canonicalize_name(requirement.name))
                left.append((requirement.name, ""))
    return found


def test_nothing_that_a_run_needs_is_a_client() -> None:
    """No package that comes with ours, at any depth, is a client of a network."""
    needs = needed("peak-trade")
    assert {"z3-solver", "python-statemachine", "markdown-it-py"} <= needs
    assert {name.replace("-", "_") for name in needs} & CLIENTS == set()


def test_no_package_that_the_lock_pins_is_a_client() -> None:
    """Nothing that is pinned is a client of a network, but what the documentation's builder brings and no run needs."""
    lock = (ROOT / "requirements.lock").read_text()
    pinned = {line.partition("==")[0].replace("-", "_") for line in lock.splitlines() if "==" in line}
    assert len(pinned) > 20
    assert pinned & CLIENTS == set(WRITERS)
    for client, asker in WRITERS.items():
        by = lock.partition(f"\n{client}==")[2].partition("# via ")[2].partition("\n")[0]
        assert by.strip() == asker, f"{client} is pinned for {by}"


BY_NAME = {
    "cli/app.py": {"import_module"},  # a command's module, from the table of commands
    "market/strategy.py": {"import_module"},  # the user's own strategy; the fence is up by then
}
"""Where a module may be imported by a name that a contract on imports cannot read."""


def evasions(path: Path) -> set[str]:
    """Return the ways in which a source reaches a module without an import statement, or runs text as code."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and node.attr in ("import_module", "modules", "__import__", "__loader__"):
            found.add(node.attr)
        elif isinstance(node, ast.Name) and node.id in ("import_module", "__import__", "__loader__"):
            found.add(node.id)
    return found


def test_modules_are_imported_by_statements() -> None:
    """`__import__`, `sys.modules` and `import_module` stand nowhere but where a name has to be looked up."""
    folder = ROOT / "src" / "peak_trade"
    found = {path.relative_to(folder).as_posix(): evasions(path) for path in SOURCES}
    strange = {name: ways - BY_NAME.get(name, set()) for name, ways in found.items()}
    assert {name: ways for name, ways in strange.items() if ways} == {}


def test_the_census_sees_an_evasion(tmp_path: Path) -> None:
    """A planted `__import__`, `sys.modules` or `importlib.import_module` is found: the census can fail."""
    planted = tmp_path / "planted.py"
    for text in (
        "__import__('socket')",
        "import sys\nsys.modules['socket']",
        "import importlib as i\ni.import_module(n)",
    ):
        planted.write_text(text)
        assert evasions(planted)


def test_the_census_sees_a_client(tmp_path: Path) -> None:
    """A run that imports `http.client` or `smtplib` is told from one that does not: the census can fail."""
    found = pulled("import http.client, smtplib", tmp_path)
    assert {"http", "smtplib"} <= found & NEAR - set(TOLERATED)
