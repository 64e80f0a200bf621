"""A proof as a text that stands alone: definitions and questions in SMT-LIB 2.6, each of which must be `unsat`.

The text is printed from the specification by `backends.definitions`, not from Z3's terms, so whoever checks it trusts
neither Z3 nor our encoding for Z3; what remains to be trusted is the printer, the checker's parser and its solver.
Limits: bounded exploration leaves nothing that another solver could check; such a claim is `Absent`.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import z3

from peak_trade.backends.definitions import Definitions
from peak_trade.lang.expr import Scope
from peak_trade.lang.machine import Always, Heard, LeadsTo, Machine, Property, Step, Witness
from peak_trade.lang.pretty import expression, fingerprint
from peak_trade.proof.verdict import Proved, Report, Result
from peak_trade.proof.warrant import argument
from peak_trade.proof.warrant.argument import Argument
from peak_trade.proof.warrant.questions import Question, Questions, invariant

AUTOMATIC: Final = frozenset({"sorts", "deadlock"})
"""The kinds of claims that are made of every machine without being declared."""

HEAD: Final = "; Certificate of Peak Trade"
LOGIC: Final = "(set-logic ALL)"
SOLVER: Final = f"z3 {z3.get_version_string()}"
_DEEPER: Final = re.compile(r"([0-9]+)-induction")


@dataclass(frozen=True, slots=True)
class Certificate:
    """The text that shows a claim; `lemmas` are the invariants that its proof rests on, `questions` counts them."""

    claim: str
    kind: str
    method: str
    lemmas: tuple[str, ...]
    questions: int
    text: str

    @property
    def sha256(self) -> str:
        """The hash of the text, in hex."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Absent:
    """There is no certificate of this claim, for this reason."""

    claim: str
    kind: str
    reason: str


def certify(machine: Machine, report: Report, only: frozenset[str] | None = None) -> Iterator[Certificate | Absent]:
    """Yield the certificate of each claim that `report` says is proved, or why there is none, in its order.

    `report` judges `machine` and all of its claims, because a proof may rest on any of them; `only` chooses among them.
    Equal arguments give equal texts, on any machine with the same Z3.
    """
    assert report.fingerprint == fingerprint(machine), "expected a report on this very machine"
    defined = definitions(machine)
    for result in report.results:
        if only is None or result.property in only:
            yield _certificate(machine, report, result, defined)


def definitions(machine: Machine) -> str:
    """Return what every certificate of `machine` begins with after its head: the machine itself, and no claim."""
    terms = Definitions(machine)
    parts = (
        ("(set-info :smt-lib-version 2.6)", LOGIC),
        ("; The sorts of the machine.", *terms.datatypes()),
        ("; Its value before a step, and after it.", *terms.constants(), *terms.constants(scope=Scope.NEXT)),
        ("; Where it starts, one such value, and the bounds of its variables.", *terms.beginning(), terms.bounds()),
        ("; Its transitions: when each is chosen and unlocked, whether its updates keep their bounds, and the move.",),
        tuple(terms.moves()),
    )
    return _blocks(parts)


def support(machine: Machine, report: Report, result: Result) -> tuple[Always, ...]:
    """Return the invariants that the proof of `result` rests on, those that they rest on included, by name.

    Inferred ones are those of `result` itself: other proofs may call theirs alike. KeyError iff one is of neither.
    """
    known = {item.name: item for item in machine.properties if isinstance(item, Always)}
    known |= {item.name: item for item in result.inferred}
    lemmas = {item.property: item.lemmas for item in report.results}
    found: dict[str, Always] = {}
    left = [*result.lemmas, *(item.name for item in result.inferred)]
    while left:
        name = left.pop()
        if name not in found:
            found[name] = known[name]
            left += lemmas.get(name, ())
    return tuple(found[name] for name in sorted(found))


