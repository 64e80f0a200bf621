"""Whether every cell is decided, once: the part of the checks that needs a solver.

Order in the file never decides: for all values of context and payload, exactly one row of a cell applies.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import z3

from peak_trade.backends.smt import Term, World, term
from peak_trade.lang.cells import Choice, Row, cells
from peak_trade.lang.expr import TRUE, Expr, Not, Scope, Var, conjunction, disjunction, variables
from peak_trade.lang.machine import Machine, Transition
from peak_trade.lang.maps import shown, word
from peak_trade.lang.source import Diagnostic, Findings, Source
from peak_trade.proof.solve import Answer, Found, GaveUp, Impossible, Limits, Oracle

LIMITS = Limits()
STATES_SHOWN_MAX = 4


def decide(machine: Machine, source: Source, limits: Limits = LIMITS) -> tuple[Diagnostic, ...]:
    """Return the diagnostics of `machine`; none iff to any values one row of a cell applies, and no row is dead.

    PT050 for values that no row decides, PT051 for values that two decide, PT052 for a row that never applies, PT053
    where Z3 gave up. The machine must have passed `lang.check`, which reports cells without any row.
    Limits: `limits.question_rlimit` for each question.
    """
    findings = Findings(source)
    world = World.of(machine.enums)
    rooms = {event.name: _Room.of(machine, world, event.name, limits) for event in machine.events}
    for cell in _same(machine):
        _exhaustive(findings, rooms[cell.event], cell)
        _exclusive(findings, rooms[cell.event], cell)
    _alive(findings, rooms, _same(machine))
    return findings.sorted()


@dataclass(frozen=True, slots=True)
class _Cell:
    """The cells of one event that have the same rows: guards see no control state, so they are one question."""

    event: str
    states: tuple[str, ...]
    choices: tuple[Choice, ...]

    def __str__(self) -> str:
        shown = ", ".join(f"`{state}`" for state in self.states[:STATES_SHOWN_MAX])
        more = len(self.states) - STATES_SHOWN_MAX
        return f"what `{self.event}` does in {shown}{f' and {more} more' if more > 0 else ''}"


def _same(machine: Machine) -> tuple[_Cell, ...]:
    states: dict[tuple[str, tuple[int, ...]], list[str]] = {}
    rows: dict[tuple[str, tuple[int, ...]], tuple[Choice, ...]] = {}
    for (state, event), choices in cells(machine).items():
        key = event, tuple(id(choice.row) for choice in choices)
        states.setdefault(key, []).append(state)
        rows[key] = choices
    return tuple(_Cell(key[0], tuple(names), rows[key]) for key, names in states.items() if rows[key])


@dataclass(frozen=True, slots=True, eq=False)
class _Room:
    """All values of the context and of one event's payload, within their sorts."""

    oracle: Oracle
    constants: Mapping[Var, Term]

    @classmethod
    def of(cls, machine: Machine, world: World, event: str, limits: Limits) -> "_Room":
        context = [Var(item.name, item.sort, Scope.CONTEXT) for item in machine.variables]
        payload = [Var(item.name, item.sort, Scope.PAYLOAD) for item in machine.event(event).payload]
        constants = {var: world.constant(var.name, var.sort) for var in (*context, *payload)}
        oracle = Oracle.of(world, limits)
        oracle.always(world.every(world.inside(constant, var.sort) for var, constant in constants.items()))
        return cls(oracle, constants)

    def ask(self, expr: Expr) -> Answer:
        """Return whether `expr` can be true."""
        return self.oracle.ask(term(self.oracle.world, expr, self.constants.__getitem__))

    def example(self, model: z3.ModelRef, exprs: tuple[Expr, ...]) -> str:
        """Return the values in `model` of what `exprs` speak of, in declared order, as words that follow a verb."""
        spoken = frozenset[Var]().union(*map(variables, exprs))
        world = self.oracle.world
        values = ((var, world.datum(model, one, var.sort)) for var, one in self.constants.items() if var in spoken)
        found = ", ".join(f"{var.name}={word(shown(value))}" for var, value in values)
        return f"when {found}" if found else "whatever the values"


def _exhaustive(findings: Findings, room: _Room, cell: _Cell) -> None:
    if any(choice.row.when is None or choice.when == TRUE for choice in cell.choices):
        return
    answer = room.ask(Not(disjunction(_guards(cell.choices))))
    place = cell.choices[0].row.span
    match answer:
        case Found(model):
            hint = "widen a guard, or add a row in ignore or refuse, perhaps with `when: otherwise`"
            findings.add("PT050", place, f"no row decides {cell} {room.example(model, _guards(cell.choices))}", hint)
        case GaveUp(reason):
            findings.add("PT053", place, f"nobody knows whether some row always decides {cell}: {reason}")


def _exclusive(findings: Findings, room: _Room, cell: _Cell) -> None:
    stated = [choice for choice in cell.choices if choice.row.when is not None]
    for pair in combinations(stated, 2):
        answer = room.ask(conjunction(_guards(pair)))
        first, later = sorted((choice.row for choice in pair), key=lambda row: row.span)
        both = f"{_called(first)} (line {first.span.line}) and {_called(later)} both decide {cell}"
        match answer:
            case Found(model):
                message = f"{both} {room.example(model, _guards(pair))}"
                findings.add("PT051", later.span, message, "make their guards exclude each other")
            case GaveUp(reason):
                findings.add("PT053", later.span, f"nobody knows whether {both}: {reason}")


def _guards(choices: tuple[Choice, ...]) -> tuple[Expr, ...]:
    return tuple(choice.when for choice in choices)


def _whole(choice: Choice) -> Expr:
    locks = choice.row.require if isinstance(choice.row, Transition) else ()
    return conjunction((choice.when, *(lock.holds for lock in locks)))


def _alive(findings: Findings, rooms: Mapping[str, _Room], found: tuple[_Cell, ...]) -> None:
    """Report each row that applies in none of its cells."""
    rows: dict[int, Row] = {}
    answers: dict[int, Answer] = {}
    for cell in found:
        for choice in cell.choices:
            place = id(choice.row)
            rows[place] = choice.row
            if not isinstance(answers.get(place), Found):
                answers[place] = rooms[cell.event].ask(_whole(choice))
    for place, answer in answers.items():
        row = rows[place]
        match answer:
            case Impossible():
                what = "guard and locks" if isinstance(row, Transition) and row.require else "guard"
                message = f"{_called(row)} never applies: no values make its {what} true"
                findings.add("PT052", row.span, message, "correct it, or delete the row")
            case GaveUp(reason):
                findings.add("PT053", row.span, f"nobody knows whether {_called(row)} can ever apply: {reason}")


def _called(row: Row) -> str:
    if isinstance(row, Transition):
        return f"`{row.name}`"
    return f"the row that {'refuses' if row.refused else 'ignores'} for `{row.reason}`"
