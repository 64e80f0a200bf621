"""What a journal counts: one pass over its records, no clock, no specification.

What is counted is what was written. A call to the venue that left no record cannot be counted: see `Tally`.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from peak_trade.evidence.story import UNDOING
from peak_trade.journal.record import Record

BEFORE: Final = {"session": "INIT", "order": "initialized"}
"""The state in which each machine starts, until its first record says another."""

ANSWERS: Final = frozenset({"accept", "reject", "not_found"})
Hop: TypeAlias = tuple[str, str, str]
"""A transition, the state in which it was taken, and the state after it."""

Refusal: TypeAlias = tuple[str, str, str]
"""An event that was not taken, how (ignored, refused, broken), and by which reason or property."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One step of an order's life: when, by which event, to which state, and the lots filled by then."""

    step: int
    event: str
    state: str
    cum_lots: int


@dataclass(slots=True)
class Tally:
    """Counts of one journal.

    `places`: `submit` taken, one for each order that was handed to the port; denied orders are none.
    `cancels`: `cancel` taken. `queries`: answers of the venue to a question about an order in state `unknown`, by
    event; reports (they carry a cursor) are none. `retries`: `not_found` taken: the order is sent again under its id.
    `fills`: `fill` taken; `undone`: busts and corrections taken, which take nothing from `fills`.
    `reconciles`: comparisons by result: agreed, differed or unanswered. `preflight`: what the last startup check read.

    Limits: not in the journal, so not counted: a question without an answer; a send that the venue refused before it
    accepted anything and that was repeated at once; a cancel that was asked again while it was pending; the question of
    a resumed process about an order that it may have sent, unless the venue did not know it.
    """

    records: Counter[str] = field(default_factory=Counter)
    places: int = 0
    cancels: int = 0
    queries: Counter[str] = field(default_factory=Counter)
    retries: int = 0
    fills: int = 0
    undone: Counter[str] = field(default_factory=Counter)
    hops: dict[str, Counter[Hop]] = field(default_factory=lambda: {"session": Counter(), "order": Counter()})
    refusals: dict[str, Counter[Refusal]] = field(default_factory=lambda: {"session": Counter(), "order": Counter()})
    denied: Counter[str] = field(default_factory=Counter)
    trips: Counter[str] = field(default_factory=Counter)
    mismatches: Counter[str] = field(default_factory=Counter)
    reconciles: Counter[str] = field(default_factory=Counter)
    step: int = 0
    last_ts: str = ""
    last_ok_ts: str = ""
    last_ok_step: int | None = None
    state: str = BEFORE["session"]
    lives: dict[str, list[Mark]] = field(default_factory=dict)
    preflight: Mapping[str, Any] = field(default_factory=dict)

    def count(self, record: Record) -> None:
        """Count one record; KeyError iff it lacks a field that its kind has."""
        body = record.body
        self.records[record.kind] += 1
        self.step = max(self.step, int(body.get("step") or 0))
        self.last_ts = str(body.get("ts") or self.last_ts)
        match record.kind:
            case "session":
                self.state = self._hop("session", self.state, body)
                self.preflight = body if body["event"] == "preflight" else self.preflight
            case "order":
                self._order(body)
            case "trip":
                self.trips[str(body["wire"])] += 1
            case "difference":
                self.mismatches[str(body["code"])] += 1
            case "reconciled":
                self._reconciled(body)
            case _:
                return

    def _hop(self, machine: str, before: str, body: Mapping[str, Any]) -> str:
        """Count what one event did to a machine; return the state after it."""
        after, by = str(body["state"]), str(body["by"])
        if body["outcome"] == "taken":
            self.hops[machine][by, before, after] += 1
        else:
            self.refusals[machine][str(body["event"]), str(body["outcome"]), by] += 1
        return after

    def _order(self, body: Mapping[str, Any]) -> None:
        life = self.lives.setdefault(str(body["order"]), [])
        before = life[-1].state if life else BEFORE["order"]
        after, event = self._hop("order", before, body), str(body["event"])
        if body["outcome"] != "taken":
            return
        life.append(Mark(int(body["step"]), event, after, int(body["cum"])))
        self.places += event == "submit"
        self.cancels += event == "cancel"
        self.fills += event == "fill"
        if event in UNDOING:
            self.undone[event] += 1
        self.retries += event == "not_found"
        if event in ANSWERS and before == "unknown" and "cursor" not in body:
            self.queries[event] += 1
        if event == "deny":
            self.denied[str(body.get("rail") or "")] += 1

    def _reconciled(self, body: Mapping[str, Any]) -> None:
        if not body["asked"]:
            self.reconciles["unanswered"] += 1
        elif body["differences"]:
            self.reconciles["differed"] += 1
        else:
            self.reconciles["agreed"] += 1
            self.last_ok_ts, self.last_ok_step = self.last_ts, int(body["step"])


@dataclass(frozen=True, slots=True)
class Latency:
    """How many steps of session time lie between two events of an order: each order once, in order of the journal."""

    accept: tuple[int, ...]
    fill: tuple[int, ...]
    close: tuple[tuple[str, int], ...]


def latency(tally: Tally, closed: frozenset[str]) -> Latency:
    """Return the steps from each submitted order's `submit` to its first accept, first fill and first closed state.

    What has not happened is not counted; 0 is within the same step. An order that is opened again was closed all the
    same: its first close counts, and no later one.
    """
    accept: list[int] = []
    fill: list[int] = []
    close: list[tuple[str, int]] = []
    for life in tally.lives.values():
        start = next((mark.step for mark in life if mark.event == "submit"), None)
        if start is None:
            continue
        accept += [mark.step - start for mark in life if mark.event == "accept"][:1]
        fill += [mark.step - start for mark in life if mark.event == "fill"][:1]
        close += [(mark.state, mark.step - start) for mark in life if mark.state in closed][:1]
    return Latency(tuple(accept), tuple(fill), tuple(close))
