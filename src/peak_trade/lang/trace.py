"""Evidence: a start value and the steps after it; every engine's finding is one of these."""

from dataclasses import dataclass
from typing import Any

from peak_trade.lang.machine import Machine
from peak_trade.lang.maps import shown, word
from peak_trade.lang.sorts import Scalar
from peak_trade.lang.step import Broken, Outcome, Payload, Stepper, Taken, Value


@dataclass(frozen=True, slots=True)
class Link:
    """One step of a trace: the event offered, its payload, what came of it, and the value after it."""

    event: str
    payload: tuple[tuple[str, Scalar], ...]
    outcome: Outcome
    value: Value


@dataclass(frozen=True, slots=True)
class Trace:
    """A run of one machine from `start`; from the initial value unless an engine says otherwise."""

    machine: str
    start: Value
    links: tuple[Link, ...]

    @property
    def last(self) -> Value:
        """The value after the last step."""
        return self.links[-1].value if self.links else self.start


def replay(machine: Machine, start: Value, events: tuple[tuple[str, Payload], ...]) -> Trace:
    """Return the trace that `events` give from `start` through the definition of meaning."""
    stepper, value, links = Stepper.of(machine), start, []
    for event, payload in events:
        outcome, value = stepper.step(value, event, payload)
        links.append(Link(event, tuple(sorted(payload.items())), outcome, value))
    return Trace(machine.name, start, tuple(links))


def plain(machine: Machine, trace: Trace) -> dict[str, Any]:
    """Return `trace` as plain data; each step names only the context that it changed."""
    before, steps = trace.start, []
    for link in trace.links:
        names = [item.name for item in machine.variables]
        pairs = zip(names, before.context, link.value.context, strict=True)
        changed = {name: shown(new) for name, old, new in pairs if old != new}
        steps.append(
            {
                "event": link.event,
                "payload": dict(link.payload),
                "outcome": type(link.outcome).__name__.lower(),
                "by": _by(link.outcome),
                "state": link.value.state,
                "changed": changed,
            }
        )
        before = link.value
    start = {item.name: shown(value) for item, value in zip(machine.variables, trace.start.context, strict=True)}
    return {"machine": trace.machine, "start": {"state": trace.start.state, "context": start}, "steps": steps}


def text(machine: Machine, trace: Trace) -> str:
    """Return `trace` as lines for a person: the start with its free variables, then what each step changed."""
    data = plain(machine, trace)
    started = data["start"]["context"]
    free = ", ".join(f"{item.name} = {word(started[item.name])}" for item in machine.variables if item.free)
    lines = [f"  0  {data['start']['state']}  {free}".rstrip()]
    for number, step in enumerate(data["steps"], 1):
        payload = ", ".join(f"{name}={word(value)}" for name, value in step["payload"].items())
        changed = ", ".join(f"{name} := {word(value)}" for name, value in step["changed"].items())
        by = f"{step['outcome']}: {step['by']}" if step["outcome"] in {"refused", "ignored"} else step["by"]
        lines.append(f"{number:>3}  {step['event']}({payload})  {by}  → {step['state']}  {changed}".rstrip())
    return "\n".join(lines)


def _by(outcome: Outcome) -> str:
    match outcome:
        case Taken(transition):
            return transition
        case Broken(name):
            return f"would break {name}"
        case _:
            return " ".join(str(getattr(outcome, name)) for name in outcome.__slots__).strip()
