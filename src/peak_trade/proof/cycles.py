"""What can be put off for ever: cycles of an explored graph that fairness does not forbid.

A run may also stay where it is for ever, if fairness asks for nothing that can happen there.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from math import prod

from peak_trade.backends.domains import Flat
from peak_trade.proof.explore import Graph

Group = frozenset[str]
"""Events of which one must be taken if, from some moment on, one can always be."""


def waiting(graph: Graph, when: Callable[[Flat], bool], then: Callable[[Flat], bool]) -> tuple[list[int], list[bool]]:
    """Return the places with `when` and not `then`, and for each place whether a run gets there without `then`."""
    free = [not then(value) for value in graph.values]
    begun = [place for place, value in enumerate(graph.values) if free[place] and when(value)]
    late = [False] * len(free)
    stack = list(begun)
    while stack:
        place = stack.pop()
        if not late[place]:
            late[place] = True
            stack += [after for _, after in edges(graph, place) if free[after] and not late[after]]
    return begun, late


def weak_fairness(
    graph: Graph, groups: Iterable[Group], when: Callable[[Flat], bool], then: Callable[[Flat], bool]
) -> list[int] | None:
    """Return places of which a run that is weakly fair to each of `groups` may visit all for ever without `then`.

    None iff there are none: `when` leads to `then`. The run has had `when` before.
    A set of places that reach each other will do iff for each group it has a place in which no event of the group can
    be taken, or a step of the group within it; the greatest such sets suffice.
    """
    wanted = tuple(groups)
    _, late = waiting(graph, when, then)
    for component in components(graph, late):
        inside = frozenset(component)
        if all(_served(graph, component, inside, group) for group in wanted):
            return component
    return None


def _served(graph: Graph, component: list[int], inside: frozenset[int], group: Group) -> bool:
    return any(
        not able(graph, place, group) or any(event in group and after in inside for event, after in edges(graph, place))
        for place in component
    )


def able(graph: Graph, place: int, group: Group) -> bool:
    """Return true iff an event of `group` can be taken at `place`; what mirrors somebody else does not count."""
    others = frozenset(item.event for item in graph.machine.mirrors)
    return any(event in group - others for event, _ in edges(graph, place))


def offered(graph: Graph, fair: Group, late: list[bool]) -> tuple[int, str, int] | None:
    """Return a step on a cycle of late places by an event of `fair`, or a place where such an event is not taken.

    That is what lets fair events keep coming for ever: place, event, place after it. None iff there is none.
    """
    for place, is_late in enumerate(late):
        turned = refused(graph, place, fair) if is_late else ()
        if turned:
            return place, turned[0], place
    for component in components(graph, late):
        inside = frozenset(component)
        for place in component:
            for event, after in edges(graph, place):
                if event in fair and after in inside:
                    return place, event, after
    return None


def components(graph: Graph, chosen: list[bool]) -> Iterator[list[int]]:
    """Yield the strongly connected components of the chosen places, each in breadth-first order (Tarjan, 1972).

    The first are those that lead to no other.
    """
    search = _Tarjan(graph, chosen)
    for root, is_chosen in enumerate(chosen):
        if is_chosen and root not in search.number:
            yield from search.run(root)


class _Tarjan:
    """Tarjan's algorithm with a stack of its own: graphs are deeper than Python's."""

    def __init__(self, graph: Graph, chosen: list[bool]) -> None:
        self.graph, self.chosen = graph, chosen
        self.number: dict[int, int] = {}
        self.low: dict[int, int] = {}
        self.open: list[int] = []
        self.held: set[int] = set()

    def run(self, root: int) -> Iterator[list[int]]:
        work = [(root, self._enter(root))]
        while work:
            place, rest = work[-1]
            after = next(rest, None)
            if after is None:
                work.pop()
                if work:
                    self.low[work[-1][0]] = min(self.low[work[-1][0]], self.low[place])
                if self.low[place] == self.number[place]:
                    yield self._close(place)
            elif after not in self.number:
                work.append((after, self._enter(after)))
            elif after in self.held:
                self.low[place] = min(self.low[place], self.number[after])

    def _enter(self, place: int) -> Iterator[int]:
        self.number[place] = self.low[place] = len(self.number)
        self.open.append(place)
        self.held.add(place)
        return iter([after for _, after in edges(self.graph, place) if self.chosen[after]])

    def _close(self, place: int) -> list[int]:
        found = []
        while True:
            last = self.open.pop()
            self.held.discard(last)
            found.append(last)
            if last == place:
                return sorted(found)


def way(graph: Graph, begin: Iterable[int], goal: int, chosen: Callable[[int], bool]) -> list[int]:
    """Return the places of a shortest run from one of `begin` to `goal` through chosen places; empty iff none is there.

    It has at least one step, so that it may lead from a place back to itself.
    """
    level = list(begin)
    roots, came = frozenset(level), dict[int, int]()
    while level:
        following = []
        for place in level:
            for _, after in edges(graph, place):
                if after not in came and chosen(after):
                    came[after] = place
                    following.append(after)
                if after == goal and after in came:
                    return _back(came, roots, goal)
        level = following
    return []


def _back(came: Mapping[int, int], roots: frozenset[int], goal: int) -> list[int]:
    found = [goal, came[goal]]
    while found[-1] not in roots:
        found.append(came[found[-1]])
    return found[::-1]


def edges(graph: Graph, place: int) -> Iterator[tuple[str, int]]:
    """Yield the steps from `place` as event and place after."""
    for event, _, after in graph.arrows(place):
        found = graph.index.get(after)
        if found is not None:
            yield graph.machine.events[event].name, found


def refused(graph: Graph, place: int, fair: Group) -> tuple[str, ...]:
    """Return the events of `fair` that some payload keeps from being taken at `place`, in alphabetical order."""
    taken = Counter(event for event, _ in edges(graph, place))
    return tuple(name for name in sorted(fair) if taken[name] < prod(map(len, graph.tried.payloads[name])))
