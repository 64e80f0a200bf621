"""No session starts in a process that could reach a network; once the fence is up, nothing takes it down.

On Linux (x86_64, aarch64) the kernel filters the calls of every thread and of every program that is started from then
on (`seccomp`); everywhere the interpreter explains what it sees (`hook`). The fence is put up once in a process,
before the first session is opened and before a strategy is imported. A socket that is open by then would pass the
filter, so the process is refused unless each one is a local one.

Limits: on Linux a fence that cannot be put up is an error, elsewhere it is the hook alone, and its level says so. It
stands between this process and networks, not between it and files; root may undo it from outside; a local socket that
was open before leads to whoever holds its other end.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from peak_trade.session import libc
from peak_trade.session.hook import hook
from peak_trade.session.seccomp import ABIS, AF_UNIX, Abi, program

Level: TypeAlias = Literal["kernel", "hook"]
DESCRIPTORS: Final = Path("/proc/self/fd")
RING: Final = "anon_inode:[io_uring]"
FAMILIES: Final = {2: "AF_INET", 10: "AF_INET6", 16: "AF_NETLINK", 17: "AF_PACKET", 40: "AF_VSOCK"}


@dataclass(frozen=True, slots=True)
class Fence:
    """How strong the fence of this process is: the kernel refuses, or the hook alone does; `why` it is no stronger."""

    level: Level
    why: str = ""


@dataclass(slots=True)
class _Process:
    """What this process remembers of itself; `fence` is None until it is up."""

    fence: Fence | None = None


_PROCESS: Final = _Process()


class FenceRefused(RuntimeError):  # noqa: N818 - said of what was asked
    """The fence cannot be put up in this process, so no session starts in it."""

    def __init__(self, expected: str, was: str, remedy: str) -> None:
        self.expected, self.was, self.remedy = expected, was, remedy
        super().__init__(f"expected {expected}, was {was}; {remedy}")


def up() -> Fence:
    """Put up the fence in this process, if it is not up yet, and return how strong it is. There is no way down.

    Raises:
        FenceRefused: a socket that leads elsewhere is open, or the kernel does not take the filter.
    """
    if _PROCESS.fence is None:
        _PROCESS.fence = _put_up()
    return _PROCESS.fence


def _put_up() -> Fence:
    abi = native()
    if isinstance(abi, str):
        sys.addaudithook(hook)
        return Fence("hook", abi)
    _expect_none_open()
    filter_calls(abi)
    _expect_none_open()  # what another thread opened in between; nothing is opened from here on
    sys.addaudithook(hook)
    return Fence("kernel")


def native() -> Abi | str:
    """Return the numbers of this machine's system calls, or why there is no filter for it.

    Raises:
        FenceRefused: a Linux that the filter is not written for.
    """
    if sys.platform != "linux":
        return f"no seccomp on {sys.platform}"
    machine = os.uname().machine
    abi = ABIS.get(machine)
    if abi is None or sys.maxsize < 2**32 or sys.byteorder != "little":
        raise FenceRefused(f"a 64-bit Linux on {' or '.join(ABIS)}", machine, "run the session on one of these")
    return abi


def filter_calls(abi: Abi) -> None:
    """Have the kernel filter the calls of this process, of all its threads and of what it starts.

    Raises:
        FenceRefused: the kernel does not.
    """
    found, number = libc.install(abi.seccomp, program(abi))
    if found > 0:
        raise FenceRefused("all threads under one filter", f"thread {found} under another", "start a fresh process")
    if number:
        raise FenceRefused("a kernel that takes a seccomp filter", os.strerror(number), "see `peak doctor --network`")


def _expect_none_open() -> None:
    found = strays()
    if found:
        raise FenceRefused(
            "no open socket but local ones", ", ".join(found), "close it, or start the session in a fresh process"
        )


def strays() -> list[str]:
    """Return what is open in this process that the filter could not stop: sockets but local ones, and io_uring rings.

    Raises:
        FenceRefused: the kernel does not say what is open.
    """
    try:
        return [what for number in sorted(int(path.name) for path in DESCRIPTORS.iterdir()) if (what := _stray(number))]
    except OSError as error:
        raise FenceRefused(f"a list of what is open in {DESCRIPTORS}", str(error), "mount /proc") from error


def _stray(descriptor: int) -> str:
    try:
        target = str((DESCRIPTORS / str(descriptor)).readlink())
    except FileNotFoundError:
        return ""  # closed meanwhile, as the list's own descriptor is
    if target == RING:
        return f"an io_uring ring at descriptor {descriptor}"
    if not target.startswith("socket:"):
        return ""
    family = libc.family(descriptor)
    return "" if family in (None, AF_UNIX) else f"{FAMILIES.get(family, f'family {family}')} at descriptor {descriptor}"
