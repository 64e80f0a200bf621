"""Machines to draw: the project's own, the golden one, and one made to break markup."""

from pathlib import Path

import pytest

from peak_trade.lang.expr import TRUE, Compare, Comparison, Lit, Scope, Var
from peak_trade.lang.machine import Dismissal, Event, Field, Machine, Origin, Reason, Requirement, State, Transition
from peak_trade.lang.parse import parse_file
from peak_trade.lang.sorts import INT

ROOT = Path(__file__).resolve().parents[3]
HOSTILE = (
    'a</TABLE>> & <b>"x"</b> | `c` \\N \\G \\" ; %% --> ]] \'q\' * [l](u) &amp; &lt;'
    " <script>alert(1)</script>\nnext line"
)


def declared(path: Path) -> Machine:
    """Return the machine in the file at `path`."""
    parsed = parse_file(path)
    assert parsed.machine is not None, parsed.diagnostics
    return parsed.machine


@pytest.fixture(
    params=[ROOT / "spec/session.yaml", ROOT / "spec/order.yaml", ROOT / "tests/golden/gate.yaml"],
    ids=lambda path: path.stem,
    scope="session",
)
def machine(request: pytest.FixtureRequest) -> Machine:
    """Each of the project's machines that has a picture."""
    return declared(request.param)


@pytest.fixture(scope="session")
def gate() -> Machine:
    """The golden machine: every sign once."""
    return declared(ROOT / "tests/golden/gate.yaml")


@pytest.fixture(scope="session")
def session() -> Machine:
    """The session of the project."""
    return declared(ROOT / "spec/session.yaml")


@pytest.fixture(scope="session")
def wool() -> Machine:
    """Ten states, one of them live; an event for each leads there from all the others."""
    names = [f"s{place}" for place in range(10)]
    states = [State(name, "One", ("live",) if name == "s5" else (), initial=name == "s0") for name in names]
    rows = [
        Transition(f"T{name}", tuple(other for other in names if other != name), f"to_{name}", name) for name in names
    ]
    events = [Event(f"to_{name}", Origin.VENUE, "Go", ()) for name in names]
    dismissed = [Dismissal((name,), (f"to_{name}",), "there", refused=False) for name in names]
    return Machine(
        name="wool",
        version=1,
        summary="All to all.",
        enums=(),
        variables=(),
        states=tuple(states),
        events=tuple(events),
        reasons=(Reason("there", "It is there."),),
        transitions=tuple(rows),
        dismissals=tuple(dismissed),
        properties=(),
    )


@pytest.fixture(scope="session")
def hostile() -> Machine:
    """A machine whose every text and name holds what some markup takes for its own; no file could declare it."""
    guard = Compare(Comparison.LT, Var("<n|m>", INT, Scope.PAYLOAD), Lit(3, INT))
    first = Transition('T"1', ('s<1>"',), "e|v;", 'x:y"', guard, (Requirement("r&1", guard),), (), "r&1")
    return Machine(
        name="m<&>",
        version=1,
        summary=HOSTILE,
        enums=(),
        variables=(),
        states=(State('s<1>"', HOSTILE, ("live",), initial=True), State('x:y"', HOSTILE, ("a b", "terminal"))),
        events=(Event("e|v;", Origin.VENUE, HOSTILE, (Field("<n|m>", INT, HOSTILE),)),),
        reasons=(Reason("r&1", HOSTILE),),
        transitions=(first, Transition("T2", ('s<1>"', 'x:y"'), "e|v;", None, TRUE)),
        dismissals=(Dismissal(('x:y"',), ("e|v;",), "r&1", refused=True, when=None),),
        properties=(),
    )


@pytest.fixture(scope="session")
def lone() -> Machine:
    """A machine with one state and one step that stays in it."""
    return Machine(
        name="lone",
        version=1,
        summary="One state.",
        enums=(),
        variables=(),
        states=(State("only", "All there is", initial=True),),
        events=(Event("ping", Origin.CLOCK, "Again"),),
        reasons=(),
        transitions=(Transition("L1", ("only",), "ping", None),),
        dismissals=(),
        properties=(),
    )
