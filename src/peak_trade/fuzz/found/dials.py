"""What can be turned down about a failing program: each dial is a whole number from 0 to where it stands.

With all dials where they stand a stage builds its program again; any lower setting builds one with less in it: without
a fault, an order, a deed or a death, shorter, earlier, or with smaller numbers. So the program's own encoding is the
list of its dials, and whoever minimises that list (`fuzz.found.shrink`) needs to know nothing of programs.

Faults and deeds name orders by their ordinals at the venue. When an order is left out, or moves to another step, those
behind it are renamed, and what struck it goes with it; which orders reach the venue is known of the program as it was
played, so a renaming can be wrong, and then the smaller program just does not fail.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from peak_trade.fuzz.found.program import BarsPart, DeedPart, OrderPart, Program
from peak_trade.market.terms import Tif

Fault = dict[str, int | str]
Setting = tuple[int, ...]
NEVER_LEFT: Final = 0
"""The ordinal of an order that no venue saw."""


@dataclass(frozen=True, slots=True)
class Stage:
    """Dials with where they stand, and what a setting of them builds."""

    name: str
    stands: Setting
    build: Callable[[Setting], Program]


@dataclass(slots=True)
class Board:
    """Dials that are laid out one by one, and are read again in the same order."""

    stands: list[int] = field(default_factory=list)
    setting: Setting = ()
    reading: bool = False
    at: int = 0

    def turn(self, high: int) -> int:
        """Lay out a dial that stands at `high`, or read it: its setting, at most `high`."""
        if not self.reading:
            self.stands.append(max(0, high))
            return high
        self.at += 1
        return min(high, self.setting[self.at - 1])

    def number(self, value: int, low: int = 1) -> int:
        """Return a number between `low` and `value`; one that is below is left as it is."""
        return low + self.turn(value - low) if value > low else value

    def keep(self) -> bool:
        """Return true iff the dial of something that may be left out is up."""
        return bool(self.turn(1))

    def mask(self, count: int) -> list[bool]:
        """Return which of `count` things are kept: a dial for each half, quarter and so on, and for each of them.

        Coarse ones come first, so that whoever tries them in turn drops much at once before looking at the rest.
        """
        kept, width = [True] * count, 1
        while width * 2 < count:
            width *= 2
        while width and count:
            groups = [self.keep() for _ in range(-(-count // width))]
            kept = [kept[place] and groups[place // width] for place in range(count)]
            width //= 2
        return kept


def stage(name: str, program: Program, sent: Sequence[tuple[int, int]]) -> Stage:
    """Return the stage of `STAGES` called `name` for a program whose orders left as `sent` says."""
    layout = STAGES[name]
    numbers = ordinals(program, sent)
    board = Board()
    layout(board, program, numbers)
    stands = tuple(board.stands)
    return Stage(name, stands, lambda setting: layout(Board(setting=setting, reading=True), program, numbers))


def ordinals(program: Program, sent: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """Return the ordinal of each order at the venue, from 1; with nothing known of what left, all of them count."""
    ranks = {place: rank for rank, place in enumerate(sent, 1)}
    counts: dict[int, int] = {}
    found = []
    for place, order in enumerate(program.orders, 1):
        counts[order.step] = counts.get(order.step, 0) + 1
        found.append(ranks.get((order.step, counts[order.step]), NEVER_LEFT) if ranks else place)
    return tuple(found)


def fewer_faults(board: Board, program: Program, numbers: Sequence[int]) -> Program:
    """Leave out faults."""
    del numbers
    return _changed(program, faults=_kept(program.faults, board))


def fewer_events(board: Board, program: Program, numbers: Sequence[int]) -> Program:
    """Leave out orders, deeds and deaths, and steps at the end.

    Deaths may come earlier, too: with fewer events there are fewer writes, and a late one would not come any more.
    """
    bars = _shorter(board, program.bars)
    deaths = [board.number(at) for at in program.crashes]
    count, deeds = len(program.orders), len(program.deeds)
    kept = board.mask(program.events)
    orders = [pair for pair, stays in zip(zip(program.orders, numbers, strict=True), kept, strict=False) if stays]
    fewer = _changed(
        program,
        bars=bars,
        deeds=[deed for deed, stays in zip(program.deeds, kept[count:], strict=False) if stays],
        crashes=[at for at, stays in zip(deaths, kept[count + deeds :], strict=True) if stays],
    )
    return _renamed(fewer, orders, numbers)


def smaller_numbers(board: Board, program: Program, numbers: Sequence[int]) -> Program:
    """Make numbers smaller, let things happen earlier, and leave out what the configuration says."""
    steps = [order.step for order in program.orders]
    first = min((step for step in steps if step), default=1)
    shift = first - board.number(first)
    config = _plainer(board, program.config)
    orders = [_smaller_order(board, order, shift) for order in program.orders]
    fewer = _changed(
        program,
        bars=_smaller_bars(board, program.bars, shift),
        config=config,
        deeds=[_smaller_deed(board, deed, shift) for deed in program.deeds],
        crashes=[board.number(at) for at in program.crashes],
        faults=[_smaller_fault(board, fault, shift) for fault in program.faults],
        **_rest(board, program),
    )
    return _renamed(fewer, list(zip(orders, numbers, strict=True)), numbers)


STAGES: Final[Mapping[str, Callable[[Board, Program, Sequence[int]], Program]]] = {
    "events": fewer_events,
    "faults": fewer_faults,
    "numbers": smaller_numbers,
}
"""In this order: what struck an order goes with it, and less that is left has fewer numbers.

