"""The server shows and does nothing else: two methods, one host, one allowlist, loopback only."""

import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from random import Random

import pytest

from peak_trade.evidence.policy import digest
from peak_trade.watch.serve import BODY_BYTES_MAX, HEADERS, POLL_SECONDS, Server, server

PATHS = 1_000
SERVE = "from peak_trade.cli.app import main; main(['serve', '{}', '--port', '0'])"

STYLE, SCRIPT = "p{color:red}", "document.title='x'"


@dataclass(frozen=True)
class Reply:
    """A raw answer, taken apart."""

    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one run, and secrets inside and outside of it."""
    root = tmp_path_factory.mktemp("hidden-place") / "runs"
    (root / "one" / "journal").mkdir(parents=True)
    (root / "one" / "config_snapshot.json").write_text("{}\n")
    (root / "one" / "status.html").write_text("<p>the page</p>")
    (root / "one" / "health.json").write_text("{}")
    (root / "one" / "journal" / "journal.jsonl").write_text("SECRET")
    (root.parent / "secret.json").write_text("SECRET")
    site = root / "site"
    site.mkdir()
    (site / "index.html").write_text("<p>the review</p>")
    (site / "simulator-x.html").write_text(f'<style>{STYLE}</style><script type="module">{SCRIPT}</script>')
    (site / "secret.json").write_text("SECRET")
    (site / "link.html").symlink_to(root.parent / "secret.json")
    return root


@pytest.fixture(scope="module")
def running(folder: Path) -> Iterator[Server]:
    """The server, answering in a thread."""
    with server(folder, 0) as found:
        thread = threading.Thread(target=found.serve_forever, args=(POLL_SECONDS,))
        thread.start()
        yield found
        found.shutdown()
        thread.join()


def raw(port: int, data: bytes) -> Reply:
    """Send bytes as they are and read the whole answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        parts = []
        while part := connection.recv(1 << 16):
            parts.append(part)
    head, _, body = b"".join(parts).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return Reply(int(first.split()[1]), headers, body)


def ask(running: Server, path: str, method: str = "GET", host: str | None = None) -> Reply:
    """Send one plain request for `path` as it is written."""
    named = host if host is not None else f"127.0.0.1:{running.port}"
    return raw(running.port, f"{method} {path} HTTP/1.1\r\nHost: {named}\r\n\r\n".encode("latin-1"))


def test_the_pages_of_a_run_are_shown(running: Server, folder: Path) -> None:
    """Index, page and files are 200 with their type, exactly their bytes, and every safety header."""
    for path, kind in (
        ("/", "text/html; charset=utf-8"),
        ("/one/status.html", "text/html; charset=utf-8"),
        ("/one/config_snapshot.json", "application/json"),
        ("/one/health.json", "application/health+json"),
    ):
        reply = ask(running, path)
        assert reply.status == 200
        assert reply.headers["Content-Type"] == kind
        assert reply.headers.items() >= HEADERS.items()
        assert reply.headers["Server"] == "peak"
        if path != "/":
            assert reply.body == (folder / path[1:]).read_bytes()


def test_the_review_is_shown_and_runs_what_stands_in_it(running: Server, folder: Path) -> None:
    """Its pages are 200 with exactly their bytes; their policy allows their own script and no other, nor a request."""
    for path, name in (("/review/", "index.html"), ("/review/simulator-x.html", "simulator-x.html")):
        reply = ask(running, path)
        assert reply.status == 200
        assert reply.headers["Content-Type"] == "text/html; charset=utf-8"
        assert reply.headers.items() >= HEADERS.items()
        assert reply.body == (folder / "site" / name).read_bytes()
    policy = dict(part.strip().split(" ", 1) for part in reply.headers["Content-Security-Policy"].split(";"))
    assert policy["script-src"] == digest(SCRIPT)
    assert policy["style-src"] == digest(STYLE)
    assert policy["default-src"] == "'none'"
    assert "connect-src" not in policy
    assert b'href="/review/"' in ask(running, "/").body


def test_a_page_of_a_run_may_run_nothing(running: Server, folder: Path) -> None:
    """The same bytes as a page of a run are sent under a policy without scripts."""
    page = folder / "one" / "report.html"
    page.write_text(f"<script>{SCRIPT}</script>")
    policy = ask(running, "/one/report.html").headers["Content-Security-Policy"]
    page.unlink()
    assert "script-src 'none'" in policy


