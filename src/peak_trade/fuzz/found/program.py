"""A session's world as an explicit program: the same bars, orders, faults, deeds and deaths, as text for a person.

What a strategy asked for is recorded once and stands there order by order, so that a program needs no strategy and any
part of it can be left out. Playing `program_of(world)` gives the journal of `world`, byte for byte.

Limits: `ORDERS_MAX` orders, `STEPS_MAX` steps; bars are seeded walks or closes of one symbol; as YAML, what
`peak_trade.lang.read` takes.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field, ValidationError

from peak_trade.fuzz.play import Played, play
from peak_trade.fuzz.rows import falling
from peak_trade.fuzz.world import Deed, Machines, World
from peak_trade.lang.read import Marks, read
from peak_trade.lang.source import Findings, Source
from peak_trade.market.bars import Bars
from peak_trade.market.strategy import Intent, Strategy, View
from peak_trade.market.synthetic import walk
from peak_trade.market.terms import Kind, Side, Tif
from peak_trade.session.config import Config, Part

ORDERS_MAX: Final = 10_000
STEPS_MAX: Final = 10_000
SEED_MAX: Final = 2**63 - 1
WALK: Final = "walk-"
"""How bars of `market.synthetic.walk` are called, before their seed."""

Step = Annotated[int, Field(ge=0, le=STEPS_MAX)]
Count = Annotated[int, Field(ge=0, le=10**7)]


class ProgramError(ValueError):
    """A text or a world is no program: `place` says where, `problem` what was expected and found."""

    def __init__(self, place: str, problem: str, remedy: str) -> None:
        self.place, self.problem, self.remedy = place, problem, remedy
        super().__init__(f"{place}: {problem}; {remedy}")


class BarsPart(Part):
    """The bars: a seeded walk, or the closes of one symbol."""

    seed: Annotated[int, Field(ge=0, le=SEED_MAX)] = 0
    symbols: Annotated[int, Field(ge=1, le=100)] = 1
    steps: Annotated[int, Field(ge=1, le=STEPS_MAX)] = 1
    volume_lots: Count = 0
    closes: list[Annotated[int, Field(ge=1, le=10**9)]] = Field(default=[], max_length=STEPS_MAX)

    def bars(self) -> Bars:
        """Return the bars."""
        if self.closes:
            return falling(self.closes)
        return walk(self.seed, self.symbols, self.steps, self.volume_lots)


class OrderPart(Part):
    """One order that the strategy asks for at `step`: at the market, or with a limit.

    The limit is `off_permille` from the last price, or `limit_ticks`. `raises` is what the strategy raises instead.
    """

    step: Step
    symbol: str = ""
    side: Side = Field(default=Side.BUY, strict=False)
    lots: Count = 0
    off_permille: Annotated[int, Field(ge=-1_000, le=10_000)] | None = None
    limit_ticks: Annotated[int, Field(ge=1, le=10**12)] | None = None
    tif: Tif = Field(default=Tif.DAY, strict=False)
    raises: str = ""

    def intent(self, view: View) -> Intent:
        """Return the intent; its limit is of the view's last price."""
        symbol = self.symbol or min(view.bars)
        limit = self.limit_ticks
        if self.off_permille is not None:
            limit = max(1, view.bars[symbol].close_ticks * (1000 + self.off_permille) // 1000)
        return Intent(symbol, self.side, self.lots, Kind.MARKET if limit is None else Kind.LIMIT, limit, self.tif)


class DeedPart(Part):
    """What somebody does before a step; see `world.Deed`."""

    step: Step
    what: str
    order: Count = 0
    lots: Count = 0
    facts: dict[str, bool | int | str] = Field(default={})

    def deed(self) -> Deed:
        """Return it as a world has it."""
        return Deed(self.step, self.what, self.order, self.lots, tuple(sorted(self.facts.items())))


class Program(Part):
    """All that a session meets. `config` is what differs from the default; `faults` as `broker.script` prints them."""

    schema_version: Literal[1] = 1
    bars: BarsPart
    config: dict[str, Any] = Field(default={})
    orders: list[OrderPart] = Field(default=[], max_length=ORDERS_MAX)
    faults: list[dict[str, int | str]] = Field(default=[])
    deeds: list[DeedPart] = Field(default=[])
    crashes: list[Annotated[int, Field(ge=1)]] = Field(default=[])
    test_override: bool = False
    before: str = ""
    between: str = ""
    fails: Annotated[int, Field(ge=0)] = 0
    fails_at: Annotated[int, Field(ge=0)] = 0

    @property
    def events(self) -> int:
        """How many things happen in it: orders, deeds and deaths."""
        return len(self.orders) + len(self.deeds) + len(self.crashes)

    def world(self) -> World:
        """Return the world.

        Raises:
            ValueError: the configuration or the fault plan is none; the message says what.
        """
        return World(
            config=Config.model_validate({**self.config, "faults": self.faults}),
            bars=self.bars.bars(),
            make=partial(Asked, tuple(self.orders)),
            deeds=tuple(item.deed() for item in self.deeds),
            crashes=tuple(self.crashes),
            test_override=self.test_override,
            before=self.before,
            between=self.between,
            fails=self.fails,
            fails_at=self.fails_at,
        )

    def plain(self) -> dict[str, Any]:
        """Return it as JSON has it, without what is as usual."""
        return self.model_dump(mode="json", exclude_defaults=True) | {"schema_version": 1}

    def sha256(self) -> str:
        """Return the SHA-256 of its canonical JSON, in hex."""
        text = json.dumps(self.plain(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Asked:
    """A strategy that asks for exactly the orders of a program."""

    orders: tuple[OrderPart, ...]

    def decide(self, view: View) -> Sequence[Intent]:
        """Return the orders of this step.

        Raises:
            ArithmeticError: the program says so.
        """
        due = [item for item in self.orders if item.step == view.step]
        for item in due:
            if item.raises:
                raise ArithmeticError(item.raises)
        return [item.intent(view) for item in due]


@dataclass(slots=True)
class Recorded:
    """A strategy that notes what another one asks for, by step; a process that starts again asks for the same."""

    inner: Strategy
    notes: dict[int, list[OrderPart]] = field(repr=False)

    def decide(self, view: View) -> Sequence[Intent]:
        """Return what the other one wants."""
        try:
            intents = self.inner.decide(view)
        except Exception as error:
            self.notes[view.step] = [OrderPart(step=view.step, raises=str(error) or type(error).__name__)]
            raise
        self.notes[view.step] = [_order(intent, view) for intent in intents]
        return intents


def recording(world: World) -> tuple[World, Callable[[], Program]]:
    """Return the same world with a strategy that notes what it asks for, and what gives the program once it is played.

    Raises:
        ProgramError: its bars are neither a seeded walk nor closes.
    """
    notes: dict[int, list[OrderPart]] = {}
    bars = _bars(world.bars)
    noted = replace(world, make=lambda: Recorded(world.make(), notes))
    return noted, lambda: _program(world, bars, notes)


def program_of(world: World, machines: Machines, folder: Path) -> tuple[Program, Played]:
    """Return the program of `world`, which is played once for that in `folder`, and how it ended.

    Raises:
        ProgramError: as `recording`; and whatever the session raises.
    """
    noted, made = recording(world)
    played = play(noted, machines, folder)
    return made(), played


def _program(world: World, bars: BarsPart, notes: dict[int, list[OrderPart]]) -> Program:
    config = world.config.model_dump(mode="json", exclude_defaults=True)
    config.pop("faults", None)
    deeds = [
        DeedPart(step=item.step, what=item.what, order=item.order, lots=item.lots, facts=dict(item.facts))
        for item in world.deeds
    ]
    return Program(
        bars=bars,
        config=config,
        orders=[order for step in sorted(notes) for order in notes[step]],
        faults=world.config.faults,
        deeds=deeds,
        crashes=list(world.crashes),
        test_override=world.test_override,
        before=world.before,
        between=world.between,
        fails=world.fails,
        fails_at=world.fails_at,
    )


def _bars(bars: Bars) -> BarsPart:
    """Return how the bars are made; they are made again to be sure."""
    first = bars.steps[0].bars
    if bars.name.startswith(WALK):
        seed = int(bars.name.removeprefix(WALK))
        part = BarsPart(seed=seed, symbols=len(bars.symbols), steps=len(bars.steps), volume_lots=first[0].volume_lots)
    else:
        part = BarsPart(closes=[step.bars[0].close_ticks for step in bars.steps])
    if part.bars() != bars:
        remedy = "play a world whose bars a program can name"
        raise ProgramError("bars", f"expected a seeded walk or closes, was {bars.name!r:.80}", remedy)
    return part


def _order(intent: Intent, view: View) -> OrderPart:
    """Return the intent as a program has it: a limit by its distance if that gives it exactly, else in ticks."""
    limit, bar = intent.limit_ticks, view.bars.get(intent.symbol)
    last = 0 if bar is None else bar.close_ticks
    off = None if limit is None or not last else -(-limit * 1000 // last) - 1000
    exact = off is not None and -1000 <= off <= 10_000 and max(1, last * (1000 + off) // 1000) == limit
    return OrderPart(
        step=view.step,
        symbol=intent.symbol,
        side=intent.side,
        lots=intent.qty_lots,
        off_permille=off if exact else None,
        limit_ticks=None if exact else limit,
        tif=intent.tif,
    )


def parsed(text: str, file: str) -> Program:
    """Return the program that a YAML or JSON text, the contents of `file`, is.

    Raises:
        ProgramError: it is none; the place is the file and the line.
    """
    findings = Findings(Source(file, text))
    found = read(findings)
    if found is None:
        first = findings.sorted()[0]
        raise ProgramError(f"{file}:{first.span.line}", first.message, first.hint or "correct the text")
    data, marks = found
    try:
        program = Program.model_validate(data)
        program.world()
    except ValidationError as error:
        raise _misfit(error, file, marks) from None
    except ValueError as error:
        raise ProgramError(file, str(error), "correct the program") from None
    return program


def _misfit(error: ValidationError, file: str, marks: Marks) -> ProgramError:
    item = error.errors()[0]
    line = marks.at(tuple(item["loc"])).line
    name = ".".join(map(str, item["loc"])) or "the program"
    return ProgramError(f"{file}:{line}", f"{name}: {item['msg'].lower()}, was {item['input']!r:.80}", "correct it")
