"""Whether a machine is well formed: what can be decided without a solver.

The solver's part, whether each cell is decided once and by one row only, is `proof.decide`.
"""

from collections.abc import Iterator
from typing import assert_never

from peak_trade.lang.cells import cells
from peak_trade.lang.machine import (
    Always,
    EnumPlaces,
    Field,
    Heard,
    LeadsTo,
    Machine,
    Property,
    Step,
    Variable,
    Witness,
)
from peak_trade.lang.parse import Parsed
from peak_trade.lang.reserved import why_reserved, why_reserved_sort
from peak_trade.lang.sorts import EnumSort, IntSort, describe, inhabits
from peak_trade.lang.source import NOWHERE, Diagnostic, Findings, Source, Span, shown, suggestion
from peak_trade.lang.step import BUILT_IN, written_sort

CHOICES_MAX = 250_000
"""For how many cells all rows together may be, counted with repetition."""
LISTED_MAX = 4
"""How many states or cells one message names."""


def check(machine: Machine, source: Source) -> tuple[Diagnostic, ...]:
    """Return the diagnostics of `machine`; none iff it is well formed.

    That is: names are free and unique, values fit their sorts, one state is initial and leads to the others, each
    (state, event) cell has a row and at most one `otherwise`, everything declared is used, no claim is made twice.

    Limits: CHOICES_MAX; reachability follows transitions and not their guards.
    """
    findings = Findings(source)
    if not _small(machine, findings):
        return findings.sorted()
    for part in (_reserved, _clashes, _ids, _sorts, _states, _rows, _targets, _writes, _reasons, _properties):
        part(machine, findings)
    return findings.sorted()


def examine(parsed: Parsed) -> tuple[Diagnostic, ...]:
    """Return the diagnostics of the text, and those of `check` that do not merely follow from them."""
    if parsed.draft is None:
        return parsed.diagnostics
    return merged(parsed, check(parsed.draft, parsed.source))


def merged(parsed: Parsed, found: tuple[Diagnostic, ...]) -> tuple[Diagnostic, ...]:
    """Return the diagnostics of the text and, of those `found` in its draft, all that concern the text itself."""
    torn = any(path[0] == "states" for path in parsed.lost)
    real = [
        item
        for item in found
        if item.span != NOWHERE and item not in parsed.diagnostics and not (torn and item.code == "PT040")
    ]
    both = (*parsed.diagnostics, *real)
    return tuple(sorted(both, key=lambda item: (item.file, item.span, item.code, item.message)))


def _declared(machine: Machine) -> Iterator[tuple[str, str, Span]]:
    for variable in machine.variables:
        yield variable.name, "context", variable.span
    for state in machine.states:
        yield state.name, "states", state.span
    for event in machine.events:
        yield event.name, "events", event.span
    for enum, places in _enums(machine):
        for member, span in zip(enum.members, places.members, strict=True):
            yield member, f"enums.{enum.name}", span


def _enums(machine: Machine) -> Iterator[tuple[EnumSort, EnumPlaces]]:
    for index, enum in enumerate(machine.enums):
        unknown = EnumPlaces(Span(1, 1), (Span(1, 1),) * len(enum.members))
        yield enum, machine.enum_places[index] if machine.enum_places else unknown


def _reserved(machine: Machine, findings: Findings) -> None:
    fields = ((field.name, "payload", field.span) for event in machine.events for field in event.payload)
    names = [(name, span, why_reserved(name)) for name, _, span in (*_declared(machine), *fields)]
    names += [(enum.name, places.name, why_reserved_sort(enum.name)) for enum, places in _enums(machine)]
    names += [
        (item.name, item.span, "the language itself gives it") for item in machine.reasons if item.name in BUILT_IN
    ]
    for name, span, why in names:
        if why:
            findings.add("PT014", span, f"the name `{name}` is reserved: {why}", "choose another name")


def _clashes(machine: Machine, findings: Findings) -> None:
    homes: dict[str, str] = {}
    for name, home, span in _declared(machine):
        if name in homes:
            findings.add("PT015", span, f"`{name}` is declared in {homes[name]} and in {home}", "rename one of them")
        homes.setdefault(name, home)
    for event in machine.events:
        for field in event.payload:
            if homes.get(field.name, "").startswith(("context", "enums")):
                message = f"payload field `{field.name}` is also declared in {homes[field.name]}"
                findings.add("PT015", field.span, message, "rename one of them")


def _small(machine: Machine, findings: Findings) -> bool:
    count = 0
    rows = [(item.span, len(item.sources)) for item in machine.transitions]
    rows += [(item.span, len(item.states) * len(item.events)) for item in machine.dismissals]
    for span, size in rows:
        count += size
        if count > CHOICES_MAX:
            message = f"expected rows for at most {CHOICES_MAX} cells in all, was more"
            findings.add("PT002", span, message, "divide the machine")
            return False
    return True


