"""Which engine is asked when: what proves quickly first, then what refutes shortly, then what costs more.

Engines that cannot both be right are a bug of ours (`EnginesContradict`), never a verdict.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from peak_trade.lang.machine import LeadsTo, Machine, Witness
from peak_trade.proof.case import Case, Engine, Finding, Open
from peak_trade.proof.claim import Claim, kind
from peak_trade.proof.deepen import kinduction
from peak_trade.proof.infer import quick, spacer
from peak_trade.proof.judge import induction
from peak_trade.proof.search import deep, link, shallow
from peak_trade.proof.survey import exploration
from peak_trade.proof.verdict import Proved, Refuted, Result, Unknown, Verdict

PLAN: Final[tuple[tuple[str, Engine], ...]] = (
    ("induction", induction),
    ("bmc", shallow),
    ("kinduction", kinduction),
    ("spacer", quick),
    ("bmc", deep),
    ("spacer", spacer),
    ("explore", exploration),
)
"""The engines in the order in which they are asked; the first that can say decides."""

ENGINES: Final = tuple(dict.fromkeys(name for name, _ in PLAN))


class EnginesContradict(Exception):  # noqa: N818 - named by what happened, like the other exceptions
    """Two engines give answers of which one must be wrong: a bug in this project, never a verdict."""

    def __init__(self, machine: str, claim: str, said: Mapping[str, str]) -> None:
        self.machine, self.claim, self.said = machine, claim, dict(said)
        words = ", ".join(f"{name}: {what}" for name, what in said.items())
        super().__init__(
            f"{machine}, {claim}: expected engines that agree, was {words}; report this with the specification"
        )


def judged(case: Case, claim: Claim, engines: Iterable[str] = ENGINES) -> Result:
    """Return the result on `claim` by the first of `engines`, in the order of the plan, that can say."""
    before = case.spent()
    found = _found(case, claim, frozenset(engines))
    spent = case.spent() - before + case.induction.spent.get(claim.name, 0) + found.spent
    return result(claim, found, spent)


def result(claim: Claim, found: Finding, spent: int = 0) -> Result:
    """Return what an engine found as a result on `claim`."""
    lemmas = tuple(sorted(found.lemmas))
    return Result(claim.name, kind(claim), claim.says, found.verdict, lemmas, spent, found.inferred)


def opinions(case: Case, claim: Claim) -> dict[str, Finding | Open]:
    """Return what each engine by itself says of `claim`; raises EnginesContradict iff two cannot both be right."""
    said = {name: engine(case, claim) for name, engine in PLAN if engine not in (shallow, quick)}
    reconcile(case.machine, claim, {name: one.verdict for name, one in said.items() if isinstance(one, Finding)})
    return said


def reconcile(machine: Machine, claim: Claim, verdicts: Mapping[str, Verdict]) -> None:
    """Raise EnginesContradict iff one engine proves what another refutes, or two shortest runs differ in length."""
    words = {name: _word(claim, verdict) for name, verdict in verdicts.items()}
    if len(set(words.values())) > 1:
        raise EnginesContradict(machine.name, claim.name, words)


def _word(claim: Claim, verdict: Verdict) -> str:
    word = type(verdict).__name__.lower()
    shown = (isinstance(verdict, Refuted) and not isinstance(claim, LeadsTo)) or isinstance(claim, Witness)
    trace = verdict.trace if isinstance(verdict, Proved | Refuted) else None
    return f"{word} in {len(trace.links)} steps" if shown and trace is not None else word


def _found(case: Case, claim: Claim, engines: frozenset[str]) -> Finding:
    opens: list[tuple[str, Open]] = []
    for name, engine in PLAN:
        if name in engines and not (name == "spacer" and (_exhausted(opens) or _answered(opens))):
            found = engine(case, claim)
            if isinstance(found, Finding):
                return found
            opens.append((name, found))
    return Finding(_undecided(case, claim, opens))


def _exhausted(opens: list[tuple[str, Open]]) -> bool:
    """Return true iff induction has reached its limit: what Spacer invents could not be proved either."""
    return any(name == "induction" and found.exhausted for name, found in opens)


def _answered(opens: list[tuple[str, Open]]) -> bool:
    """Return true iff Spacer said within its small budget that it cannot help: with the whole one it says the same."""
    return any(name == "spacer" and not found.exhausted for name, found in opens)


def _undecided(case: Case, claim: Claim, opens: list[tuple[str, Open]]) -> Verdict:
    """Return what is left to say: a limit that was reached, a depth that was, or the step that stands in the way."""
    names = [name for name, _ in opens]
    for name, found in opens:
        if found.exhausted and (name in ("induction", "bmc") or len(set(names)) == 1):
            return Unknown(found.reason)
    if isinstance(claim, Witness) or "induction" not in names:
        searched = [found for name, found in opens if name == "bmc"]
        return Unknown((searched or [found for _, found in opens])[-1].reason)
    return link(case, claim)
