"""The JavaScript of a machine does what `lang.step` does: in Chromium and in Node, for the very same events."""

import json
import shutil
import subprocess
from functools import cache
from html import unescape
from pathlib import Path
from random import Random
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from strategies.machines import machines

from peak_trade.backends.javascript import javascript, literal
from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.machine import Machine, Transition
from peak_trade.lang.parse import parse, parse_file
from peak_trade.lang.pretty import expression
from peak_trade.lang.source import Source
from peak_trade.lang.step import Outcome, Stepper, Value, initial
from peak_trade.proof.lockstep.draw import Dealer, stray

SPEC = Path(__file__).resolve().parents[3] / "spec"
EVENTS = 10_000
RUN_SECONDS_MAX = 60
Case: TypeAlias = tuple[Value, str, dict[str, Any]]
ENGINES = {"node": ("node", "nodejs"), "chromium": ("chromium", "chromium-browser", "google-chrome")}

HARNESS = """
const marked = (x) => x !== null && typeof x === "object" && Object.hasOwn(x, "#bigint");
const revive = (key, x) => (marked(x) ? BigInt(x["#bigint"]) : x);
const plain = (key, x) => (typeof x === "bigint" ? {"#bigint": x.toString()} : x);
const told = ([state, context, event, payload]) => {
  try {
    const {outcome, value} = machine.step({state, context}, event, payload);
    const {wrong, rows} = machine.explain({state, context}, event, payload);
    const truth = (parts) => parts.map((part) => part.holds);
    const shown = rows.map((row) => [row.when, truth(row.parts), truth(row.locks)]);
    return [outcome.kind, outcome.by, outcome.detail, value.state, value.context, wrong, shown];
  } catch (error) {
    return ["undecided"];
  }
};
const run = (text) => JSON.stringify(JSON.parse(text, revive).map(told), plain);
"""


def declared(name: str) -> Machine:
    """The machine that the project declares under this name."""
    machine = parse_file(SPEC / f"{name}.yaml").machine
    assert machine is not None
    return machine


def encoded(value: Any) -> Any:
    """Data as the harness reads it: whole numbers marked, what JSON cannot say as an object."""
    if type(value) is int:
        return {"#bigint": str(value)}
    if isinstance(value, tuple):
        return [encoded(item) for item in value]
    return {"bytes": True} if isinstance(value, bytes) else value


def decoded(value: Any) -> Any:
    """What `encoded` gave, read back."""
    if isinstance(value, dict):
        return int(value["#bigint"])
    return tuple(map(decoded, value)) if isinstance(value, list) else value


def dealt(machine: Machine, seed: int, count: int) -> list[Case]:
    """Values, events and payloads: along runs, from stray values, and with payloads that are wrong."""
    rng, dealer, stepper = Random(seed), Dealer.of(machine), Stepper.of(machine)
    found, value = [], initial(machine)
    for _ in range(count):
        chance = rng.randrange(100)
        value = initial(machine) if chance < 2 else stray(rng, machine, value) if chance < 30 else value
        event, payload = dealer.deal(rng, value)
        found.append((value, event, payload))
        try:
            value = stepper.step(value, event, payload)[1]
        except StopIteration:
            value = initial(machine)
    return found


def words(outcome: Outcome) -> list[str]:
    """An outcome as the harness tells it."""
    texts = [str(getattr(outcome, name)) for name in outcome.__slots__]
    return [type(outcome).__name__.lower(), *texts, *[""] * (2 - len(texts))]


def expected(stepper: Stepper, case: Case) -> list[Any]:
    """What the definition says of one case, and what it says of every part of each row of the cell."""
    value, event, payload = case
    machine = stepper.machine
    try:
        outcome, after = stepper.step(value, event, payload)
    except StopIteration:
        return ["undecided"]
    wrong, rows = None, []
    if outcome.__class__.__name__ == "Refused" and words(outcome)[1] in ("unknown_event", "payload_invalid"):
        wrong = words(outcome)[2]
    else:
        names = {item.name: part for item, part in zip(machine.variables, value.context, strict=True)}
        env = Env(names, payload, value.state, event)
        for choice in stepper.table[value.state, event]:
            locks = choice.row.require if isinstance(choice.row, Transition) else ()
            parts = (
                getattr(choice.when, "args", (choice.when,)) if type(choice.when).__name__ == "And" else (choice.when,)
            )
            shown = [] if expression(choice.when) == "true" else [evaluate(part, env) for part in parts]
            rows.append((evaluate(choice.when, env), tuple(shown), tuple(evaluate(lock.holds, env) for lock in locks)))
    return [*words(outcome), after.state, after.context, wrong, tuple(rows)]


@cache
def campaign(name: str) -> tuple[Machine, list[Case], list[list[Any]]]:
    """Ten thousand events of a machine, and what the definition says of each."""
    machine = declared(name)
    cases, stepper = dealt(machine, 17, EVENTS), Stepper.of(machine)
    return machine, cases, [expected(stepper, case) for case in cases]


