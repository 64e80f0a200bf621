"""Verdicts kept by what they rest on: a changed specification proves again only what the change touches.

The key of a claim is a hash of the machine without its texts, its invariants, the claim, the limits, the engines and
Z3's version. Proofs are believed because their key is; runs are replayed whenever they are read. A damaged entry is
reported and made anew.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import z3

from peak_trade.lang.machine import Always, LeadsTo, Machine, Witness
from peak_trade.lang.pretty import document
from peak_trade.lang.sorts import inhabits
from peak_trade.lang.source import NOWHERE
from peak_trade.lang.step import Payload, Value, initial
from peak_trade.lang.trace import Trace, replay
from peak_trade.proof import codec
from peak_trade.proof.case import Case
from peak_trade.proof.claim import Automatic, Claim, kind
from peak_trade.proof.confirm import ReplayDisagrees, confirm
from peak_trade.proof.obligation import reach
from peak_trade.proof.solve import Limits
from peak_trade.proof.unroll import Path as Run
from peak_trade.proof.verdict import Proved, Refuted, Result

ENGINES_VERSION: Final = 2
"""Raise it when an engine changes what it can prove or says."""


@dataclass(frozen=True, slots=True)
class Cache:
    """Entries in one folder, a file each; `complain` is told of damaged ones.

    A folder that it makes is one that git ignores: a verdict is believed because its key is, so none is committed.
    Limits: nothing is ever removed; any number of processes may share the folder.
    """

    folder: Path
    complain: Callable[[str], None] = lambda _: None

    def read(self, key: str, claim: Claim, replaying: Callable[[], Case]) -> Result | None:
        """Return the result kept under `key`, its run replayed; None iff there is none or it is damaged.

        `replaying` gives a case of the machine; it is asked for only where there is a run.
        """
        path = self._path(key)
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
            return _result(data, claim, replaying)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, LookupError, AttributeError, ReplayDisagrees) as error:
            self.complain(f"{path} is damaged ({type(error).__name__}); {claim.name} is judged again")
            return None

    def write(self, key: str, claim: Claim, result: Result) -> None:
        """Keep `result` if it is proved or refuted; a folder that cannot be written is complained of."""
        lasso = isinstance(claim, LeadsTo) and isinstance(result.verdict, Refuted)
        if lasso or not isinstance(result.verdict, Proved | Refuted):
            return
        path = self._path(key)
        try:
            self._make()
            path.parent.mkdir(exist_ok=True)
            fresh = path.with_suffix(f".{os.getpid()}")
            fresh.write_text(json.dumps(_plain(result), sort_keys=True), encoding="utf-8")
            fresh.replace(path)
        except OSError as error:
            self.complain(f"cannot write {path}: {error.strerror}; going on without")

    def _make(self) -> None:
        if not self.folder.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / ".gitignore").write_text("*\n", encoding="utf-8")

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"


def keys(machine: Machine, claims: Iterable[Claim], limits: Limits, engines: Iterable[str]) -> dict[str, str]:
    """Return for each claim the SHA-256 of all that its verdict rests on, in hex, by its name."""
    parts = (
        document(silent(machine)),
        repr([(item.name, item.free) for item in machine.variables]),
        repr(machine.mirrors),
        repr(limits),
        repr(sorted(engines)),
        f"{ENGINES_VERSION} {z3.get_full_version()}",
    )
    base = hashlib.sha256("\0".join(parts).encode())
    return {item.name: _key(base.copy(), item) for item in claims}


def _key(base: "hashlib._Hash", claim: Claim) -> str:
    mute = (
        replace(claim, says="") if isinstance(claim, Automatic) else replace(claim, says="", answers=(), span=NOWHERE)
    )
    base.update(repr(mute).encode())
    return base.hexdigest()


def silent(machine: Machine) -> Machine:
    """Return `machine` without the texts that mean nothing to an engine, and with its invariants only."""
    return replace(
        machine,
        version=1,
        summary="",
        variables=tuple(replace(item, doc="") for item in machine.variables),
        states=tuple(replace(item, doc="") for item in machine.states),
        events=tuple(
            replace(item, doc="", payload=tuple(replace(one, doc="") for one in item.payload))
            for item in machine.events
        ),
        reasons=tuple(replace(item, doc="") for item in machine.reasons),
        properties=tuple(replace(item, says="", answers=()) for item in machine.properties if isinstance(item, Always)),
    )


def _plain(result: Result) -> dict[str, Any]:
    verdict = result.verdict
    assert isinstance(verdict, Proved | Refuted)
    return {
        "proved": isinstance(verdict, Proved),
        "why": verdict.method if isinstance(verdict, Proved) else verdict.why,
        "trace": None if verdict.trace is None else _run(verdict.trace),
        "lemmas": list(result.lemmas),
        "rlimit": result.rlimit,
        "inferred": [[item.name, item.says, codec.plain(item.holds)] for item in result.inferred],
    }


def _run(trace: Trace) -> dict[str, Any]:
    start = [trace.start.state, codec.plain(trace.start.context)]
    return {"start": start, "offers": [[link.event, dict(link.payload)] for link in trace.links]}


def _result(data: dict[str, Any], claim: Claim, replaying: Callable[[], Case]) -> Result:
    trace = None if data["trace"] is None else _replayed(data["trace"], replaying(), claim)
    why = str(data["why"])
    verdict = Proved(why, trace) if data["proved"] is True else Refuted(trace, why)
    if (trace is None) != ((data["proved"] is True) != isinstance(claim, Witness)):
        raise ValueError("expected a run where, and only where, a verdict rests on one")
    inferred = tuple(Always(name, says, codec.read(holds), lemma=True) for name, says, holds in data["inferred"])
    lemmas = tuple(str(name) for name in data["lemmas"])
    return Result(claim.name, kind(claim), claim.says, verdict, lemmas, int(data["rlimit"]), inferred)


def _replayed(data: dict[str, Any], case: Case, claim: Claim) -> Trace:
    """Return the run in `data` as `lang.step` does it now; ReplayDisagrees iff it does not show what it did."""
    state, context = data["start"]
    start = Value(str(state), _tuple(context))
    offers: list[tuple[str, Payload]] = [(str(event), dict(payload)) for event, payload in data["offers"]]
    if not _begins(case.machine, start):
        raise ValueError("expected a run from the start; the entry is damaged")
    # Which steps the run-time filter admits is a question for a search; a replay asks `lang.step`.
    item = reach(case.encoding, claim, ()) if isinstance(claim, Witness) else case.obligation(claim)
    trace = replay(replace(case.machine, properties=item.guards), start, tuple(offers))
    before = (trace.start, *(link.value for link in trace.links[:-1]))
    return confirm(case.machine, item, Run(before, tuple(offers)))


def _begins(machine: Machine, value: Value) -> bool:
    start = initial(machine)
    fixed = zip(machine.variables, value.context, start.context, strict=True)
    return value.state == start.state and all(
        inhabits(datum, item.sort) if item.free else datum == init for item, datum, init in fixed
    )


def _tuple(data: Any) -> Any:  # noqa: ANN401 - JSON data
    return tuple(map(_tuple, data)) if isinstance(data, list) else data
