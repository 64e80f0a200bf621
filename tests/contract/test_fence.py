"""The fence's own decisions: where it is put up, where it is weaker, and when no session may start."""

import ctypes
import os
import socket
import sys
from errno import ENOSYS
from types import SimpleNamespace

import pytest

from peak_trade.session import fence, libc
from peak_trade.session.fence import FenceRefused, filter_calls, native, strays
from peak_trade.session.seccomp import ABIS

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="the filter is Linux's")
RING_PARAMS_BYTES = 120


@pytest.mark.parametrize("machine", ["riscv64", "i686", "ppc64le", "armv7l", "aarch64_be"])
def test_a_linux_that_the_filter_does_not_know_starts_no_session(machine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Linux there is no weaker level: an unknown machine is refused, and named."""
    monkeypatch.setattr(fence.sys, "platform", "linux")
    monkeypatch.setattr(fence.os, "uname", lambda: SimpleNamespace(machine=machine))
    with pytest.raises(FenceRefused, match=machine):
        native()


def test_a_32_bit_python_on_a_64_bit_kernel_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its calls have other numbers than the kernel's name says."""
    monkeypatch.setattr(fence.sys, "platform", "linux")
    monkeypatch.setattr(fence.sys, "maxsize", 2**31 - 1)
    monkeypatch.setattr(fence.os, "uname", lambda: SimpleNamespace(machine="x86_64"))
    with pytest.raises(FenceRefused):
        native()


def test_elsewhere_the_level_says_that_the_hook_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a system without seccomp the fence is the hook, and the reason names the system."""
    hooks = []
    monkeypatch.setattr(fence.sys, "platform", "darwin")
    monkeypatch.setattr(fence.sys, "addaudithook", hooks.append)
    assert fence._put_up() == fence.Fence("hook", "no seccomp on darwin")
    assert hooks == [fence.hook]


@pytest.mark.parametrize(("answer", "said"), [((-1, ENOSYS), os.strerror(ENOSYS)), ((4711, 0), "thread 4711")])
def test_a_kernel_that_does_not_take_the_filter_starts_no_session(
    answer: tuple[int, int], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error, and a thread that cannot be filtered with the others, are refused with what the kernel said."""
    monkeypatch.setattr(libc, "install", lambda *_: answer)
    with pytest.raises(FenceRefused, match=said):
        filter_calls(ABIS["x86_64"])


@LINUX
@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_NETLINK"])
def test_an_open_socket_is_found_and_named(family: str) -> None:
    """A socket of another family is told with its descriptor, until it is closed; a local pair is not told."""
    before = strays()
    try:
        made = socket.socket(getattr(socket, family), socket.SOCK_DGRAM)
    except OSError as error:
        pytest.skip(f"no {family} on this machine: {error}")
    with made:
        assert set(strays()) - set(before) == {f"{family} at descriptor {made.fileno()}"}
    one, other = socket.socketpair()
    with one, other:
        assert strays() == before


@LINUX
def test_an_open_ring_is_found() -> None:
    """An io_uring ring that was made before could do what the filter refuses, so it is told too."""
    before = strays()
    params = ctypes.create_string_buffer(RING_PARAMS_BYTES)
    ring, error = libc.syscall(425, 4, ctypes.addressof(params))
    if error:
        pytest.skip(f"no io_uring on this machine: {os.strerror(error)}")
    try:
        assert set(strays()) - set(before) == {f"an io_uring ring at descriptor {ring}"}
    finally:
        os.close(ring)


@LINUX
def test_what_another_thread_opened_meanwhile_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Descriptors are looked at again once the filter is on: a socket that came between is refused."""
    opened: list[socket.socket] = []
    monkeypatch.setattr(fence, "filter_calls", lambda _: opened.append(socket.socket()))
    with pytest.raises(FenceRefused, match="AF_INET at descriptor"):
        fence._put_up()
    opened[0].close()