def test_no_folder_is_listed(running: Server) -> None:
    """A folder without its closing slash, and what is no page of the review, is 404."""
    paths = ("/review", "/one", "/one/", "/site/", "/site/index.html", "/review//", "/review/.", "/review/link.html")
    for path in (*paths, "/review/secret.json", "/review/../secret.json", "/review/%2e%2e/secret.json"):
        reply = ask(running, path)
        assert reply.status == 404, path
        assert b"SECRET" not in reply.body


def test_head_is_get_without_the_body(running: Server) -> None:
    """HEAD has GET's headers, and no body; also where there is no page."""
    for path in ("/", "/one/status.html", "/review/simulator-x.html", "/nothing"):
        get, head = ask(running, path), ask(running, path, "HEAD")
        same = {"Content-Type", "Content-Length", "Content-Security-Policy"}
        assert head.status == get.status
        assert {name: head.headers[name] for name in same} == {name: get.headers[name] for name in same}
        assert head.body == b""


@pytest.mark.parametrize(
    "method",
    ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "MKCOL", "get", "Post", "X" * 100],
)
def test_every_other_method_is_refused(method: str, running: Server) -> None:
    """Anything but GET and HEAD is 405 and says what is allowed, for pages that are there and that are not."""
    for path in ("/", "/one/status.html", "/review/", "/review/simulator-x.html", "/nothing"):
        reply = ask(running, path, method)
        assert reply.status == 405
        assert reply.headers["Allow"] == "GET, HEAD"


def test_a_refused_body_is_not_taken_for_a_request(running: Server) -> None:
    """What a refused request carries is dropped: one request, one answer, whatever its body holds."""
    inner = f"GET /one/status.html HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\n\r\n".encode()
    head = f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\nContent-Length: {len(inner)}\r\n\r\n".encode()
    reply = raw(running.port, head + inner)
    assert reply.status == 405
    assert b"the page" not in reply.body
    large = f"POST / HTTP/1.1\r\nHost: 127.0.0.1:{running.port}\r\nContent-Length: {BODY_BYTES_MAX}\r\n\r\n".encode()
    connection = HTTPConnection("127.0.0.1", running.port, timeout=10)
    connection.request("POST", "/", body=b"x" * BODY_BYTES_MAX)
    assert connection.getresponse().status == 405
    connection.close()
    assert raw(running.port, large).status == 405


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:{port}", 200),
        ("LOCALHOST:{port}", 200),
        ("127.0.0.1:{port}", 200),
        ("127.0.0.1", 421),
        ("127.0.0.1:1", 421),
        ("evil.example:{port}", 421),
        ("127.0.0.1.evil.example:{port}", 421),
        ("[::1]:{port}", 421),
        ("127.0.0.1:{port}@evil.example", 421),
        ("", 421),
    ],
)
def test_only_its_own_name_is_answered(host: str, status: int, running: Server) -> None:
    """A request under another name is 421, so that no page of the web can read a run; methods change nothing."""
    named = host.format(port=running.port)
    assert ask(running, "/one/status.html", host=named).status == status
    assert ask(running, "/one/status.html", "POST", named).status == (405 if status == 200 else status)


def test_no_host_or_two_is_refused(running: Server) -> None:
    """A request without a Host header, or with more than one, is 400."""
    own = f"Host: 127.0.0.1:{running.port}\r\n"
    for lines in ("", own + own, own + "Host: evil.example\r\n"):
        assert raw(running.port, f"GET / HTTP/1.1\r\n{lines}\r\n".encode()).status == 400


@pytest.mark.parametrize("data", [b"\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\0\r\n\r\n"])
def test_what_is_no_request_gets_no_page(data: bytes, running: Server) -> None:
    """Garbage is refused or dropped, and the server goes on."""
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(1 << 16)
    assert b"the page" not in answer
    assert b"Traceback" not in answer
    assert ask(running, "/").status == 200


