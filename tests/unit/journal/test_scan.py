"""The chain shows every change, and a scan finds the longest valid prefix."""

import hashlib
import io
import json
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.journal.chain import START, Chain, Head
from peak_trade.journal.errors import JournalCorrupt
from peak_trade.journal.record import LINE_BYTES_MAX, Record, decode, encode
from peak_trade.journal.scan import WINDOW_BYTES, Scan, read, scan, scan_stream

Grow = Callable[[int], Path]
RECORDS = tuple(Record(n, "kind", {"n": n, "word": "w" * n}) for n in range(6))


def sealed(records: tuple[Record, ...] = RECORDS) -> list[bytes]:
    """Seal the records from the start."""
    chain = Chain()
    return [chain.seal(encode(record)) for record in records]


def scanned(data: bytes, mark: Head | None = None) -> Scan:
    """Scan bytes."""
    return scan_stream(io.BytesIO(data), mark)


def test_line_is_what_the_format_says() -> None:
    """An independent reading of the format (json, hashlib, zlib) agrees with each sealed line."""
    root = hashlib.sha256(b"peak-trade journal, form 1").digest()
    for line, record in zip(sealed(), RECORDS, strict=True):
        found = json.loads(line)
        text = json.dumps(found["record"], sort_keys=True, separators=(",", ":")).encode()
        root = hashlib.sha256(root + text).digest()
        assert found == {
            "crc": f"{zlib.crc32(root.hex().encode() + text):08x}",
            "hash": root.hex(),
            "record": {"body": dict(record.body), "kind": record.kind, "seq": record.seq},
        }
        assert line == json.dumps(found, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def test_whole_journal_is_clean() -> None:
    """All lines verify, and the head binds them."""
    lines = sealed()
    found = scanned(b"".join(lines))
    assert (found.fault, found.head.records, found.head.size_bytes) == (None, 6, len(b"".join(lines)))
    assert found.head.root == json.loads(lines[-1])["hash"]
    assert scanned(b"").head == START


def test_every_changed_bit_is_seen() -> None:
    """Each of all single-bit changes ends the prefix before the changed line; only in the last line is it torn."""
    lines = sealed()
    data = b"".join(lines)
    ends = [sum(map(len, lines[: n + 1])) for n in range(len(lines))]
    for at in range(len(data)):
        line = sum(end <= at for end in ends)
        for bit in range(8):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            found = scanned(bytes(changed))
            assert found.fault is not None, (at, bit)
            assert found.head.records == line, (at, bit)
            assert found.fault.end == ("torn" if line == len(lines) - 1 else "corrupt"), (at, bit)
            assert found.size_bytes == len(data)


def test_every_truncation_gives_the_longest_prefix() -> None:
    """Cut at any byte, the prefix is all whole lines, and the rest is torn."""
    lines = sealed()
    data = b"".join(lines)
    for size in range(len(data) + 1):
        found = scanned(data[:size])
        whole = [n for n in range(len(lines) + 1) if len(b"".join(lines[:n])) <= size][-1]
        kept = len(b"".join(lines[:whole]))
        assert (found.head.records, found.head.size_bytes, found.size_bytes) == (whole, kept, size)
        if size == kept:
            assert found.fault is None
        else:
            assert found.fault is not None
            assert (found.fault.end, found.fault.offset_bytes, found.fault.tail_bytes) == ("torn", kept, size - kept)
            assert found.fault.difference.flaw == "unfinished"


@pytest.mark.parametrize("at", range(6))
def test_removed_repeated_or_swapped_line_is_corrupt(at: int) -> None:
    """Whole lines in another order than they were sealed in are no torn write; only a shorter end goes unseen."""
    lines = sealed()
    removed = scanned(b"".join(lines[:at] + lines[at + 1 :])).fault
    assert removed is None if at == 5 else removed is not None and removed.end == "corrupt"
    repeated = scanned(b"".join([*lines[: at + 1], *lines[at:]])).fault
    assert repeated is not None
    assert (repeated.end, repeated.line, repeated.difference.flaw) == ("corrupt", at + 2, "hash")


def test_sealed_line_that_is_no_record_is_corrupt() -> None:
    """A line with right hash and CRC is still refused when its text is not canonical, or its seq not next."""
    for text, flaw in (
        (b'{"body":{"b":1,"a":1},"kind":"kind","seq":1}', "record"),
        (b'{"body":{"a":1,"a":1},"kind":"kind","seq":1}', "record"),
        (b'{"body":{},"kind":"kind","seq":2}', "seq"),
        (b"", "seq"),
    ):
        chain = Chain()
        fault = scanned(chain.seal(encode(Record(0, "kind", {}))) + chain.seal(text)).fault
        assert fault is not None
        assert (fault.end, fault.line, fault.difference.flaw) == ("corrupt", 2, flaw)


@pytest.mark.parametrize(
    "tail", [b"\0" * 500, b"\n", b"\n\n", b"{}\n", b"x" * (LINE_BYTES_MAX + 5) + b"\n", b'{"crc":"' * 99, b"\xff"]
)
def test_tail_without_a_whole_line_is_torn(tail: bytes) -> None:
    """What holds no line with a right CRC may be the rest of a write, whatever it is."""
    data = b"".join(sealed())
    fault = scanned(data + tail).fault
    assert fault is not None
    assert (fault.end, fault.offset_bytes, fault.tail_bytes) == ("torn", len(data), len(tail))


@pytest.mark.parametrize("gap", [0, 1, 7, LINE_BYTES_MAX, *range(WINDOW_BYTES - 420, WINDOW_BYTES + 60, 20)])
@pytest.mark.parametrize("ended", [b"", b"\n"])
def test_survivor_is_found_wherever_it_stands(gap: int, ended: bytes) -> None:
    """A whole line after a damaged one is found at any distance, at a line's start or not, over window edges."""
    lines = sealed()
    fault = scanned(lines[0] + b"#" + b"x" * gap + ended + lines[3]).fault
    assert fault is not None
    assert (fault.end, fault.line, fault.offset_bytes) == ("corrupt", 2, len(lines[0]))


def test_mark_is_met_only_by_its_own_head() -> None:
    """The scan passes through each of its own heads, and through no other."""
    chain, heads = Chain(), [START]
    for record in RECORDS:
        chain.seal(encode(record))
        heads.append(chain.head)
    data = b"".join(sealed())
    for head in heads:
        assert scanned(data, head).marked
        assert not scanned(data, Head(head.records + 1, head.size_bytes, head.root)).marked
        assert not scanned(data, Head(head.records, head.size_bytes + 1, head.root)).marked
        assert not scanned(data, Head(head.records, head.size_bytes, "0" * 64)).marked


@given(st.lists(st.integers(1, 400), max_size=20))
def test_reader_beside_a_writer_sees_each_record_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int]
) -> None:
    """Reading again and again while bytes arrive in any pieces gives the records in order, none twice."""
    path = tmp_path_factory.mktemp("tail") / "journal.jsonl"
    data, chain, seen, size = b"".join(sealed()), Chain(), list[Record](), 0
    for step in [*steps, len(b"".join(sealed()))]:
        size += step
        path.write_bytes(data[:size])
        seen += read(path, chain)
        assert chain.head == scan(path).head
    assert tuple(seen) == RECORDS


