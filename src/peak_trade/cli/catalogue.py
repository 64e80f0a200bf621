"""Every code that a finding can have, whoever gives it."""

from typing import Final

from peak_trade.gates import codes as docs
from peak_trade.gates import stops
from peak_trade.lang import codes as spec
from peak_trade.lang.codes import Code

CODES: Final[dict[str, Code]] = {**spec.CODES, **docs.CODES, **stops.CODES}
