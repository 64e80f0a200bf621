"""A program as YAML for a person, with a comment for each thing that happens; `program.parsed` gives it back."""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, Final

from peak_trade.broker.faults import KINDS
from peak_trade.broker.script import built
from peak_trade.fuzz.found.program import OrderPart, Program
from peak_trade.market.terms import Side

LINE_CHARS_MAX: Final = 118
HEAD: Final = "A session's world as an explicit program: what is not here is as usual."


def listing(program: Program, about: Iterable[str] = ()) -> str:
    """Return the text of `program`, under comments that say what it is `about`."""
    plain = program.plain()
    lines = [f"# {line}" for line in (HEAD, *about)]
    lines += [
        f"schema_version: {plain.pop('schema_version')}",
        "",
        "# The market.",
        f"bars: {_flow(plain.pop('bars'))}",
    ]
    if config := plain.pop("config", None):
        lines += ["", "# What differs from the default configuration.", "config:", *_entries(config)]
    lines += chain.from_iterable(_section(program, name, plain.pop(name)) for name in SECTIONS if name in plain)
    if plain:
        lines += ["", "# What else is not as usual.", *(f"{name}: {_flow(value)}" for name, value in plain.items())]
    return "\n".join(lines) + "\n"


def compact(program: Program) -> str:
    """Return the text of `program` without a comment, an item a line."""
    lines = []
    for name, value in program.plain().items():
        if name in SECTIONS:
            lines += [f"{name}:", *(f"  - {_flow(item)}" for item in value)]
        elif name == "config":
            lines += ["config:", *_entries(value)]
        else:
            lines.append(f"{name}: {_flow(value)}")
    return "\n".join(lines) + "\n"


SECTIONS: Final[Mapping[str, str]] = {
    "orders": "What the strategy asks for, at the end of a step; limits in permille from the last price.",
    "faults": "What goes wrong at the venue; orders are counted as the venue sees them, from 1.",
    "deeds": "What somebody else does, before a step.",
    "crashes": "At which write to its journal each process dies.",
}


def happens(program: Program) -> Iterator[str]:
    """Yield what happens in `program`, a sentence each: orders, faults, deeds, deaths."""
    yield from (f"{_order(order)}." for order in program.orders)
    for fault in built(program.faults):
        where = f"Order {fault.order}" if fault.order else f"Steps {fault.step} to {fault.end - 1}"
        yield f"{where}, {fault.kind}: {KINDS[fault.kind].does}"
    for deed in program.deeds:
        yield f"Step {deed.step}: somebody does {deed.what}{f' to order {deed.order}' if deed.order else ''}."
    yield from (f"A process dies at write {at} to its journal." for at in program.crashes)


def _section(program: Program, name: str, items: list[Any]) -> Iterator[str]:
    yield from ("", f"# {SECTIONS[name]}", f"{name}:")
    said = _said(program, name)
    yield from (f"  - {_flow(item)}{f'  # {text}' if text else ''}" for item, text in zip(items, said, strict=True))


def _said(program: Program, name: str) -> list[str]:
    match name:
        case "orders":
            return [_order(order) for order in program.orders]
        case "faults":
            return [KINDS[fault.kind].does for fault in built(program.faults)]
        case "crashes":
            return [f"process {number}" for number in range(1, len(program.crashes) + 1)]
        case _:
            return [""] * len(program.deeds)


def _order(order: OrderPart) -> str:
    if order.raises:
        return f"step {order.step}: the strategy raises"
    verb = "buy" if order.side is Side.BUY else "sell"
    limit = "" if order.limit_ticks is None else f" at {order.limit_ticks} ticks"
    if order.off_permille is not None:
        limit = f" at {order.off_permille:+} permille" if order.off_permille else " at the last price"
    return f"step {order.step}: {verb} {order.lots}{limit or ' at the market'}, {order.tif.value}"


def _entries(config: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each entry, and for each entry of a part."""
    for name, value in config.items():
        if isinstance(value, dict) and value:
            yield from (f"  {name}:", *(f"    {inner}: {_flow(item)}" for inner, item in value.items()))
        else:
            yield f"  {name}: {_flow(value)}"


def _flow(value: Any) -> str:  # noqa: ANN401 - plain data
    """Return plain data on one line: JSON, which is YAML."""
    return json.dumps(value, ensure_ascii=False)
