"""The kill switch: a small file that outlives every session. Latched until a named operator re-arms it."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

NAME_CHARS_MAX = 64
FILE_BYTES_MAX = 4_096


@dataclass(frozen=True, slots=True)
class Reading:
    """What the file says. `latched` unless it is readable and says clear: fails closed. `why` is for a person."""

    latched: bool
    why: str


def is_switch(path: Path) -> bool:
    """Return true iff the file at `path` is a kill switch, whatever it says."""
    try:
        data = json.loads(path.read_bytes()[:FILE_BYTES_MAX])
    except (OSError, ValueError):
        return False
    return isinstance(data, dict) and set(data) == {"by", "latched"}


@dataclass(frozen=True, slots=True)
class KillSwitch:
    """The kill switch kept at `path`."""

    path: Path

    def read(self) -> Reading:
        """Return the switch's reading; missing, unreadable or malformed counts as latched."""
        try:
            with self.path.open("rb") as file:
                data = json.loads(file.read(FILE_BYTES_MAX))
        except FileNotFoundError:
            return Reading(latched=True, why="the kill switch file is missing")
        except (OSError, ValueError) as error:
            return Reading(latched=True, why=f"the kill switch file cannot be read: {error}")
        if isinstance(data, dict) and data.get("latched") is False:
            return Reading(latched=False, why="clear")
        by = data.get("by", "somebody") if isinstance(data, dict) else "somebody"
        return Reading(latched=True, why=f"latched by {by}")

    def create(self) -> None:
        """Create the switch, clear, for a new run folder; an existing one is left as it is."""
        if not self.path.exists():
            self._write(latched=False, by="new run")

    def latch(self, by: str) -> None:
        """Latch the switch; durable before this returns."""
        self._write(latched=True, by=by)

    def rearm(self, by: str) -> None:
        """Clear the switch in the name of operator `by`.

        Raises:
            ValueError: no name was given.
        """
        if not by.strip():
            raise ValueError("expected the name of the operator who re-arms the kill switch, was empty; name yourself")
        self._write(latched=False, by=by)

    def _write(self, *, latched: bool, by: str) -> None:
        """Replace the file in one step, so that no reader ever sees half of it."""
        draft = self.path.with_suffix(".draft")
        with draft.open("w", encoding="utf-8") as file:
            json.dump({"by": by[:NAME_CHARS_MAX], "latched": latched}, file, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)
