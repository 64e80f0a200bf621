"""How large the quantities must be before a fault shows: what an exhaustive check of small ones would have missed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from peak_trade.backends.relation import Encoding, Frame, Offer
from peak_trade.backends.smt import Term
from peak_trade.lang.machine import Always, Heard, LeadsTo, Machine
from peak_trade.lang.sorts import IntSort, is_whole
from peak_trade.lang.trace import Trace, replay
from peak_trade.proof.confirm import confirm
from peak_trade.proof.doubt.mutate import Mutant
from peak_trade.proof.doubt.trial import Faulty, Trial, runs_through
from peak_trade.proof.obligation import Obligation
from peak_trade.proof.solve import Limits, Oracle
from peak_trade.proof.unroll import Path, Unroll


@dataclass(frozen=True, slots=True)
class Small:
    """With quantities up to `quantity`, and none smaller, the claim `property` fails of the mutant, as in `trace`."""

    property: str
    mutant: str
    quantity: int
    trace: Trace


def quantities(machine: Machine) -> tuple[frozenset[str], Mapping[str, frozenset[str]]]:
    """Return the variables that count as quantities, and the payload fields of each event that do.

    All whole numbers of a payload, and those of the context that have no upper bound.
    """
    context = (item.name for item in machine.variables if isinstance(item.sort, IntSort) and item.sort.max is None)
    fields = {
        event.name: frozenset(item.name for item in event.payload if isinstance(item.sort, IntSort))
        for event in machine.events
    }
    return frozenset(context), fields


def largest(machine: Machine, trace: Trace) -> int:
    """Return the largest quantity in `trace`, in values and payloads, by its absolute value.

    A last step that an invariant stops counts as if it were taken: what it would lead to is the violation.
    """
    context, fields = quantities(machine)
    events = tuple((link.event, dict(link.payload)) for link in trace.links)
    taken = replay(replace(machine, properties=()), trace.start, events)
    values = [trace.start, *(link.value for link in taken.links)]
    found = [
        abs(scalar)
        for value in values
        for item, scalar in zip(machine.variables, value.context, strict=True)
        if item.name in context and is_whole(scalar)
    ]
    found += [
        abs(scalar)
        for link in trace.links
        for name, scalar in link.payload
        if name in fields[link.event] and is_whole(scalar)
    ]
    return max(found, default=0)


@dataclass(slots=True, eq=False)
class Scope:
    """Searches for violations with bounded quantities; the runs of the declared machine are shared for each bound."""

    trial: Trial
    limits: Limits
    shared: dict[int, Unroll]

    @classmethod
    def of(cls, trial: Trial) -> "Scope":
        """Return the search over the mutants of `trial`."""
        return cls(trial, trial.limits, {})

    def smallest(self, mutant: Mutant, name: str, known: Trace) -> Small:
        """Return the smallest quantity at which the claim `name` fails of `mutant`, of which `known` is a violation.

        Limits: runs of at most `refutation_steps_max` steps; longer ones may do with less.
        """
        item = self.trial.faulty(mutant)
        low, best = -1, known
        guess = 1
        while low + 1 < (high := largest(mutant.machine, best)):
            bound = min(guess, (low + high) // 2 if guess >= high else guess, high - 1)
            found = self._trace(item, name, bound)
            if found is None:
                low, guess = bound, guess * 2
            else:
                best = found
        return Small(name, mutant.name, largest(mutant.machine, best), best)

    def _trace(self, item: Faulty, name: str, bound: int) -> Trace | None:
        machine = item.mutant.machine
        claim = next((one for one in machine.properties if one.name == name), None)
        if isinstance(claim, LeadsTo):
            return None
        world = item.encoding.world
        wanted = item.obligation(claim)
        ends = tuple(_bounded(item.encoding, move.after, None, bound) for move in item.changed)
        # An event that is not heard leads to no value.
        there = world.every(()) if isinstance(claim, Heard) else world.some(ends)
        # The value after the last step is a term and no constant: bounded for whichever changed move makes it.
        by = world.every((wanted.by, there, _bounded(item.encoding, None, item.encoding.offer, bound)))
        asked = replace(wanted, by=by)
        if item.runs is not None:
            if bound not in self.shared:
                self.shared[bound] = self._runs(self.trial.encoding, bound)
            found = self.shared[bound].shortest(asked, self.limits.refutation_steps_max)
            if isinstance(found, Path) and runs_through(machine, found):
                return self._kept(item, wanted, found, bound)
            if found is None and item.mutant.old is None:
                return None
        found = self._runs(item.encoding, bound).shortest(asked, self.limits.refutation_steps_max)
        return self._kept(item, wanted, found, bound) if isinstance(found, Path) else None

    def _kept(self, item: Faulty, wanted: Obligation, path: Path, bound: int) -> Trace | None:
        trace = confirm(item.mutant.machine, wanted, path)
        return trace if largest(item.mutant.machine, trace) <= bound else None

    def _runs(self, encoding: Encoding, bound: int) -> Unroll:
        """Return the runs of `encoding` that have all proved invariants, and no quantity above `bound`."""
        world = encoding.world
        oracle = Oracle.of(world, self.limits)
        oracle.always(world.every((encoding.initial(), _bounded(encoding, encoding.before, None, bound))))
        kept = (
            encoding.at(item.holds, encoding.after)
            for item in self.trial.machine.properties
            if isinstance(item, Always) and item.name in self.trial.kept
        )
        small = _bounded(encoding, encoding.after, encoding.offer, bound)
        relation = world.every((encoding.relation(), small, *kept))
        return Unroll(encoding, oracle, relation, [(encoding.before, encoding.offer)])


def _bounded(encoding: Encoding, frame: Frame | None, offer: Offer | None, bound: int) -> Term:
    context, fields = quantities(encoding.machine)
    return encoding.world.every(_within(frame, offer, (context, fields), bound))


def _within(
    frame: Frame | None,
    offer: Offer | None,
    names: tuple[frozenset[str], Mapping[str, frozenset[str]]],
    bound: int,
) -> Iterator[Term]:
    context, fields = names
    terms = [] if frame is None else [term for name, term in frame.context.items() if name in context]
    if offer is not None:
        terms += [
            term for event, payload in offer.payloads.items() for name, term in payload.items() if name in fields[event]
        ]
    for term in terms:
        yield term <= bound
        yield term >= -bound
