"""Small machines from a stream of chance: well formed, finite, and with claims of every kind, many of them false.

The same stream gives the same machine. Each cell has at most one transition, and `otherwise` refuses the rest.
"""

from collections.abc import Sequence
from random import Random

from peak_trade.lang.evaluate import Env, evaluate
from peak_trade.lang.expr import (
    TRUE,
    And,
    Arith,
    Arithmetic,
    Compare,
    Comparison,
    Expr,
    Ite,
    Lit,
    Member,
    Not,
    Or,
    Scope,
    Var,
)
from peak_trade.lang.machine import (
    Always,
    Dismissal,
    Event,
    Field,
    Heard,
    LeadsTo,
    Machine,
    Origin,
    Property,
    Reason,
    Requirement,
    State,
    Step,
    Transition,
    Update,
    Variable,
    Witness,
)
from peak_trade.lang.sorts import BOOL, INT, EnumSort, IntSort

SMALL, PART = IntSort(0, 3), IntSort(0, 1)
STATES = EnumSort("State", ("one", "two", "three"))
EVENTS = EnumSort("Event", ("give", "go"))
HUE = EnumSort("Hue", ("red", "green"))
COUNT, FLAG = Var("count", SMALL, Scope.CONTEXT), Var("flag", BOOL, Scope.CONTEXT)
TINT = Var("tint", HUE, Scope.CONTEXT)
AMOUNT = Var("amount", PART, Scope.PAYLOAD)
NEXT_COUNT, NEXT_FLAG = Var("count", SMALL, Scope.NEXT), Var("flag", BOOL, Scope.NEXT)
HERE, THERE = Var("state", STATES, Scope.STATE), Var("next_state", STATES, Scope.NEXT_STATE)
WHAT = Var("event", EVENTS, Scope.EVENT)
ZERO, ONE = Lit(0, INT), Lit(1, INT)
START = Env({"count": 1, "flag": False, "tint": "red"}, state="one")
VALUES_MAX = 3 * 4 * 2 * 2
"""How many values a sampled machine has at most."""


def sample(rng: Random) -> Machine:
    """Return a machine of at most VALUES_MAX values; one in four brings its count down, as `go` keeps coming."""
    drains = rng.randrange(4) == 0
    rows = _draining(rng) if drains else _rows(rng)
    ends = rng.choice(((), ("three",)))
    states = tuple(
        State(name, "x", ("terminal",) if name in ends else (), initial=name == "one") for name in STATES.members
    )
    variables = (
        Variable("count", SMALL, 1, "x"),
        Variable("flag", BOOL, False, "x"),
        Variable("tint", HUE, "red", "x", free=rng.randrange(4) == 0),
    )
    events = (Event("give", Origin.VENUE, "x", (Field("amount", PART, "x"),)), Event("go", Origin.CLOCK, "x"))
    rest = Dismissal(STATES.members, EVENTS.members, "no", refused=True, when=None)
    return Machine(
        "small", 1, "Made up.", (HUE,), variables, states, events, (Reason("no", "x"),), rows, (rest,),
        _claims(rng, drains=drains),
    )  # fmt: skip


def _rows(rng: Random) -> tuple[Transition, ...]:
    cells = [(state, name) for state in STATES.members for name in EVENTS.members]
    return tuple(_transition(rng, state, name) for state, name in cells if rng.randrange(5))


def _transition(rng: Random, state: str, name: str) -> Transition:
    numbers, flags = ((COUNT, AMOUNT) if name == "give" else (COUNT,)), (FLAG, *_among(TINT, HUE))
    updates = []
    if rng.randrange(2):
        plain, choice = _sum(rng, numbers), _condition(rng, numbers, flags)
        value = Ite(choice, plain, _sum(rng, numbers)) if rng.randrange(2) else plain
        updates.append(Update("count", value))
    if rng.randrange(2):
        updates.append(Update("flag", _condition(rng, numbers, flags)))
    if rng.randrange(4) == 0:
        updates.append(Update("tint", Lit(rng.choice(HUE.members), HUE)))
    locks = (Requirement("no", _condition(rng, numbers, flags)),) if rng.randrange(2) else ()
    when = _condition(rng, numbers, flags) if rng.randrange(2) else TRUE
    target = rng.choice((None, *STATES.members))
    return Transition(f"{state}_{name}", (state,), name, target, when, locks, tuple(updates))


