"""The steps of the merge gate over specifications: well formed, proved, each lock needed, nothing loosened unseen."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from peak_trade.gates.merge import SPECS, Changed, Stage
from peak_trade.gates.stops import TRAILER, severity
from peak_trade.lang.assemble import assemble, is_system
from peak_trade.lang.check import examine, merged
from peak_trade.lang.locality import obstacles
from peak_trade.lang.machine import Machine, Property
from peak_trade.lang.parse import Parsed, parse
from peak_trade.lang.source import Diagnostic, Findings, Source, Span
from peak_trade.lang.system import System
from peak_trade.lang.track import tracked
from peak_trade.proof.cache import Cache
from peak_trade.proof.change.delta import Delta, Loosening
from peak_trade.proof.change.diff import diff
from peak_trade.proof.decide import decide
from peak_trade.proof.gates import NotNeeded, Undecided, gates
from peak_trade.proof.many import Job, prove_job
from peak_trade.proof.parametric import Task, prove_system
from peak_trade.proof.prove import LIMITS
from peak_trade.proof.verdict import NotInductive, Proved, Refuted, Report, Result, Unknown

UNSOLVABLE: Final = frozenset({"PT015", "PT043"})
"""With a name that means two things, or a sort without values, a solver's answers mean nothing."""

DECLARES: Final = re.compile(r"^(machine|states|transitions)\s*:", re.MULTILINE)
STEPS: Final = ("prove", "locks")
Look: TypeAlias = tuple[str, "Sound"]
"""One step of proofs, and the specification that it looks at."""

Mapper: TypeAlias = Callable[
    [Callable[[Look], tuple[Diagnostic, ...]], Sequence[Look]], Iterable[tuple[Diagnostic, ...]]
]
Text: TypeAlias = Callable[[str], str | None]
"""The text of the file at a path, or None iff there is none."""