def _certificate(machine: Machine, report: Report, result: Result, defined: str) -> Certificate | Absent:
    verdict = result.verdict
    if not isinstance(verdict, Proved):
        return Absent(result.property, result.kind, "it is not proved")
    if verdict.method == "exploration":
        return Absent(result.property, result.kind, "none: bounded exploration of every value there is")
    kept = support(machine, report, result)
    claim = _declared(machine, result)
    if claim is None and result.kind not in AUTOMATIC:
        return Absent(result.property, result.kind, "this machine does not make the claim")
    if isinstance(claim, LeadsTo | Heard) and not _all_proved(machine, report):
        what = "a fair event" if isinstance(claim, LeadsTo) else "the event"
        return Absent(result.property, result.kind, f"an invariant that is not proved may hold back {what}")
    if isinstance(claim, Always) and not _DEEPER.fullmatch(verdict.method):
        kept = tuple(sorted({item.name: item for item in (*kept, claim)}.values(), key=lambda item: item.name))
    if isinstance(claim, Witness):
        kept = tuple(item for item in machine.properties if isinstance(item, Always))
    on = Questions(machine, kept)
    said = _argument(on, result, verdict)
    first = () if isinstance(claim, Witness) else tuple(on.inductive())
    asks = (*first, *said.asks)
    lemmas = tuple(item.name for item in kept if item.name != result.property)
    text = _text(on, result, (defined, said), asks)
    return Certificate(result.property, result.kind, verdict.method, lemmas, len(asks), text)


def _declared(machine: Machine, result: Result) -> Property | None:
    """Return the claim as declared; of several side by side (`lang.compose`), that of the first of them."""
    known = {item.name: item for item in machine.properties}
    return known.get(result.property) or known.get(f"{result.property}[1]")


def _all_proved(machine: Machine, report: Report) -> bool:
    names = {item.name for item in machine.properties if isinstance(item, Always)}
    proved = {item.property for item in report.results if isinstance(item.verdict, Proved)}
    return names <= proved


def _argument(on: Questions, result: Result, verdict: Proved) -> Argument:
    deeper = _DEEPER.fullmatch(verdict.method)
    match _declared(on.machine, result):
        case Always() as claim:
            return argument.deeper(on, claim, int(deeper[1])) if deeper else argument.always(on, claim)
        case Step() as claim:
            return argument.step(on, claim)
        case LeadsTo() as claim:
            return argument.leads_to(on, claim)
        case Heard() as claim:
            return argument.heard(on, claim)
        case Witness() as claim:
            assert verdict.trace is not None, "expected the run of a witness"
            return argument.witness(on, claim, verdict.trace)
        case None:
            return argument.sorts(on) if result.kind == "sorts" else argument.deadlock(on)


def _text(on: Questions, result: Result, said: tuple[str, Argument], asks: tuple[Question, ...]) -> str:
    parts = (
        tuple(_head(on, result, len(asks))),
        (said[0],),
        ("; The invariants that the proof rests on.", *_invariants(on)),
        ("; What is claimed.", *said[1].defines),
        *((item.text(),) for item in asks),
        (f"; {len(asks)} questions; each must be answered unsat.",),
    )
    return _blocks(parts) + "\n"


def _blocks(parts: Iterable[tuple[str, ...]]) -> str:
    return "\n\n".join("\n".join(part) for part in parts)


def _head(on: Questions, result: Result, questions: int) -> Iterator[str]:
    assert isinstance(result.verdict, Proved)
    kept = ", ".join(item.name for item in on.kept) or "none but the bounds"
    yield f"{HEAD}: {result.property} of the machine {on.machine.name}."
    yield f"; says: {_flat(result.says)}"
    yield f"; kind: {result.kind}"
    yield f"; method: {result.verdict.method}"
    yield f"; rests on: {kept}"
    yield f"; specification: {fingerprint(on.machine)}"
    yield f"; found by: {SOLVER}"
    yield f"; questions: {questions}"


def _invariants(on: Questions) -> Iterable[str]:
    for item in on.kept:
        yield f"; {item.name}: {_flat(item.says)}"
        yield f";   {_flat(expression(item.holds))}"
        yield invariant(item).define()
    if not on.kept:
        yield "; None."


def _flat(text: str) -> str:
    return " ".join(text.split())
