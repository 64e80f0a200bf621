"""A fault plan as text: JSON, which is YAML too, one fault a line, to be pasted into a file and replayed."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, Final

from peak_trade.broker.faults import Fault, FaultKind, Lie, PlanError
from peak_trade.broker.schedule import Schedule
from peak_trade.lang.read import Marks, read
from peak_trade.lang.source import Findings, Source

FAULTS_MAX: Final = 1_000_000
KEYS: Final = tuple(field.name for field in fields(Fault))
REMEDY: Final = "write {kind, order}, or {kind, step, steps} with by or how"


def plain(fault: Fault) -> dict[str, str | int]:
    """Return the fault as plain data: what it has, and nothing else."""
    found = {name: getattr(fault, name) for name in KEYS if getattr(fault, name)}
    if fault.kind is FaultKind.RESTART:
        del found["steps"]
    return {name: str(value) if isinstance(value, FaultKind | Lie) else value for name, value in found.items()}


def dump(plan: Iterable[Fault]) -> str:
    """Return the plan as text, by place; `load` gives it back."""
    lines = [json.dumps(plain(fault)) for fault in ordered(plan)]
    return "[\n " + ",\n ".join(lines) + "\n]\n" if lines else "[]\n"


def ordered(plan: Iterable[Fault]) -> tuple[Fault, ...]:
    """Return the plan in the order in which it is printed: orders first, then steps."""
    return tuple(sorted(plan, key=lambda fault: (fault.order == 0, fault.place, fault.phase, fault.kind)))


def load(text: str, name: str = "the fault plan") -> tuple[Fault, ...]:
    """Return the plan that a YAML or JSON text gives.

    Raises:
        PlanError: it is none; the message says at which line, what was expected and what was found.

    Limits: FAULTS_MAX faults as JSON; as YAML what `peak_trade.lang.read` takes.
    """
    try:
        data, marks = json.loads(text), None
    except ValueError:
        data, marks = _yaml(text, name)
    try:
        return built(data)
    except PlanError as error:
        place = _line(error.place, marks or _yaml(text, name)[1])
        raise PlanError(f"{name}{place}: {error.place}", error.problem, error.remedy) from None


def built(data: Any) -> tuple[Fault, ...]:  # noqa: ANN401 - plain data of any shape
    """Return the plan that plain data gives.

    Raises:
        PlanError: it is none; the place counts the faults from 1.
    """
    if not isinstance(data, list):
        raise PlanError("fault 0", f"expected a list of faults, was {type(data).__name__}", REMEDY)
    if len(data) > FAULTS_MAX:
        raise PlanError("fault 0", f"expected at most {FAULTS_MAX} faults, was {len(data)}", "split the plan")
    plan = tuple(_fault(number, item) for number, item in enumerate(data, 1))
    Schedule(plan)  # no two in one phase
    return plan


def _fault(number: int, item: object) -> Fault:
    place = f"fault {number}"
    if not isinstance(item, Mapping) or "kind" not in item or not set(item) <= set(KEYS):
        problem = f"expected a mapping with kind and some of {', '.join(KEYS[1:])}, was {item!r:.80}"
        raise PlanError(place, problem, REMEDY)
    facts = dict(item)
    for name, words in (("kind", FaultKind), ("how", Lie)):
        if name in facts:
            if facts[name] not in set(words):
                raise PlanError(place, f"{name}: expected one of {', '.join(words)}, was {facts[name]!r:.40}", REMEDY)
            facts[name] = words(facts[name])
    if facts["kind"] is FaultKind.RESTART:
        facts.setdefault("steps", 1)
    try:
        return Fault(**facts)
    except PlanError as error:
        raise PlanError(place, f"{error.place}: {error.problem}", REMEDY) from None


def _yaml(text: str, name: str) -> tuple[Any, Marks]:
    findings = Findings(Source(name, text))
    found = read(findings)
    if found is None:
        first = findings.sorted()[0]
        raise PlanError(f"{name}:{first.span.line}", first.message, first.hint or "correct the text")
    return found


def _line(place: str, marks: Marks) -> str:
    """Return the line of `fault N`, for a place of another kind nothing."""
    word, _, number = place.partition(" ")
    return f":{marks.at((int(number) - 1,) if number != '0' else ()).line}" if word == "fault" else ""
