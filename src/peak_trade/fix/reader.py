"""Bytes of a FIX 4.4 log become messages, each whole and unharmed, or a fault that says which is not and why.

A message is framed by BodyLength, held to CheckSum, and split into fields by simplefix; joined again its fields are the
same bytes. Fields end with SOH or, as logs are often shown, with `|`; lengths and sums are always those of SOH. Between
messages may stand line ends, comments (a line that begins with `#`) and a time stamp before a message.

Units: bytes.
Limits: LOG_BYTES_MAX of one log, BODY_BYTES_MAX of one message, FIELDS_MAX fields, MESSAGES_MAX messages, FAULTS_MAX
faults; what lies behind one of these is not read, and a fault says so. No network: only bytes that somebody gives.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import simplefix  # type: ignore[import-untyped]  # no types published
from simplefix.errors import ParsingError  # type: ignore[import-untyped]  # as above

from peak_trade.fix.malformed import Fault, Malformed, Place, shown
from peak_trade.fix.tags import BEGIN_STRING, Tag

LOG_BYTES_MAX: Final = 64 * 2**20
BODY_BYTES_MAX: Final = 2**16
FIELDS_MAX: Final = 1_000
MESSAGES_MAX: Final = 200_000
FAULTS_MAX: Final = 1_000

SOH: Final = b"\x01"
_GAP: Final = re.compile(
    rb"(?:[ \t]*(?:#[^\n]*)?\r?\n)*(?:[ \t]*#[^\n]*\Z)?"
    rb"(?:[0-9]{4}-?[0-9]{2}-?[0-9]{2}[-T ][0-9:.,]{8,18}Z?[ \t]*:?)?[ \t]*"
)
_START: Final = re.compile(rb"(?<![0-9])8=FIX")
_HEAD: Final = re.compile(rb"8=(FIX[A-Z0-9.]{0,10})([\x01|])9=([0-9]{1,7})\2")
_SUM: Final = re.compile(rb"10=([0-9]{3})([\x01|])")
_TAG: Final = re.compile(rb"[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class Message:
    """One whole message: its fields in order, header and trailer included, and where it begins."""

    place: Place
    fields: tuple[tuple[int, bytes], ...]

    @property
    def kind(self) -> bytes:
        """The message's MsgType (FIX 35)."""
        return self.fields[2][1]

    def first(self) -> Mapping[int, bytes]:
        """Return each field's first value by tag."""
        return dict(reversed(self.fields))


def read(data: bytes) -> Iterator[Message | Fault]:
    """Yield the messages of `data` in order, and a fault for each stretch that is none."""
    if len(data) > LOG_BYTES_MAX:
        yield Fault(Place(1, 1, 0), 0, f"at most {LOG_BYTES_MAX} bytes", str(len(data)), "split the log")
        return
    parser = _parser()
    at, line, counted, faults = _GAP.match(data).end(), 1, 0, 0  # type: ignore[union-attr]  # it matches nothing too
    for number in range(1, MESSAGES_MAX + 1):
        if at >= len(data):
            return
        line += data.count(b"\n", counted, at)
        counted = at
        found, at = _next(parser, data, at, Place(number, line, at))
        faults += isinstance(found, Fault)
        yield found
        if faults >= FAULTS_MAX:
            break
        at = _GAP.match(data, at).end()  # type: ignore[union-attr]  # as above
    if at < len(data):
        most = f"at most {MESSAGES_MAX} messages and {FAULTS_MAX - 1} faults"
        yield Fault(Place(number, line, at), 0, most, "more", "split the log, or see whether it is a FIX log")


def encode(fields: Sequence[tuple[int, bytes]]) -> bytes:
    """Return the bytes of the message with `fields`; BeginString, BodyLength and CheckSum are made if they lack.

    ValueError iff there is no MsgType.
    """
    message = simplefix.FixMessage()
    message.append_pair(Tag.BEGIN_STRING, BEGIN_STRING)
    for tag, value in fields:
        message.append_pair(tag, value)
    encoded: bytes = message.encode()
    return encoded


