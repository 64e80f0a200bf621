"""Percent-encoding of paths (RFC 3986); written here because nothing in the project imports `urllib`."""

import re
from typing import Final

_RUN: Final = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_KEPT: Final = re.compile(rb"[A-Za-z0-9_.~/#-]")


def decoded(address: str) -> str:
    """Return the path that `address` means; an escape that is no UTF-8 becomes the replacement character."""
    return _RUN.sub(lambda found: bytes.fromhex(found[0].replace("%", "")).decode("utf-8", "replace"), address)


def encoded(path: str) -> str:
    """Return `path` as it is written in an address; `/` and `#` stay."""
    raw = path.encode("utf-8", "surrogateescape")
    return "".join(chr(byte) if _KEPT.match(bytes([byte])) else f"%{byte:02X}" for byte in raw)
