"""The fields of one message, read by tag: each reading gives a value in its range, or says what is wrong with it.

Raises:
    Malformed: names the place, the field, what was expected and what was found.
Units: whole lots, 0 to QTY_LOTS_MAX; `100.00` is whole, `100.5` is not.
"""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final, TypeVar

from peak_trade.broker.messages import ID_CHARS_MAX, QTY_LOTS_MAX
from peak_trade.fix.malformed import Fault, Malformed, shown
from peak_trade.fix.reader import Message
from peak_trade.fix.tags import FLAGS, Tag

_T = TypeVar("_T")
_QTY: Final = re.compile(rb"([0-9]{1,15})(?:\.0{0,9})?")
_MONEY: Final = re.compile(rb"[0-9]{1,15}(?:\.[0-9]{0,9})?")
_ID: Final = re.compile(rb"[!-~]{1,%d}" % ID_CHARS_MAX)
_REASON: Final = re.compile(rb"[0-9]{1,4}")


class Fields:
    """The fields of one message, read by tag; each reading raises Malformed iff the field is not what it must be."""

    __slots__ = ("_values", "message")

    def __init__(self, message: Message) -> None:
        self.message = message
        self._values = message.first()

    def wrong(self, tag: Tag, expected: str, was: str) -> Malformed:
        """Return the exception that says what is wrong with the field `tag`."""
        remedy = "correct the sender or the capture; nothing of the message was applied"
        return Malformed(Fault(self.message.place, tag, expected, was, remedy))

    def once(self) -> None:
        """Raise Malformed iff a field that is read here stands in the message twice."""
        if len(self._values) != len(self.message.fields):
            tags = [tag for tag, _ in self.message.fields]
            twice = next((tag for tag in Tag if tags.count(tag) > 1), None)
            if twice is not None:
                raise self.wrong(twice, "it once", f"{tags.count(twice)} times")

    def code(self, tag: Tag, known: Mapping[str, _T]) -> _T:
        """Return what the code in `tag` means."""
        value = self._values.get(tag)
        try:
            return known[value.decode("latin-1")]  # type: ignore[union-attr]  # a missing field is told below
        except (KeyError, AttributeError):
            raise self._unknown(tag, known, value) from None

    def allowed(self, tag: Tag, known: AbstractSet[str]) -> None:
        """Raise Malformed iff `tag` is there with a code that is not in `known`."""
        value = self._values.get(tag)
        if value is not None and value.decode("latin-1") not in known:
            raise self._unknown(tag, known, value)

    def flag(self, tag: Tag) -> bool:
        """Return whether `tag` says Y."""
        return tag in self._values and self.code(tag, FLAGS)

    def word(self, tag: Tag) -> str:
        """Return the id in `tag`."""
        value = self._values.get(tag)
        if value is None or _ID.fullmatch(value) is None:
            raise self.wrong(tag, f"1 to {ID_CHARS_MAX} printable ASCII characters, no spaces", _found(value))
        return value.decode("ascii")

    def word_or_none(self, tag: Tag) -> str:
        """Return the id in `tag`, or an empty text if the message has none."""
        return self.word(tag) if tag in self._values else ""

    def reason(self, tag: Tag) -> str:
        """Return the number in `tag` as it is written, or an empty text if the message has none."""
        value = self._values.get(tag, b"0")
        if _REASON.fullmatch(value) is None:
            raise self.wrong(tag, "a number of a reason", _found(value))
        return value.decode("ascii") if tag in self._values else ""

    def lots(self, tag: Tag, least: int = 0) -> int:
        """Return the whole lots in `tag`, `least` to QTY_LOTS_MAX."""
        value = self._values.get(tag)
        found = None if value is None else _QTY.fullmatch(value)
        lots = -1 if found is None else int(found[1])
        if not least <= lots <= QTY_LOTS_MAX:
            raise self.wrong(tag, f"whole lots, {least} to {QTY_LOTS_MAX}", _found(value))
        return lots

    def lots_or_none(self, tag: Tag, least: int = 0) -> int | None:
        """Return the whole lots in `tag`, or None if the message has none."""
        return self.lots(tag, least) if tag in self._values else None

    def money(self, tag: Tag) -> bool:
        """Return whether `tag` has a sum of money."""
        value = self._values.get(tag)
        if value is not None and _MONEY.fullmatch(value) is None:
            raise self.wrong(tag, "a sum of money, such as 10000.50", _found(value))
        return value is not None

    def resent(self) -> bool:
        """Return whether the message may be one that was sent before (43 or 97 is Y)."""
        return self.flag(Tag.POSS_DUP_FLAG) | self.flag(Tag.POSS_RESEND)

    def _unknown(self, tag: Tag, known: Mapping[str, _T] | AbstractSet[str], value: bytes | None) -> Malformed:
        return self.wrong(tag, f"one of {' '.join(sorted(known))}", _found(value))


def _found(value: bytes | None) -> str:
    return "missing" if value is None else shown(value)
