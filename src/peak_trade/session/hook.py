"""Python code that tries to reach a network is told so, by name and place, before the kernel is asked.

An audit hook sees every socket and every name lookup of the interpreter, whoever makes them, and cannot be taken out.
It explains; what enforces is the filter (`seccomp`). Where there is no filter it is all there is.

Limits: it does not see C code that calls the kernel itself (ctypes, extensions), programs that are started, and what
is done with a socket that is connected already. Of a URL only scheme and host are told: the rest may hold a secret.
"""

import sys
import sysconfig
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, Final

from peak_trade.session.seccomp import AF_UNIX

WHERE_CHARS_MAX: Final = 200
FRAMES_MAX: Final = 100
ADOPTED: Final = -1
"""The family that is audited when a socket is made of a descriptor."""

LOCAL_SCHEMES: Final = frozenset({"file", "data"})


class NetworkForbidden(RuntimeError):  # noqa: N818 - said of what was tried
    """Code of this process tried to reach a network; no OSError, so that nothing tries it again.

    `what` was tried (an audit event), `where` to, `at` which line of which file.
    """

    def __init__(self, what: str, where: str, at: str) -> None:
        self.what, self.where, self.at = what, where, at
        super().__init__(
            f"expected no network in a session's process, was {what} {where} at {at}; take the call out of the run, "
            "and fetch what it needs into a file before"
        )


def hook(event: str, arguments: tuple[Any, ...]) -> None:
    """Raise NetworkForbidden iff `event` is an attempt to reach a network."""
    describe = ATTEMPTS.get(event)
    if describe is None:
        return
    where = describe(arguments)
    if where is not None:
        raise NetworkForbidden(event, where[:WHERE_CHARS_MAX], _place())


def _made(arguments: tuple[Any, ...]) -> str | None:
    """Describe a new socket, or None for a local one: a pair is two of them, and to no one else."""
    family = arguments[1]
    return None if family in (AF_UNIX, ADOPTED) else f"of family {getattr(family, 'name', family)}"


def _address(arguments: tuple[Any, ...]) -> str | None:
    """Describe where a socket is to go, or None for one that goes where it is connected to."""
    address = arguments[1]
    return None if address is None else _shown(address)


def _named(arguments: tuple[Any, ...]) -> str:
    return _shown(arguments[:2])


def _peer(arguments: tuple[Any, ...]) -> str:
    return _shown(arguments[1:3])


def _url(arguments: tuple[Any, ...]) -> str | None:
    scheme, _, rest = str(arguments[0]).partition(":")
    host = rest.lstrip("/").split("/", 1)[0].rpartition("@")[2].split("?", 1)[0]
    return None if scheme.lower() in LOCAL_SCHEMES else f"to {scheme}://{host}"


def _shown(address: object) -> str:
    """Return host and port, or whatever an address of another family is."""
    if isinstance(address, tuple) and len(address) >= 2:
        return f"to {_text(address[0])}:{_text(address[1])}"
    return f"to {_text(address[0] if isinstance(address, tuple) and address else address)}"


def _text(value: object) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)


def _place() -> str:
    """Return file and line of the nearest caller that is not the standard library, or of the nearest one."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - the documented way to a caller
    first, library = frame, sysconfig.get_path("stdlib")
    for _ in range(FRAMES_MAX):
        if frame is None:
            break
        name = frame.f_code.co_filename
        if not name.startswith("<frozen") and (not name.startswith(library) or "site-packages" in name):
            return f"{name}:{frame.f_lineno}"
        frame = frame.f_back
    return f"{first.f_code.co_filename}:{first.f_lineno}" if first else "an unknown place"


ATTEMPTS: Final[Mapping[str, Callable[[tuple[Any, ...]], str | None]]] = {
    "socket.__new__": _made,
    "socket.connect": _address,
    "socket.bind": _address,
    "socket.sendto": _address,
    "socket.sendmsg": _address,
    "socket.getaddrinfo": _named,
    "socket.gethostbyname": lambda arguments: _shown(arguments[:1]),
    "socket.gethostbyaddr": lambda arguments: _shown(arguments[:1]),
    "socket.getnameinfo": lambda arguments: _shown(arguments[0]),
    "http.client.connect": _peer,
    "urllib.Request": _url,
    "ftplib.connect": _peer,
    "imaplib.open": _peer,
    "nntplib.connect": _peer,
    "poplib.connect": _peer,
    "smtplib.connect": _peer,
    "telnetlib.Telnet.open": _peer,
}
"""Every event of the interpreter that is about a network, and how to say where to; the filter refuses the rest."""
