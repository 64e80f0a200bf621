"""The text of expressions and machines; reading it again gives the same value."""

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias, assert_never

from peak_trade.lang.document import ANY, MAP
from peak_trade.lang.expr import TRUE, And, Arith, Arithmetic, At, Compare, Expr, Ite, Lit, Member, Not, Or, Scope, Var
from peak_trade.lang.machine import (
    Always,
    Dismissal,
    Event,
    Field,
    Heard,
    LeadsTo,
    Machine,
    Property,
    State,
    Step,
    Transition,
    Update,
    Variable,
    Witness,
)
from peak_trade.lang.sorts import BoolSort, EnumSort, IntSort, MapSort, Sort

Plain: TypeAlias = dict[str, Any]
"""A document as plain data: strings, numbers, truth values, lists and mappings."""

FINGERPRINTS_MAX: Final = 64
"""How many machines' fingerprints are kept: a session asks for its own again and again."""

OTHERWISE = "otherwise"
"""The guard of a dismissal that applies whenever no other row of its cell does."""

_ITE, _OR, _AND, _NOT, _COMPARE, _ADD, _MUL, _ATOM = range(8)
_ARITH = {Arithmetic.ADD: _ADD, Arithmetic.SUB: _ADD, Arithmetic.MUL: _MUL}


def expression(expr: Expr) -> str:
    """Return the source text of `expr`, with no more parentheses than reading it again needs."""
    return _text(expr)[0]


def _text(expr: Expr) -> tuple[str, int]:  # noqa: C901, PLR0911 - one return for each node of the closed union
    match expr:
        case Lit(value, _):
            negative = type(value) is int and value < 0
            return (str(value).lower() if isinstance(value, bool) else str(value)), _ADD if negative else _ATOM
        case Var(name, _, scope):
            return (f"next_{name}" if scope is Scope.NEXT else name), _ATOM
        case Not(arg):
            return f"not {_within(arg, _NOT)}", _NOT
        case And(args):
            return " and ".join(_within(arg, _AND + 1) for arg in args), _AND
        case Or(args):
            return " or ".join(_within(arg, _OR + 1) for arg in args), _OR
        case Compare(comparison, left, right):
            return f"{_within(left, _ADD)} {comparison.value} {_within(right, _ADD)}", _COMPARE
        case Member(item, choices):
            return f"{_within(item, _ADD)} in {{{', '.join(expression(choice) for choice in choices)}}}", _COMPARE
        case Arith(arithmetic, left, right):
            level = _ARITH[arithmetic]
            return f"{_within(left, level)} {arithmetic.value} {_within(right, level + 1)}", level
        case At(array, index):
            return f"{expression(array)}[{expression(index)}]", _ATOM
        case Ite(test, then, orelse):
            return f"{_within(then, _OR)} if {_within(test, _OR)} else {_within(orelse, _ITE)}", _ITE
        case _:
            assert_never(expr)


def _within(expr: Expr, level: int) -> str:
    text, own = _text(expr)
    return text if own >= level else f"({text})"


def document(machine: Machine) -> str:
    """Return the canonical YAML text of `machine`; comments and layout of the source are not kept."""
    lines: list[str] = []
    for key, value in plain(machine).items():
        match value:
            case dict():
                lines += [f"{key}:", *(f"  {name}: {_json(item)}" for name, item in value.items())]
            case list():
                lines += [f"{key}:", *(f"  - {_json(item)}" for item in value)]
            case _:
                lines.append(f"{key}: {_json(value)}")
    return "\n".join(lines) + "\n"


@lru_cache(maxsize=FINGERPRINTS_MAX)
def fingerprint(machine: Machine) -> str:
    """Return the SHA-256 of the canonical text, in hex: equal iff the machines are."""
    return hashlib.sha256(document(machine).encode()).hexdigest()


