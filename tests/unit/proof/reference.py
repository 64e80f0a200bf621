"""The reference model of a session with orders and a mock venue: its text for so many orders, small enough to walk."""

from dataclasses import replace

from peak_trade.lang.machine import Machine
from peak_trade.lang.parse import parse
from peak_trade.lang.sorts import IntSort
from peak_trade.lang.source import Source

HEAD = """\
machine: reference
version: 1
summary: A session, orders and the mock venue, with one slot each way.
enums:
  Book: [CREATED, PENDING_NEW, ACKED, PARTIALLY_FILLED, FILLED, PENDING_CANCEL, CANCELED, REJECTED, EXPIRED]
  Venue: [NONE, OPEN, DONE]
  Request: [NO_REQUEST, NEW, CXL]
  Report: [NO_REPORT, ACK, REJ, FILL, CXLD, EXPD]
context:
  live: {type: bool, init: false, doc: The flag}
"""
ORDER = """\
  qty_@: {type: int, min: 1, init: 1, doc: Ordered}
  st_@: {type: Book, init: CREATED, doc: In the book}
  loc_@: {type: int, min: 0, init: 0, doc: Filled in the book}
  bst_@: {type: Venue, init: NONE, doc: At the venue}
  fil_@: {type: int, min: 0, init: 0, doc: Filled at the venue}
  out_@: {type: Request, init: NO_REQUEST, doc: On the way to the venue}
  inm_@: {type: Report, init: NO_REPORT, doc: On the way to the book}
  inq_@: {type: int, min: 0, init: 0, doc: The size of the fill on the way}
"""
STATES = """\
states:
  INIT: {initial: true, doc: x}
  PREFLIGHT_OK: {doc: x}
  PREFLIGHT_FAILED: {doc: x}
  DRYRUN_ACTIVE: {tags: [active], doc: x}
  LIVE_ACTIVE: {tags: [active], doc: x}
  STOPPING: {doc: x}
  STOPPED: {tags: [terminal], doc: x}
  ERROR: {doc: x}
events:
"""
SESSION = (
    ("PreOk", "INIT", "", "PREFLIGHT_OK"),
    ("PreFail", "INIT", "", "PREFLIGHT_FAILED"),
    ("Retry", "PREFLIGHT_FAILED", "", "INIT"),
    ("StartDry", "PREFLIGHT_OK", "", "DRYRUN_ACTIVE"),
    ("StartLive", "PREFLIGHT_OK", "live", "LIVE_ACTIVE"),
    ("Stop", "@active", "", "STOPPING"),
    ("Fault", "[DRYRUN_ACTIVE, LIVE_ACTIVE, STOPPING]", "", "ERROR"),
    ("OpAck", "ERROR", "", "STOPPING"),
    ("Idle", "STOPPED", "", "STOPPED"),
)
ALL = "[INIT, PREFLIGHT_OK, PREFLIGHT_FAILED, DRYRUN_ACTIVE, LIVE_ACTIVE, STOPPING, STOPPED, ERROR]"
FILLS = """\
loc_@: loc_@ + inq_@, inq_@: 0, inm_@: NO_REPORT,
    st_@: "FILLED if loc_@ + inq_@ == qty_@ else (PENDING_CANCEL if st_@ == PENDING_CANCEL else PARTIALLY_FILLED)\""""
