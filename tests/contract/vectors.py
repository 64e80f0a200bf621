"""The ways out of a process that are tried against the fence, and what each meets; run, it prints the page's table.

The code of a way runs in a fresh interpreter. `before` runs first, then the fence goes up (as much of it as the mode
says), then `code`. It knows HOST, PORT (TCP), PORT6 (TCP over IPv6), UDP, PATH (a local socket), TOKEN (what the
listener has to hear), GIVEN (descriptors that it inherits) and CHILD (a program that connects and sends TOKEN).
"""

from dataclasses import dataclass
from typing import Final

REACHED, FORBIDDEN, EACCES, REFUSED = "reached", "NetworkForbidden", "EACCES", "FenceRefused"
MODES: Final = ("none", "hook", "filter", "fence")

LIBC: Final = """
import ctypes, struct, os, errno
libc = ctypes.CDLL(None, use_errno=True)
def checked(found):
    if found < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return found
PLACE = struct.pack("<HH", 2, int.from_bytes(PORT.to_bytes(2, "big"), "little")) + bytes([127, 0, 0, 1]) + bytes(8)
def by_hand():
    descriptor = checked(libc.socket(2, 1, 0))
    checked(libc.connect(descriptor, PLACE, len(PLACE)))
    os.write(descriptor, TOKEN)
"""

RING: Final = (
    LIBC
    + """
import mmap
params = ctypes.create_string_buffer(120)
ring = checked(libc.syscall(425, 4, params))
words = struct.unpack("<30I", params.raw)
sq, cq = words[10:20], words[20:30]
sq_map = mmap.mmap(ring, sq[6] + words[0] * 4, offset=0)
cq_map = mmap.mmap(ring, cq[5] + words[1] * 16, offset=0x8000000)
entries = mmap.mmap(ring, words[0] * 64, offset=0x10000000)
done = 0
def submit(opcode, fd, offset, address, length):
    global done
    entries[0:64] = struct.pack("<BBHiQQII", opcode, 0, 0, fd, offset, address, length, 0) + bytes(32)
    sq_map[sq[6]:sq[6] + 4] = struct.pack("<I", 0)
    sq_map[sq[1]:sq[1] + 4] = struct.pack("<I", done + 1)
    checked(libc.syscall(426, ring, 1, 1, 1, 0, 0))
    at = cq[5] + (done % words[1]) * 16
    done += 1
    found = struct.unpack("<i", cq_map[at + 8:at + 12])[0]
    if found < 0:
        raise OSError(-found, os.strerror(-found))
    return found
descriptor = submit(45, 2, 1, 0, 0)
place = ctypes.create_string_buffer(PLACE)
submit(16, descriptor, len(PLACE), ctypes.addressof(place), 0)
os.write(descriptor, TOKEN)
"""
)

INT80: Final = (
    LIBC
    + """
import mmap
code = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
code.write(bytes.fromhex("53" "b867010000" "bb02000000" "b901000000" "31d2" "cd80" "5b" "c3"))
found = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
if found < 0:
    raise OSError(-found, os.strerror(-found))
checked(libc.connect(found, PLACE, len(PLACE)))
os.write(found, TOKEN)
"""
)

STOLEN: Final = (
    LIBC
    + """
process = checked(libc.syscall(434, os.getppid(), 0))
os.write(checked(libc.syscall(438, process, PARENTS, 0)), TOKEN)
"""
)


@dataclass(frozen=True, slots=True)
class Way:
    """One way out; `meets` is what it meets with the hook alone, the filter alone, and the whole fence.

    `needs` is what must be there to try it: a program, or a word that the test knows. `reached`: how to say so.
    """

    name: str
    what: str
    code: str
    meets: tuple[str, str, str]
    before: str = ""
    needs: str = ""
    reached: str = "**reached**"


