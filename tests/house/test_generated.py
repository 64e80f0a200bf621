"""What is generated is committed and has not drifted."""

from pathlib import Path

from peak_trade.cli.generate import drifted, pictures, texts

ROOT = Path(__file__).resolve().parents[2]


def test_nothing_that_is_generated_has_drifted() -> None:
    """Schemas, diagrams, tables and the pages of commands and diagnostics are what `./x generate` would write."""
    assert len(list(texts())) > 8
    assert drifted(ROOT) == []


def test_a_drift_would_be_seen(tmp_path: Path) -> None:
    """In an empty folder every generated file is missing, so the test above can fail."""
    assert set(drifted(tmp_path)) == {path for path, _ in texts()}


def test_the_pictures_are_there() -> None:
    """Every machine's picture is committed; its bytes are Graphviz's own and are not compared here."""
    assert [path for path, _ in pictures() if not (ROOT / path).is_file()] == []


def test_each_specification_names_its_schema() -> None:
    """The first line of each specification leads an editor to the committed schema."""
    for path in sorted((ROOT / "spec").glob("*.yaml")):
        first = path.read_text().splitlines()[0]
        head = "# yaml-language-server: $schema="
        assert first.startswith(head)
        assert (path.parent / first.removeprefix(head)).is_file()
