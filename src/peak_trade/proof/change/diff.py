"""What differs between two machines, decided by Z3 for all values and all payloads: what is stricter, what is looser.

The machines are compared in one vocabulary (`both`), in which a consistent renaming is no difference. A new machine
loosens iff it makes a step, starts, or has a value that the old one had not, or claims less.

Limits: `limits.question_rlimit` for each question, and then the answer is `unknown`, never `same`; enumerations, their
members, events and fields are matched by name only.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from peak_trade.lang.machine import Machine
from peak_trade.lang.sorts import EnumSort, IntSort, Sort, describe
from peak_trade.proof.change.both import Both
from peak_trade.proof.change.delta import Cell, Claim, Delta, Loosening, Part, Shift, Word
from peak_trade.proof.change.loosened import loosened
from peak_trade.proof.change.outcomes import GAVE_UP, changed
from peak_trade.proof.change.pairing import Renamed, renamed
from peak_trade.proof.change.shifts import shifts
from peak_trade.proof.change.strength import claims
from peak_trade.proof.solve import Limits
from peak_trade.proof.verdict import Proved, Refuted, Report, Unknown

LIMITS = Limits()


def diff(old: Machine, new: Machine, limits: Limits = LIMITS) -> Delta:
    """Return what differs between `old` and `new`, which both passed the checks; equal arguments give equal results."""
    names = renamed(old, new)
    both = Both.of(old, new, names, limits)
    moved, said, cells = shifts(both), claims(both), changed(both)
    parts = tuple(_parts(old, new, names))
    loose = tuple(loosened(both, moved, said, parts))
    known = {item.name for item in loose if item.kind == "transition"}
    free = tuple(item.name for item in moved if item.admits is not None and item.name not in known)
    return Delta(
        both.old.machine, new, names, parts, moved, cells, said, loose, free, tuple(_undecided(moved, said, cells))
    )


def fallen(delta: Delta, was: Report, now: Report) -> Delta:
    """Return `delta` with the claims that were proved and are not any more: as loosenings, or undecided if unknown."""
    before = {item.property: item.verdict for item in was.results}
    verdicts = {item.property: item.verdict for item in now.results}
    found, unknown = [], []
    for claim in delta.claims:
        verdict = verdicts.get(claim.new or "")
        if isinstance(verdict, Proved | None) or not isinstance(before.get(claim.old or ""), Proved):
            continue
        if isinstance(verdict, Unknown):
            unknown.append(claim.name)
            continue
        answers = next(item for item in delta.new.properties if item.name == claim.new).answers
        word = "refuted" if isinstance(verdict, Refuted) else "not inductive"
        found.append(Loosening("proof", claim.name, f"it was proved and is {word}", answers, (claim.name,)))
    return replace(delta, loosened=(*delta.loosened, *found), undecided=(*delta.undecided, *unknown))


def unproved(delta: Delta, now: Report) -> frozenset[str]:
    """Return the old ids of the claims of both machines that `now` does not prove: those to ask of the old machine."""
    open_now = {item.property for item in now.results if not isinstance(item.verdict, Proved)}
    return frozenset(claim.old for claim in delta.claims if claim.old is not None and claim.new in open_now)


def _undecided(moved: Iterable[Shift], said: Iterable[Claim], cells: Iterable[Cell]) -> Iterator[str]:
    yield from (item.name for item in moved if Word.UNKNOWN in (item.word, item.effect))
    yield from (item.name for item in said if item.word is Word.UNKNOWN)
    yield from (f"{item.event} in {item.states[0]}" for item in cells if item.now == GAVE_UP)


def _parts(old: Machine, new: Machine, names: Renamed) -> Iterator[Part]:
    """Yield the declarations that were added, removed or changed; a thing and the same under another name are one."""
    was, now = _declared(old, names), _declared(new, Renamed())
    sorts = {names.variables.get(item.name, item.name): item.sort for item in old.variables}
    wider = {item.name for item in new.variables if item.name in sorts and _wider(sorts[item.name], item.sort)}
    for kind, name in dict.fromkeys((*now, *was)):
        one, other = was.get((kind, name)), now.get((kind, name))
        if one is None:
            yield Part(kind, name, Word.ADDED, other or "")
        elif other is None:
            yield Part(kind, name, Word.REMOVED, one)
        elif one != other:
            word = Word.LOOSER if kind == "variable" and name in wider else Word.INCOMPARABLE
            yield Part(kind, name, word, f"{one} → {other}")


def _declared(machine: Machine, names: Renamed) -> dict[tuple[str, str], str]:
    """Return what is declared of each thing but its sentence, by kind and name."""
    found: dict[tuple[str, str], str] = {}
    for state in machine.states:
        words = (*(["initial"] if state.initial else []), *sorted(state.tags))
        found["state", names.states.get(state.name, state.name)] = ", ".join(words) or "no tags"
    for event in machine.events:
        fields = ", ".join(f"{item.name}: {_sort(item.sort)}" for item in event.payload)
        found["event", event.name] = f"{event.origin.value} ({fields})"
    for item in machine.variables:
        start = "any" if item.free else str(item.init).lower() if isinstance(item.init, bool) else str(item.init)
        said = f"{_sort(item.sort)} {item.unit}".rstrip()
        found["variable", names.variables.get(item.name, item.name)] = f"{said}, starts {start}"
    for enum in machine.enums:
        found["enum", enum.name] = ", ".join(enum.members)
    for reason in machine.reasons:
        found["reason", reason.name] = reason.doc
    return found


def _sort(sort: Sort) -> str:
    return f"{sort.name} {{{', '.join(sort.members)}}}" if isinstance(sort, EnumSort) else describe(sort)


def _wider(old: Sort, new: Sort) -> bool:
    """Return whether a comparable new sort has a value that the old one lacks."""
    match old, new:
        case IntSort(low, high), IntSort(other_low, other_high):
            below = low is not None and (other_low is None or other_low < low)
            above = high is not None and (other_high is None or other_high > high)
            return below or above
        case EnumSort(_, members), EnumSort(_, others):
            return not set(others) <= set(members)
        case _:
            return False
