"""The fence, from outside: every way out is tried without it (the listener hears), with half of it, and with all of it.

Each try is a fresh process, as a fence cannot be taken down. The listener hears only what comes over loopback.
"""

import platform
import re
import selectors
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from contract.vectors import EACCES, FORBIDDEN, MODES, REACHED, REFUSED, WAYS, Way, table

ROOT = Path(__file__).resolve().parents[2]
TRY_SECONDS_MAX = 30
HEARD_SECONDS_MAX = 10
LACKING = {
    "pidfd_getfd": r"PermissionError|Errno (1|38)\b",
    "io_uring": r"Errno (1|22|38)\b",
    "int80": r"Errno 38\b|SIGSEGV",
}
"""What the try without a fence says on a machine that has no such way out."""

HARNESS = """
import os, sys, errno
sys.path.insert(0, {src!r})
HOST, PORT, PORT6, UDP, PATH, TOKEN = "127.0.0.1", {port}, {port6}, {udp}, {path!r}, {token!r}
GIVEN, PARENTS, MODE = {given!r}, {parents}, {mode!r}
CHILD = f'''
import socket
try:
    socket.create_connection(({{HOST!r}}, {{PORT}})).sendall({{TOKEN!r}})
except PermissionError:
    print("EACCES", flush=True)
'''
{before}
def told(error):
    while error is not None:
        if type(error).__name__ in ("NetworkForbidden", "FenceRefused"):
            return f"{{type(error).__name__}}: {{error}}"
        if isinstance(error, OSError) and error.errno == errno.EACCES:
            return "EACCES"
        if error.__cause__ is None:
            return repr(error)
        error = error.__cause__
try:
    from peak_trade.session import fence, hook
    if MODE == "fence":
        fence.up()
    elif MODE == "filter":
        fence._expect_none_open()
        fence.filter_calls(fence.native())
    elif MODE == "hook":
        sys.addaudithook(hook.hook)
    exec({code!r})
except BaseException as error:
    print(told(error))
"""


