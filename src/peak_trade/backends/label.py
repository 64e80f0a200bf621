"""What a picture or table says about a part of a machine, as plain text without any markup."""

from textwrap import wrap
from typing import Final

from peak_trade.lang.document import ANY
from peak_trade.lang.expr import TRUE
from peak_trade.lang.machine import Event, Field, Machine, Transition, Variable
from peak_trade.lang.maps import shown, word
from peak_trade.lang.pretty import expression, target
from peak_trade.lang.sorts import MapSort, describe, example

GUARD_CHARS_MAX: Final = 24
DOC_CHARS_MAX: Final = 38
_PLAIN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-")


def ident(text: str) -> str:
    """Return `text` as an id that DOT, XML and CSS take as it stands; different texts give different ids."""
    return "".join(char if char in _PLAIN else f"~{ord(char):x}~" for char in text)


def anchor(transition: Transition, source: str) -> str:
    """Return the id under which `transition` is drawn from `source`: its own, unless it starts in several states."""
    own = ident(transition.name)
    return own if len(transition.sources) == 1 else f"{own}--{ident(source)}"


def declared(item: Field | Variable) -> str:
    """Return `name: sort unit`."""
    return f"{item.name}: {describe(item.sort)} {item.unit}".rstrip()


def start(item: Variable) -> str:
    """Return the value that a variable has at the start: `0`, `any`, `0 everywhere`."""
    if isinstance(item.sort, MapSort):
        return f"{word(shown(example(item.sort.element)))} everywhere"
    return ANY if item.free else word(shown(item.init))


def call(event: Event) -> str:
    """Return the event as it is offered: `tick`, `fill(last_qty: int 1.. lots)`."""
    return f"{event.name}({', '.join(map(declared, event.payload))})" if event.payload else event.name


def guard(transition: Transition) -> str:
    """Return the text that chooses `transition` among the rows of its cell; empty if nothing has to be chosen."""
    return "" if transition.when == TRUE else expression(transition.when)


def updates(transition: Transition) -> tuple[str, ...]:
    """Return `variable := value` for each update, in declared order."""
    return tuple(f"{target(update)} := {expression(update.value)}" for update in transition.updates)


def locks(transition: Transition) -> tuple[str, ...]:
    """Return `condition else reason` for each lock, in declared order."""
    return tuple(f"{expression(lock.holds)} else {lock.reason}" for lock in transition.require)


def full(machine: Machine, transition: Transition, source: str) -> str:
    """Return all that `transition` says when it starts in `source`, one thing a line."""
    lines = [f"{transition.name} {call(machine.event(transition.event))}"]
    lines.append(f"{source} → {transition.target or source}")
    lines += [f"[{text}]" for text in (guard(transition),) if text]
    lines += [f"requires {text}" for text in locks(transition)]
    lines += [f"/ {text}" for text in updates(transition)]
    lines += [f"{item.name}: {item.doc}" for item in machine.reasons if item.name == transition.reason]
    return "\n".join(lines)


def brief(transition: Transition) -> str:
    """Return what follows the id and event in a picture: the reason, or a guard that is short enough, or nothing."""
    if transition.reason:
        return f"· {transition.reason}"
    text = guard(transition)
    return f"[{text}]" if 0 < len(text) <= GUARD_CHARS_MAX else ""


def folded(text: str) -> tuple[str, ...]:
    """Return `text` in lines of at most `DOC_CHARS_MAX` characters, unless one word is longer."""
    return tuple(wrap(text, DOC_CHARS_MAX, break_long_words=False))
