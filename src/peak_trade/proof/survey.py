"""The engine `explore`: every reachable value is looked at, where there are few enough of them.

What must not happen is asked of the steps alone, what must be possible or must happen of the machine that runs, which
takes no step that leaves a declared invariant. As everywhere, a shortest run is replayed before it is shown.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import product
from typing import assert_never

from peak_trade.backends.domains import WHOLE, Bounds, Flat
from peak_trade.backends.successors import predicate, relation
from peak_trade.lang.machine import Always, Heard, LeadsTo, Step, Witness
from peak_trade.lang.step import Payload, Taken
from peak_trade.lang.trace import Trace, replay
from peak_trade.proof.case import Case, Finding, Open
from peak_trade.proof.claim import Automatic, Claim
from peak_trade.proof.confirm import ReplayDisagrees, confirm
from peak_trade.proof.cycles import able, edges, offered, refused, waiting, way, weak_fairness
from peak_trade.proof.explore import Graph, explore
from peak_trade.proof.obligation import may_end, true_in
from peak_trade.proof.rank import NONE, STUCK
from peak_trade.proof.solve import GaveUp
from peak_trade.proof.unroll import Path
from peak_trade.proof.verdict import Proved, Refuted, Unknown

ROUND = "a run goes round for ever, with fair events, and never gets there"
ABSENT = "no reachable value has it, and all were looked at"


def exploration(case: Case, claim: Claim) -> Finding | Open:
    """Return the verdict on `claim` over all reachable values; open if there are too many, or no end of them.

    Limits: `exploration_values_max`; every number needs bounds.
    """
    return surveyed(case, claim, case.limits.exploration_values_max, WHOLE)


def surveyed(case: Case, claim: Claim, values_max: int, bounds: Bounds) -> Finding | Open:
    """Return the verdict on `claim` over what `explore` reaches; if `bounds` cut something off, it is no proof."""
    if isinstance(claim, Witness) and claim.by:
        return Open("a run of some events alone is asked for, and the explorer takes all")
    graph = walked(case, claim, values_max, bounds)
    if isinstance(graph, GaveUp):
        return Open(graph.reason)
    match claim:
        case LeadsTo():
            found = _must_happen(case, claim, graph)
        case Witness():
            return _possible(case, claim, graph)
        case _:
            path = _violation(case, claim, graph)
            found = None if path is None else _refuted(case, claim, path)
    if found is not None:
        return Finding(found)
    if not graph.complete:
        return Open(f"holds in the {len(graph.values)} values within the bounds")
    return Finding(Proved("exploration"))


def verdict_on(case: Case, claim: Claim, values_max: int, bounds: Bounds) -> Finding:
    """Return what `surveyed` says, as a verdict: what is open is unknown."""
    found = surveyed(case, claim, values_max, bounds)
    return Finding(Unknown(found.reason)) if isinstance(found, Open) else found


def walked(case: Case, claim: Claim, values_max: int, bounds: Bounds) -> Graph | GaveUp:
    """Return the graph that `claim` is about; one with, one without the filter of declared invariants is kept."""
    keeping = case.invariants(proved=False) if isinstance(claim, Witness | LeadsTo | Heard) else ()
    key = (keeping, values_max, bounds)
    for known, graph in case.graphs:
        if known == key:
            return graph
    found = explore(case.machine, values_max, bounds, keeping)
    case.graphs.append((key, found))
    return found


def _violation(case: Case, claim: Always | Step | Heard | Automatic, graph: Graph) -> Path | None:
    """Return a shortest run to what `claim` forbids."""
    match claim:
        case Always():
            holds = predicate(case.machine, claim.holds)
            return _first(graph, lambda value: not holds(value))
        case Step():
            return _step(graph, relation(case.machine, claim.holds))
        case Heard():
            return _unheard(case, claim, graph)
        case Automatic(kind="sorts"):
            return _leaving(case, claim, graph)
        case Automatic():
            ends = frozenset(may_end(case.machine) or ())
            others = frozenset(item.event for item in case.machine.mirrors)
            dead = (place for place in _idle(graph, others) if graph.values[place][0] not in ends)
            place = next(dead, None)
            return None if place is None else graph.path(place)
        case _:
            assert_never(claim)


def _idle(graph: Graph, others: frozenset[str]) -> list[int]:
    if not others:
        return graph.dead
    every = frozenset(item.name for item in graph.machine.events)
    return [place for place in range(len(graph.values)) if not able(graph, place, every)]


def _first(graph: Graph, wanted: Callable[[Flat], bool]) -> Path | None:
    place = next((place for place, value in enumerate(graph.values) if wanted(value)), None)
    return None if place is None else graph.path(place)


def _step(graph: Graph, holds: Callable[[Flat, str, Flat], bool]) -> Path | None:
    events = tuple(item.name for item in graph.machine.events)
    for place, value in enumerate(graph.values):
        for arrow in graph.arrows(place):
            if not holds(value, events[arrow[0]], arrow[2]):
                return _onward(graph, place, graph.offer(arrow))
    return None


def _unheard(case: Case, claim: Heard, graph: Graph) -> Path | None:
    """Return a shortest run to an offer that the claim speaks of and that `lang.step` does not take."""
    item, offers = case.obligation(claim), [offer for offer in _offers(graph) if offer[0] == claim.event]
    number = [event.name for event in case.machine.events].index(claim.event)
    for place in range(len(graph.values)):
        # Steps beyond the bounds of the exploration are none of the graph's: so each that seems missing is offered.
        known = {tuple(payload) for event, payload, _ in graph.arrows(place) if event == number}
        for offer in offers:
            if tuple(offer[1].values()) not in known:
                trace = replay(replace(case.machine, properties=item.guards), graph.value(place), (offer,))
                if item.seen(graph.value(place), trace.links[0]):
                    return _onward(graph, place, offer)
    return None


def _leaving(case: Case, claim: Claim, graph: Graph) -> Path | None:
    """Return a shortest run to an update that leaves its bounds, found by `lang.step`; a wrong start is one, too."""
    item = case.obligation(claim)
    roots = (place for place, parent in enumerate(graph.parents) if parent < 0)
    start = next((place for place in roots if item.seen(graph.value(place), None)), None)
    if start is not None:
        return graph.path(start)
    if not graph.left:
        return None
    place = graph.left[0]
    for offer in _offers(graph):
        trace = replay(replace(case.machine, properties=()), graph.value(place), (offer,))
        if item.seen(graph.value(place), trace.links[0]):
            return _onward(graph, place, offer)
    raise ReplayDisagrees(case.machine.name, item.name, item.why, "no such step in lang.step")


def _offers(graph: Graph) -> Iterator[tuple[str, Payload]]:
    for event in graph.machine.events:
        names = [item.name for item in event.payload]
        for found in product(*graph.tried.payloads[event.name]):
            yield event.name, dict(zip(names, found, strict=True))


def _onward(graph: Graph, place: int, offer: tuple[str, Payload]) -> Path:
    """Return a shortest run to the value at `place` and one more offer there."""
    path = graph.path(place)
    return Path(path.values, (*path.offers, offer))


def _refuted(case: Case, claim: Claim, path: Path) -> Refuted:
    item = case.obligation(claim)
    return Refuted(confirm(case.machine, item, _arrived(path)), item.why)


def _arrived(path: Path) -> Path:
    """Return `path` as a replay is compared with it: the value after the last offer is the replay's."""
    return Path(path.values[: max(1, len(path.offers))], path.offers)


