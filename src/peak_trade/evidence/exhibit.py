"""An exhibit is what one pack has to show, as facts that a judge can read; the same before it is packed and after.

Places in a pack are named here and nowhere else.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, ValidationError

from peak_trade.evidence.artifacts import CONFIG, FIVE, Part, Versions
from peak_trade.evidence.bag import DATA
from peak_trade.evidence.compare import valid
from peak_trade.evidence.story import Story, tell
from peak_trade.lang.parse import parse
from peak_trade.lang.source import Source

RUN: Final = "run"
JOURNAL: Final = "journal"
JOURNAL_FILE: Final = "journal/journal.jsonl"
SPEC: Final = "spec"
BARS: Final = "bars"
ATTACHED: Final = "attached"
STATE: Final = "state.json"
ORIGIN: Final = "versions.json"
PROOFS: Final = "verdicts/proofs.json"
REPLAY: Final = "verdicts/replay.json"
VERIFIED: Final = "verdicts/journal.json"
TESTS: Final = "verdicts/tests.json"
STATEMENT: Final = "statement.json"
SNAPSHOTS: Final = ("dryrun_health_snapshot.json", "dryrun_status_snapshot.json", "dryrun_metrics_snapshot.json")
FILE_BYTES_MAX: Final = 64_000_000
INCIDENT: Final = "INC"
NAMED: Final = re.compile(r"EV-(?P<date>\d{8})-FINISH_(?P<phase>C[0-5]|D1|D4)-[A-Z0-9][A-Z0-9-]{0,39}")
INCIDENT_NAMED: Final = re.compile(r"INC-(?P<date>\d{8}-\d{4})-[A-Z0-9][A-Z0-9-]{0,39}")


class Unreadable(ValueError):  # noqa: N818 - said of a file
    """A file of a pack is not of the form that this version writes."""

    def __init__(self, path: Path, why: str) -> None:
        self.path, self.why = path, why
        super().__init__(f"{path}: {why}; read it with the version that wrote it (its {ORIGIN} says which)")


class Origin(Part):
    """versions.json: which code and which specifications a pack speaks about."""

    schema_version: Literal[1] = 1
    commit: str
    dirty: bool | None
    code_sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="of every source file of the package")
    spec_sha256: dict[str, str]
    versions: Versions


@dataclass(frozen=True, slots=True)
class Exhibit:
    """What one pack shows. None and empty mean that it holds no such evidence, which is never a pass."""

    name: str
    phase: str
    origin: Origin
    config: Mapping[str, Any]
    journal: Mapping[str, Any]
    story: Story | None = None
    live_states: frozenset[str] = frozenset()
    proofs: Mapping[str, Any] | None = None
    replay: Mapping[str, Any] | None = None
    tests: Mapping[str, str] = field(default_factory=dict)
    attached: Mapping[str, Any] = field(default_factory=dict)
    snapshots: Mapping[str, Any] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)

    @property
    def date(self) -> str:
        """The digits of its date, and of its time if it has one."""
        return "".join(re.findall(r"\d{4,8}", self.name.split("FINISH")[0]))[:12]


def phase_of(name: str) -> str | None:
    """Return the phase that a pack's id names, `INC` for an incident, None if it is no pack's id."""
    found = NAMED.fullmatch(name)
    if found is not None:
        return found["phase"]
    return INCIDENT if INCIDENT_NAMED.fullmatch(name) else None


def load(folder: Path) -> Exhibit:
    """Return what the pack in `folder` shows; its bag is taken as verified.

    Raises:
        Unreadable: a file is missing or of another form.
    """
    data = folder / DATA
    journal = data / JOURNAL_FILE
    config = _json(data / RUN / CONFIG)
    return Exhibit(
        name=folder.name,
        phase=phase_of(folder.name) or "",
        origin=_origin(data / ORIGIN),
        config=config.get("config", {}),
        journal=_json(data / VERIFIED),
        story=_story(journal) if journal.is_file() else None,
        live_states=live_states({path.stem: path.read_text("utf-8") for path in (data / SPEC).glob("*.yaml")}),
        proofs=_optional(data / PROOFS),
        replay=_optional(data / REPLAY),
        tests=(_optional(data / TESTS) or {}).get("tests", {}),
        attached={path.stem: _json(path) for path in sorted((data / ATTACHED).glob("*.json"))},
        snapshots={name: _json(data / RUN / name) for name in SNAPSHOTS if (data / RUN / name).is_file()},
        texts={name: (data / RUN / name).read_text("utf-8") for name in FIVE if (data / RUN / name).is_file()},
    )


def live_states(specs: Mapping[str, str]) -> frozenset[str]:
    """Return the states tagged `live` of the session machine in these specification texts."""
    machine = parse(Source("session.yaml", specs.get("session", ""))).machine
    return frozenset(state.name for state in machine.states if "live" in state.tags) if machine else frozenset()


def _story(journal: Path) -> Story:
    try:
        return tell(valid(journal))
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable(journal, f"expected the records of a run, was another: {error!r:.80}") from None


def _origin(path: Path) -> Origin:
    try:
        return Origin.model_validate_json(path.read_bytes())
    except OSError:
        raise Unreadable(path, "expected a file, was none") from None
    except ValidationError as error:
        place = error.errors()[0]
        raise Unreadable(path, f"{'.'.join(map(str, place['loc']))}: {place['msg'].lower()}") from None


def _optional(path: Path) -> dict[str, Any] | None:
    return _json(path) if path.is_file() else None


def _json(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(FILE_BYTES_MAX))
    except OSError:
        raise Unreadable(path, "expected a file, was none") from None
    except ValueError:
        raise Unreadable(path, "expected JSON, was another text") from None
    if not isinstance(found, dict) or found.get("schema_version", 1) != 1:
        raise Unreadable(path, "expected an object of schema version 1, was another")
    return found
