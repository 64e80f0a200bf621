"""Nothing that Z3 found is shown before `lang.step` has done it too."""

from dataclasses import replace

from peak_trade.lang.machine import Machine
from peak_trade.lang.step import Taken
from peak_trade.lang.trace import Link, Trace, replay
from peak_trade.proof.obligation import Obligation
from peak_trade.proof.unroll import Path


class ReplayDisagrees(Exception):  # noqa: N818 - named by what happened, like the other exceptions
    """The solver and the definition of meaning disagree about a run: a bug in this project, never a verdict."""

    def __init__(self, machine: str, property: str, expected: str, was: str) -> None:  # noqa: A002 - the field's word
        self.machine, self.property, self.expected, self.was = machine, property, expected, was
        super().__init__(
            f"{machine}, {property}: expected {expected}, was {was}; report this with the specification, "
            "the encoding and lang.step differ"
        )


def confirm(machine: Machine, item: Obligation, path: Path) -> Trace:
    """Return the replay of `path`, which shows what `item` forbids at its end; ReplayDisagrees iff it does not.

    Every value of the replay is compared with the model's, and all steps but the last must be taken.
    """
    trace = replay(replace(machine, properties=item.guards), path.values[0], path.offers)
    before = (trace.start, *(link.value for link in trace.links[:-1]))
    for number, (expected, was) in enumerate(zip(path.values, before, strict=True)):
        if expected != was:
            raise ReplayDisagrees(machine.name, item.name, f"{expected} after {number} steps", str(was))
    for link in trace.links[:-1]:
        if not isinstance(link.outcome, Taken):
            raise ReplayDisagrees(machine.name, item.name, f"{link.event} taken", str(link.outcome))
    last: Link | None = trace.links[-1] if trace.links else None
    if not item.seen(before[-1], last):
        found = "no step" if last is None else f"{last.event}: {last.outcome}"
        raise ReplayDisagrees(machine.name, item.name, item.why, found)
    return trace
