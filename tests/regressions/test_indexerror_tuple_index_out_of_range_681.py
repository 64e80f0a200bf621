"""A program that failed once has no problem any more.

It failed with: IndexError: tuple index out of range.
Written by `peak fuzz replay --save-regression`.
"""

from peak_trade.cli.specs import machine_named
from peak_trade.fuzz.found.regression import wrong
from peak_trade.fuzz.world import Machines

PROGRAM = """\
bars: {"steps": 9, "volume_lots": 40}
config:
  seed: 0
orders:
  - {"step": 1, "lots": 1, "off_permille": 0, "tif": "gtc"}
deeds:
  - {"step": 10, "what": "place", "lots": 1}
schema_version: 1
"""


def test_indexerror_tuple_index_out_of_range_681() -> None:
    """The program has no problem."""
    machines = Machines(*(machine_named(name) for name in ("session", "order", "breaker")))
    found = wrong(PROGRAM, machines)
    assert not found, found