_TRAILER: Final = re.compile(rf"^{TRAILER}:[ \t]*(\S+)[ \t]*(.*?)[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Spec:
    """A specification as it is now: its machine iff it has no mistakes, and its mistakes.

    The machine of a system is that of one tracked order among any number.
    """

    source: Source
    machine: Machine | None
    found: tuple[Diagnostic, ...]
    system: System | None = None

    @property
    def mistaken(self) -> bool:
        """True iff it has mistakes, and is not merely something that the gate does not judge."""
        return any(severity(item.code) == "error" for item in self.found)


@dataclass(frozen=True, slots=True)
class Sound:
    """A specification without mistakes, as what proves it is given it."""

    source: Source
    machine: Machine
    system: System | None

    @property
    def properties(self) -> tuple[Property, ...]:
        """What is claimed in its own text; a system's machine claims what its parts do, too, and no witnesses."""
        return self.machine.properties if self.system is None else self.system.properties


def read(change: Changed, path: str, acknowledged: Mapping[str, str] | None = None) -> Spec:
    """Return the specification at `path`, checked as `peak check` does."""
    source = Source(path, change.now(path) or "")
    if is_system(source.text):
        return _system(source, change.now)
    if not DECLARES.search(source.text):
        return Spec(source, None, (_other(source, acknowledged or {}),))
    parsed = parse(source)
    found = examine(parsed)
    if parsed.draft is not None and not UNSOLVABLE & {item.code for item in found}:
        found = _with_solved(parsed, found)
    return Spec(source, None if found else parsed.machine, found)


def _other(source: Source, acknowledged: Mapping[str, str]) -> Diagnostic:
    """Return the finding for a file that declares no machine and no system: a person judges it and says so."""
    name = source.name.rpartition("/")[2].removesuffix(".yaml")
    message = f"{name} declares no machine and no system: no step of this gate judges it"
    if acknowledged.get(name):
        return Diagnostic("GATE010", source.name, Span(1, 1, 1), message, f"acknowledged: {acknowledged[name]}")
    return Diagnostic(
        "GATE011", source.name, Span(1, 1, 1), message, f"say `{TRAILER}: {name} reason` when it is judged"
    )


def _system(source: Source, text: Text) -> Spec:
    """Return a system with the machine of one tracked among many; where that is not enough, that is left open."""

    def load(name: str) -> Machine | str:
        said = text(f"{SPECS}/{name}.yaml")
        if said is None:
            return f"there is no {SPECS}/{name}.yaml"
        parsed = parse(Source(f"{SPECS}/{name}.yaml", said))
        return parsed.machine or f"{SPECS}/{name}.yaml has mistakes"

    made = assemble(source, load)
    if made.system is None or made.diagnostics:
        return Spec(source, None, made.diagnostics)
    findings = Findings(source)
    for why in obstacles(made.system):
        findings.add("GATE002", Span(1, 1, 1), f"nothing follows for any number: {why}", "peak check says more")
    return Spec(source, tracked(made.system), findings.sorted(), made.system)


def _with_solved(parsed: Parsed, found: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    assert parsed.draft is not None
    solved = merged(parsed, decide(parsed.draft, parsed.source))
    return tuple(sorted({*found, *solved}, key=lambda item: (item.span, item.code, item.message)))


def judged(
    change: Changed,
    specs: Iterable[Spec],
    acknowledged: Mapping[str, str],
    mapper: Mapper = map,
    cache: Cache | None = None,
) -> Iterator[Stage]:
    """Yield the steps `check`, `prove`, `locks` and `compare`; none iff no specification is in question.

    `mapper` is `map`, or that of an executor, and `cache` holds what `peak prove` knows; the findings are the same.
    """
    known, removed = tuple(specs), change.removed()
    if not known and not removed:
        return
    sound = [Sound(item.source, item.machine, item.system) for item in known if item.machine is not None]
    names = tuple(item.source.name for item in sound)
    if known:
        found = tuple(one for item in known for one in item.found)
        yield Stage("check", tuple(item.source.name for item in known), found)
    if sound:
        looks = [(step, item) for step in STEPS for item in sound]
        asked = ((step, item.source.name) for step, item in looks)
        told = dict(zip(asked, mapper(partial(_proofs, cache), looks), strict=True))
        for step in STEPS:
            yield Stage(step, names, tuple(one for name in names for one in told[step, name]))
    loose = [one for item in sound for one in _loosened(change, item.source, item.machine, acknowledged)]
    loose += [_gone(change, path, acknowledged) for path in removed]
    if sound or removed:
        said = _stale(acknowledged, {one.message.partition(" ")[0] for one in loose})
        yield Stage("compare", (*names, *removed), (*loose, *said))


def _proofs(cache: Cache | None, look: Look) -> tuple[Diagnostic, ...]:
    """Return what one step of proofs finds in one specification; another process can do it."""
    step, spec = look
    return tuple(_unproved(spec, cache) if step == "prove" else _idle(spec.source, spec.machine, cache))


def acknowledgements(messages: Iterable[str]) -> dict[str, str]:
    """Return the reason for each id that a line `Loosens: ID reason` of a message names; the newest counts.

    Lines that begin with `#` are a message's comments. A reason may be missing; then it acknowledges nothing.
    """
    found: dict[str, str] = {}
    for message in messages:
        for name, reason in _TRAILER.findall(message):
            found.setdefault(name, reason)
    return found


def _unproved(spec: Sound, cache: Cache | None) -> Iterator[Diagnostic]:
    findings = Findings(spec.source)
    places = {item.name: item.span for item in spec.properties}
    for result in _reported(spec, cache).results:
        if not isinstance(result.verdict, Proved):
            name, (code, said) = result.property, _became(result)
            remedy = f"peak prove {spec.source.name} --only {name}"
            findings.add(code, places.get(name, Span(1, 1, 1)), f"{name} {said}: {result.says}", remedy)
    yield from findings.sorted()


def _reported(spec: Sound, cache: Cache | None) -> Report:
    """Return what `peak prove` says of `spec`: the same questions to the same engines, so what one knows both know."""
    if spec.system is None:
        return prove_job(Job(spec.machine, limits=LIMITS), cache)
    return prove_system(Task(spec.system, limits=LIMITS), cache)


def _became(result: Result) -> tuple[str, str]:
    match result.verdict:
        case Refuted(why=why):
            return "GATE001", f"is refuted ({why})"
        case NotInductive(why=why):
            return "GATE002", f"is neither proved nor refuted ({why})"
        case Unknown(reason=reason):
            return "GATE002", f"is unknown ({reason})"
        case Proved():
            raise AssertionError("a proved claim is no finding")


def _idle(source: Source, machine: Machine, cache: Cache | None) -> Iterator[Diagnostic]:
    findings = Findings(source)
    for item in gates(machine, LIMITS, cache=cache):
        if not isinstance(item, NotNeeded | Undecided):
            continue
        transition = machine.transition(item.lock.transition)
        span = next(one.span for one in transition.require if one.reason == item.lock.reason)
        where = f"{item.lock.reason} of {item.lock.transition}"
        if isinstance(item, NotNeeded):
            message = f"without the lock {where} everything is proved as before"
            findings.add("GATE003", span, message, "state the claim that it serves, or delete the lock")
        else:
            findings.add("GATE002", span, f"what the lock {where} is for is open: {item.reason}", "declare a lemma")
    yield from findings.sorted()


def _loosened(
    change: Changed, source: Source, machine: Machine, acknowledged: Mapping[str, str]
) -> Iterator[Diagnostic]:
    before = change.before(source.name)
    if before is None:
        return
    findings = Findings(source)
    was, mistakes = _then(change, Source(f"{change.base}:{source.name}", before))
    if was is None:
        why = mistakes[0].message if mistakes else "it is not readable"
        message = f"the version at {change.base} has mistakes, the first: {why}"
        findings.add("GATE006", Span(1, 1, 1), message, "compare with a base that has none")
        yield from findings.sorted()
        return
    delta = diff(was, machine)
    for item in delta.loosened:
        _tell(findings, delta, item, acknowledged)
    for name in delta.undecided:
        findings.add(
            "GATE005", _place(machine, name), f"{name}: nobody knows whether it is looser than before", "simplify it"
        )
    yield from findings.sorted()


def _then(change: Changed, source: Source) -> tuple[Machine | None, tuple[Diagnostic, ...]]:
    """Return the machine of a specification as it was, or None and its mistakes."""
    if is_system(source.text):
        made = _system(source, change.before)
        return made.machine, made.found
    parsed = parse(source)
    mistakes = examine(parsed)
    return (None if mistakes else parsed.machine), mistakes


def _tell(findings: Findings, delta: Delta, item: Loosening, acknowledged: Mapping[str, str]) -> None:
    clauses = ", ".join(item.clauses) or "no clause by name"
    rests = (
        f"; not kept by the step itself: {', '.join(item.breaks)}" if item.kind == "transition" and item.breaks else ""
    )
    message = f"{item.name} loosens {clauses}: {item.why}{rests}"
    reason, place = acknowledged.get(item.name, ""), _place(delta.new, item.name)
    if reason:
        findings.add("GATE010", place, message, f"acknowledged: {reason}")
    else:
        remedy = f"make it stricter, or say `{TRAILER}: {item.name} reason` in a commit message"
        findings.add("GATE004", place, message, remedy)


def _gone(change: Changed, path: str, acknowledged: Mapping[str, str]) -> Diagnostic:
    text = change.before(path) or ""
    found = re.search(r"^machine\s*:\s*(\S+)", text, re.MULTILINE)
    name = found[1] if found else path.rpartition("/")[2].removesuffix(".yaml")
    message = f"{name} is removed, and with it all that it claimed"
    if acknowledged.get(name):
        return Diagnostic("GATE010", path, Span(1, 1, 1), message, f"acknowledged: {acknowledged[name]}")
    remedy = f"restore it, or say `{TRAILER}: {name} reason` in a commit message"
    return Diagnostic("GATE007", path, Span(1, 1, 1), message, remedy)


def _stale(acknowledged: Mapping[str, str], loose: set[str]) -> Iterator[Diagnostic]:
    """Yield a note for each acknowledgement without a reason, and for each of something that is not loosened."""
    for name, reason in sorted(acknowledged.items()):
        if name not in loose:
            yield Diagnostic("GATE009", "commit message", Span(1, 1, 1), f"{name} is not loosened by this change")
        elif not reason:
            yield Diagnostic("GATE009", "commit message", Span(1, 1, 1), f"{TRAILER}: {name} gives no reason")


def _place(machine: Machine, name: str) -> Span:
    """Return where the thing called `name` is declared; the machine's first line if it is not declared any more."""
    items = (*machine.transitions, *machine.properties, *machine.variables, *machine.states)
    found = next((item.span for item in items if item.name == name), None)
    return found or (machine.initial.span if name == "start" else Span(1, 1, 1))
