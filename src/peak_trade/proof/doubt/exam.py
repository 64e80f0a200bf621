"""What the claims of one machine are worth, all in one: mutants, roles, cuts, witnesses, quantities; as data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from peak_trade.lang.machine import Machine
from peak_trade.lang.pretty import fingerprint
from peak_trade.proof.doubt.cuts import Cut, NoCut, cuts
from peak_trade.proof.doubt.mutate import Mutant, mutants
from peak_trade.proof.doubt.roles import Role, Roles, roles
from peak_trade.proof.doubt.scope import Scope, Small
from peak_trade.proof.doubt.score import LIMITS, Fate, Judged, Killed, Score, judged
from peak_trade.proof.doubt.trial import Trial
from peak_trade.proof.doubt.vacuity import Interest, Shown, Vacuous, interests

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Reasons:
    """Written reasons: why a mutant survives, and why a part is irrelevant to every claim; each by its name."""

    survivors: Mapping[str, str] = field(default_factory=dict)
    idle: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exam:
    """All findings about one machine; `roles` and what follows are None or empty unless asked for."""

    machine: str
    fingerprint: str
    score: Score
    interests: tuple[Interest, ...]
    roles: Roles | None = None
    cuts: tuple[Cut | NoCut, ...] = ()
    small: tuple[Small, ...] = ()

    @property
    def vacuous(self) -> tuple[Vacuous, ...]:
        """The cases of claims that no run reaches."""
        return tuple(item for item in self.interests if isinstance(item, Vacuous))

    def unexplained(self, reasons: Reasons) -> tuple[str, ...]:
        """Return the survivors, and the idle parts if roles were asked for, that have no written reason."""
        names = [item.name for item in self.score.survivors if item.name not in reasons.survivors]
        idle = self.roles.idle() if self.roles else ()
        return (*names, *(part.name for part in idle if part.name not in reasons.idle))

    def stale(self, reasons: Reasons) -> tuple[str, ...]:
        """Return the reasons for what does not survive, or is not idle, any more."""
        names = set(reasons.survivors) - {item.name for item in self.score.survivors}
        if self.roles:
            names |= set(reasons.idle) - {part.name for part in self.roles.idle()}
        return tuple(sorted(names))


def exam(machine: Machine, progress: Progress = lambda _: None, *, whole: bool = False) -> Exam:
    """Return the exam of `machine`, which must be well formed; with `whole` also roles, cuts and quantities.

    `progress` is told what is done. Limits: those of the parts.
    """
    found = mutants(machine)
    trial = Trial.of(machine, found, LIMITS)
    known = trial.reached()
    fates = []
    for item in found:
        fates.append(judged(trial, item, known))
        progress(item.name)
    score = Score(machine.name, fingerprint(machine), tuple(fates))
    plain = Exam(machine.name, score.fingerprint, score, interests(machine))
    if not whole:
        return plain
    small = _small(trial, found, score, progress)
    held = roles(machine, progress=progress)
    return Exam(plain.machine, plain.fingerprint, score, plain.interests, held, cuts(machine, progress=progress), small)


def _small(trial: Trial, found: tuple[Mutant, ...], score: Score, progress: Progress) -> tuple[Small, ...]:
    scope, small = Scope.of(trial), []
    for mutant, item in zip(found, score.judged, strict=True):
        match item.fate:
            case Killed(name, trace) if trace is not None:
                small.append(scope.smallest(mutant, name, trace))
                progress(mutant.name)
            case _:
                continue
    return tuple(small)


def word(fate: Fate) -> str:
    """Return the fate in one word."""
    return type(fate).__name__.lower()


def plain(item: Exam, reasons: Reasons) -> dict[str, Any]:
    """Return the exam as plain data, the same for the same machine: no times, no traces but their lengths."""
    fates = [word(one.fate) for one in item.score.judged]
    credit, shown = item.score.credit(), _claims(item)
    return {
        "fingerprint": item.fingerprint,
        "mutants": {name: fates.count(name) for name in ("killed", "stopped", "caught", "equivalent", "survived")},
        "noticed": item.score.noticed,
        "real": item.score.real,
        "survivors": [_survivor(one, reasons) for one in item.score.survivors],
        "parts": _parts(item, reasons),
        "properties": {name: {"mutants": list(credit.get(name, ())), **_property(item, name)} for name in shown},
    }


def _claims(item: Exam) -> list[str]:
    names = dict.fromkeys((*(one.property for one in item.interests), *item.score.credit()))
    return sorted(names | dict.fromkeys(item.roles.claims if item.roles else ()))


def _survivor(item: Judged, reasons: Reasons) -> dict[str, str]:
    return {"mutant": item.name, "says": item.says, "because": reasons.survivors.get(item.name, "")}


def _parts(item: Exam, reasons: Reasons) -> dict[str, Any]:
    if item.roles is None:
        return {}
    found = {}
    for part in item.roles.parts:
        role = item.roles.best(part.name)
        found[part.name] = {"kind": part.kind, "text": part.text, "role": role.value}
        if role is Role.IRRELEVANT:
            found[part.name]["because"] = reasons.idle.get(part.name, "")
    return found


def _property(item: Exam, name: str) -> dict[str, Any]:
    cases = [
        {"case": one.case, "steps": len(one.trace.links) if isinstance(one, Shown) else None}
        for one in item.interests
        if one.property == name
    ]
    found: dict[str, Any] = {"witness": cases}
    if item.roles and name in item.roles.found:
        mine = item.roles.found[name]
        counts = {role.value: sum(one is role for one in mine.values()) for role in Role}
        found["roles"] = counts | {Role.IRRELEVANT.value: len(item.roles.parts) - len(mine)}
    for cut in item.cuts:
        if cut.property == name:
            found["cut"] = cut_plain(cut)
    small = [one for one in item.small if one.property == name]
    if small:
        worst = max(small, key=lambda one: one.quantity)
        found["quantity"] = {"needed": worst.quantity, "mutant": worst.mutant}
    return found


def cut_plain(cut: Cut | NoCut) -> dict[str, Any]:
    """Return a cut as plain data; an `order_min` of None says that no failure of parts breaks the claim."""
    match cut:
        case Cut(order=order, dropped=dropped, exact=exact):
            return {"order": order, "dropped": list(dropped), "exact": exact, "steps": len(cut.trace.links)}
        case NoCut(order_min=least, open=undecided):
            return {"order": None, "order_min": least, "open": [list(one) for one in undecided]}
