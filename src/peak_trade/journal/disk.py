"""What the writer asks of the disk, so that a failing or forgetting disk can stand in for the real one."""

import os
from pathlib import Path
from typing import Final, Protocol


class Disk(Protocol):
    """The effects by which a journal becomes durable; each raises OSError when it fails, and is never retried."""

    def write(self, handle: int, data: bytes) -> None:
        """Write all the data at the handle's end."""

    def fsync(self, handle: int) -> None:
        """Return only when what was written to the handle survives a power cut."""

    def truncate(self, handle: int, size_bytes: int) -> None:
        """Cut the file to the size."""

    def replace(self, source: Path, target: Path) -> None:
        """Put source in target's place in one step."""


class Posix:
    """The real disk."""

    __slots__ = ()

    def write(self, handle: int, data: bytes) -> None:
        """Write all the data, in as many calls as the system needs."""
        view = memoryview(data)
        while view:
            view = view[os.write(handle, view) :]

    def fsync(self, handle: int) -> None:
        """Wait for the device."""
        os.fsync(handle)

    def truncate(self, handle: int, size_bytes: int) -> None:
        """Cut the file to the size."""
        os.ftruncate(handle, size_bytes)

    def replace(self, source: Path, target: Path) -> None:
        """Rename within the file system."""
        source.replace(target)


POSIX: Final = Posix()


def open_file(path: Path, flags: int) -> int:
    """Open for this user only, without following a link, and not for child processes."""
    return os.open(path, flags | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def sync_folder(disk: Disk, folder: Path) -> None:
    """Make the folder's names durable: a new file is lost with its name."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        disk.fsync(handle)
    finally:
        os.close(handle)