def _possible(case: Case, claim: Witness, graph: Graph) -> Finding | Open:
    path = _first(graph, predicate(case.machine, claim.reach))
    if path is not None:
        return Finding(Proved("witness", confirm(case.machine, case.obligation(claim), _arrived(path))))
    if graph.complete:
        return Finding(Refuted(None, ABSENT))
    return Open(f"not reached in the {len(graph.values)} values within the bounds")


def _must_happen(case: Case, claim: LeadsTo, graph: Graph) -> Refuted | None:
    """Return a run that need never get there: it ends where nothing fair happens, or comes back to where it was."""
    when, then = predicate(case.machine, claim.when), predicate(case.machine, claim.then)
    begun, late = waiting(graph, when, then)
    fair = frozenset(claim.fair)
    if not claim.weak:
        found = offered(graph, fair, late)
        return None if found is None else _put_off(case, claim, graph, found, (begun, late))
    component = weak_fairness(graph, (fair,), when, then)
    if component is None:
        return None
    idle = next((place for place in component if not able(graph, place, fair)), None)
    if idle is not None:
        return Refuted(_shown(case, claim, _stem(graph, idle, begun, late), ()), NONE)
    inside = frozenset(component)
    found = next(
        (place, event, after)
        for place in component
        for event, after in edges(graph, place)
        if event in fair and after in inside
    )
    return _put_off(case, claim, graph, found, (begun, late))


def _put_off(
    case: Case, claim: LeadsTo, graph: Graph, found: tuple[int, str, int], where: tuple[list[int], list[bool]]
) -> Refuted:
    place, event, after = found
    stem = _stem(graph, place, *where)
    turned = refused(graph, place, frozenset((event,))) if place == after else ()
    if turned and not claim.weak:
        return Refuted(_shown(case, claim, stem, _refusal(case, graph, place, event)), STUCK)
    back = [] if place == after else way(graph, (after,), place, lambda one: where[1][one])[1:]
    return Refuted(_shown(case, claim, graph.joined(stem, [place, after, *back], event), ()), ROUND)


def _refusal(case: Case, graph: Graph, place: int, event: str) -> tuple[tuple[str, Payload], ...]:
    """Return the offer of `event` that `lang.step` does not take in the value at `place`."""
    for name, payload in _offers(graph):
        if name == event:
            trace = replay(case.machine, graph.value(place), ((name, payload),))
            if not isinstance(trace.links[0].outcome, Taken):
                return ((name, payload),)
    raise ReplayDisagrees(case.machine.name, event, "an offer that is refused", "none")


def _stem(graph: Graph, goal: int, begun: list[int], late: list[bool]) -> Path:
    """Return a run to `goal` that has waited since some value before it, or there."""
    if goal in begun:
        return graph.path(goal)
    onward = way(graph, begun, goal, lambda one: late[one])
    first = graph.path(onward[0])
    rest = graph.along(onward)
    return Path((*first.values, *rest.values[1:]), (*first.offers, *rest.offers))


def _shown(case: Case, claim: LeadsTo, path: Path, last: tuple[tuple[str, Payload], ...]) -> Trace:
    """Return the replay of `path` through the machine that runs, with an offer at its end that changes nothing."""
    trace = replay(case.machine, path.values[0], (*path.offers, *last))
    links = trace.links[: len(path.offers)]
    met = (trace.start, *(link.value for link in links))
    if met != path.values or not all(isinstance(link.outcome, Taken) for link in links):
        raise ReplayDisagrees(case.machine.name, claim.name, "the run that was walked", str(met[-1]))
    if true_in(case.machine, claim.then, trace.last):
        raise ReplayDisagrees(case.machine.name, claim.name, "a value without its goal", str(trace.last))
    return trace
