"""Only what the schema of its kind admits reaches disk: neither name nor value of anything else does.

A field is admitted iff its name is declared for the kind and its value fits the declared rule; the others are counted
in the body's field `redacted`, which is absent when the count is 0. Types are exact: an int subclass is no whole
number, a bool is none either. None fits every rule, because absence is not a secret. A declared field may be left out.

The check and the canonical text are one pass: what is written is what was fitted, there is no second look at the
caller's value. A schema is refused unless its widest record fits in a line, so no record needs a size check. A run has
few shapes of bodies, and for each the pass is compiled; whatever that one does not admit at once is fitted field by
field.

Limits: a rule is as tight as its author made it; an account number given to a field declared `Whole` is written.
"""

import re
from bisect import insort
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Final, NewType, TypeAlias, assert_never

from peak_trade.journal.errors import BadSchema, WrongKind
from peak_trade.journal.record import FIELDS_MAX, RECORD_BYTES_MAX, WHOLE_MAX, WHOLE_MIN, Body, is_kind, is_name

COUNT: Final = "redacted"
ID_PATTERN: Final = r"[A-Za-z0-9_.:-]{1,64}"
TEXT_CHARS_MAX: Final = 256
WORDS_MAX: Final = 1_024
SHAPES_MAX: Final = 256
TEXTS_MAX: Final = 1_024
"""How many texts that fitted a rule are remembered for it."""
_ESCAPED_BYTES_MAX: Final = 6  # widest JSON spelling of an ASCII character, "\u001f"
_NUMBER_BYTES_MAX: Final = 20  # "-9223372036854775808"

Redacted = NewType("Redacted", str)
"""A record's text up to its seq, made by a `Redactor` and nowhere else."""


@dataclass(frozen=True, slots=True)
class Whole:
    """Fits a whole number from `low` to `high`, both included."""

    low: int = WHOLE_MIN
    high: int = WHOLE_MAX


@dataclass(frozen=True, slots=True)
class Truth:
    """Fits True and False."""


@dataclass(frozen=True, slots=True)
class Words:
    """Fits the members of a closed set of ASCII texts."""

    members: frozenset[str]


@dataclass(frozen=True, slots=True)
class Text:
    """Fits an ASCII text of at most `chars_max` that matches the whole pattern."""

    pattern: str = ID_PATTERN
    chars_max: int = 64


