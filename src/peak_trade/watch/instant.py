"""Session time as an instant: the timestamps of the bars, read as UTC unless they say otherwise. No clock is read."""

from datetime import UTC, datetime


def instant(ts: str) -> datetime | None:
    """Return the instant that `ts` names; None iff it is empty or no ISO 8601 date or time."""
    try:
        found = datetime.fromisoformat(ts)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def seconds(ts: str) -> int | None:
    """Return the whole seconds from 1970 to `ts`, or None as `instant`."""
    found = instant(ts)
    return None if found is None else int(found.timestamp())


def rfc(ts: str) -> str:
    """Return `ts` as an RFC 3339 time, or empty if it is none."""
    found = instant(ts)
    return "" if found is None else found.isoformat().replace("+00:00", "Z")
