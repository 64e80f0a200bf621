"""Why something must happen: the ranking rule, each of its conditions as what must not be."""

from collections.abc import Callable
from dataclasses import dataclass

from peak_trade.backends.relation import Encoding, Frame, Move
from peak_trade.backends.smt import Term
from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.machine import Always, LeadsTo
from peak_trade.lang.step import Stepper, Taken, Value
from peak_trade.lang.trace import Link
from peak_trade.proof.able import moving, possible
from peak_trade.proof.obligation import Obligation, arrived, arriving, named, taken, true_in

STUCK = "a fair event is not taken, and could be offered for ever"
NONE = "no fair event can be taken, and none need ever come"
NEGATIVE = "the rank is negative"
ASTRAY = "a step leads neither on nor to the goal"
GROWS = "a step makes the rank greater"
IDLE = "a fair event does not make the rank smaller"


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """The ranking rule for one claim. A value waits iff it has `when` and not `then`.

    Rule: no value that waits has a negative rank; each step from one leads to `when` or `then`; no step between two
    of them makes the rank greater; each fair event, with any payload, is taken in all of them, and makes the rank
    smaller or reaches `then`. Then fair events that keep coming bring about `then`, as no rank falls for ever.

    Weak fairness (`claim.weak`) is as in TLA+, of all fair events together: if one of them can be taken as long as
    the machine waits, one is taken. Then it suffices that in each value that waits some fair event, with some payload,
    can be taken; each that is taken makes the rank smaller or reaches `then`. What mirrors somebody else's step does
    not count as one that can be taken, but where it is fair it must make the rank smaller like the rest.
    """

    encoding: Encoding
    claim: LeadsTo

    def stuck(self, kept: tuple[Always, ...]) -> Obligation:
        """Return the one condition whose breach refutes the claim: the refused event changes nothing, for ever.

        `kept` are the invariants that are not proved: a step that would leave one of them is not taken either.
        """
        if self.claim.weak:
            return self._unable(kept)
        world = self.encoding.world
        by = world.some(self._refused(event, kept) for event in self.claim.fair)

        def seen(before: Value, link: Link | None) -> bool:
            offered = link is not None and link.event in self.claim.fair and not isinstance(link.outcome, Taken)
            return offered and self._waiting(before)

        guards = self.encoding.machine.properties
        return Obligation(self.claim.name, STUCK, world.some(()), self._while_waiting(by), guards, seen)

    def _unable(self, kept: tuple[Always, ...]) -> Obligation:
        encoding, world = self.encoding, self.encoding.world
        at = self._while_waiting(world.negation(possible(encoding, self.claim.fair, kept)))
        stepper = Stepper.of(encoding.machine)

        def seen(before: Value, link: Link | None) -> bool:
            value = arrived(before, link)
            return value is not None and self._waiting(value) and not any(moving(stepper, value, self.claim.fair))

        return Obligation(self.claim.name, NONE, at, arriving(encoding, at, kept), encoding.machine.properties, seen)

    def rest(self) -> tuple[Obligation, ...]:
        """Return the other conditions; a breach shows only that this rank does not explain the claim."""
        return (
            self._negative(),
            self._step(ASTRAY, self._astray, lambda _, link: not self._goes_on(link.value)),
            self._step(GROWS, self._grows, lambda old, link: self._rank(link.value) > self._rank(old)),
            self._step(IDLE, self._idles, self._idled),
        )

    def _negative(self) -> Obligation:
        world, before = self.encoding.world, self.encoding.before
        at = self._while_waiting(self.encoding.at(self.claim.rank, before) < 0)

        def seen(value: Value, link: Link | None) -> bool:
            return link is None and self._waiting(value) and self._rank(value) < 0

        return Obligation(self.claim.name, NEGATIVE, at, world.some(()), (), seen)

    def _step(self, why: str, wrong: Callable[[Move], Term], judge: Callable[[Value, Link], bool]) -> Obligation:
        by = self._while_waiting(taken(self.encoding, wrong))

        def seen(before: Value, link: Link | None) -> bool:
            stepped = link is not None and isinstance(link.outcome, Taken)
            return link is not None and stepped and self._waiting(before) and judge(before, link)

        return Obligation(self.claim.name, why, self.encoding.world.some(()), by, (), seen)

    def _while_waiting(self, term: Term) -> Term:
        return self.encoding.world.every((self._waits(self.encoding.before), term))

    def _waits(self, frame: Frame) -> Term:
        encoding = self.encoding
        then = encoding.at(self.claim.then, frame)
        return encoding.world.every((encoding.at(self.claim.when, frame), encoding.world.negation(then)))

    def _refused(self, event: str, kept: tuple[Always, ...]) -> Term:
        encoding, world = self.encoding, self.encoding.world
        moves = (move for move in encoding.moves if move.event == event)
        goes = world.some(
            world.every((move.guard, move.fits, *(encoding.at(item.holds, move.after) for item in kept)))
            for move in moves
        )
        return world.every((encoding.is_event(event), world.negation(goes)))

    def _astray(self, move: Move) -> Term:
        encoding, after = self.encoding, move.after
        return encoding.world.negation(
            encoding.world.some((encoding.at(self.claim.when, after), encoding.at(self.claim.then, after)))
        )

    def _grows(self, move: Move) -> Term:
        rank = self.encoding.at(self.claim.rank, self.encoding.before)
        return self.encoding.world.every(
            (self._waits(move.after), self.encoding.at(self.claim.rank, move.after) > rank)
        )

    def _idles(self, move: Move) -> Term:
        if move.event not in self.claim.fair:
            return self.encoding.world.some(())
        rank = self.encoding.at(self.claim.rank, self.encoding.before)
        return self.encoding.world.every(
            (self._waits(move.after), self.encoding.at(self.claim.rank, move.after) >= rank)
        )

    def _idled(self, old: Value, link: Link) -> bool:
        fair = link.event in self.claim.fair and self._waiting(link.value)
        return fair and self._rank(link.value) >= self._rank(old)

    def _goes_on(self, value: Value) -> bool:
        machine = self.encoding.machine
        return true_in(machine, self.claim.when, value) or true_in(machine, self.claim.then, value)

    def _waiting(self, value: Value) -> bool:
        machine = self.encoding.machine
        return true_in(machine, self.claim.when, value) and not true_in(machine, self.claim.then, value)

    def _rank(self, value: Value) -> int:
        names = Env(named(self.encoding.machine, value), state=value.state)
        return int(evaluate(self.claim.rank, names))
