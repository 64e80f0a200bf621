"""What a session covered is a function of its journal: each machine steps along its records, and its probe looks on.

States, transitions, refusals, rails, tripwires and differences are those that the records say; the outcomes of clauses
are those of the value that the machine has by then. A trace must be whole. The faults that took effect are not in a
journal and are told besides.

Limits: of the circuit breaker a journal keeps no events, only how it stood at a commit: its states alone are seen. From
a record on that its machine does not give, no more is seen of that order, or of the session.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from peak_trade.backends.clauses import Probe, compile_probe
from peak_trade.backends.kernel import Kernel, Running, compile_kernel
from peak_trade.fuzz.cover.coverage import Coverage, Goal
from peak_trade.fuzz.cover.goals import STATE, Step, begun, followed, met
from peak_trade.fuzz.world import Machines
from peak_trade.journal.record import Body, Record
from peak_trade.lang.machine import Machine
from peak_trade.lang.step import PAYLOAD_INVALID, UNKNOWN_EVENT, Refused, Taken
from peak_trade.session.recording import BREAKER, DIFFERENCE, ORDER, RESUMED, SESSION, TRIP, said

SELF: Final = ""
"""What stands for the session itself where orders have names."""
TOLD: Final = {TRIP: ("tripwire", "wire"), DIFFERENCE: ("difference", "code"), RESUMED: ("difference", "code")}
"""Kinds of records that tell of a goal: its kind, and the field with its code."""
UNSEEN: Final = frozenset({PAYLOAD_INVALID, UNKNOWN_EVENT})
"""Reasons of the language for which no row is looked at."""


@dataclass(slots=True)
class Track:
    """One machine along traces: the value of each of its instances, None where it is lost, and its last transition."""

    kernel: Kernel
    probe: Probe
    values: dict[str, Running | None] = field(default_factory=dict)
    last: dict[str, str] = field(default_factory=dict)
    steps: Counter[Step] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)

    @classmethod
    def of(cls, machine: Machine) -> "Track":
        """Return a track of `machine` on which nothing was seen yet."""
        return cls(compile_kernel(machine), compile_probe(machine))

    def take(self, name: str, body: Body) -> None:
        """Step the instance `name` as a record says."""
        value = self.values.setdefault(name, self.kernel.initial)
        if value is None:
            return
        event = str(body["event"])
        packed = tuple([body.get(item) for item in self.kernel.fields.get(event, ())])
        outcome, after = self.kernel.step(value, event, packed)
        by, word, _ = said(outcome)
        if (by, word, after[0]) != (body["by"], body["outcome"], body["state"]):
            self.values[name] = None
            return
        seen = not (isinstance(outcome, Refused) and outcome.reason in UNSEEN)
        bits = self.probe.table[value[0]][event](value, packed) if seen else None
        self.steps[Step(value[0], event, outcome, bits)] += 1
        self.values[name] = after
        if isinstance(outcome, Taken):
            if name in self.last:
                self.pairs[self.last[name], by] += 1
            self.last[name] = by

    def seen(self) -> Iterator[tuple[Goal, int]]:
        """Yield what was seen, and how often; the same goal may come again."""
        machine = self.kernel.machine
        yield begun(machine), len(self.values)
        for step, count in self.steps.items():
            for goal in met(self.probe, step):
                yield goal, count
        for (first, second), count in self.pairs.items():
            yield followed(machine, first, second), count


def sighted(machines: Machines, records: Iterable[Record], fired: Mapping[str, int], seed: int) -> Coverage:
    """Return what the session with these records covered; `fired` are the faults that took effect, by kind."""
    tracks = {SESSION: Track.of(machines.session), ORDER: Track.of(machines.order)}
    told, breaker = Counter[Goal](), [machines.breaker.initial.name]
    for record in records:
        body = record.body
        track = tracks.get(record.kind)
        if track is not None:
            track.take(str(body.get("order", SELF)), body)
            if body.get("rail"):
                told[Goal("rail", "", str(body["rail"]))] += 1
        elif record.kind in TOLD:
            kind, name = TOLD[record.kind]
            told[Goal(kind, "", str(body.get(name)))] += name in body
        elif record.kind == BREAKER and body["state"] != breaker[-1]:
            breaker.append(str(body["state"]))
    told.update(Goal(STATE, machines.breaker.name, state) for state in breaker)
    told.update({Goal("fault", "", kind): count for kind, count in fired.items()})
    found = Coverage()
    for goal, count in (*told.items(), *(pair for track in tracks.values() for pair in track.seen())):
        found.hit(goal, seed, count)
    return found