With faults before events the same failures took about twice as many sessions.
"""


def _changed(program: Program, **parts: Any) -> Program:  # noqa: ANN401 - parts of a program
    return program.model_copy(update=parts)


def _kept(items: Sequence[Any], board: Board) -> list[Any]:
    return [item for item, stays in zip(items, board.mask(len(items)), strict=True) if stays]


def _shorter(board: Board, bars: BarsPart) -> BarsPart:
    if bars.closes:
        return bars.model_copy(update={"closes": bars.closes[: board.number(len(bars.closes))]})
    return bars.model_copy(update={"steps": board.number(bars.steps)})


def _smaller_bars(board: Board, bars: BarsPart, shift: int) -> BarsPart:
    if bars.closes:
        return bars
    symbols, steps = board.number(bars.symbols), max(1, bars.steps - shift)
    return bars.model_copy(update={"seed": board.number(bars.seed, 0), "symbols": symbols, "steps": steps})


def _smaller_order(board: Board, order: OrderPart, shift: int) -> OrderPart:
    off, words = order.off_permille, tuple(Tif)
    facts: dict[str, Any] = {"step": max(1, board.number(order.step) - shift), "lots": board.number(order.lots)}
    if off is not None:
        facts["off_permille"] = board.number(abs(off), 0) * (1 if off > 0 else -1)
    facts["tif"] = words[board.number(words.index(order.tif), 0)]
    facts["symbol"] = order.symbol if not order.symbol or board.keep() else ""
    return order.model_copy(update=facts)


def _smaller_deed(board: Board, deed: DeedPart, shift: int) -> DeedPart:
    step, lots = max(1, board.number(deed.step) - shift), board.number(deed.lots)
    return deed.model_copy(update={"step": step, "lots": lots})


def _smaller_fault(board: Board, fault: Fault, shift: int) -> Fault:
    if "step" not in fault:
        return fault
    smaller: Fault = {name: board.number(int(fault[name])) for name in ("step", "steps") if name in fault}
    return fault | smaller | {"step": max(1, int(smaller["step"]) - shift)}


def _plainer(board: Board, config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration with some of what it says left out, and a smaller seed."""
    found: dict[str, Any] = {}
    for name, value in config.items():
        if name == "seed":
            found[name] = board.number(int(value), 0)
        elif isinstance(value, dict):
            if inner := _plainer(board, value):
                found[name] = inner
        elif board.keep():
            found[name] = value
    return found


def _rest(board: Board, program: Program) -> dict[str, Any]:
    """Return what else is as usual or not; what the disk refuses goes as a whole."""
    facts: dict[str, Any] = {}
    if program.fails and not board.keep():
        facts |= {"fails": 0, "fails_at": 0}
    for name in ("test_override", "before", "between"):
        if getattr(program, name) and not board.keep():
            facts[name] = type(getattr(program, name))()
    return facts


def _renamed(program: Program, orders: Iterable[tuple[OrderPart, int]], before: Iterable[int]) -> Program:
    """Return the program with these orders by step; `before` are the ordinals that were in use."""
    placed = sorted(orders, key=lambda pair: pair[0].step)
    left = [number for _, number in placed if number != NEVER_LEFT]
    names = {number: 0 for number in before if number != NEVER_LEFT} | {old: new for new, old in enumerate(left, 1)}
    return _changed(
        program,
        orders=[order for order, _ in placed],
        faults=[{**fault, **_name(fault, names)} for fault in program.faults if _stays(fault.get("order", 0), names)],
        deeds=list(_renamed_deeds(program.deeds, names)),
    )


def _stays(number: object, names: Mapping[int, int]) -> bool:
    """Return false iff it names an order that was left out; no order, and one that is not known, stays."""
    return not number or bool(names.get(int(str(number)), number))


def _name(fault: Fault, names: Mapping[int, int]) -> Fault:
    number = int(fault.get("order", 0))
    return {"order": names.get(number, number)} if number else {}


def _renamed_deeds(deeds: Iterable[DeedPart], names: Mapping[int, int]) -> Iterator[DeedPart]:
    for deed in deeds:
        if _stays(deed.order, names):
            yield deed.model_copy(update={"order": names.get(deed.order, deed.order)}) if deed.order else deed