Rule: TypeAlias = Whole | Truth | Words | Text
Schema: TypeAlias = Mapping[str, Mapping[str, Rule]]
_Fit: TypeAlias = Callable[[object], str | None]


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a kind: its key as written, its rule, and the spelling of values that fit it.

    `spelled` are the texts that are known to fit: all of them, or those that came lately.
    """

    name: str
    key: str
    rule: Rule
    fit: _Fit
    spelled: dict[str, str]


_Plan: TypeAlias = tuple[_Field, ...]
_Pass: TypeAlias = Callable[[Body], str | None]


_EXACT: Final[Mapping[type[Rule], str]] = {Whole: "int", Truth: "bool", Words: "str", Text: "str"}
"""The type that a value must have for the compiled pass."""


class Redactor:
    """Gives a record's text with all that its schema does not admit left out.

    Raises (on construction):
        BadSchema: a name, a rule or the width of a kind is outside the limits.
    """

    __slots__ = ("_passes", "_plans")

    def __init__(self, schema: Schema) -> None:
        self._plans = {kind: _plan(kind, fields) for kind, fields in schema.items()}
        self._passes: dict[tuple[str, ...], _Pass] = {}

    @property
    def kinds(self) -> frozenset[str]:
        """Give the declared kinds."""
        return frozenset(self._plans)

    def redact(self, kind: str, body: Body) -> Redacted:
        """Give the canonical text, up to its seq, of the record of this kind and body.

        Raises:
            WrongKind: the schema does not declare the kind.
        """
        quick = self._passes.get((kind, *body)) or self._pass(kind, body)
        return Redacted(quick(body) or self._fitted(kind, body))

    def _fitted(self, kind: str, body: Body) -> str:
        parts = [
            item.key + text
            for item in self._plans[kind]
            if item.name in body and (text := item.fit(body[item.name])) is not None
        ]
        hidden = len(body) - len(parts)
        if hidden:
            # '"' sorts below every character of a name, so quoted keys sort as their names do
            insort(parts, f'"{COUNT}":{hidden}')
        return f'{{"body":{{{",".join(parts)}}},"kind":"{kind}","seq":'

    def _pass(self, kind: str, body: Body) -> _Pass:
        """Give the compiled pass over a body with these names."""
        plan = self._plans.get(kind)
        if plan is None:
            raise WrongKind(kind, "a kind that the schema declares")
        made = _compiled_pass(kind, tuple(item for item in plan if item.name in body), len(body))
        if len(self._passes) < SHAPES_MAX:
            self._passes[kind, *body] = made
        return made


def _compiled_pass(kind: str, plan: _Plan, size: int) -> _Pass:
    """Give the function from a body to its text; it gives None unless every field is admitted, and none is None."""
    if len(plan) < size:
        return _no_pass
    known: dict[str, object] = {}
    tests, parts = [], []
    for at, field in enumerate(plan):
        tests.append(f"type(v{at} := body[{field.name!r}]) is {_EXACT[type(field.rule)]}")
        if isinstance(field.rule, Whole):
            tests.append(f"{field.rule.low} <= v{at} <= {field.rule.high}")
            parts.append(f"{field.key}{{v{at}}}")
        else:
            known |= {f"known{at}": field.spelled.get, f"fit{at}": field.fit}
            tests.append(f"(t{at} := known{at}(v{at}) or fit{at}(v{at}))")
            parts.append(f"{field.key}{{t{at}}}")
    head, tail = '{{"body":{{', f'}}}},"kind":"{kind}","seq":'
    made = f"lambda body: f'{head}{','.join(parts)}{tail}' if {' and '.join(tests) or 'True'} else None"
    found: _Pass = eval(made, known)  # noqa: S307 - our own text: names are lower-case words, rules are numbers
    return found


def _no_pass(body: Body) -> None:
    """Admit nothing: a field that the schema does not declare is in the body."""
    del body


def _plan(kind: str, fields: Mapping[str, Rule]) -> _Plan:
    if not is_kind(kind):
        raise BadSchema(repr(kind), "a kind in lower-case ASCII", "another text")
    if len(fields) >= FIELDS_MAX:
        raise BadSchema(kind, f"fewer than {FIELDS_MAX} fields", f"{len(fields)} fields")
    for name in fields:
        if not is_name(name) or name == COUNT:
            raise BadSchema(kind, f"field names in lower-case ASCII other than {COUNT!r}", repr(name))
    width = 2 * _NUMBER_BYTES_MAX + len(kind) + len('{"body":{"redacted":,},"kind":"","seq":}')
    width += sum(len(name) + len('"":,') + _width(f"{kind}.{name}", rule) for name, rule in fields.items())
    if width > RECORD_BYTES_MAX:
        raise BadSchema(kind, f"at most {RECORD_BYTES_MAX} bytes in its widest record", f"{width} bytes")
    return tuple(_field(name, rule) for name, rule in sorted(fields.items()))


def _width(place: str, rule: Rule) -> int:
    match rule:
        case Whole(low, high):
            if not WHOLE_MIN <= low <= high <= WHOLE_MAX:
                raise BadSchema(place, "a range within 64 bits", f"{low} to {high}")
            return _NUMBER_BYTES_MAX
        case Truth():
            return len("false")
        case Words(members):
            if not 0 < len(members) <= WORDS_MAX or not all(w.isascii() and len(w) <= TEXT_CHARS_MAX for w in members):
                raise BadSchema(place, f"1 to {WORDS_MAX} ASCII words", f"{len(members)} words")
            return max(len(encode_basestring(word)) for word in members)
        case Text(pattern, chars_max):
            if not 0 < chars_max <= TEXT_CHARS_MAX:
                raise BadSchema(place, f"1 to {TEXT_CHARS_MAX} characters", str(chars_max))
            _compiled(place, pattern)
            return chars_max * _ESCAPED_BYTES_MAX + 2
        case _:
            assert_never(rule)


def _compiled(place: str, pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern, re.ASCII)
    except re.error as error:
        raise BadSchema(place, "a regular expression", f"{pattern!r}: {error}") from error


def _field(name: str, rule: Rule) -> _Field:
    spelled: dict[str, str] = {}
    match rule:
        case Whole(low, high):
            fit = _fit_whole(low, high)
        case Truth():
            fit = _fit_truth
        case Words(members):
            spelled = {word: encode_basestring(word) for word in members}
            fit = _fit_words(spelled)
        case Text(pattern, chars_max):
            fit = _fit_text(re.compile(pattern, re.ASCII), chars_max, spelled)
        case _:
            assert_never(rule)
    return _Field(name, f'"{name}":', rule, fit, spelled)


def _fit_whole(low: int, high: int) -> _Fit:
    def fit(value: object) -> str | None:
        if type(value) is int and low <= value <= high:
            return str(value)
        return "null" if value is None else None

    return fit


def _fit_truth(value: object) -> str | None:
    if value is True:
        return "true"
    if value is False:
        return "false"
    return "null" if value is None else None


def _fit_words(spelled: Mapping[str, str]) -> _Fit:
    def fit(value: object) -> str | None:
        if type(value) is str:
            return spelled.get(value)
        return "null" if value is None else None

    return fit


def _fit_text(pattern: re.Pattern[str], chars_max: int, fitted: dict[str, str]) -> _Fit:
    """Fit a text, and keep it in `fitted`: an order's id comes with each of its reports, a symbol with each order."""
    matches = pattern.fullmatch

    def fit(value: object) -> str | None:
        if type(value) is str:
            if len(value) > chars_max or not value.isascii() or matches(value) is None:
                return None
            if len(fitted) >= TEXTS_MAX:
                fitted.clear()
            return fitted.setdefault(value, encode_basestring(value))
        return "null" if value is None else None

    return fit