def found_in(engine: str) -> str:
    """The program of this name, or a skip that says what is missing."""
    program = next((path for name in ENGINES[engine] if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip(f"no {engine} on this computer; install one of {', '.join(ENGINES[engine])}")
    return program


def asked(engine: str, machine: Machine, cases: list[Case], folder: Path) -> list[Any]:
    """What the generated text says of the cases, run by the engine."""
    program, folder = found_in(engine), folder / engine
    folder.mkdir(exist_ok=True)
    data = [(value.state, value.context, event, payload) for value, event, payload in cases]
    text = json.dumps([[a, encoded(b), c, {k: encoded(v) for k, v in d.items()}] for a, b, c, d in data])
    script = f"{javascript(machine)}\n{HARNESS}\nconst found = run({literal(text)});\n"
    if engine == "node":
        path = folder / "run.mjs"
        path.write_text(script + "process.stdout.write(found);\n", encoding="utf-8")
        command = [program, str(path)]
    else:
        path = folder / "run.html"
        page = f'<!DOCTYPE html><meta charset="utf-8"><pre></pre><script type="module">{script}'
        path.write_text(page + 'document.querySelector("pre").textContent = found;</script>', encoding="utf-8")
        flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
        command = [program, *flags, "--virtual-time-budget=20000", "--dump-dom", path.as_uri()]
    done = subprocess.run(command, capture_output=True, timeout=RUN_SECONDS_MAX, check=False)
    told = done.stdout.decode()
    if engine == "chromium":
        told = unescape(told.partition("<pre>")[2].partition("</pre>")[0])
    assert told, done.stderr.decode()[-2_000:]
    return [list(decoded(item)) for item in json.loads(told)]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["breaker", "order", "session", "venue"])
def test_it_equals_the_definition_on_ten_thousand_random_events(tmp_path: Path, name: str, engine: str) -> None:
    """Outcome, reason, detail, the value after it, and the truth of every part and lock, in order."""
    machine, cases, said = campaign(name)
    found = asked(engine, machine, cases, tmp_path)
    assert len(found) == EVENTS
    for case, was, should in zip(cases, found, said, strict=True):
        assert was == should, case
    kinds = {tuple(item[:2]) if item[0] == "refused" else item[0] for item in found}
    assert kinds >= {"taken", "ignored", "broken", ("refused", "unknown_event"), ("refused", "payload_invalid")}


MAPS = """\
machine: shelf
version: 1
summary: A shelf of numbered boxes.
context:
  held: {type: map, of: int, min: 0, max: 5, doc: How much is in each box}
  last: {type: int, init: 0, doc: The box that was used last}
states:
  open: {initial: true, doc: In use}
events:
  put: {origin: operator, doc: More, payload: {box: {type: int, doc: Which}, more: {type: int, doc: How much}}}
reasons:
  same: The same box twice.
transitions:
  - {id: T1, from: open, on: put, require: {same: box != last}, set: {"held[box]": "held[box] + more", last: box}}
properties:
  - {id: P, always: "held[last] <= 4", says: Not quite full.}
"""


def shelf() -> Machine:
    """A machine with a map."""
    parsed = parse(Source("shelf.yaml", MAPS))
    assert parsed.machine is not None, parsed.diagnostics
    return parsed.machine


@pytest.mark.parametrize("engine", ENGINES)
def test_maps_are_the_definition_s_too(tmp_path: Path, engine: str) -> None:
    """Elements are read and written, below zero and far away, and entries at their default are gone."""
    machine, rng = shelf(), Random(3)
    stepper, cases, value = Stepper.of(machine), [], initial(shelf())
    for _ in range(3_000):
        payload = {"box": rng.choice((-1, 0, 1, 2, 10**30)), "more": rng.randrange(-2, 3)}
        cases.append((value, "put", payload))
        value = stepper.step(value, "put", payload)[1]
    found = asked(engine, machine, cases, tmp_path)
    assert found == [expected(stepper, case) for case in cases]
    assert {item[0] for item in found} == {"taken", "refused", "broken"}
    assert {item[1] for item in found} >= {"value_bounds", "same"}


def test_random_machines_are_the_definition_s_too(tmp_path: Path) -> None:
    """Sixty machines with any guards and texts; where the definition finds no row, the text throws."""
    found_in("node")
    drawn: list[Machine] = []

    @settings(max_examples=60, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(machines())
    def collect(machine: Machine) -> None:
        """Remember it, if it has a place to start in."""
        if any(state.initial for state in machine.states):
            drawn.append(machine)

    collect()
    for number, machine in enumerate(drawn[::3]):
        cases = dealt(machine, number, 60)
        stepper = Stepper.of(machine)
        assert asked("node", machine, cases, tmp_path) == [expected(stepper, case) for case in cases]
    assert len(drawn) > 20


def test_equal_machines_give_equal_text_and_nothing_ends_the_script() -> None:
    """The text is a function of the machine, and no name or sentence in it can close the element it stands in."""
    machine = declared("order")
    assert javascript(machine) == javascript(declared("order"))
    assert literal("</script><!--") == '"\\u003c/script>\\u003c!--"'
    assert literal([True, None, -5, 7, "x"]) == '[true, null, (-5n), 7n, "x"]'
    assert "<" not in literal({"a": ["<", {"b": "<<"}]})