def plain(machine: Machine) -> Plain:
    """Return `machine` as the plain data of its document; empty parts are left out."""
    ignored = [_dismissal(row) for row in machine.dismissals if not row.refused]
    refused = [_dismissal(row) for row in machine.dismissals if row.refused]
    return _kept(
        machine=machine.name,
        version=machine.version,
        summary=machine.summary,
        enums={enum.name: list(enum.members) for enum in machine.enums},
        context={item.name: _declared(item) for item in machine.variables},
        states={state.name: _state(state) for state in machine.states},
        events={event.name: _event(event) for event in machine.events},
        reasons={reason.name: reason.doc for reason in machine.reasons},
        transitions=[_transition(item) for item in machine.transitions],
        ignore=ignored,
        refuse=refused,
        properties=[_property(item) for item in machine.properties],
    )


def sort_fields(sort: Sort) -> Plain:
    """Return the declaration of `sort` as the document writes it."""
    match sort:
        case BoolSort():
            return {"type": "bool"}
        case IntSort(low, high):
            return _kept(type="int", min=low, max=high)
        case EnumSort(name, _):
            return {"type": name}
        case MapSort(element):
            own = sort_fields(element)
            return {"type": MAP, "of": own.pop("type"), **own}
        case _:
            assert_never(sort)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _kept(**fields: object) -> Plain:
    return {key: value for key, value in fields.items() if value is not None and value not in ("", [], {})}


def _declared(item: Variable | Field) -> Plain:
    init = {"init": ANY if item.free else item.init} if isinstance(item, Variable) and item.init != () else {}
    return sort_fields(item.sort) | init | _kept(unit=item.unit, doc=item.doc)


def _state(state: State) -> Plain:
    return _kept(doc=state.doc, initial=state.initial or None, tags=list(state.tags))


def _event(event: Event) -> Plain:
    payload = {field.name: _declared(field) for field in event.payload}
    return _kept(origin=event.origin.value, doc=event.doc, payload=payload)


def _guard(expr: Expr | None) -> str | None:
    if expr is None:
        return OTHERWISE
    return None if expr == TRUE else expression(expr)


def _names(names: Sequence[str]) -> str | list[str]:
    return names[0] if len(names) == 1 else list(names)


def _transition(item: Transition) -> Plain:
    return _kept(
        id=item.name,
        **{"from": _names(item.sources)},
        on=item.event,
        when=_guard(item.when),
        require={lock.reason: expression(lock.holds) for lock in item.require},
        set={target(update): expression(update.value) for update in item.updates},
        to=item.target,
        reason=item.reason,
    )


def target(update: Update) -> str:
    """Return what `update` writes to: `count`, or `cums[head + 1]`."""
    return update.variable if update.index is None else f"{update.variable}[{expression(update.index)}]"


def _dismissal(row: Dismissal) -> Plain:
    return _kept(**{"in": _names(row.states)}, on=_names(row.events), when=_guard(row.when), reason=row.reason)


def _property(item: Property) -> Plain:
    start = {"id": item.name}
    end = _kept(says=item.says, answers=list(item.answers))
    match item:
        case Always(holds=holds, lemma=lemma):
            return start | {"lemma" if lemma else "always": expression(holds)} | end
        case Step(holds=holds):
            return start | {"step": expression(holds)} | end
        case Witness(reach=reach, by=by):
            return start | {"witness": expression(reach)} | _kept(by=list(by)) | end
        case LeadsTo(when=when, then=then, rank=rank, fair=fair, weak=weak):
            parts = {"from": expression(when), "to": expression(then), "rank": expression(rank), "fair": list(fair)}
            return start | {"leads_to": parts | ({"weak": True} if weak else {})} | end
        case Heard(event=event, when=when):
            return start | {"heard": event} | _kept(when=_guard(when)) | end
        case _:
            assert_never(item)


def kind_of(claim: Property) -> str:
    """Return the key under which `claim` is declared."""
    match claim:
        case Always(lemma=lemma):
            return "lemma" if lemma else "always"
        case Step():
            return "step"
        case Witness():
            return "witness"
        case LeadsTo():
            return "leads_to"
        case Heard():
            return "heard"
        case _:
            assert_never(claim)
