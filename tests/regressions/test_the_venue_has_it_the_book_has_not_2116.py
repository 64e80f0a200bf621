"""A program that failed once has no problem any more.

It failed with: the venue has it, the book has not.
Written by `peak fuzz replay --save-regression`.
"""

from peak_trade.cli.specs import machine_named
from peak_trade.fuzz.found.regression import wrong
from peak_trade.fuzz.world import Machines

PROGRAM = """\
bars: {"volume_lots": 40}
config:
  seed: 0
orders:
  - {"step": 1, "side": "sell", "lots": 1, "off_permille": 0}
faults:
  - {"kind": "reject", "order": 1}
deeds:
  - {"step": 1, "what": "place", "lots": 1}
schema_version: 1
"""


def test_the_venue_has_it_the_book_has_not_2116() -> None:
    """The program has no problem."""
    machines = Machines(*(machine_named(name) for name in ("session", "order", "breaker")))
    found = wrong(PROGRAM, machines)
    assert not found, found
