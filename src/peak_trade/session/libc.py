"""The C library's `syscall`, `prctl` and `getsockopt`, as far as the fence and its probe need them.

Limits: Linux only; made once, when first asked for.
"""

import ctypes
import os
from collections.abc import Sequence
from errno import EBADF, ENOTSOCK
from functools import cache
from typing import Final

from peak_trade.session.seccomp import Instruction

PR_SET_NO_NEW_PRIVS: Final = 38
SECCOMP_SET_MODE_FILTER: Final = 1
TSYNC, SPEC_ALLOW = 1, 4
"""Filter flags: all threads at once; no slower processor for it, as nothing here runs code that it does not trust."""

SOL_SOCKET, SO_DOMAIN = 1, 39
WORDS: Final = 6


class _Filter(ctypes.Structure):
    """`struct sock_filter`."""

    _fields_ = (("code", ctypes.c_uint16), ("jt", ctypes.c_uint8), ("jf", ctypes.c_uint8), ("k", ctypes.c_uint32))


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_uint16), ("filter", ctypes.POINTER(_Filter)))


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def syscall(number: int, *words: int) -> tuple[int, int]:
    """Return what the system call gave, and its errno, 0 if it gave no error; words left out are 0."""
    padded = (*words, *(0,) * (WORDS - len(words)))
    found = _libc().syscall(ctypes.c_long(number), *(ctypes.c_long(word) for word in padded))
    return found, ctypes.get_errno() if found == -1 else 0


def install(number: int, instructions: Sequence[Instruction]) -> tuple[int, int]:
    """Give up new privileges, then filter the calls of all threads; return as `syscall` does, number of seccomp(2)."""
    if _libc().prctl(PR_SET_NO_NEW_PRIVS, *(ctypes.c_ulong(word) for word in (1, 0, 0, 0))) != 0:
        return -1, ctypes.get_errno()
    code = (_Filter * len(instructions))(*(_Filter(*item) for item in instructions))
    given = _Program(len(instructions), ctypes.cast(code, ctypes.POINTER(_Filter)))
    return syscall(number, SECCOMP_SET_MODE_FILTER, TSYNC | SPEC_ALLOW, ctypes.addressof(given))


def family(descriptor: int) -> int | None:
    """Return the address family of an open socket, or None if it is none, or closed meanwhile.

    Raises:
        OSError: the kernel does not say.
    """
    value, size = ctypes.c_int(), ctypes.c_uint(ctypes.sizeof(ctypes.c_int))
    got = _libc().getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, ctypes.byref(value), ctypes.byref(size))
    if got == 0:
        return value.value
    number = ctypes.get_errno()
    if number in (EBADF, ENOTSOCK):
        return None
    raise OSError(number, os.strerror(number))
