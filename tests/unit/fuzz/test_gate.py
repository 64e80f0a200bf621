"""A gate passes on evidence alone: what was not looked at is inconclusive, and what is not understood is an error."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.fuzz.cover.coverage import Coverage, Goal
from peak_trade.fuzz.cover.gate import KINDS, BadRequirement, Contradicted, Requirement, Verdict, judge, parse, worst
from peak_trade.fuzz.cover.goals import OWN, REGISTERS

MACHINES = ("session", "order")
WANTED = tuple(Goal("transition", machine, f"T{place}") for machine in MACHINES for place in range(4))
FAULTS = tuple(Goal("fault", "", name) for name in ("bust", "outage"))


KNOWN = "known: " + ", ".join(f"`{word}`" for word in sorted(KINDS))


def seen(*goals: Goal) -> Coverage:
    """A coverage that saw each of these once."""
    return Coverage.of([[*goal, 1, 7] for goal in goals])


def test_requirements_are_read() -> None:
    """Several stand with commas between them; a machine stands before a dot, a tenth of a percent behind one."""
    found = parse("transitions=100%, clauses=99.5%,order.pairs=0%", MACHINES)
    assert found == (
        Requirement("transition", "", 1000),
        Requirement("clause", "", 995),
        Requirement("pair", "order", 0),
    )


requirements = st.builds(
    Requirement,
    kind=st.sampled_from(OWN),
    machine=st.sampled_from(("", *MACHINES)),
    permille=st.integers(0, 1000),
) | st.builds(Requirement, kind=st.sampled_from(sorted(REGISTERS)), machine=st.just(""), permille=st.integers(0, 1000))


@given(st.lists(requirements, min_size=1, max_size=4))
def test_a_requirement_is_read_as_it_is_written(items: list[Requirement]) -> None:
    """What is printed is what is read."""
    assert list(parse(",".join(map(str, items)), MACHINES)) == items


def test_every_kind_has_a_word() -> None:
    """Whatever is a goal can be required."""
    assert set(KINDS.values()) == {*OWN, *REGISTERS}


@pytest.mark.parametrize(
    ("text", "column", "expected", "hint"),
    [
        ("transitons=100%", 1, "a kind of goal, was 'transitons'", "did you mean `transitions`?"),
        ("states=1%,order.clause=2%", 17, "a kind of goal, was 'clause'", "did you mean `clauses`?"),
        ("ordr.pairs=80%", 1, "a machine, was 'ordr'", "did you mean `order`?"),
        ("order.faults=100%", 1, "faults of no machine, was 'order'", "say faults=100%"),
        ("states", 1, "KIND=PERCENT%, was 'states'", "for example states=100%"),
        ("states=100%, ", 14, "KIND=PERCENT%, was ''", "for example states=100%"),
        ("states=101%", 8, "a percentage from 0% to 100%, was '101%'", ""),
        ("states=100.1%", 8, "a percentage from 0% to 100%, was '100.1%'", ""),
        ("states=99", 8, "a percentage from 0% to 100%, was '99'", ""),
        ("states=-1%", 8, "a percentage from 0% to 100%, was '-1%'", ""),
        ("order.=100%", 7, "a kind of goal, was ''", KNOWN),
    ],
)
def test_what_is_no_requirement_is_refused_with_its_place(text: str, column: int, expected: str, hint: str) -> None:
    """The error says where it is, shows it, and says what may have been meant."""
    with pytest.raises(BadRequirement) as caught:
        parse(text, MACHINES)
    error = caught.value
    assert (error.column, error.expected, error.hint) == (column, expected, hint)
    lines = str(error).splitlines()
    assert lines[0] == f"--require, column {column}: expected {expected}"
    assert lines[1][2:] == text
    assert lines[2].index("^") == column + 1


def test_each_machine_is_judged_by_itself() -> None:
    """A machine that was seen whole does not make up for one that was not; misses are listed."""
    (asked,) = parse("transitions=75%", MACHINES)
    rows = judge((asked,), seen(*WANTED[:7]), WANTED)
    assert [(row.machine, row.reached, row.total, row.verdict) for row in rows] == [
        ("session", 4, 4, Verdict.PASS),
        ("order", 3, 4, Verdict.PASS),
    ]
    rows = judge((asked,), seen(*WANTED[:6]), WANTED)
    assert [row.verdict for row in rows] == [Verdict.PASS, Verdict.INCONCLUSIVE]
    assert rows[1].misses == WANTED[6:]
    assert rows[1].why == "2 of 4 order transitions"
    assert worst(rows) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("permille", range(0, 1001, 125))
@pytest.mark.parametrize("count", range(5))
def test_a_share_is_exact(permille: int, count: int) -> None:
    """It passes iff something was seen and the share is at least the required one, without rounding."""
    (row,) = judge((Requirement("transition", "order", permille),), seen(*WANTED[4 : 4 + count]), WANTED)
    expected = Verdict.PASS if count and count * 250 >= permille else Verdict.INCONCLUSIVE
    assert row.verdict is expected


def test_what_is_proved_unreachable_is_not_counted() -> None:
    """Three of four, the fourth proved unreachable, are all."""
    (row,) = judge(parse("order.transitions=100%", MACHINES), seen(*WANTED[4:7]), WANTED, [WANTED[7]])
    assert (row.verdict, row.can, row.unreachable, row.misses) == (Verdict.PASS, 3, 1, ())
    assert row.why == "3 of 3 order transitions, 1 proved unreachable"


@pytest.mark.parametrize("percent", [0, 50, 100])
def test_nothing_seen_is_never_a_pass(percent: int) -> None:
    """No goals, none that can be reached, or none that was ever seen: inconclusive, whatever is required."""
    (asked,) = parse(f"faults={percent}%", MACHINES)
    (none,) = judge((asked,), seen(*WANTED), WANTED)
    assert (none.verdict, none.why) == (
        Verdict.INCONCLUSIVE,
        "there are no faults, so nothing can be required of them",
    )
    (never,) = judge((asked,), seen(*WANTED), (*WANTED, *FAULTS))
    assert (never.verdict, never.misses) == (Verdict.INCONCLUSIVE, FAULTS)
    assert never.why == "none of 2 faults was ever seen, so nothing was learned"
    (cannot,) = judge((asked,), seen(*WANTED), (*WANTED, *FAULTS), FAULTS)
    assert cannot.verdict is Verdict.INCONCLUSIVE
    assert cannot.why == "all 2 faults are proved unreachable, so nothing was learned"


def test_the_worst_of_all_rows_counts() -> None:
    """What is inconclusive outweighs a pass, and without a row there is no evidence."""
    asked = parse("transitions=100%,faults=100%", MACHINES)
    rows = judge(asked, seen(*WANTED), (*WANTED, *FAULTS))
    assert worst(rows) is Verdict.INCONCLUSIVE
    assert worst(rows[:2]) is Verdict.PASS
    assert worst(judge(asked, seen(WANTED[0]), (*WANTED, *FAULTS))) is Verdict.INCONCLUSIVE
    assert worst(()) is Verdict.INCONCLUSIVE


def test_a_proof_that_a_run_contradicts_is_an_error() -> None:
    """What was seen cannot be unreachable: neither the proof nor the run is believed."""
    with pytest.raises(Contradicted, match=r"transition:order\.T3") as caught:
        judge((), seen(*WANTED), WANTED, [WANTED[7]])
    assert caught.value.goals == (WANTED[7],)