def _draining(rng: Random) -> tuple[Transition, ...]:
    less: Expr = Arith(Arithmetic.SUB, COUNT, ONE)
    guards: tuple[Expr, ...] = (TRUE, Compare(Comparison.GT, COUNT, ZERO), FLAG)
    downs: tuple[Expr, ...] = (less, ZERO, Ite(FLAG, less, ZERO), Ite(FLAG, less, COUNT))
    found = [
        Transition(f"{state}_go", (state,), "go", None, rng.choice(guards), (), (Update("count", rng.choice(downs)),))
        for state in STATES.members
    ]
    others = [row for row in _rows(rng) if row.event == "give" and rng.randrange(2)]
    return (*found, *others)


def _claims(rng: Random, *, drains: bool) -> tuple[Property, ...]:
    always = [Always(f"A{number}", "x", _starting(rng)) for number in range(rng.randrange(4))]
    weak, fair = rng.randrange(2) == 0, rng.choice((("give",), ("go",), ("give", "go")))
    ranks = (COUNT, Arith(Arithmetic.SUB, Lit(3, INT), COUNT))
    if drains:
        counting, empty = Compare(Comparison.GE, COUNT, ZERO), Compare(Comparison.EQ, COUNT, ZERO)
        return (*always, LeadsTo("L", "x", counting, empty, COUNT, ("go",), weak=weak))
    return (
        *always,
        Step("S", "x", _step_test(rng)),
        Witness("W", "x", _state_test(rng)),
        LeadsTo("L", "x", _state_test(rng), _state_test(rng), rng.choice(ranks), fair, weak=weak),
        _heard(rng),
    )


def _heard(rng: Random) -> Heard:
    """Return a claim that speaks of few offers, so that some are true."""
    name = rng.choice(EVENTS.members)
    numbers, flags = ((COUNT, AMOUNT) if name == "give" else (COUNT,)), (FLAG, *_among(HERE, STATES))
    return Heard("H", "x", name, And((_condition(rng, numbers, flags), _condition(rng, numbers, flags))))


def _starting(rng: Random) -> Expr:
    """Return a condition that the start has, nearly always: others fall at once."""
    found = _state_test(rng)
    return found if evaluate(found, START) or rng.randrange(10) == 0 else Not(found)


def _state_test(rng: Random) -> Expr:
    return _condition(rng, (COUNT,), (FLAG, *_among(HERE, STATES), *_among(TINT, HUE)))


def _step_test(rng: Random) -> Expr:
    tests = (*_among(HERE, STATES), *_among(THERE, STATES), *_among(WHAT, EVENTS))
    return _condition(rng, (COUNT, NEXT_COUNT), (FLAG, NEXT_FLAG, *tests))


def _sum(rng: Random, names: Sequence[Var]) -> Expr:
    def leaf() -> Expr:
        return rng.choice(names) if rng.randrange(2) else Lit(rng.randrange(4), INT)

    return leaf() if rng.randrange(2) else Arith(rng.choice((Arithmetic.ADD, Arithmetic.SUB)), leaf(), leaf())


def _condition(rng: Random, names: Sequence[Var], flags: Sequence[Expr]) -> Expr:
    def leaf() -> Expr:
        if rng.randrange(2):
            return rng.choice(flags)
        return Compare(rng.choice(tuple(Comparison)), _sum(rng, names), _sum(rng, names))

    match rng.randrange(4):
        case 0:
            return leaf()
        case 1:
            return Not(leaf())
        case 2:
            return And((leaf(), leaf()))
        case _:
            return Or((leaf(), leaf()))


def _among(var: Var, sort: EnumSort) -> tuple[Expr, ...]:
    """Return the conditions that `var` is one member, and that it is one of the first two."""
    members = tuple(Lit(name, sort) for name in sort.members)
    return (*(Compare(Comparison.EQ, var, one) for one in members), Member(var, members[:2]))
