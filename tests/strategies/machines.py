"""Random machines: well-sorted, with any guards, and so seldom well formed; the parser takes all of them."""

from typing import Any

from hypothesis import strategies as st
from strategies.expressions import (
    COLOUR,
    EVENTS,
    PAYLOAD,
    SIZE,
    STATES,
    WIDE,
    expressions,
    scalars,
    wide_claims,
    wide_guards,
    wide_steps,
)

from peak_trade.lang.expr import TRUE, Expr, Var
from peak_trade.lang.machine import (
    Always,
    Dismissal,
    Event,
    Field,
    Heard,
    LeadsTo,
    Machine,
    Origin,
    Reason,
    Requirement,
    State,
    Step,
    Transition,
    Update,
    Variable,
    Witness,
)
from peak_trade.lang.sorts import INT, MapSort, start
from peak_trade.lang.step import written_sort

REASONS = ("worn_out", "too_late")
TAGS = ("live", "terminal")

texts = st.text(st.characters(categories=["L", "N", "P", "S"], include_characters=" "), min_size=1, max_size=40)
units = st.sampled_from(["", "lots", "ticks"])
names_of_states = st.lists(st.sampled_from(STATES.members), min_size=1, unique=True).map(tuple)
maybe_reason = st.sampled_from(["", *REASONS])


def _updates() -> st.SearchStrategy[tuple[Update, ...]]:
    names = (*WIDE, *PAYLOAD)

    def one_of(var: Var) -> st.SearchStrategy[Update]:
        index = expressions(INT, names, 2) if isinstance(var.sort, MapSort) else st.none()
        value = expressions(written_sort(var.sort), names, 2)
        return st.builds(Update, st.just(var.name), value, index=index)

    one = st.sampled_from(WIDE).flatmap(one_of)
    return st.lists(one, max_size=2, unique_by=lambda update: update.variable).map(tuple)


def _requirements() -> st.SearchStrategy[tuple[Requirement, ...]]:
    one = st.builds(Requirement, st.sampled_from(REASONS), wide_guards)
    return st.lists(one, max_size=2, unique_by=lambda lock: lock.reason).map(tuple)


def _transition(index: int) -> st.SearchStrategy[Transition]:
    return st.builds(
        Transition,
        st.just(f"T{index}"),
        names_of_states,
        st.just("press"),
        st.sampled_from(STATES.members) | st.none(),
        wide_guards | st.just(TRUE),
        _requirements(),
        _updates(),
        maybe_reason,
    )


def _dismissals(*, refused: bool) -> st.SearchStrategy[list[Dismissal]]:
    events = st.lists(st.sampled_from(EVENTS.members), min_size=1, unique=True).map(tuple)
    when: st.SearchStrategy[Expr | None] = wide_claims | st.just(TRUE) | st.none()
    row = st.builds(Dismissal, names_of_states, events, st.sampled_from(REASONS), st.just(refused), when)
    return st.lists(row, max_size=3)


def _property(index: int) -> st.SearchStrategy[Any]:
    name, answers = st.just(f"P-{index}"), st.lists(st.sampled_from(["C0.1", "H-x"]), max_size=2).map(tuple)
    fair = st.lists(st.sampled_from(EVENTS.members), min_size=1, unique=True).map(tuple)
    return st.one_of(
        st.builds(Always, name, texts, wide_claims, answers, st.booleans()),
        st.builds(Step, name, texts, wide_steps, answers),
        st.builds(Witness, name, texts, wide_claims, answers),
        st.builds(LeadsTo, name, texts, wide_claims, wide_claims, expressions(INT, WIDE, 2), fair, answers),
        st.builds(Heard, name, texts, st.just("press"), wide_guards | st.just(TRUE), answers),
        st.builds(Heard, name, texts, st.just("fail"), wide_claims, answers),
    )


@st.composite
def _variable(draw: st.DrawFn, var: Var) -> Variable:
    if isinstance(var.sort, MapSort) or draw(st.booleans()):
        free = not isinstance(var.sort, MapSort)
        return Variable(var.name, var.sort, start(var.sort), draw(texts), draw(units), free=free)
    return Variable(var.name, var.sort, draw(scalars(var.sort)), draw(texts), draw(units))


@st.composite
def machines(draw: st.DrawFn) -> Machine:
    """Return a machine over the names of `strategies.expressions`."""
    tags = st.lists(st.sampled_from(TAGS), max_size=2, unique=True).map(tuple)
    variables = [draw(_variable(var)) for var in WIDE]
    payload = tuple(Field(var.name, written_sort(var.sort), draw(texts), draw(units)) for var in PAYLOAD)
    fields = {"press": payload, "fail": ()}
    numbers = range(draw(st.integers(1, 4)))
    return Machine(
        "lamp",
        draw(st.integers(1, 10**30)),
        draw(texts),
        (COLOUR, SIZE),
        tuple(variables),
        tuple(State(name, draw(texts), draw(tags), draw(st.booleans())) for name in STATES.members),
        tuple(Event(name, draw(st.sampled_from(Origin)), draw(texts), fields[name]) for name in EVENTS.members),
        tuple(Reason(name, draw(texts)) for name in REASONS),
        tuple(draw(_transition(index)) for index in numbers),
        (*draw(_dismissals(refused=False)), *draw(_dismissals(refused=True))),
        tuple(draw(_property(index)) for index in range(draw(st.integers(0, 4)))),
    )
