"""Replacing a file as a whole."""

import os
import tempfile
from pathlib import Path
from typing import Final

NEW_MODE: Final = 0o644


def replace(path: Path, data: bytes) -> None:
    """Put `data` in place of the file at `path`, all or nothing; the file keeps its mode."""
    mode = path.stat().st_mode & 0o7777 if path.exists() else NEW_MODE
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
