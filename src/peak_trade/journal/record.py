"""A record has exactly one text: canonical JSON, so that equal records are equal bytes.

Text: `{"body":{…},"kind":"…","seq":n}`; keys sorted, no spaces, UTF-8. A body is flat; its values are int, bool, str
or None. Floats and nested values are refused. `decode` refuses every text that `encode` would not give, so a
duplicated or unsorted key cannot hide a value.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeAlias

from peak_trade.journal.errors import BadRecord

Value: TypeAlias = int | bool | str | None
Body: TypeAlias = Mapping[str, Value]

LINE_BYTES_MAX: Final = 16_384
FRAME_BYTES: Final = 103  # what a line adds to a record's text: crc, hash, their names, the line end
RECORD_BYTES_MAX: Final = LINE_BYTES_MAX - FRAME_BYTES
FIELDS_MAX: Final = 64
NAME_CHARS_MAX: Final = 64
WHOLE_MIN: Final = -(2**63)
WHOLE_MAX: Final = 2**63 - 1
RECORDS_MAX: Final = 10**9

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_KIND: Final = re.compile(r"[a-z][a-z0-9_.]*", re.ASCII)
_CACHED_NAMES_MAX: Final = 4_096
_canonical: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the journal: its place from 0, what it is, and its redacted body."""

    seq: int
    kind: str
    body: Body


@lru_cache(maxsize=_CACHED_NAMES_MAX)
def is_name(text: str) -> bool:
    """True iff the text may name a field: lower-case ASCII word of at most `NAME_CHARS_MAX`."""
    return len(text) <= NAME_CHARS_MAX and _NAME.fullmatch(text) is not None


@lru_cache(maxsize=_CACHED_NAMES_MAX)
def is_kind(text: str) -> bool:
    """True iff the text may name a kind: as a field's name, with dots allowed."""
    return len(text) <= NAME_CHARS_MAX and _KIND.fullmatch(text) is not None


def encode(record: Record) -> bytes:
    """Give the record's only text.

    Raises:
        BadRecord: a name, a value or the size is outside the form; the message never holds a value.
    """
    _admit(record)
    text = _canonical({"body": dict(record.body), "kind": record.kind, "seq": record.seq})
    try:
        data = text.encode()
    except UnicodeEncodeError:  # its message would show the value
        raise BadRecord("text that UTF-8 can write", "a lone surrogate") from None
    if len(data) > RECORD_BYTES_MAX:
        raise BadRecord(f"at most {RECORD_BYTES_MAX} bytes", f"{len(data)} bytes")
    return data


def decode(text: bytes) -> Record:
    """Give the record whose only text this is.

    Raises:
        BadRecord: the text is no record's canonical text.
    """
    if len(text) > RECORD_BYTES_MAX:
        raise BadRecord(f"at most {RECORD_BYTES_MAX} bytes", f"{len(text)} bytes")
    try:
        spelled = text.decode()
        found = json.loads(spelled)
    except (ValueError, RecursionError):
        raise BadRecord("JSON in UTF-8", "another text") from None
    if not isinstance(found, dict) or found.keys() != {"body", "kind", "seq"} or not isinstance(found["body"], dict):
        raise BadRecord("an object of body, kind and seq", "another value")
    record = Record(found["seq"], found["kind"], found["body"])
    _admit(record)
    if _canonical(found) != spelled:
        raise BadRecord("canonical JSON: sorted, unspaced, no name twice", "another spelling")
    return record


def _admit(record: Record) -> None:
    if type(record.seq) is not int or not 0 <= record.seq < RECORDS_MAX:
        raise BadRecord(f"seq from 0 to below {RECORDS_MAX}", "another seq")
    if type(record.kind) is not str or not is_kind(record.kind):
        raise BadRecord("a kind in lower-case ASCII", "another kind")
    if len(record.body) > FIELDS_MAX:
        raise BadRecord(f"at most {FIELDS_MAX} fields", f"{len(record.body)} fields")
    for name, value in record.body.items():
        if type(name) is not str or not is_name(name):
            raise BadRecord("field names in lower-case ASCII", "another name")
        # exact types: a subclass may print as anything
        if type(value) is int:
            if not WHOLE_MIN <= value <= WHOLE_MAX:
                raise BadRecord(f"{name} in 64 bits", "a larger number")
        elif value is not None and type(value) is not str and type(value) is not bool:
            raise BadRecord(f"{name} as int, bool, str or None", type(value).__name__)
