"""A session's system calls are filtered iff its kernel accepted `program`: no socket but a pair, no borrowed one.

The filter is classic BPF over (machine, number, arguments). It answers EACCES, never a signal, so that what was tried
can be explained. Refused are: every way to make a socket but a local pair; every call that gives a socket an address,
or takes one over from elsewhere (a passed or stolen descriptor, io_uring); writing into another process, which could do
all that for us; typing into the terminal for it; and every call of a foreign machine (i386, arm), whose numbers mean
something else. A number that is newer than this list, and one of x32, is answered as if the kernel did not know it.
Numbers: the kernel's `syscall_64.tbl` and `asm-generic/unistd.h`.

Limits: BPF cannot follow a pointer, so an address is not read: that one is given is enough. Not refused are reading and
writing a connected socket that was there before (`fence` looks for those), and what another program does for us
when asked through a file or a pipe.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from errno import EACCES, ENOSYS
from typing import Final, TypeAlias

AF_UNIX: Final = 1
ALLOW: Final = 0x7FFF0000
REFUSE: Final = 0x00050000 | EACCES
DISOWN: Final = 0x00050000 | ENOSYS
"""SECCOMP_RET_ALLOW, and SECCOMP_RET_ERRNO with what is answered."""

LOAD, EQUAL, AT_LEAST, RETURN = 0x20, 0x15, 0x35, 0x06
"""BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_JMP|JGE|K, BPF_RET|K."""

NUMBER, MACHINE, ARGUMENTS, ARGUMENT_BYTES = 0, 4, 16, 8
"""Offsets in `struct seccomp_data`; the low half of an argument comes first on a little-endian machine."""

NEWER_MIN: Final = 470
"""The first number that Linux 6.18 does not have; those of x32, with their mark and without, lie above it too."""

TYPING: Final = (0x5412, 0x541C, 0x400454CA)
"""ioctl requests: TIOCSTI and TIOCLINUX put text into a terminal, TUNSETIFF makes a network interface."""

Instruction: TypeAlias = tuple[int, int, int, int]
"""`struct sock_filter`: code, jump if true, jump if false, constant."""


@dataclass(frozen=True, slots=True)
class Abi:
    """A kernel's way of numbering its calls on one machine; `audit` is its AUDIT_ARCH value."""

    audit: int
    socketpair: int
    sendto: int
    ioctl: int
    seccomp: int
    refused: Mapping[str, int]


ABIS: Final[Mapping[str, Abi]] = {
    "x86_64": Abi(
        audit=0xC000003E, socketpair=53, sendto=44, ioctl=16, seccomp=317,
        refused={
            "socket": 41, "connect": 42, "bind": 49, "listen": 50, "accept": 43, "accept4": 288,
            "sendmsg": 46, "sendmmsg": 307, "recvmsg": 47, "recvmmsg": 299,
            "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
            "pidfd_getfd": 438, "ptrace": 101, "process_vm_writev": 311,
        },
    ),
    "aarch64": Abi(
        audit=0xC00000B7, socketpair=199, sendto=206, ioctl=29, seccomp=277,
        refused={
            "socket": 198, "connect": 203, "bind": 200, "listen": 201, "accept": 202, "accept4": 242,
            "sendmsg": 211, "sendmmsg": 269, "recvmsg": 212, "recvmmsg": 243,
            "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427,
            "pidfd_getfd": 438, "ptrace": 117, "process_vm_writev": 271,
        },
    ),
}  # fmt: skip
"""The machines that the filter is written for, by what `uname -m` calls them."""


def program(abi: Abi) -> tuple[Instruction, ...]:
    """Return the filter of one machine: REFUSE, DISOWN or ALLOW for every call.

    Each part leaves the number in the accumulator, or has answered.
    """
    head: list[Instruction] = [(LOAD, 0, 0, MACHINE), (EQUAL, 1, 0, abi.audit), _answer(REFUSE), (LOAD, 0, 0, NUMBER)]
    head += [(AT_LEAST, 0, 1, NEWER_MIN), _answer(DISOWN)]
    pair = _when(abi.socketpair, [_argument(0), (EQUAL, 1, 0, AF_UNIX), _answer(REFUSE), _answer(ALLOW)])
    low, high = _argument(4), _argument(4, high=True)
    to = _when(abi.sendto, [low, (EQUAL, 0, 2, 0), high, (EQUAL, 1, 0, 0), _answer(REFUSE), _answer(ALLOW)])
    typing = [item for request in TYPING for item in ((EQUAL, 0, 1, request), _answer(REFUSE))]
    control = _when(abi.ioctl, [_argument(1), *typing, _answer(ALLOW)])
    rest = [item for number in sorted(abi.refused.values()) for item in ((EQUAL, 0, 1, number), _answer(REFUSE))]
    return (*head, *pair, *to, *control, *rest, _answer(ALLOW))


def _answer(value: int) -> Instruction:
    return RETURN, 0, 0, value


def _argument(index: int, *, high: bool = False) -> Instruction:
    """Load one half of an argument; the kernel reads only the low one of an int."""
    return LOAD, 0, 0, ARGUMENTS + ARGUMENT_BYTES * index + (4 if high else 0)


def _when(number: int, body: list[Instruction]) -> list[Instruction]:
    """Do `body`, which answers on every path, iff the accumulator holds `number`."""
    return [(EQUAL, 0, len(body), number), *body]