def _parser() -> simplefix.FixParser:
    """Return a parser whose tags of counted fields are sets: it looks each field up in them, which halves its time."""
    parser = simplefix.FixParser()
    parser.raw_len_tags, parser.raw_data_tags = frozenset(parser.raw_len_tags), frozenset(parser.raw_data_tags)
    return parser


def _next(parser: simplefix.FixParser, data: bytes, at: int, place: Place) -> tuple[Message | Fault, int]:
    """Return the message at `at`, or its fault, and where to read on."""
    try:
        end, mark = _frame(data, at, place)
    except Malformed as wrong:
        start = _START.search(data, at + 1)
        return wrong.fault, start.start() if start else len(data)
    frame = data[at:end]
    try:
        return _message(parser, frame if mark == SOH else frame.replace(mark, SOH), place), end
    except Malformed as wrong:
        return wrong.fault, end


def _frame(data: bytes, at: int, place: Place) -> tuple[int, bytes]:
    """Return where the message at `at` ends, and its delimiter."""
    head = _HEAD.match(data, at)
    if head is None:
        seen = shown(data[at : at + 40].split(b"\n")[0])
        raise Malformed(Fault(place, 0, "8=FIX.4.4, then 9=BodyLength", seen, "remove what is no message"))
    version, mark, digits = head.groups()
    if version != BEGIN_STRING:
        remedy = "give a log of a FIX 4.4 session"
        raise Malformed(Fault(place, Tag.BEGIN_STRING, shown(BEGIN_STRING), shown(version), remedy))
    length, remedy = int(digits), "capture the message again, whole"
    if length > BODY_BYTES_MAX:
        raise Malformed(Fault(place, Tag.BODY_LENGTH, f"at most {BODY_BYTES_MAX} bytes", str(length), remedy))
    end = head.end() + length
    trailer = _SUM.match(data, end)
    if trailer is None or trailer[2] != mark or data[end - 1 : end] != mark:
        whole = "" if end <= len(data) else f", {len(data) - head.end()} are left in the log"
        seen = f"{shown(data[end : end + 7])} there{whole}"
        raise Malformed(Fault(place, Tag.BODY_LENGTH, f"the CheckSum after {length} bytes", seen, remedy))
    return trailer.end(), mark


def _message(parser: simplefix.FixParser, frame: bytes, place: Place) -> Message:
    """Return the message in `frame`, SOH between its fields."""
    body, given = frame[:-7], int(frame[-4:-1])
    total = sum(body) % 256
    if total != given:
        remedy = "the message was changed or damaged on its way; capture it again"
        raise Malformed(Fault(place, Tag.CHECK_SUM, f"{total:03}", f"{given:03}", remedy))
    pairs = _pairs(parser, frame, place)
    if len(pairs) > FIELDS_MAX:
        raise Malformed(Fault(place, 0, f"at most {FIELDS_MAX} fields", str(len(pairs)), "split the message"))
    fields = tuple((int(tag), value) for tag, value in pairs)
    if fields[2][0] != Tag.MSG_TYPE:
        remedy = "the first three fields are 8, 9 and 35"
        raise Malformed(Fault(place, Tag.MSG_TYPE, "it as the third field", f"tag {fields[2][0]}", remedy))
    return Message(place, fields)


def _pairs(parser: simplefix.FixParser, frame: bytes, place: Place) -> Sequence[tuple[bytes, bytes]]:
    """Return the fields that simplefix finds in `frame`, iff joined they are the same bytes."""
    parser.reset()
    parser.append_buffer(frame)
    remedy = "each field is tag=value, and the tag a number from 1"
    try:
        found = parser.get_message()
    except ParsingError as error:
        raise Malformed(
            Fault(place, 0, "fields of tag=value", f"{type(error).__name__}: {error!s:.60}", remedy)
        ) from error
    pairs: Sequence[tuple[bytes, bytes]] = () if found is None else found.pairs
    joined = b"".join([tag + b"=" + value + SOH for tag, value in pairs])
    if joined != frame:
        raise Malformed(Fault(place, 0, "fields of tag=value", f"a break after {len(joined)} bytes", remedy))
    strange = next((tag for tag, _ in pairs if not _TAG.fullmatch(tag)), None)
    if strange is not None:
        raise Malformed(Fault(place, 0, "fields of tag=value", f"tag {shown(strange)}", remedy))
    return pairs