class Listener:
    """Hears what is sent to it on loopback and on local sockets, until it is closed."""

    def __init__(self, folder: Path) -> None:
        self.path = str(folder / "l")
        self.heard = b""
        self._news = threading.Condition()
        self._selector = selectors.DefaultSelector()
        self.tcp = self._open(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0))
        self.udp = self._open(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
        self._open(socket.AF_UNIX, socket.SOCK_STREAM, self.path)
        self._open(socket.AF_UNIX, socket.SOCK_DGRAM, self.path + ".d")
        self.tcp6 = self._open6()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _open(self, family: int, kind: int, place: object) -> socket.socket:
        made = socket.socket(family, kind)
        made.bind(place)
        if kind == socket.SOCK_STREAM:
            made.listen(64)
        self._selector.register(made, selectors.EVENT_READ, kind)
        return made

    def _open6(self) -> socket.socket | None:
        try:
            return self._open(socket.AF_INET6, socket.SOCK_STREAM, ("::1", 0))
        except OSError:
            return None

    def _listen(self) -> None:
        while not self._over.is_set():
            for key, _ in self._selector.select(0.1):
                self._serve(key.fileobj, key.data)

    def _serve(self, ready: socket.socket, kind: int | None) -> None:
        """Take a connection, or what came over one: remember it, answer as a web server would, and close."""
        if kind == socket.SOCK_STREAM:
            self._selector.register(ready.accept()[0], selectors.EVENT_READ, None)
            return
        data = ready.recv(65536)
        with self._news:
            self.heard += data
            self._news.notify_all()
        if kind is None:
            self._selector.unregister(ready)
            with ready:
                if data.startswith(b"GET"):
                    ready.sendall(b"HTTP/1.0 204 Heard\r\n\r\n")

    def has(self, token: bytes) -> bool:
        """Return whether `token` has been heard; what was sent before this was asked is heard by then."""
        for flush in (b"flush1 " + token[::-1], b"flush2 " + token[::-1]):
            with socket.create_connection(self.tcp.getsockname()) as line:
                line.sendall(flush)
            with self._news:
                assert self._news.wait_for(lambda flush=flush: flush in self.heard, HEARD_SECONDS_MAX)
        return token in self.heard

    def close(self) -> None:
        """Stop listening."""
        self._over.set()
        self._thread.join()
        for key in list(self._selector.get_map().values()):
            key.fileobj.close()
        self._selector.close()


@pytest.fixture(scope="module")
def listener(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listener]:
    """One listener for all tries; each has a token of its own."""
    found = Listener(tmp_path_factory.mktemp("listener"))
    yield found
    found.close()


class Try:
    """One way out in one mode: a process that is running, and what it was given."""

    def __init__(self, way: Way, mode: str, listener: Listener) -> None:
        self.listener, self.token = listener, f"peak-{way.name}-{mode}".encode()
        self.stack = ExitStack()
        given, parents = self._given(way.name)
        code = HARNESS.format(
            src=str(ROOT / "src"),
            port=listener.tcp.getsockname()[1],
            port6=listener.tcp6.getsockname()[1] if listener.tcp6 else 0,
            udp=listener.udp.getsockname()[1],
            path=listener.path,
            token=self.token,
            given=given,
            parents=parents,
            mode=mode,
            before=way.before,
            code=way.code,
        )
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", code],
            pass_fds=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _given(self, name: str) -> tuple[list[int], int]:
        """Return the descriptors to inherit, and the one of ours that is there to be stolen."""
        if name not in ("inherited", "passed", "stolen"):
            return [], -1
        line = self.stack.enter_context(socket.create_connection(self.listener.tcp.getsockname()))
        if name == "stolen":
            return [], line.fileno()
        if name == "inherited":
            return [line.fileno()], -1
        ours, theirs = (self.stack.enter_context(end) for end in socket.socketpair())
        socket.send_fds(ours, [b"x"], [line.fileno()])
        return [theirs.fileno()], -1

    def outcome(self) -> tuple[str, str]:
        """Return what the way met, in one word, and all that the process said."""
        with self.stack:
            said, _ = self.process.communicate(timeout=TRY_SECONDS_MAX)
        if self.process.returncode < 0:
            said += f"SIGSEGV or the like: {self.process.returncode}"
        if self.listener.has(self.token) or said.strip() == REACHED:
            return REACHED, said
        words = [word for word in (FORBIDDEN, REFUSED, EACCES) if word in said]
        if not words and re.search(r"Permission denied|Errno 13\b", said):
            words = [EACCES]
        return (words[0] if words else "failed"), said


def missing(way: Way, listener: Listener) -> str:
    """Return why this way cannot be tried on this machine at all, if so."""
    machine = platform.machine()
    if way.needs in ("x86_64", "int80") and machine != "x86_64":
        return f"no such way on {machine}"
    if way.needs == "ipv6" and listener.tcp6 is None:
        return "no IPv6 loopback on this machine"
    if way.needs in ("bash", "curl") and shutil.which(way.needs) is None:
        return f"no {way.needs} on this machine"
    return ""


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the filter is Linux's")


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_way_out_is_open_without_the_fence_and_closed_with_it(way: Way, listener: Listener) -> None:
    """The listener hears the way without a fence; with hook, filter or both, the way meets what the table says."""
    lacking = missing(way, listener)
    if lacking:
        pytest.skip(lacking)
    tries = [Try(way, mode, listener) for mode in MODES]
    (control, said), *rest = [item.outcome() for item in tries]
    closed = [outcome for outcome, _ in rest]
    if control != REACHED and way.needs in LACKING and re.search(LACKING[way.needs], said):
        assert REACHED not in closed, rest
        pytest.skip(f"this machine has no {way.needs} to try: {said.strip()}")
    assert control == REACHED, said
    assert tuple(closed) == way.meets, rest


def test_the_page_has_the_matrix_as_it_is_tried() -> None:
    """The table of `docs/network.md` is that of `vectors.py`, which the test above holds to the kernel."""
    assert table() in (ROOT / "docs" / "network.md").read_text(encoding="utf-8")


def test_the_matrix_is_wide_enough() -> None:
    """At least 14 ways are tried, each with its control, and all but the local pair are closed by the whole fence."""
    assert len(WAYS) == len({way.name for way in WAYS}) >= 14
    assert [way.name for way in WAYS if way.meets[2] == REACHED] == ["pair"]


def fenced(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run `code` in a fresh process that finds the package."""
    head = f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r})\n"
    return subprocess.run(
        [sys.executable, "-I", "-c", head + code], cwd=folder, capture_output=True, text=True, check=False
    )


PEAK = "from peak_trade.cli.app import main\nmain({!r})\n"
STRATEGY = """
import socket, sys
def {name}(**_):
    return Reaching()
class Reaching:
    def decide(self, view):
        socket.create_connection(("127.0.0.1", {port})).sendall(b"{token}")
        return ()
"""


def test_a_strategy_that_reaches_out_when_it_is_imported_is_no_strategy(tmp_path: Path, listener: Listener) -> None:
    """The fence is up before a strategy's module runs: the run is refused, names the line, and nothing is heard."""
    port = listener.tcp.getsockname()[1]
    (tmp_path / "reaching.py").write_text(
        f"import socket\nsocket.create_connection(('127.0.0.1', {port})).sendall(b'imported')\n"
    )
    words = ["run", "--out", "a", "--steps", "20", "--strategy", "reaching:factory"]
    done = fenced("sys.path.insert(0, '.')\n" + PEAK.format(words), tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "expected no network" in done.stderr.replace("\n", " ")
    assert "reaching.py:2" in done.stderr
    assert not listener.has(b"imported")


def test_a_process_with_an_open_line_starts_no_session(tmp_path: Path, listener: Listener) -> None:
    """`peak run` with a connected socket that it inherited ends with 2, the descriptor, and what to do."""
    with socket.create_connection(listener.tcp.getsockname()) as line:
        code = f"import sys; sys.path.insert(0, {str(ROOT / 'src')!r})\n" + PEAK.format(["run", "--out", "a"])
        done = subprocess.run(
            [sys.executable, "-I", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False,
            pass_fds=[line.fileno()],
        )  # fmt: skip
    assert done.returncode == 2
    assert "AF_INET at descriptor" in done.stderr
    assert "next: peak doctor --network" in done.stderr
    assert not (tmp_path / "a").exists()


def test_a_library_user_cannot_open_a_session_without_the_fence(tmp_path: Path) -> None:
    """`open_session` alone puts the fence up: afterwards the kernel's record says so of every thread."""
    code = (
        "import threading, os\nfrom pathlib import Path\nhold = threading.Event()\n"
        "threading.Thread(target=hold.wait, daemon=True).start()\n"
        "from peak_trade.cli.job import Job, bars_of, setup_of, snapshot\n"
        "from peak_trade.session.assembly import open_session\nfrom peak_trade.session.config import Config\n"
        "asked = snapshot('builtin', 5, Config())\n"
        "setup = setup_of(Job(Path('a'), asked), bars_of(asked))\n"
        "def marks():\n  return {line for task in Path('/proc/self/task').iterdir()\n"
        "    for line in (task / 'status').read_text().splitlines() if line.startswith(('Seccomp:', 'NoNewPrivs:'))}\n"
        "before = marks()\nopen_session(setup, resume=False).close()\nprint(before == marks(), *sorted(marks()))\n"
    )
    done = fenced(code, tmp_path)
    assert done.stdout.split() == ["False", "NoNewPrivs:", "1", "Seccomp:", "2"], done.stdout + done.stderr


def test_the_fence_is_put_up_once(tmp_path: Path) -> None:
    """A thousand sessions in one process have one filter and one hook."""
    code = (
        "from peak_trade.session.fence import up\nfrom peak_trade.session.probe import reading\n"
        "assert len({id(up()) for _ in range(1000)}) == 1\nprint(reading().status['Seccomp_filters'])\n"
    )
    done = fenced("import os\nbefore = 0\n" + code, tmp_path)
    assert done.stdout.strip() == str(int(filters()) + 1), done.stdout + done.stderr


def filters() -> int:
    """Return how many filters this test's own process has: a container may have given it one."""
    found = re.search(r"^Seccomp_filters:\s*(\d+)", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


def test_what_is_forbidden_is_told_without_what_may_be_secret(tmp_path: Path) -> None:
    """The message has event, host, port and line, and of a URL neither user, password nor path."""
    code = (
        "from peak_trade.session.fence import up\nfrom peak_trade.session.hook import NetworkForbidden\n"
        "import urllib.request\nup()\n"
        "try:\n  urllib.request.urlopen('http://me:hunter2@example.invalid:81/key?token=hunter3')\n"
        "except NetworkForbidden as error:\n  print(error.what, error.where, error.at)\n"
    )
    done = fenced(code, tmp_path)
    assert done.stdout.split() == ["urllib.Request", "to", "http://example.invalid:81", "<string>:7"], done.stderr


def test_doctor_reads_the_fence_from_a_process(tmp_path: Path) -> None:
    """`peak doctor --network` tries each call in a child without and in one with the fence, and passes."""
    done = fenced(PEAK.format(["doctor", "--network"]), tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Seccomp 2" in done.stdout
    assert re.search(r"socket\(AF_INET, TCP\)\s+let through\s+EACCES", done.stdout)


def test_doctor_does_not_take_an_open_process_for_a_fenced_one() -> None:
    """A child without the fence is not tight; nor is one whose kernel has a filter that lets one call through."""
    from peak_trade.cli.fencing import Told, told
    from peak_trade.session.probe import Reading, Trial

    assert not told(fenced=False).tight
    status = {"NoNewPrivs": 1, "Seccomp": 2}
    shut, ajar = Trial("socket", "EACCES"), Trial("connect", "EBADF")
    assert Told("kernel", "", Reading(status, hooked=True, trials=(shut, shut))).tight
    assert not Told("kernel", "", Reading(status, hooked=True, trials=(shut, ajar))).tight
    assert not Told("kernel", "", Reading(status, hooked=False, trials=(shut,))).tight
    assert not Told("kernel", "", Reading(status, hooked=True, trials=())).tight
    assert not Told("kernel", "", Reading({"NoNewPrivs": 1, "Seccomp": 0}, hooked=True, trials=(shut,))).tight
    assert not Told("none", "refused", Reading({}, hooked=True, trials=())).tight
    assert Told("hook", "no seccomp here", Reading({}, hooked=True, trials=())).tight
