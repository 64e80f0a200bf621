"""A secret that is planted anywhere outside never appears in anything that a run leaves or shows.

A secret is looked for in every spelling that a program gives to a text: plain, base64 at any alignment, hex, and as
URLs, JSON, HTML and Python write it; forwards and backwards; and any window of `WINDOW_BYTES` bytes of it counts.

Limits: a place that is declared to take a text of some form takes a secret of that form: nothing tells an id that is a
secret from an id. Such places have their rule here, and what is written by it is counted apart.
"""

import base64
import html
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from peak_trade.broker.errors import InvalidRequest, RateLimited, VenueRejected, VenueTimeout, VenueUnavailable
from peak_trade.broker.messages import Accepted, OrderRequest, OrderStatus, ReplaceRequest, Report, Status
from peak_trade.broker.port import Broker
from peak_trade.broker.swarm import drawn
from peak_trade.fuzz.traders import Busy
from peak_trade.journal.redact import ID_PATTERN
from peak_trade.market.strategy import Intent, View
from peak_trade.market.terms import Side

WINDOW_BYTES: Final = 8
BASE64_CHARS: Final = 11
"""So many characters of base64 carry `WINDOW_BYTES` bytes at any alignment."""
SPEAKS_STEP: Final = 6
"""From this step on errors are raised that end a process, or a session."""
SHAPES: Final = {
    "word": "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789_-",
    "unicode": "äöüßéèçñøåłžšğıőπλωжщыя東京大阪नमस्ते€",
    "quoted": "\"'\\<>&%+/= ;:$#{}[]abcdefghkmnpqrstuvwxyzABCDEFGH2345678",
}
CHARS: Final = 24
UNRESERVED: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
ANY: Final = r"(?s).+"
GRAPHIC: Final = r"[!-~]{1,129}"


