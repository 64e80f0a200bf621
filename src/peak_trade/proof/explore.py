"""Every value that a machine can reach, breadth first, with exact counts and a shortest run to each."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from peak_trade.backends.domains import WHOLE, Bounds, Domains, Flat, domains, starts, starts_count
from peak_trade.backends.successors import Arrow, Steps, predicate, steps
from peak_trade.lang.machine import Always, Machine
from peak_trade.lang.step import Payload, Value
from peak_trade.proof.solve import GaveUp
from peak_trade.proof.unroll import Path

OFFERS_MAX = 20_000_000
"""How many payloads an exploration tries in all its values together, before it is refused."""


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """The values that were reached, in breadth-first order, each with the index of the one it was first reached from.

    `depth` is the number of steps to the farthest (initial values have depth 0), `transitions` how many steps were
    listed in all. `complete` iff nothing was left out by the exploration's bounds. `dead` are the values that no step
    leaves, `left` those in which an update leaves its sort, `keeps` the filter that steps have passed.
    """

    machine: Machine
    tried: Domains
    steps: Steps
    values: list[Flat]
    index: dict[Flat, int]
    parents: list[int]
    dead: list[int]
    left: tuple[int, ...]
    transitions: int
    depth: int
    complete: bool
    keeps: Callable[[Flat], bool] | None

    def arrows(self, place: int) -> Iterator[Arrow]:
        """Yield the steps from the value at `place`: index of the event, payload, value after."""
        value = self.values[place]
        for arrow in self.steps.arrows[str(value[0])](value):
            if self.keeps is None or self.keeps(arrow[2]):
                yield arrow

    def path(self, place: int) -> Path:
        """Return a shortest run to the value at `place`, with that value at its end."""
        places = [place]
        while self.parents[places[-1]] >= 0:
            places.append(self.parents[places[-1]])
        return self.along(places[::-1])

    def along(self, places: list[int], first: str = "") -> Path:
        """Return the run through the values at `places`, one a step after the other; the first step is by `first`."""
        offers = [
            self._between(one, other, "" if offset else first) for offset, (one, other) in enumerate(pairwise(places))
        ]
        return Path(tuple(self.value(place) for place in places), tuple(offers))

    def _between(self, one: int, other: int, event: str) -> tuple[str, Payload]:
        offers = (self.offer(arrow) for arrow in self.arrows(one) if arrow[2] == self.values[other])
        return next(offer for offer in offers if event in ("", offer[0]))

    def joined(self, stem: Path, places: list[int], event: str) -> Path:
        """Return `stem` and then the run through `places`, of which it ends in the first; its first step is `event`."""
        rest = self.along(places, event)
        return Path((*stem.values, *rest.values[1:]), (*stem.offers, *rest.offers))

    def offer(self, arrow: Arrow) -> tuple[str, Payload]:
        """Return the event and the payload of a step."""
        event = self.machine.events[arrow[0]]
        return event.name, {item.name: scalar for item, scalar in zip(event.payload, arrow[1], strict=True)}

    def value(self, place: int) -> Value:
        """Return the value at `place`."""
        flat = self.values[place]
        return Value(str(flat[0]), flat[1:])


def explore(
    machine: Machine, values_max: int, bounds: Bounds = WHOLE, keeping: Iterable[Always] = ()
) -> Graph | GaveUp:
    """Return all that `machine` reaches within `bounds`, by steps to values with all invariants in `keeping`.

    Limits: at most `values_max` values, held in memory (about 300 bytes and 5 microseconds each); numbers need an end,
    their own or by `bounds`; at most OFFERS_MAX payloads are tried in all.
    """
    tried = domains(machine, bounds)
    if tried.endless:
        return GaveUp(f"not finite: {', '.join(tried.endless)} without bounds")
    most = min(values_max, OFFERS_MAX // max(1, tried.offers))
    if starts_count(machine, tried) > most:
        return GaveUp(f"more than {most} initial values")
    claims = [predicate(machine, item.holds) for item in keeping]
    keeps = (lambda value: all(holds(value) for holds in claims)) if claims else None
    first = dict.fromkeys(starts(machine, tried))
    graph = Graph(machine, tried, steps(machine, tried), [], {}, [], [], (), 0, 0, not tried.narrowed, keeps)
    return _walk(graph, list(first), most)


def _walk(graph: Graph, first: list[Flat], values_max: int) -> Graph | GaveUp:
    """Return `graph` with all that follows `first`; the loop is written out because it is all of the work."""
    listed, keeps, known, parents, dead = graph.steps.listed, graph.keeps, {}, [-1] * len(first), []
    values = first
    known = {value: place for place, value in enumerate(values)}
    done = transitions = 0
    depth = -1
    while done < len(values):
        if len(values) > values_max:
            return GaveUp(f"more than {values_max} values")
        level, depth = len(values), depth + 1
        for place in range(done, level):
            value = values[place]
            found = listed[value[0]](value)  # type: ignore[index]  # the first scalar names a control state
            if keeps is not None:
                found = [after for after in found if keeps(after)]
            transitions += len(found)
            if not found:
                dead.append(place)
            for after in found:
                if after not in known:
                    known[after] = len(values)
                    values.append(after)
                    parents.append(place)
        done = level
    cut = frozenset(graph.steps.cut)
    left = tuple(sorted({known[value] for value in graph.steps.left}))
    stuck = [place for place in dead if values[place] not in cut]
    whole = not cut and graph.complete
    return replace(
        graph,
        values=values,
        index=known,
        parents=parents,
        dead=stuck,
        left=left,
        transitions=transitions,
        depth=depth,
        complete=whole,
    )
