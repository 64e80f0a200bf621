"""What reaches a session from outside between two steps: the kill switch, a drifted config, an operator's word."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from peak_trade.lang.sorts import Scalar
from peak_trade.lang.source import Source
from peak_trade.session.config import parse_config
from peak_trade.session.killswitch import KillSwitch

Input: TypeAlias = tuple[str, dict[str, Scalar]]
"""An event of the session machine and its payload."""

EXTERNAL: Final = frozenset(
    {"kill", "stop", "abort", "cancel_session", "config_drift", "health_failed", "resume_trading"}
)
"""Events that come from outside; a resumed run takes them from its journal and does not look again."""


@dataclass(slots=True)
class Inputs:
    """Reads every outside source once for each step; no waiting, no polling. `names` are who asked for an event."""

    switches: tuple[KillSwitch, ...]
    drift: Callable[[], Input | None]
    asked: list[Input] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    killed: bool = False

    def latched(self) -> bool:
        """Return true iff any switch that this session obeys is latched."""
        return any(switch.read().latched for switch in self.switches)

    def rearm(self, operator: str) -> None:
        """Clear every latched switch in the operator's name."""
        for switch in self.switches:
            if switch.read().latched:
                switch.rearm(operator)

    def ask(self, event: str, operator: str = "") -> None:
        """Remember an operator's event for the next step, and in whose name it is."""
        self.asked.append((event, {}))
        self.names[event] = operator

    def poll(self) -> tuple[Input, ...]:
        """Return what came in since the last step."""
        found, self.asked = list(self.asked), []
        if not self.killed and self.latched():
            self.killed = True
            found.append(("kill", {}))
        drifted = self.drift()
        if drifted is not None:
            found.append(drifted)
        return tuple(found)


def no_drift() -> Input | None:
    """Return None: a configuration that was given in memory cannot drift."""
    return None


@dataclass(slots=True)
class FileDrift:
    """Watches the configuration file that was checked: any change of its bytes is a drift, reported once."""

    path: Path
    sha256: str
    reported: bool = False

    def __call__(self) -> Input | None:
        """Return the drift event if the file is no longer what was checked; a file that is gone has drifted."""
        if self.reported:
            return None
        try:
            data = self.path.read_bytes()
        except OSError:
            data = b""
        if hashlib.sha256(data).hexdigest() == self.sha256:
            return None
        self.reported = True
        return "config_drift", {"drifted_flag": _flag(data)}


def _flag(data: bytes) -> bool:
    """Return whether the drifted text turns the live flag on; what cannot be read as a configuration counts as on."""
    config, _ = parse_config(Source("drifted", data.decode("utf-8", "replace")), {})
    return config is None or config.enable_live_broker