def fuzzed(source: Random) -> str:
    """One hostile path: traversal, encodings, NUL, case, doubled and foreign separators, length."""
    pieces = (
        *("..", ".", "...", "%2e%2e", "%2E.", "..%2f", "%252e%252e", "..%c0%af", "..%5c", "..\\", "%00", "\0"),
        *("one", "ONE", "one%00", "journal", "journal.jsonl", "status.html", "status.html%00.png", "secret.json"),
        *(
            "etc",
            "passwd",
            "proc",
            "self",
            "environ",
            "C:",
            "file:",
            "http:",
            "%2f",
            "%",
            "~",
            "*",
            ";",
            "\xe9",
            "\x01",
        ),
    )
    starts = ("/", "//", "/one/", "/one/journal/", "/review/", "/review/../", "/site/", "/../", "/./", "")
    path = source.choice(starts) + source.choice("//\\").join(source.choices(pieces, k=source.randint(1, 9)))
    if not source.randrange(20):
        path += "/" + source.choice("ab%.") * source.choice((300, 5_000, 70_000))
    return path


def test_a_thousand_hostile_paths_find_nothing(running: Server, folder: Path) -> None:
    """Each of 1,000 fuzzed paths is 404 with the same body, which names nothing of this computer."""
    source, bodies = Random(7), set()
    allowed = {"/", "/one/status.html", "/one/health.json", "/one/config_snapshot.json", "/review/"}
    paths = [path for path in (fuzzed(source) for _ in range(PATHS * 2)) if path not in allowed and path][:PATHS]
    assert len(paths) == PATHS
    for path in paths:
        reply = ask(running, path)
        assert reply.status == 404, path[:200]
        bodies.add(reply.body)
        for secret in (b"SECRET", str(folder).encode(), folder.parent.name.encode(), b"Traceback", b"Python"):
            assert secret not in reply.body
    assert len(bodies) == 1


def test_nothing_is_written(running: Server, folder: Path) -> None:
    """Whatever is asked, the folder stays as it is."""
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    for method in ("GET", "HEAD", "PUT", "DELETE", "POST"):
        for path in ("/", "/one/status.html", "/one/new.html", "/review/", "/review/new.html"):
            ask(running, path, method)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def listening(pid: int) -> set[tuple[str, str]]:
    """The (table, local address) of every TCP or UDP socket that process `pid` holds and that waits for somebody."""
    held = set()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        found = re.fullmatch(r"socket:\[(\d+)\]", str(entry.readlink()))
        held |= {found[1]} if found else set()
    waiting = set()
    for table in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in held and (table.startswith("udp") or fields[3] == "0A"):
                waiting.add((table, fields[1].partition(":")[0]))
    return waiting


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_listens_on_loopback_and_stops_on_a_signal(number: signal.Signals, folder: Path) -> None:
    """`peak serve` prints its address, listens on 127.0.0.1 and nowhere else, and ends with 0 on either signal."""
    command = [sys.executable, "-c", SERVE.format(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            found = re.fullmatch(r"http://127\.0\.0\.1:(\d+)/", url)
            assert found
            reply = raw(int(found[1]), f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{found[1]}\r\n\r\n".encode())
            assert reply.status == 200
            if sys.platform == "linux":
                assert listening(process.pid) == {("tcp", "0100007F")}
            process.send_signal(number)
            out, problems = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 0, problems
    assert out == ""
    assert "Traceback" not in problems


def test_a_taken_port_is_said(running: Server, folder: Path) -> None:
    """A port that somebody else holds is an error that names the port, and no server."""
    from click.testing import CliRunner

    from peak_trade.cli.app import command

    found = CliRunner().invoke(command, ["serve", str(folder), "--port", str(running.port)])
    assert found.exit_code == 2
    assert f"cannot listen on port {running.port}" in found.output


def test_a_site_can_be_named(folder: Path, tmp_path: Path) -> None:
    """A review elsewhere is shown if it is given; a folder that holds none is refused by name, with the remedy."""
    from click.testing import CliRunner

    from peak_trade.cli.app import command

    (tmp_path / "elsewhere").mkdir()
    refused = CliRunner().invoke(command, ["serve", str(folder), "--port", "0", "--site", str(tmp_path / "elsewhere")])
    assert refused.exit_code == 2
    assert "without index.html" in refused.output
    assert "peak report --site" in refused.output
    (tmp_path / "elsewhere" / "index.html").write_text("<p>another review</p>")
    with server(folder, 0, tmp_path / "elsewhere") as found:
        thread = threading.Thread(target=found.serve_forever, args=(POLL_SECONDS,))
        thread.start()
        reply = ask(found, "/review/")
        found.shutdown()
        thread.join()
    assert (reply.status, reply.body) == (200, b"<p>another review</p>")
