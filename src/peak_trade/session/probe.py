"""What holds the fence is asked of the process itself: its status in the kernel, its hook, and each call, tried.

Nothing that is tried could reach anything if it were let through: descriptors are -1 and addresses are NULL, and the
only sockets made are unconnected and closed at once. So the same trial without the fence is its control.

Limits: Linux on the filter's machines; elsewhere only the hook is asked.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from errno import EACCES, errorcode
from pathlib import Path
from typing import Final

from peak_trade.session.hook import NetworkForbidden
from peak_trade.session.libc import syscall
from peak_trade.session.seccomp import ABIS, AF_UNIX, TYPING, Abi

STATUS: Final = Path("/proc/self/status")
FIELDS: Final = ("NoNewPrivs", "Seccomp", "Seccomp_filters")
STREAM, DGRAM = 1, 2
SOCKETS: Final = (
    ("AF_UNIX", AF_UNIX, STREAM), ("AF_INET, TCP", 2, STREAM), ("AF_INET, UDP", 2, DGRAM), ("AF_INET6", 10, STREAM),
    ("AF_NETLINK", 16, DGRAM), ("AF_PACKET", 17, DGRAM), ("AF_VSOCK", 40, STREAM),
)  # fmt: skip
NOBODY: Final = -1


@dataclass(frozen=True, slots=True)
class Trial:
    """One system call that was tried: the name of its error, empty if it was let through without one."""

    name: str
    error: str

    @property
    def refused(self) -> bool:
        """True iff the filter, and not the kernel behind it, answered as it answers what it refuses."""
        return self.error == errorcode[EACCES]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the process says of itself: `status` by field, whether the hook speaks, and each call that was tried."""

    status: dict[str, int]
    hooked: bool
    trials: tuple[Trial, ...]


def reading() -> Reading:
    """Return what this process says of itself."""
    abi = ABIS.get(os.uname().machine) if sys.platform == "linux" else None
    trials = tuple(_trials(abi)) if abi else ()
    return Reading(_status(), _hooked(), trials)


def _status() -> dict[str, int]:
    """Return the fields of the kernel's own record of this process; those that it lacks are left out."""
    if not STATUS.is_file():
        return {}
    pairs = (line.split(":", 1) for line in STATUS.read_text(encoding="ascii", errors="replace").splitlines())
    return {name: int(value) for name, value in pairs if name in FIELDS}


def _hooked() -> bool:
    """Announce a connection that nobody makes, and say whether the hook objects."""
    try:
        sys.audit("socket.connect", None, ("192.0.2.1", 9))  # an address for documentation
    except NetworkForbidden:
        return True
    return False


def _trials(abi: Abi) -> Iterator[Trial]:
    for name, family, kind in SOCKETS:
        yield _tried(f"socket({name})", abi.refused["socket"], family, kind)
    for name, number in abi.refused.items():
        if name != "socket":
            yield _tried(name, number, NOBODY, NOBODY)
    yield _tried("sendto(address)", abi.sendto, NOBODY, 0, 0, 0, 1, 1)
    yield _tried("socketpair(AF_TIPC)", abi.socketpair, 30, STREAM)
    yield _tried("ioctl(TIOCSTI)", abi.ioctl, NOBODY, TYPING[0])


def _tried(name: str, number: int, *words: int) -> Trial:
    found, error = syscall(number, *words)
    if error == 0 and name.startswith("socket("):
        os.close(found)
    return Trial(name, errorcode.get(error, str(error)) if error else "")
