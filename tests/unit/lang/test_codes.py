"""The catalogue of diagnostics and the source agree."""

import re
from pathlib import Path

import peak_trade
from peak_trade.lang.codes import CODES

CODE = re.compile(r'"(PT[0-9]{3})"')


def used() -> dict[str, set[str]]:
    """Return the codes that stand in each module, the catalogue itself left out."""
    root = Path(peak_trade.__file__).parent
    texts = {path: path.read_text() for path in root.rglob("*.py") if path.name != "codes.py"}
    return {str(path.relative_to(root)): set(CODE.findall(text)) for path, text in texts.items()}


def test_every_code_in_the_source_is_in_the_catalogue() -> None:
    """No diagnostic is made that `peak explain` cannot explain."""
    assert not {module: codes - CODES.keys() for module, codes in used().items() if codes - CODES.keys()}


def test_every_code_of_the_catalogue_is_in_the_source() -> None:
    """No code is explained that nothing reports."""
    assert CODES.keys() == set().union(*used().values())


def test_every_code_says_something() -> None:
    """A title is a short phrase, an explanation is made of sentences."""
    for code in CODES.values():
        assert 3 <= len(code.title) <= 40
        assert code.explanation.endswith(".")
    assert len({code.title for code in CODES.values()}) == len(CODES)
