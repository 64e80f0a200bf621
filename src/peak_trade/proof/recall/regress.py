"""A trace as a test that stays: what was found once is offered again, to all engines, after every change of the spec.

A counterexample's test fails until the claim holds along its steps. A witness's test fails as soon as its steps no
longer reach what must be possible. A step that is refused now is passed over: refusing it may be the cure.
"""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Final, TypeAlias

from peak_trade.lang.machine import Always, LeadsTo, Machine, Witness
from peak_trade.lang.sorts import Datum, Scalar
from peak_trade.lang.step import Taken, Value, initial
from peak_trade.lang.trace import Link, Trace
from peak_trade.proof.claim import Claim
from peak_trade.proof.recall.itf import Told
from peak_trade.proof.recall.rerun import Differs, rerun, run
from peak_trade.proof.recall.shown import PROVED, claim_named, ends, holds, unexplained

MARK: Final = "Written by `peak replay --save-test`"
LINE_CHARS_MAX: Final = 120

Offers: TypeAlias = Sequence[tuple[str, Mapping[str, Scalar]]]
Start: TypeAlias = tuple[str, Mapping[str, Datum]]
"""A state and the context by name."""


def fault(machine: Machine, name: str, offers: Offers, start: Start | None = None) -> str:
    """Return what is wrong with the claim `name` along `offers`, from `start` or the initial value; empty iff nothing.

    KeyError iff the machine makes no such claim; a start that a declared invariant excludes proves nothing wrong.
    """
    claim, value = claim_named(machine, name), _value(machine, start)
    if start is not None and _excluded(machine, claim, value):
        return ""
    blank = tuple(Link(event, tuple(sorted(payload.items())), Taken(""), value) for event, payload in offers)
    trace = run(machine, claim, Trace(machine.name, value, blank))
    for item in rerun(machine, claim, PROVED, trace).engines:
        if isinstance(item, Differs):
            return f"{item.engine} differs at step {item.number}: expected {item.expected}, was {item.was}"
    places = [place for place in range(len(trace.links) + 1) if _broken(machine, claim, _until(trace, place))]
    if isinstance(claim, Witness):
        return "" if places else f"{name} is no longer reached: {claim.says}"
    return f"{name} is broken after {places[0]} steps: {claim.says}" if places else ""


def source(told: Told, trace: Trace, machine: Machine, spec: str) -> str:
    """Return the text of the test of `trace`; `spec` is the Python expression for where the machine is found."""
    word = "reaches what must be possible" if told.verdict == PROVED else "breaks nothing any more"
    steps = [_step(link.event, dict(link.payload)) for link in trace.links]
    names = [item.name for item in machine.variables]
    context = dict(zip(names, trace.start.context, strict=True))
    given = trace.start != initial(machine)
    paths = "from pathlib import Path\n\n" if "Path(" in spec else ""
    lines = [
        f'"""{told.property} of {told.machine}: a run that was found once {word}.\n',
        f"{fill(_plain(told.says), LINE_CHARS_MAX)}",
        f'{MARK}.\n"""\n',
        f"{paths}from peak_trade.cli.specs import machine_at\nfrom peak_trade.proof.recall.regress import fault\n",
        f"SPEC = {spec}",
        *([f"START = {_pair(trace.start.state, context, '')}"] if given else []),
        "STEPS = (\n" + "".join(f"    {step},\n" for step in steps) + ")" if steps else "STEPS = ()",
        "\n",
        f"def test_{_word(told.machine)}_{_word(told.property)}() -> None:",
        f'    """The run of {told.property} {word}."""',
        f'    found = fault(machine_at(SPEC), "{told.property}", STEPS{", START" if given else ""})',
        "    assert not found, found",
    ]
    return "\n".join(lines) + "\n"


def _value(machine: Machine, start: Start | None) -> Value:
    if start is None:
        return initial(machine)
    state, context = start
    return Value(state, tuple(context[item.name] for item in machine.variables))


def _excluded(machine: Machine, claim: Claim, value: Value) -> bool:
    others = (item for item in machine.properties if isinstance(item, Always) and item != claim)
    return any(not holds(machine, item.holds, value) for item in others)


def _broken(machine: Machine, claim: Claim, trace: Trace) -> bool:
    late = isinstance(claim, LeadsTo) and unexplained(machine, claim, trace)
    return late or ends(machine, claim, trace)


def _until(trace: Trace, place: int) -> Trace:
    return Trace(trace.machine, trace.start, trace.links[:place])


def _step(event: str, payload: Mapping[str, Scalar]) -> str:
    return _pair(event, payload, "    ")


def _pair(first: str, second: Mapping[str, Datum], indent: str) -> str:
    """Return the tuple as the formatter writes it: on one line, or one item a line, as room allows."""
    items = [f"{_quoted(name)}: {_literal(scalar)}" for name, scalar in second.items()]
    flat = f"({_quoted(first)}, {{{', '.join(items)}}})"
    if len(indent) + len("START = ") + len(flat) < LINE_CHARS_MAX:
        return flat
    inner = f"{indent}    {{{', '.join(items)}}},"
    if len(inner) > LINE_CHARS_MAX:
        rows = "".join(f"{indent}        {item},\n" for item in items)
        inner = f"{indent}    {{\n{rows}{indent}    }},"
    return f"(\n{indent}    {_quoted(first)},\n{inner}\n{indent})"


def _literal(datum: Datum) -> str:
    if isinstance(datum, tuple):
        items = [f"({index}, {_literal(element)})" for index, element in datum]
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    return _quoted(datum) if isinstance(datum, str) else repr(datum)


def _quoted(text: str) -> str:
    return f'"{text}"' if text.isprintable() and not {'"', "\\"} & set(text) else repr(text)


def _plain(text: str) -> str:
    """Return `text` as it may stand in a docstring."""
    return text.replace("\\", "/").replace('"', "'")


def _word(text: str) -> str:
    return "".join(char.lower() if char.isascii() and char.isalnum() else "_" for char in text)
