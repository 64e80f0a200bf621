"""Small machines to judge, written as specifications are."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from textwrap import dedent, indent

import pytest

from peak_trade.lang.machine import Machine
from peak_trade.lang.parse import parse, parse_file
from peak_trade.lang.source import Source
from peak_trade.proof.prove import prove
from peak_trade.proof.verdict import Report

SPEC = Path(__file__).resolve().parents[3] / "spec"
COUNTER = """\
machine: counter
version: 1
summary: A counter with a limit.
context:
  count: {type: int, min: 0, max: 9, init: 0, doc: How many}
  limit: {type: int, min: 0, init: 3, doc: How many at most}
states:
  open: {initial: true, doc: Counting}
  shut: {tags: [terminal], doc: Done}
events:
  add: {origin: operator, doc: One more, payload: {amount: {type: int, min: 1, doc: How many more}}}
  close: {origin: operator, doc: The end}
reasons:
  full: The limit is reached.
  over: It is over.
  soon: It has only begun.
"""
ROWS = """\
transitions:
  - {id: T1, from: open, on: add, when: count + amount <= limit, set: {count: count + amount}}
  - {id: T2, from: open, on: close, require: {soon: count > 0}, to: shut}
refuse:
  - {in: open, on: add, when: count + amount > limit, reason: full}
  - {in: shut, on: [add, close], reason: over}
"""

Write = Callable[..., str]
Read = Callable[[str], Machine]


@pytest.fixture
def counter() -> Write:
    """The text of the counter with `properties` under it, after exact `edits` of its rows."""

    def write(properties: str = "", *edits: tuple[str, str]) -> str:
        rows = ROWS
        for old, new in edits:
            assert rows.count(old) == 1, old
            rows = rows.replace(old, new)
        return COUNTER + rows + ("properties:\n" + indent(dedent(properties), "  ") if properties else "")

    return write


@pytest.fixture
def read() -> Read:
    """The machine that a text declares."""

    def of(text: str) -> Machine:
        parsed = parse(Source("test.yaml", text))
        assert parsed.machine is not None, parsed.diagnostics
        return parsed.machine

    return of


@pytest.fixture(scope="session")
def shipped() -> Callable[[str], Machine]:
    """The shipped machine of that name."""

    def of(name: str) -> Machine:
        machine = parse_file(SPEC / f"{name}.yaml").machine
        assert machine is not None
        return machine

    return of


@pytest.fixture(scope="session")
def whole(shipped: Callable[[str], Machine]) -> Callable[[str], Report]:
    """The report on all claims of the shipped machine of that name, made once."""
    return cache(lambda name: prove(shipped(name)))