RULES = (
    ("Submit", "@active", "st_@ == CREATED and out_@ == NO_REQUEST", "st_@: PENDING_NEW, out_@: NEW"),
    (
        "Cancel",
        "[DRYRUN_ACTIVE, LIVE_ACTIVE, STOPPING]",
        "st_@ in {ACKED, PARTIALLY_FILLED} and out_@ == NO_REQUEST",
        "st_@: PENDING_CANCEL, out_@: CXL",
    ),
    (
        "BAck",
        ALL,
        "out_@ == NEW and inm_@ == NO_REPORT and bst_@ == NONE",
        "out_@: NO_REQUEST, bst_@: OPEN, inm_@: ACK",
    ),
    (
        "BRej",
        ALL,
        "out_@ == NEW and inm_@ == NO_REPORT and bst_@ == NONE",
        "out_@: NO_REQUEST, bst_@: DONE, inm_@: REJ",
    ),
    (
        "BFill",
        ALL,
        "bst_@ == OPEN and inm_@ == NO_REPORT and x <= qty_@ - fil_@",
        'fil_@: fil_@ + x, inm_@: FILL, inq_@: x, bst_@: "DONE if fil_@ + x == qty_@ else OPEN"',
    ),
    (
        "BCxl",
        ALL,
        "out_@ == CXL and inm_@ == NO_REPORT and bst_@ == OPEN",
        "out_@: NO_REQUEST, bst_@: DONE, inm_@: CXLD",
    ),
    ("BCxlLate", ALL, "out_@ == CXL and inm_@ == NO_REPORT and bst_@ == DONE", "out_@: NO_REQUEST"),
    ("BExp", ALL, "bst_@ == OPEN and inm_@ == NO_REPORT", "bst_@: DONE, inm_@: EXPD"),
    ("RAck", ALL, "inm_@ == ACK", "st_@: ACKED, inm_@: NO_REPORT"),
    ("RRej", ALL, "inm_@ == REJ", "st_@: REJECTED, inm_@: NO_REPORT"),
    (
        "RFill",
        ALL,
        "inm_@ == FILL",
        FILLS,
    ),
    ("RCxl", ALL, "inm_@ == CXLD", "st_@: CANCELED, inm_@: NO_REPORT"),
    ("RExp", ALL, "inm_@ == EXPD", "st_@: EXPIRED, inm_@: NO_REPORT"),
)
CLOSED = "st_@ in {CREATED, FILLED, CANCELED, REJECTED, EXPIRED} and out_@ == NO_REQUEST and inm_@ == NO_REPORT"
SAFETY = (
    ("S1", "fil_@ <= qty_@"),
    ("S3", "not (out_@ == NO_REQUEST and inm_@ == NO_REPORT) or loc_@ == fil_@"),
    ("S4", "st_@ != FILLED or loc_@ == qty_@"),
)
UNFAIR = ("Submit", "Cancel", "Fault", "Stop")


def reference(orders: int, edits: tuple[tuple[str, str], ...] = ()) -> Machine:
    """The reference model with so many orders, of any quantity, after exact edits of its rules."""
    numbers = range(1, orders + 1)
    text = HEAD + "".join(ORDER.replace("@", str(number)) for number in numbers) + STATES
    payload = ", payload: {x: {type: int, min: 1, doc: x}}"
    names = [row[0] for row in (*SESSION, ("Stopped",))]
    text += "".join(f"  {name}: {{origin: environment, doc: x}}\n" for name in names)
    for number in numbers:
        text += "".join(
            f"  {row[0]}_{number}: {{origin: environment, doc: x{payload if row[0] == 'BFill' else ''}}}\n"
            for row in RULES
        )
    text += "reasons: {no: x}\ntransitions:\n"
    closed = " and ".join(CLOSED.replace("@", str(number)) for number in numbers)
    for name, origin, guard, target in (*SESSION, ("Stopped", "STOPPING", closed, "STOPPED")):
        when = f', when: "{guard}"' if guard else ""
        source = f'"{origin}"' if origin.startswith("@") else origin
        text += f"  - {{id: T_{name}, from: {source}, on: {name}{when}, to: {target}}}\n"
    for number in numbers:
        for name, origin, guard, updates in RULES:
            source = '"#active"' if origin.startswith("@") else origin
            row = f'  - {{id: T_{name}_@, from: {source}, on: {name}_@, when: "{guard}", set: {{{updates}}}}}\n'
            text += row.replace("@", str(number)).replace("#", "@")
    events = ", ".join([*names, *(f"{row[0]}_{number}" for number in numbers for row in RULES)])
    text += f"refuse:\n  - {{in: {ALL}, on: [{events}], when: otherwise, reason: no}}\n"
    text += "properties:\n  - {id: S2, always: live or state != LIVE_ACTIVE, says: x}\n"
    for number in numbers:
        text += "".join(
            f'  - {{id: {name}_{number}, always: "{claim}", says: x}}\n'.replace("@", str(number))
            for name, claim in SAFETY
        )
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    parsed = parse(Source("reference.yaml", text))
    assert parsed.machine is not None, parsed.diagnostics
    free = (replace(item, free=item.name.startswith("qty_")) for item in parsed.machine.variables)
    return replace(parsed.machine, variables=tuple(free))


def small(machine: Machine, most: int) -> Machine:
    """The reference model with quantities of at most `most`: every value there is can be walked."""
    bounded = (
        replace(item, sort=IntSort(item.sort.min, most)) if isinstance(item.sort, IntSort) else item
        for item in machine.variables
    )
    events = (
        replace(item, payload=tuple(replace(one, sort=IntSort(1, most)) for one in item.payload))
        for item in machine.events
    )
    return replace(machine, variables=tuple(bounded), events=tuple(events))