def _ids(machine: Machine, findings: Findings) -> None:
    lines: dict[str, int] = {}
    for item in (*machine.transitions, *machine.properties):
        if item.name in lines:
            message = f"the id `{item.name}` stands twice, first on line {lines[item.name]}"
            findings.add("PT046", item.span, message, "rename one of them")
        lines.setdefault(item.name, item.span.line)


def _sorts(machine: Machine, findings: Findings) -> None:
    fields = [field for event in machine.events for field in event.payload]
    declared: list[Variable | Field] = [*machine.variables, *fields]
    for item in declared:
        match written_sort(item.sort):
            case IntSort(int() as low, int() as high) if low > high:
                findings.add("PT043", item.span, f"no number lies in {low}..{high}", "swap min and max")
    for variable in machine.variables:
        match variable.sort:
            case IntSort(int() as low, int() as high) if low > high:
                continue
            case EnumSort(_, members):
                hint = suggestion(str(variable.init), members)
            case _:
                hint = ""
        if not inhabits(variable.init, variable.sort):
            message = f"`{variable.name}` starts with {shown(variable.init)}, which is no {describe(variable.sort)}"
            findings.add("PT042", variable.span, message, hint)


def _states(machine: Machine, findings: Findings) -> None:
    initial = [state for state in machine.states if state.initial]
    if len(initial) != 1:
        span = initial[1].span if initial else machine.states[0].span
        findings.add("PT040", span, f"expected one initial state, was {len(initial)}", "write `initial: true` once")
        return
    reached, frontier = {initial[0].name}, [initial[0].name]
    while frontier:
        here = frontier.pop()
        for transition in machine.transitions:
            target = transition.target
            if here in transition.sources and target is not None and target not in reached:
                reached.add(target)
                frontier.append(target)
    for state in machine.states:
        if state.name not in reached:
            findings.add(
                "PT041", state.span, f"no path leads to `{state.name}`", "add a transition or delete the state"
            )


def _rows(machine: Machine, findings: Findings) -> None:
    undecided: dict[str, list[str]] = {}
    certain: dict[Span, list[str]] = {}
    for (state, event), choices in cells(machine).items():
        if not choices:
            undecided.setdefault(event, []).append(f"`{state}`")
        rest = [choice.row.span for choice in choices if choice.row.when is None]
        if len(rest) > 1:
            certain.setdefault(rest[1], []).append(f"`{event}` in `{state}`")
    for event, states in undecided.items():
        message = f"nothing says what `{event}` does in {_listed(states)}"
        findings.add("PT050", machine.event(event).span, message, "add a transition, or a row in ignore or refuse")
    for span, names in certain.items():
        findings.add("PT051", span, f"two `otherwise` rows for {_listed(names)}", "keep one")


def _listed(words: list[str]) -> str:
    more = len(words) - LISTED_MAX
    return ", ".join(words[:LISTED_MAX]) + (f" and {more} more" if more > 0 else "")


def _targets(machine: Machine, findings: Findings) -> None:
    ends = {state.name for state in machine.states if "terminal" in state.tags}
    for item in machine.transitions:
        left = next((name for name in item.sources if name in ends and item.target not in (None, name)), None)
        if left is not None and not item.reason:
            message = f"`{item.name}` leaves the terminal state `{left}` without a reason"
            findings.add("PT044", item.span, message, "name the reason, such as late_fill")


def _writes(machine: Machine, findings: Findings) -> None:
    for item in machine.transitions:
        written: set[str] = set()
        for update in item.updates:
            if update.variable in written:
                message = f"`{item.name}` writes to the map `{update.variable}` twice"
                findings.add("PT047", update.span, message, "write one element in a transition")
            written.add(update.variable)


def _reasons(machine: Machine, findings: Findings) -> None:
    used = {item.reason for item in machine.transitions} | {row.reason for row in machine.dismissals}
    used |= {lock.reason for transition in machine.transitions for lock in transition.require}
    for reason in machine.reasons:
        if reason.name not in used:
            findings.add("PT045", reason.span, f"nothing uses the reason `{reason.name}`", "use it or delete it")
    happening = {transition.event for transition in machine.transitions}
    for event in machine.events:
        if event.name not in happening:
            findings.add("PT045", event.span, f"no transition is taken on `{event.name}`", "use it or delete it")


def _properties(machine: Machine, findings: Findings) -> None:
    claims: dict[object, str] = {}
    for item in machine.properties:
        meaning = _meaning(item)
        if meaning in claims:
            findings.add("PT061", item.span, f"`{item.name}` claims the same as `{claims[meaning]}`", "delete one")
        claims.setdefault(meaning, item.name)


def _meaning(item: Property) -> object:
    match item:
        case Always(holds=claim) | Step(holds=claim):
            return type(item), claim
        case Witness():
            return type(item), item.reach, frozenset(item.by)
        case LeadsTo():
            return item.when, item.then
        case Heard():
            return type(item), item.event, item.when
        case _:
            assert_never(item)
