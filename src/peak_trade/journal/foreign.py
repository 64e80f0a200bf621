"""An exception from outside is told by its class and its place; its words may be anybody's, and stay where they are."""

import traceback
from pathlib import Path


def told(error: BaseException) -> str:
    """Return the class of an exception, the file and line that raised it, and how long its message is, unseen."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place} (its message of {len(str(error))} characters is not shown)"