BOTH: Final = (FORBIDDEN, EACCES, FORBIDDEN)
"""Python's own sockets: the hook explains them, and the filter refuses them without it too."""
LATE: Final = (FORBIDDEN, EACCES, EACCES)
"""Local as far as the hook can see, until an address is given; with the filter there is no socket to give one to."""
KERNEL: Final = (REACHED, EACCES, EACCES)
"""What the hook cannot see."""
HELD: Final = (REACHED, REFUSED, REFUSED)
"""What the filter could not stop: no session starts."""

CONNECT: Final = "import socket\nsocket.create_connection((HOST, PORT)).sendall(TOKEN)"
RUN: Final = "import subprocess, sys\nprint(subprocess.run({}, capture_output=True, text=True))"

WAYS: Final = (
    Way("tcp", "`socket.create_connection`", CONNECT, BOTH),
    Way("udp", "UDP `sendto`", "import socket\nsocket.socket(type=socket.SOCK_DGRAM).sendto(TOKEN, (HOST, UDP))", BOTH),
    Way(
        "ipv6", "TCP over IPv6", "import socket\nsocket.create_connection(('::1', PORT6)).sendall(TOKEN)", BOTH,
        needs="ipv6",
    ),
    Way(
        "asyncio", "`asyncio.open_connection`",
        "import asyncio\nasync def go():\n  _, out = await asyncio.open_connection(HOST, PORT)\n"
        "  out.write(TOKEN)\n  await out.drain()\nasyncio.run(go())",
        BOTH,
    ),
    Way(
        "http", "`http.client`",
        "import http.client\nhttp.client.HTTPConnection(HOST, PORT).request('GET', '/' + TOKEN.decode())", BOTH,
    ),
    Way(
        "urllib", "`urllib.request.urlopen`",
        "import urllib.request\nurllib.request.urlopen(f'http://{HOST}:{PORT}/{TOKEN.decode()}')", BOTH,
    ),
    Way(
        "tls", "`ssl` (the listener hears the greeting)",
        "import socket, ssl\nraw = socket.create_connection((HOST, PORT))\n"
        "try:\n  ssl.create_default_context().wrap_socket(raw, server_hostname=TOKEN.decode())\n"
        "except (ssl.SSLError, ConnectionError):\n  pass",
        BOTH,
    ),
    Way(
        "reference", "a reference to `_socket` taken before",
        "made = Kept()\nmade.connect((HOST, PORT))\nmade.send(TOKEN)", LATE,
        before="from _socket import socket as Kept",
    ),
    Way("ctypes", "the C library's `socket` and `connect`", LIBC + "by_hand()", KERNEL),
    Way(
        "syscall", "the system call itself",
        LIBC + "made = checked(libc.syscall(41, 2, 1, 0))\n"
        "checked(libc.syscall(42, made, PLACE, len(PLACE)))\nos.write(made, TOKEN)",
        KERNEL, needs="x86_64",
    ),
    Way(
        "thread", "a thread that ran before, through the C library",
        "go.set()\nthread.join()\nif problems: raise problems[0]", KERNEL,
        before=LIBC + "import threading\ngo, problems = threading.Event(), []\ndef late():\n  go.wait()\n"
        "  try:\n    by_hand()\n  except OSError as error:\n    problems.append(error)\n"
        "thread = threading.Thread(target=late)\nthread.daemon = True\nthread.start()",
    ),
    Way(
        "fork", "a forked child, through the C library",
        LIBC + "pid = os.fork()\nif not pid:\n  try:\n    by_hand()\n    os._exit(0)\n"
        "  except OSError as error:\n    os._exit(error.errno)\n"
        "code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])\nif code: raise OSError(code, os.strerror(code))",
        KERNEL,
    ),
    Way("subprocess", "another Python", RUN.format("[sys.executable, '-I', '-c', CHILD]"), KERNEL),
    Way(
        "spawn", "another Python, by `os.posix_spawn`",
        "import os, sys\npid = os.posix_spawn(sys.executable, [sys.executable, '-I', '-c', CHILD], os.environ)\n"
        "os.waitpid(pid, 0)",
        KERNEL,
    ),
    Way(
        "exec", "another Python in our place",
        "import os, sys\nos.execv(sys.executable, ['x', '-I', '-c', CHILD])", KERNEL,
    ),
    Way(
        "processes", "`multiprocessing`, spawned",
        "import multiprocessing, urllib.request\nmade = multiprocessing.get_context('spawn').Process(\n"
        "  target=urllib.request.urlopen, args=(f'http://{HOST}:{PORT}/{TOKEN.decode()}',))\nmade.start()\nmade.join()",
        KERNEL,
    ),
    Way(
        "bash", "`bash`, by /dev/tcp",
        RUN.format("['bash', '-c', f'exec 3<>/dev/tcp/{HOST}/{PORT}; echo {TOKEN.decode()} >&3']"), KERNEL,
        needs="bash",
    ),
    Way(
        "curl", "`curl`",
        "import subprocess\ndone = subprocess.run(['curl', '-sS', f'http://{HOST}:{PORT}/{TOKEN.decode()}'],"
        " capture_output=True)\nif done.returncode == 7: print('EACCES')  # curl's word for a refused socket is 7",
        KERNEL, needs="curl",
    ),
    Way("inherited", "a connected socket, inherited", "import os\nos.write(GIVEN[0], TOKEN)", HELD),
    Way(
        "opened", "a socket made before",
        "import os\nmade.connect((HOST, PORT))\nmade.send(TOKEN)", (FORBIDDEN, REFUSED, REFUSED),
        before="import socket\nmade = socket.socket()",
    ),
    Way(
        "passed", "a connected socket, received over a local one (SCM_RIGHTS)",
        "import os, socket\nlocal = socket.socket(fileno=GIVEN[0])\n"
        "_, found, _, _ = socket.recv_fds(local, 16, 1)\nos.write(found[0], TOKEN)",
        KERNEL,
    ),
    Way("stolen", "a connected socket of the parent (`pidfd_getfd`)", STOLEN, KERNEL, needs="pidfd_getfd"),
    Way("ring", "`io_uring`: socket and connect without their calls", RING, KERNEL, needs="io_uring"),
    Way("int80", "the i386 calls of an x86_64 kernel", INT80, KERNEL, needs="int80"),
    Way(
        "daemon", "a local socket (a container daemon, a resolver, a bus)",
        "import socket\nmade = socket.socket(socket.AF_UNIX)\nmade.connect(PATH)\nmade.sendall(TOKEN)", LATE,
    ),
    Way(
        "redirected", "one of a local datagram pair, turned elsewhere",
        "import socket\nsocket.socketpair(type=socket.SOCK_DGRAM)[0].sendto(TOKEN, PATH + '.d')", BOTH,
    ),
    Way(
        "name", "a name looked up (`getaddrinfo`); the filter stops what would leave",
        "import socket\nsocket.getaddrinfo('localhost', PORT)\nprint('reached')", (FORBIDDEN, REACHED, FORBIDDEN),
        reached="found in a file",
    ),
    Way(
        "pair", "a local pair, as every event loop has",
        "import asyncio, socket\none, other = socket.socketpair()\none.sendall(b'1')\nassert other.recv(1) == b'1'\n"
        "asyncio.run(asyncio.sleep(0))\nprint('reached')",
        (REACHED, REACHED, REACHED), reached="works",
    ),
)  # fmt: skip
"""Ordered from the plain to the strange; the last one is to work."""


def table() -> str:
    """Return the matrix as a Markdown table."""
    words = {
        FORBIDDEN: "refused, explained",
        EACCES: "refused: EACCES",
        REFUSED: "no session starts",
    }
    lines = ["| way | what | nothing | hook alone | filter alone | fence |", "|---|---|---|---|---|---|"]
    for way in WAYS:
        told = [words.get(item, way.reached) for item in (REACHED, *way.meets)]
        lines.append(f"| `{way.name}` | {way.what} | {' | '.join(told)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(table(), end="")  # noqa: T201 - this is what it is for
