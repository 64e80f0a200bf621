"""The pages of runs, and of a review, over HTTP, read-only, on the loopback interface and nowhere else.

GET and HEAD are answered, every other method is 405. A request must name this host: 421 if it names another (a page of
the web that points its own name here), 400 if it names none or several. What is not on the shelf is 404, whatever the
reason. Nothing is written, no name is resolved, no connection is kept. A page of a run may run no script; one of the
review may run what stands in it, its simulator, and that reaches nothing.

Limits: CONNECTIONS_MAX at a time, further ones are closed; TIMEOUT_SECONDS of silence ends one; plain HTTP, which does
not leave this computer; any user of this computer can read what is served.
"""

from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer, ThreadingMixIn
from threading import BoundedSemaphore
from typing import Any, Final

from peak_trade.evidence.policy import policy
from peak_trade.watch.shelf import HTML, Found, Shelf

HOST: Final = "127.0.0.1"
CONNECTIONS_MAX: Final = 16
TIMEOUT_SECONDS: Final = 5
BODY_BYTES_MAX: Final = 1 << 16
POLL_SECONDS: Final = 0.1
ALLOW: Final = "GET, HEAD"
HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
PROBLEMS: Final = {
    400: "expected a plain request with one Host header that names this server",
    404: "there is no such page",
    405: "this server only shows: GET and HEAD",
    421: "this server answers to its own address only",
}
_OURS: Final = {414: 404, 501: 405}
"""What the standard library calls a too long path and an unknown method, in our words."""


class Handler(BaseHTTPRequestHandler):
    """Answers one request and closes the connection."""

    timeout = TIMEOUT_SECONDS
    server: "Server"

    def __init__(self, shelf: Shelf, *arguments: Any) -> None:  # noqa: ANN401 - the base class's own
        self.shelf = shelf
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """Send what the path names, as it was sent: the library's own reading of it would fold slashes."""
        if not self._named():
            return
        found = self.shelf.find(self.requestline.split()[1])
        if found is None:
            self._refuse(404)
        else:
            self._send(200, found)

    def do_HEAD(self) -> None:
        """Send the headers that GET would send."""
        self.do_GET()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:  # noqa: ARG002
        """Send a problem in our own words: nothing of the request, of this computer or of the library is in it."""
        shown = _OURS.get(code, 400)
        if shown != 405 or self._named():
            self._refuse(shown)

    def version_string(self) -> str:
        """Name neither library nor version."""
        return "peak"

    def log_message(self, *arguments: Any) -> None:  # noqa: ANN401 - the base class's own
        """Log nothing: nothing below the command line prints."""

    def _named(self) -> bool:
        """Return true iff the request names this server; else refuse it."""
        hosts = self.headers.get_all("Host") or []
        if len(hosts) != 1:
            self._refuse(400)
        elif hosts[0].strip().lower() not in self.server.names:
            self._refuse(421)
        else:
            return True
        return False

    def _refuse(self, code: int) -> None:
        self._drain()
        text = f"<!DOCTYPE html><html lang=en><title>{code}</title><p>{code}: {PROBLEMS[code]}."
        self._send(code, Found(HTML, text.encode()))

    def _send(self, code: int, found: Found) -> None:
        self.close_connection = True
        self.send_response(code)
        page = found.data.decode(errors="replace") if found.kind == HTML else ""
        self.send_header("Content-Security-Policy", f"{policy(page, scripts=found.scripts)}; frame-ancestors 'none'")
        for name, value in HEADERS.items():
            self.send_header(name, value)
        if code == 405:
            self.send_header("Allow", ALLOW)
        self.send_header("Content-Type", found.kind)
        self.send_header("Content-Length", str(len(found.data)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(found.data)

    def _drain(self) -> None:
        """Read the little that a refused request may have brought, so that its sender hears the answer."""
        length = str(self.headers.get("Content-Length", "")) if hasattr(self, "headers") else ""
        if length.isascii() and length.isdigit():
            self.rfile.read(min(int(length[:9]), BODY_BYTES_MAX))


class Server(ThreadingMixIn, TCPServer):
    """Listens on HOST only; `names` are the Host headers that it answers to."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = CONNECTIONS_MAX

    def __init__(self, port: int, handler: Callable[..., Handler]) -> None:
        self._slots = BoundedSemaphore(CONNECTIONS_MAX)
        super().__init__((HOST, port), handler)
        self.port = int(self.server_address[1])
        self.names = frozenset({f"{HOST}:{self.port}", f"localhost:{self.port}"})

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://{HOST}:{self.port}/"

    def process_request(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the base class's own
        """Answer in a thread of its own, or close at once if all are busy."""
        if self._slots.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as above
        """Answer, and free the place."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._slots.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - as above
        """Say nothing: a sender that went away is no news."""


def server(folder: Path, port: int, site: Path | None = None) -> Server:
    """Return a server of the runs in `folder`, listening on `port` (0: any free one) but not answering yet.

    It shows the review site in `site` too; without one, that in the folder `site` of `folder`, if there is one.

    Raises:
        OSError: the port is taken or not allowed.
    """
    return Server(port, partial(Handler, Shelf(folder, site)))
