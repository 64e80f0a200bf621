"""The C5.1 checklist as data: each row names its requirements and the evidence without which it stays open."""

from dataclasses import dataclass
from typing import Final, TypeAlias


@dataclass(frozen=True, slots=True)
class Proof:
    """Every property that answers a clause beginning with one of `clauses` is proved, and there is one."""

    clauses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Locks:
    """Each lock on the way into a live state is shown to be needed."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact of the packed run, told from its journal; the names are those of `judge.FACTS`."""

    name: str


@dataclass(frozen=True, slots=True)
class Replay:
    """The run was run again and wrote the same journal."""


@dataclass(frozen=True, slots=True)
class Suite:
    """At least one test of each of `modules` (or below it) passed, and none failed."""

    modules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """The snapshot file holds each of `names`."""

    snapshot: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Command:
    """The JSON that `line --format json` wrote, attached under the name, has exit code 0."""

    name: str
    line: str


@dataclass(frozen=True, slots=True)
class Drill:
    """An incident pack is there whose journal, of a session that was killed or stopped, replays."""


@dataclass(frozen=True, slots=True)
class Person:
    """A person in this role has signed. Nothing that the program does closes it."""

    role: str


Need: TypeAlias = Proof | Locks | Fact | Replay | Suite | Names | Command | Drill | Person


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the checklist. It passes iff every need is met by evidence of its phase or of C5."""

    name: str
    area: str
    phase: str
    answers: tuple[str, ...]
    says: str
    needs: tuple[Need, ...]


COUNTERS: Final = (
    "orders_place_total",
    "orders_cancel_total",
    "orders_query_total",
    "order_state_transitions_total",
    "reconcile_mismatches_total",
    "retry_attempts_total",
)
HEALTH: Final = ("orchestrator_state", "last_audit_event_ts", "reconciler_last_ok_ts", "safety_rail_trips_total")
SIGN_OFF: Final = "sign-off"
HEALTH_FILE: Final = "dryrun_health_snapshot.json"
METRICS_FILE: Final = "dryrun_metrics_snapshot.json"

ROWS: Final = (
    Row("GOV-1", "governance", "C0", ("C0.1",), "No live state is entered while a lock is closed; each lock is needed.",
        (Proof(("C0.1",)), Locks())),
    Row("GOV-2", "governance", "C0", ("C0.1", "C5.4"), "The run never entered a live state and its live flag was off.",
        (Fact("no_live"),)),
    Row("GOV-3", "governance", "C0", ("C0.3",), "Every property that answers a hazard of the threat model is proved.",
        (Proof(("H-",)),)),
    Row("GOV-4", "governance", "C0", ("C0.2", "C0.4"), "The contract is generated; nothing loosens a clause unseen.",
        (Command("gate", "peak gate --all --base origin/main"),)),
    Row("ADA-1", "adapter", "C1", ("C1.1", "C1.2", "C1.3"), "Unknown outcomes were met, each was resolved by asking.",
        (Fact("resolved"), Suite(("tests.unit.broker",)))),
    Row("ADA-2", "adapter", "C1", ("C1.4", "C1.5"), "A killed session sends no order twice; the venue outlives it.",
        (Suite(("tests.stateful.test_crash",)),)),
    Row("ADA-3", "adapter", "C1", ("C1.6",), "No live transport exists; what could reach a network is refused.",
        (Fact("mock_only"), Suite(("tests.house",)))),
    Row("ORC-1", "orchestrator", "C2", ("C2.1", "C2.3", "C2.4"), "States, runtime checks and stopping are proved.",
        (Proof(("C2.",)),)),
    Row("ORC-2", "orchestrator", "C2", ("C2.2",), "The startup checks were made and passed before anything else.",
        (Fact("preflight"), Suite(("tests.unit.session",)))),
    Row("ORC-3", "orchestrator", "C2", ("C2.5",), "The journal is intact and holds nothing outside the allowlist.",
        (Fact("journal"),)),
    Row("ORC-4", "orchestrator", "C2", ("C2.6",), "A dry run went from preflight to STOPPED over real bars.",
        (Fact("stopped"),)),
    Row("REC-1", "reconciler", "C3", ("C3.1",), "Book and venue were compared both ways, without a difference.",
        (Fact("reconciled"),)),
    Row("REC-2", "reconciler", "C3", ("C3.2",), "Every rail has its limit and a test that fails without it.",
        (Suite(("tests.unit.rails",)),)),
    Row("REC-3", "reconciler", "C3", ("C3.2", "C3.3"), "A broken invariant stops the session; each fill counts once.",
        (Proof(("C3.",)), Fact("fills_once"))),
    Row("REC-4", "reconciler", "C3", ("C3.4",), "Every row of the failure matrix was executed and is explained.",
        (Command("matrix", "peak matrix"),)),
    Row("OBS-1", "observability", "C4", ("C4.1", "C4.4"), "The health snapshot has the four values.",
        (Names(HEALTH_FILE, HEALTH),)),
    Row("OBS-2", "observability", "C4", ("C4.2", "C4.4"), "The metrics snapshot has the six counters.",
        (Names(METRICS_FILE, COUNTERS),)),
    Row("OBS-3", "observability", "C4", ("C4.3",), "The operator view is watch-only.",
        (Suite(("tests.unit.watch",)),)),
    Row("DOC-1", "docs", "D1", ("D1.1",), "The five artifacts are there, and are what the manifest says.",
        (Fact("artifacts"),)),
    Row("DOC-2", "docs", "D1", ("D1.2",), "The same inputs give the same bytes.",
        (Replay(),)),
    Row("DOC-3", "docs", "D4", ("D4.1", "D4.2", "D4.3", "D4.4", "D4.5"), "The docs gates pass over all pages.",
        (Command("docs", "peak docs"),)),
    Row("DOC-4", "docs", "C5", ("C5.2", "C5.3"), "An incident drill was packed and replays.",
        (Drill(),)),
    Row("SIGN-1", SIGN_OFF, "C5", ("C5.1",), "Governance has reviewed contract, threat model and proofs.",
        (Person("governance"),)),
    Row("SIGN-2", SIGN_OFF, "C5", ("C5.1",), "Risk has reviewed rails, limits and the failure matrix.",
        (Person("risk"),)),
    Row("SIGN-3", SIGN_OFF, "C5", ("C5.1", "C5.4"), "Operations has walked through stop, abort and the incident drill.",
        (Person("operations"),)),
    Row("SIGN-4", SIGN_OFF, "C5", ("C5.1",), "Engineering vouches for the packed commit.",
        (Person("engineering"),)),
)  # fmt: skip
"""The checklist, in the order in which it is read. Live stays opt-in: no row enables anything."""

PHASES: Final = {
    "C0": "Governance contract and threat model",
    "C1": "Broker adapter, mock first",
    "C2": "Session orchestrator, dry run",
    "C3": "Reconciler and safety rails",
    "C4": "Observability and operator view",
    "C5": "Controlled readiness, without enablement",
    "D1": "Reproducible run artifacts",
    "D4": "Docs and governance gates",
}
WHOLE_TRACK: Final = "C5"
"""A pack of this phase speaks for every row."""


def rows_of(phase: str) -> tuple[Row, ...]:
    """Return the rows for which a pack of `phase` is evidence."""
    return tuple(row for row in ROWS if phase in (row.phase, WHOLE_TRACK))