def test_reader_does_not_pass_over_damage(tmp_path: Path) -> None:
    """Reading a corrupt journal gives the prefix and then raises, with the place."""
    lines = sealed()
    path = tmp_path / "journal.jsonl"
    path.write_bytes(lines[0] + lines[1].replace(b'"n":1', b'"n":2') + lines[2])
    seen: list[Record] = []
    with pytest.raises(JournalCorrupt) as caught:
        seen.extend(read(path))
    assert seen == [RECORDS[0]]
    assert (caught.value.line, caught.value.offset_bytes, caught.value.file) == (2, len(lines[0]), path)
    assert caught.value.expected.startswith("crc ")


def test_foreign_bytes_are_spelled_in_messages() -> None:
    """What a message shows of a damaged line cannot move a terminal's cursor."""
    lines = sealed()
    fault = scanned(b'{"crc":"\x1b[2J\x1b[2J' + lines[0][16:]).fault
    assert fault is not None
    assert fault.difference.was.isprintable()


def test_scan_of_a_grown_journal(grow: Grow) -> None:
    """The writer's file scans clean and decodes to what was appended."""
    path = grow(20) / "journal.jsonl"
    assert scan(path).head.records == 20
    assert [record.seq for record in read(path)] == list(range(20))
    assert decode(path.read_bytes().splitlines()[3][101:-1]).body["order_id"] == "S-3"


def test_line_without_end_is_not_loaded() -> None:
    """However long a damaged line is, no more than a line or a window of it is asked for at once."""
    asked: list[int] = []

    class Asked(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            asked.append(-1 if size is None else size)
            return super().readline(size)

        def read(self, size: int | None = -1, /) -> bytes:
            asked.append(-1 if size is None else size)
            return super().read(size)

    found = scan_stream(Asked(b"".join(sealed()) + b"x" * 3 * WINDOW_BYTES))
    assert found.head.records == 6
    assert set(asked) == {LINE_BYTES_MAX + 1, WINDOW_BYTES}