@dataclass(frozen=True, slots=True)
class Secret:
    """A text of one of the `SHAPES`, drawn from a seed."""

    text: str
    shape: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where a secret is planted; `rule` is the form of the texts that it is declared to take, if any.

    `echoes` iff the command that is given it refuses it and shows it, as a compiler shows a wrong line; nothing keeps
    it.
    """

    about: str
    rule: str = ""
    echoes: bool = False

    def takes(self, secret: Secret) -> bool:
        """Return true iff the secret is of the form that is written here by declaration."""
        return bool(self.rule) and re.fullmatch(self.rule, secret.text) is not None


@dataclass(frozen=True, slots=True)
class Leak:
    """Where a secret was found, in which spelling; `offset` is the byte of the window."""

    where: str
    offset: int
    spelling: str


def secret_of(seed: int) -> Secret:
    """Return the secret of `seed`; the shapes take turns."""
    shape = tuple(SHAPES)[seed % len(SHAPES)]
    letters = SHAPES[shape]
    return Secret("".join(letters[drawn(seed, "secret", at) % len(letters)] for at in range(CHARS)), shape)


def percent(text: str, safe: str = "") -> str:
    """Return the text as a URL has it (RFC 3986, 2.1): written here, as the library that does it opens URLs, too."""
    kept = UNRESERVED + safe
    return "".join(chr(byte) if chr(byte) in kept else f"%{byte:02X}" for byte in text.encode())


TEXTUAL: Final[dict[str, Callable[[str], str]]] = {
    "plain": lambda text: text,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON, not ASCII": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "Python": lambda text: repr(text)[1:-1],
    "HTML": html.escape,
    "Jinja": lambda text: html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
    "URL": percent,
    "URL of a form": lambda text: percent(text, " ").replace(" ", "+"),
    "URL, as a path": lambda text: percent(text, "/"),
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
}


def windows(secret: str) -> dict[bytes, str]:
    """Return every text that betrays the secret, with the name of its spelling."""
    found: dict[bytes, str] = {}
    for word, suffix in ((secret, ""), (secret[::-1], ", backwards")):
        for part in _parts(word):
            for name, spell in TEXTUAL.items():
                found.setdefault(spell(part).encode(), name + suffix)
        for name, text in _base64(word.encode()):
            for at in range(len(text) - BASE64_CHARS + 1):
                found.setdefault(text[at : at + BASE64_CHARS], name + suffix)
    return found


def _parts(word: str) -> Iterator[str]:
    """Yield the shortest parts of `WINDOW_BYTES` bytes or more, from each character on."""
    for begin in range(len(word)):
        for end in range(begin + 1, len(word) + 1):
            if len(word[begin:end].encode()) >= WINDOW_BYTES:
                yield word[begin:end]
                break


def _base64(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the encodings at each alignment, without the ends that depend on what stands beside."""
    for offset in range(3):
        whole = data[offset : offset + (len(data) - offset) // 3 * 3]
        yield "base64", base64.b64encode(whole)
        yield "base64 of URLs", base64.urlsafe_b64encode(whole)


def search(where: str, data: bytes, needles: dict[bytes, str]) -> Leak | None:
    """Return the first place of `data` at which a needle stands, or None."""
    hits = [(at, needle) for needle in needles if (at := data.find(needle)) >= 0]
    if not hits:
        return None
    at, needle = min(hits)
    return Leak(where, at, needles[needle])


@dataclass(slots=True)
class Mouth:
    """Says the secret; `count` is how often it was said, which shows that it came in at all."""

    secret: str
    count: int = 0

    def say(self) -> str:
        """Return the secret."""
        self.count += 1
        return self.secret


@dataclass(slots=True)
class Whispering:
    """A venue that puts the secret into what it says, at one `place`."""

    venue: Broker
    place: str
    mouth: Mouth
    step: Callable[[], int]
    done: set[str] = field(default_factory=set)

    def place_order(self, request: OrderRequest) -> Accepted:
        """Place an order, or refuse it with a secret in the error."""
        name, say = request.client_order_id, self.mouth.say
        match self.place:
            case "rejection":
                raise VenueRejected(name, say())
            case "unavailable":
                raise VenueUnavailable(say(), say())
            case "rate limit":
                raise RateLimited(say())
            case "time-out":
                raise VenueTimeout(say())
            case "invalid request":
                raise InvalidRequest(say(), say())
        accepted = self.venue.place_order(request)
        return Accepted(name, say()) if self.place == "venue's order id" else accepted

    def cancel_order(self, client_order_id: str) -> None:
        """Cancel an order, or refuse it with a secret in the error."""
        if self.place == "cancel refused":
            raise VenueRejected(self.mouth.say(), self.mouth.say())
        self.venue.cancel_order(client_order_id)

    def replace_order(self, request: ReplaceRequest) -> Accepted:
        """Replace an order."""
        return self.venue.replace_order(request)

    def query_order(self, client_order_id: str) -> OrderStatus | None:
        """Return what is known of an order."""
        found = self.venue.query_order(client_order_id)
        if found is None or self.place != "status":
            return found
        return replace(found, venue_order_id=self.mouth.say(), symbol=self.mouth.say())

    def list_open_orders(self) -> tuple[OrderStatus, ...]:
        """Return what is open, and an order of somebody else's whose every text is the secret."""
        found, say = self.venue.list_open_orders(), self.mouth.say
        if self.place == "status":
            return tuple(replace(item, venue_order_id=say(), symbol=say()) for item in found)
        if self.place != "foreign order":
            return found
        return (*found, OrderStatus(say(), say(), say(), Side.BUY, Status.NEW, 10, 0, 10))

    def iter_reports(self, since_cursor: int) -> Iterator[Report]:
        """Yield the reports, or raise with the secret."""
        if self.place == "venue's crash" and self.step() >= SPEAKS_STEP:
            raise RuntimeError(self.mouth.say())
        if self.place == "reports refused" and self.step() >= SPEAKS_STEP:
            raise InvalidRequest(self.mouth.say(), self.mouth.say())
        return map(self._spoken, self.venue.iter_reports(since_cursor))

    def iter_fills(self, since_cursor: int) -> Iterator[Report]:
        """Yield the executions."""
        return map(self._spoken, self.venue.iter_fills(since_cursor))

    def _spoken(self, report: Report) -> Report:
        say = self.mouth.say
        match self.place:
            case "execution id":
                return replace(report, exec_id=say())
            case "report's venue id":
                return replace(report, venue_order_id=say())
            case "undone execution":
                return replace(report, ref_id=say())
            case "report's order id" if self.step() >= SPEAKS_STEP:
                return replace(report, client_order_id=say())
        return report


@dataclass(frozen=True, slots=True)
class Careless:
    """A strategy that trades, and then raises what it should not."""

    seed: int
    mouth: Mouth | None

    def decide(self, view: View) -> Sequence[Intent]:
        """Return orders; later fail, with the secret in the error.

        Raises:
            ArithmeticError: what it knows is in it.
        """
        if self.mouth is not None and view.step >= SPEAKS_STEP:
            raise ArithmeticError(self.mouth.say())
        return Busy(self.seed).decide(view)


def careless(seed: int = 1, note: str = "") -> Careless:
    """Return a strategy that trades; `note` is a parameter that it does not use."""
    del note
    return Careless(seed, None)


VENUE: Final[dict[str, Place]] = {
    "venue's order id": Place("the id that the venue gives to an order", ID_PATTERN),
    "execution id": Place("the id of an execution", f"{ID_PATTERN}|{GRAPHIC}"),
    "report's venue id": Place("the venue's id of an order, in a report"),
    "report's order id": Place("the order that a report is about", f"{ID_PATTERN}|{GRAPHIC}"),
    "undone execution": Place("the execution that a report undoes", ID_PATTERN),
    "status": Place("venue's id and symbol of an order that is asked for", ID_PATTERN),
    "foreign order": Place("an order at the venue that is not ours", GRAPHIC),
    "rejection": Place("the reason of a rejection"),
    "cancel refused": Place("the reason why a cancel is refused"),
    "invalid request": Place("the reason why a request is invalid"),
    "reports refused": Place("the reason why no reports come"),
    "unavailable": Place("who is not available"),
    "rate limit": Place("what is over the limit"),
    "time-out": Place("what was not answered"),
    "venue's crash": Place("an error of no known kind, raised by the venue"),
}
OTHERS: Final[dict[str, Place]] = {
    "strategy's crash": Place("an error that the strategy raises"),
    "environment": Place("a variable of the environment, the user's name too"),
    "unknown key": Place("the value of a key that a configuration cannot have", echoes=True),
    "wrong value": Place("a value that a configuration cannot take", echoes=True),
    "strategy's parameter": Place("a parameter of the strategy: without it no run can be repeated", ANY),
    "other column": Place("a column of the bars that nobody asked for: packs have the file as it is", ANY),
    "wrong cell": Place("a cell of the bars that is no price", echoes=True),
    "switch, damaged": Place("a kill switch that cannot be read"),
    "switch, other key": Place("a kill switch with a key of somebody else's"),
    "switch, name": Place("who pulled the kill switch: a name is asked for", ANY),
}
PLACES: Final[dict[str, Place]] = {**VENUE, **OTHERS}
