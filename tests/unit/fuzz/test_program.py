"""A program is its world, played the same; and its text, read the same."""

from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peak_trade.broker.faults import FaultKind
from peak_trade.broker.swarm import seeded
from peak_trade.fuzz.found.listing import compact, happens, listing
from peak_trade.fuzz.found.program import (
    Asked,
    BarsPart,
    DeedPart,
    OrderPart,
    Program,
    ProgramError,
    Recorded,
    parsed,
    program_of,
)
from peak_trade.fuzz.play import Played, play
from peak_trade.fuzz.rows import rows, usual
from peak_trade.fuzz.seeded import seeded_world
from peak_trade.fuzz.traders import Line, Scripted
from peak_trade.fuzz.world import Machines, World, planned
from peak_trade.market.strategy import Intent, View
from peak_trade.market.synthetic import walk
from peak_trade.market.terms import Kind, Side, Tif

SEEDS = (4, 7, 17, 33)
"""Among them sessions that stop, that ask for the operator, that are interfered with and that die."""
ROWS = ("closes", "fails", "between", "before", "test_override", "deeds")
"""What rows of the failure matrix may have besides orders and faults."""

NUMBERS = st.integers(0, 40)
ORDERS = st.builds(
    OrderPart,
    step=st.integers(1, 40),
    symbol=st.sampled_from(["", "SYN000", 'a "b\\c']),
    side=st.sampled_from(Side),
    lots=NUMBERS,
    off_permille=st.none() | st.integers(-60, 60),
    limit_ticks=st.none(),
    tif=st.sampled_from(Tif),
    raises=st.sampled_from(["", "no way: 1 # 2"]),
)
DEEDS = st.builds(
    DeedPart,
    step=st.integers(1, 40),
    what=st.sampled_from(["kill", "replace", "config_drift"]),
    order=NUMBERS,
    lots=NUMBERS,
    facts=st.dictionaries(st.sampled_from(["a", "b"]), st.booleans() | NUMBERS | st.sampled_from(["", "yes", "1"])),
)
PROGRAMS = st.builds(
    Program,
    bars=st.builds(BarsPart, seed=NUMBERS, symbols=st.integers(1, 2), steps=st.integers(1, 40), volume_lots=NUMBERS),
    config=st.fixed_dictionaries(
        {"seed": NUMBERS},
        optional={"wind_down_steps": NUMBERS, "limits": st.fixed_dictionaries({"short_allowed": st.booleans()})},
    ),
    orders=st.lists(ORDERS, max_size=9),
    faults=st.builds(lambda seed: planned(seeded(seed, 9, 40, 500)), NUMBERS),
    deeds=st.lists(DEEDS, max_size=4),
    crashes=st.lists(st.integers(1, 99), max_size=2),
    test_override=st.booleans(),
)


def told(played: Played) -> tuple[object, ...]:
    """All that there is to see of a session but what its last process counted."""
    return played.records, played.state, played.why, played.verdict, played.book, played.deaths, played.refused


def both(world: World, machines: Machines, folder: Path) -> tuple[Program, Played, Played]:
    """The program of a world, and how world and program were played."""
    program, played = program_of(world, machines, folder / "world")
    return program, played, play(program.world(), machines, folder / "program")


@pytest.mark.parametrize("seed", SEEDS)
def test_a_program_is_played_as_its_seed(seed: int, machines: Machines, tmp_path: Path) -> None:
    """Every record, the verdict and the book are the same, and the program says it all as text too."""
    program, played, again = both(seeded_world(seed), machines, tmp_path)
    assert told(played) == told(again)
    assert parsed(listing(program), "text") == program
    asked = sum(item.body.get("event") in ("submit", "deny") for item in played.records)
    assert len(program.orders) >= asked
    assert program.orders or not asked


def test_the_sample_has_deaths_and_deeds() -> None:
    """What the law was tested on is not all of one sort."""
    worlds = [seeded_world(seed) for seed in SEEDS]
    assert any(world.crashes for world in worlds)
    assert any(world.deeds for world in worlds)


@pytest.mark.parametrize("what", ROWS)
def test_a_program_is_played_as_its_row(what: str, machines: Machines, tmp_path: Path) -> None:
    """Rows of the failure matrix that have something special are programs, too."""
    row = next(item for item in rows() if getattr(item, what))
    _, played, again = both(row.world(1), machines, tmp_path)
    assert told(played) == told(again)


