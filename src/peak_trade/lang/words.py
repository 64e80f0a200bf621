"""The words in a part of a specification that could not be understood."""

import re
from typing import Any

_WORD = re.compile(r"[A-Za-z]\w*")


def words(data: Any) -> set[str]:  # noqa: ANN401 - YAML holds any data
    """Return every word that stands somewhere in `data`, keys included."""
    match data:
        case dict():
            return words(list(data)) | words(list(data.values()))
        case list():
            return set().union(*map(words, data))
        case str():
            return set(_WORD.findall(data))
        case _:
            return set()
