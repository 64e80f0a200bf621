"""Patterns of paths: `*` and `?` stay within a folder, `**` does not."""

import re
from functools import cache

_PARTS = re.compile(r"\*\*/|\*\*|\*|\?|[^*?]+")


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return the expression that a path matches fully iff `pattern` means it; a trailing `/` means all below."""
    pattern = f"{pattern}**" if pattern.endswith("/") else pattern
    meaning = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(meaning.get(part) or re.escape(part) for part in _PARTS.findall(pattern)))


def matches(pattern: str, path: str) -> bool:
    """Return true iff `pattern` means `path`."""
    return compiled(pattern).fullmatch(path) is not None