def test_a_program_has_all_of_a_world() -> None:
    """A part of a world that no program has would be lost; `make` is its orders."""
    own = set(Program.model_fields) - {"schema_version", "faults"}
    assert {"make" if name == "orders" else name for name in own} == {field.name for field in fields(World)}


def test_a_strategy_that_raises_is_recorded(machines: Machines, tmp_path: Path) -> None:
    """Its program raises at the same step, and the session ends in the same way."""
    lines = (Line(2, lots=5), Line(4, raises="no idea"))
    world = replace(usual(3), make=lambda: Scripted(lines))
    program, played, again = both(world, machines, tmp_path)
    assert [order.raises for order in program.orders] == ["", "no idea"]
    assert told(played) == told(again)
    for one in (played, again):
        assert one.problem.startswith("the strategy failed at step 4: ArithmeticError at ")


def view(close: int) -> View:
    """What a strategy sees when the last price is this."""
    bar = walk(1, 1, 1).steps[0].bars[0]
    seen = replace(bar, open_ticks=close, close_ticks=close, low_ticks=close, high_ticks=close)
    return View(1, bar.ts, {bar.symbol: seen}, {}, {}, 0)


@given(st.integers(1, 300_000), st.integers(1, 400_000))
def test_a_limit_is_recorded_exactly(close: int, limit: int) -> None:
    """In permille where that gives the very limit, else in ticks."""
    seen = view(close)
    intent = Intent("SYN000", Side.BUY, 3, Kind.LIMIT, limit)

    class One:
        """Asks for one order."""

        def decide(self, _: View) -> list[Intent]:
            """Return it."""
            return [intent]

    notes: dict[int, list[OrderPart]] = {}
    Recorded(One(), notes).decide(seen)
    assert Asked(tuple(notes[1])).decide(seen) == [intent]


@settings(max_examples=25, deadline=None)
@given(PROGRAMS)
def test_the_text_of_a_program_is_the_program(program: Program) -> None:
    """With comments or without, what is read is what was written."""
    for text in (listing(program, ["why: 'because'"]), compact(program), program.model_dump_json()):
        assert parsed(text, "text") == program
    assert len(list(happens(program))) == program.events + len(program.faults)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("bars: {steps: 3", "text:1"),
        ("orders: []\n", "bars: field required"),
        ("bars: {steps: 3}\norders:\n  - {step: 1, lots: many}\n", "text:3: orders.0.lots"),
        ("bars: {steps: 3}\nstrategy: x\n", "text:2: strategy"),
        ("bars: {steps: 3}\nfaults:\n  - {kind: bust}\n", "order: expected 1"),
        ("bars: {steps: 3}\nfaults:\n  - {kind: bust, order: 1}\n  - {kind: overfill, order: 1}\n", "order 1"),
        ("bars: {steps: 3}\nconfig: {seed: -1}\n", "seed"),
        ("schema_version: 2\nbars: {steps: 3}\n", "schema_version"),
        ("bars: {steps: 0}\n", "bars.steps"),
    ],
)
def test_what_is_no_program_says_where(text: str, says: str) -> None:
    """The message names the place and what is wrong there."""
    with pytest.raises(ProgramError) as caught:
        parsed(text, "text")
    assert says in str(caught.value)
    assert str(caught.value).startswith("text")


def test_bars_that_nobody_can_make_again_are_no_program(machines: Machines, tmp_path: Path) -> None:
    """A program names its bars; others would not be the same."""
    world = replace(usual(3), bars=replace(walk(1, 1, 5), name="mine"))
    with pytest.raises(ProgramError, match="expected a seeded walk"):
        program_of(world, machines, tmp_path / "run")


def test_every_kind_of_fault_has_a_line() -> None:
    """A plan of each kind is listed with a sentence for each fault, and read again."""
    plan = planned(seeded(5, 400, 400, 1000))
    assert {fault["kind"] for fault in plan} == {kind.value for kind in FaultKind}
    program = Program(bars=BarsPart(steps=3), faults=plan)
    assert listing(program).count("  # ") == len(plan)
    assert parsed(listing(program), "text") == program
