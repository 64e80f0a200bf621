"""What the adapter must know of earlier steps stands on the tape: the circuit breaker, written when it has moved.

A resumed run calls no venue while it replays, so its breaker cannot find out by itself. Hence each commit is preceded
by a record of the breaker iff it differs from the last one, and a replay takes the breaker from these records, wherever
they stand, before anybody else looks. A run without failures writes none. The rest of the adapter (the place under the
rate limit, session time within a step) says when a call is made and not whether, and starts anew with each process.

Limits: failures since the last such record are forgotten by a crash. Calls whose outcome was not committed are made
again, and counted then; but a breaker may so open later than in the undisturbed run.
"""

from collections.abc import Callable
from dataclasses import dataclass

from peak_trade.broker.adapter import Adapter
from peak_trade.journal.record import Body, Record
from peak_trade.market.bars import Bar
from peak_trade.session.plan import World
from peak_trade.session.recording import BREAKER, END, Recorder


class Circuit:
    """A recorder that keeps the adapter's breaker on the tape below it; otherwise it is that tape."""

    def __init__(self, tape: Recorder, adapter: Adapter) -> None:
        self._tape, self._adapter = tape, adapter
        self._kept = adapter.breaker.kept()
        self._live = False

    @property
    def replaying(self) -> bool:
        """True iff an earlier process's records are left."""
        if self._live:
            return False
        self._catch_up()
        return self._tape.replaying

    def peek(self) -> Record | None:
        """Return the next of those records, or None."""
        self._catch_up()
        return self._tape.peek()

    def append(self, kind: str, body: Body) -> None:
        """Write a record of the run, or compare it with the one that is there; nothing follows its end."""
        if not self._live:
            self._catch_up()
        if kind == END:
            self._keep()
        self._tape.append(kind, body)

    def note(self, kind: str, body: Body) -> None:
        """Write an annotation, unless replaying."""
        self._tape.note(kind, body)

    def outcome(self, kind: str, perform: Callable[[], Body]) -> Body:
        """Return what `perform` gives and write it, or what is there instead of performing."""
        self._catch_up()
        return self._tape.outcome(kind, perform)

    def commit(self) -> object:
        """Make durable what was written, and how the breaker stands."""
        self._catch_up()
        self._keep()
        return self._tape.commit()

    def _keep(self) -> None:
        """Write down how the breaker stands, iff it has moved since."""
        kept = self._adapter.breaker.kept()
        if not self._tape.replaying and kept != self._kept:
            self._kept = kept
            self._tape.append(BREAKER, {"step": self._adapter.step, **kept})

    def _catch_up(self) -> None:
        """Take the breaker from the records that are next, if they are of it; none is once the run is live."""
        if self._live:
            return
        while (record := self._tape.peek()) is not None and record.kind == BREAKER:
            self._tape.append(BREAKER, record.body)
            self._kept = {name: _plain(record.body[name]) for name in self._kept}
            self._adapter.breaker.restore(self._kept)
        self._live = not self._tape.replaying


def _plain(value: object) -> int | str:
    assert isinstance(value, int | str), value
    return value


@dataclass(frozen=True, slots=True)
class Paced:
    """A world whose steps are also the adapter's."""

    world: World
    adapter: Adapter

    def advance(self, step: int, bars: tuple[Bar, ...]) -> None:
        """Begin the step at the adapter, and move the world on."""
        self.adapter.begin(step)
        self.world.advance(step, bars)
