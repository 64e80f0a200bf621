"""Whether a machine is well formed: what can be decided without a solver.

The solver's part, whether each cell is decided once and by one row only, is `proof.decide`.
"""

from collections import Counter
from collections.abc import Iterator

from peak_trade.lang.cells import cells
from peak_trade.lang.machine import Always, Field, Machine, Step, Transition, Variable
from peak_trade.lang.reserved import why_reserved
from peak_trade.lang.sorts import EnumSort, IntSort, describe, inhabits
from peak_trade.lang.source import Diagnostic, Findings, Source, Span, suggestion
from peak_trade.lang.step import BUILT_IN


def check(machine: Machine, source: Source) -> tuple[Diagnostic, ...]:
    """Return the diagnostics of `machine`; none iff names are free and unique, values fit, states are reachable,
    and each (state, event) cell has a row.

    Limits: reachability follows transitions and not their guards.
    """
    findings = Findings(source)
    for part in (_reserved, _clashes, _sorts, _states, _rows, _reasons, _properties):
        part(machine, findings)
    return findings.sorted()


def _declared(machine: Machine) -> Iterator[tuple[str, str, Span]]:
    for variable in machine.variables:
        yield variable.name, "context", variable.span
    for state in machine.states:
        yield state.name, "states", state.span
    for event in machine.events:
        yield event.name, "events", event.span
    for enum in machine.enums:
        for member in enum.members:
            yield member, f"enums.{enum.name}", Span(1, 1)


def _reserved(machine: Machine, findings: Findings) -> None:
    fields = ((field.name, "payload", field.span) for event in machine.events for field in event.payload)
    for name, _, span in (*_declared(machine), *fields):
        why = why_reserved(name)
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
    named = (*machine.transitions, *machine.properties)
    counts = Counter(item.name for item in named)
    for item in named:
        if counts[item.name] > 1:
            findings.add("PT046", item.span, f"the id `{item.name}` stands {counts[item.name]} times", "rename one")


def _sorts(machine: Machine, findings: Findings) -> None:
    fields = [field for event in machine.events for field in event.payload]
    declared: list[Variable | Field] = [*machine.variables, *fields]
    for item in declared:
        match item.sort:
            case IntSort(int() as low, int() as high) if low > high:
                findings.add("PT043", item.span, f"no number lies in {low}..{high}", "swap min and max")
    for variable in machine.variables:
        if not inhabits(variable.init, variable.sort):
            found = str(variable.init).lower() if isinstance(variable.init, bool) else variable.init
            members = variable.sort.members if isinstance(variable.sort, EnumSort) else ()
            hint = suggestion(str(found), members)
            message = f"`{variable.name}` starts with `{found}`, which is no {describe(variable.sort)}"
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
    for (state, event), choices in cells(machine).items():
        if not choices:
            message = f"nothing says what `{event}` does in `{state}`"
            findings.add("PT050", machine.event(event).span, message, "add a transition, or a row in ignore or refuse")
        certain = [choice.row for choice in choices if getattr(choice.row, "when", None) is None]
        if len(certain) > 1:
            findings.add("PT051", certain[1].span, f"two `otherwise` rows for `{event}` in `{state}`", "keep one")
    for transition in machine.transitions:
        _targets(machine, transition, findings)


def _targets(machine: Machine, transition: Transition, findings: Findings) -> None:
    if not transition.sources:
        findings.add("PT020", transition.span, f"transition `{transition.name}` starts nowhere")
    terminal = [name for name in transition.sources if "terminal" in machine.state(name).tags]
    leaves = transition.target is not None and transition.target not in terminal
    if terminal and leaves and not transition.reason:
        message = f"`{transition.name}` leaves the terminal state `{terminal[0]}` without a reason"
        findings.add("PT044", transition.span, message, "name the reason, such as late_fill")


def _reasons(machine: Machine, findings: Findings) -> None:
    used = {item.reason for item in machine.transitions} | {row.reason for row in machine.dismissals}
    used |= {lock.reason for transition in machine.transitions for lock in transition.require}
    for reason in machine.reasons:
        if reason.name in BUILT_IN:
            findings.add(
                "PT014", reason.span, f"the reason `{reason.name}` is the language's own", "choose another name"
            )
        if reason.name not in used:
            findings.add("PT045", reason.span, f"nothing uses the reason `{reason.name}`", "use it or delete it")
    happening = {transition.event for transition in machine.transitions}
    for event in machine.events:
        if event.name not in happening:
            findings.add("PT045", event.span, f"no transition is taken on `{event.name}`", "use it or delete it")


def _properties(machine: Machine, findings: Findings) -> None:
    claims: dict[object, str] = {}
    for item in machine.properties:
        meaning = (type(item), item.holds) if isinstance(item, Always | Step) else item.name
        if meaning in claims:
            findings.add("PT061", item.span, f"`{item.name}` claims the same as `{claims[meaning]}`", "delete one")
        claims.setdefault(meaning, item.name)
