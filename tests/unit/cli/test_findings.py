"""Every format tells the same diagnostics, and nothing in a specification can break out of it."""

import json
import re
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.cli.catalogue import CODES
from peak_trade.cli.findings import FORMATS, _visible, document, github, junit, render, sarif, text
from peak_trade.lang.source import Diagnostic, Span

ONE = Diagnostic(
    "PT032", "spec/a b.yaml", Span(3, 7, 4), "unknown name `foo`", "did you mean `fop`?", "  when: foo1 > 2"
)

diagnostics = st.builds(
    Diagnostic,
    st.sampled_from(sorted(CODES)),
    st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=1, max_size=20),
    st.builds(Span, st.integers(1, 300), st.integers(1, 400), st.integers(1, 400)),
    st.text(max_size=60),
    st.text(max_size=40),
    st.text(max_size=300),
)
many = st.lists(diagnostics, max_size=4)


def test_the_text_is_what_a_person_expects() -> None:
    """Place, code and message; the line; carets of the right width below the right word; the remedy."""
    assert text([ONE]) == (
        "spec/a b.yaml:3:7: PT032 unknown name `foo`\n      when: foo1 > 2\n          ^^^^\n  help: did you mean `fop`?"
    )


def test_carets_stand_below_wide_and_combined_characters() -> None:
    """A character that takes two columns, or none, moves the carets by as many."""
    item = Diagnostic("PT032", "f", Span(1, 5, 2), "m", "", "漢e\u0301 xy z")
    assert text([item]).splitlines()[1:] == ["    漢e\u0301 xy z", "        ^^"]


def test_a_long_line_is_cut_around_the_place() -> None:
    """However long a line is, the word and its carets are shown."""
    item = Diagnostic("PT032", "f", Span(1, 501, 4), "m", "", "a" * 500 + "word" + "b" * 500)
    line, carets = text([item]).splitlines()[1:]
    assert len(line) < 200
    assert line[carets.index("^") : carets.rindex("^") + 1] == "word"


def test_colours_only_when_asked_for() -> None:
    """Without colour there is no escape character; with it the words are the same."""
    plain, coloured = text([ONE]), text([ONE], colour=True)
    assert "\x1b" not in plain
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain != coloured


@given(many)
def test_nothing_in_a_finding_can_steer_a_terminal(found: list[Diagnostic]) -> None:
    """Message, remedy and source line come out as printable characters; each finding has its own lines."""
    lines = text(found).split("\n")
    assert all(char.isprintable() for line in lines for char in line)
    assert len(lines) <= 4 * max(1, len(found))


@given(many)
def test_json_is_one_document_with_every_fact(found: list[Diagnostic]) -> None:
    """The document has its version, sorted keys, and each finding in order."""
    data = json.loads(document(found, exit_code=2), object_pairs_hook=list)
    assert [key for key, _ in data] == sorted(key for key, _ in data)
    items = json.loads(document(found))
    assert items["schema_version"] == 1
    for item, shown in zip(found, items["diagnostics"], strict=True):
        assert (shown["code"], shown["file"], shown["message"], shown["help"]) == (
            *(item.code, item.file, item.message, item.hint),
        )
        assert (shown["line"], shown["column"], shown["width"]) == (item.span.line, item.span.column, item.span.width)


def unescaped(words: str) -> str:
    """Return the text that GitHub makes of an escaped one."""
    for escape, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        words = words.replace(escape, char)
    return words


@given(many)
def test_github_gets_one_command_a_finding(found: list[Diagnostic]) -> None:
    """Each line is one command, whatever stands in message and file, and both come back from it."""
    lines = github(found).split("\n") if found else []
    assert len(lines) == len(found)
    for item, line in zip(found, lines, strict=True):
        match = re.fullmatch(
            r"::error file=([^:,]*),line=(\d+),col=(\d+),endColumn=(\d+),title=([^:,]*)::([^\n\r]*)", line
        )
        assert match
        assert unescaped(match[1]) == item.file
        assert unescaped(match[6]).startswith(f"{item.code} {item.message}")
        assert int(match[4]) - int(match[3]) == item.span.width


@given(many)
def test_sarif_names_its_rules_and_relative_places(found: list[Diagnostic]) -> None:
    """The log has version 2.1.0, one rule a code, and results that point to a rule and into the repository."""
    log = json.loads(sarif(found))
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert log["version"] == "2.1.0"
    assert [rule["id"] for rule in rules] == sorted(CODES)
    for item, result in zip(found, run["results"], strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == item.code
        (location,) = result["locations"]
        artifact, region = location["physicalLocation"]["artifactLocation"], location["physicalLocation"]["region"]
        assert unquote(artifact["uri"]) == item.file
        assert artifact["uri"].isascii()
        assert ("uriBaseId" in artifact) is not item.file.startswith("/")
        assert region["endColumn"] - region["startColumn"] == item.span.width
        assert len(result["partialFingerprints"]["peak/v1"]) == 64


@given(many)
def test_junit_has_a_failed_case_for_each_finding_and_a_passed_one_for_each_sound_file(found: list[Diagnostic]) -> None:
    """The document is XML whatever the findings say; the counts are right."""
    root = ET.fromstring(junit(found, ["sound.yaml"]))  # noqa: S314 - our own text
    assert len(root.findall("testsuite/testcase/failure")) == len(found) == int(root.attrib["failures"])
    sound = [suite for suite in root if suite.attrib["name"] == "sound.yaml"]
    assert len(sound) == 1
    assert {_visible(item.file) for item in found} | {"sound.yaml"} == {suite.attrib["name"] for suite in root}


@pytest.mark.parametrize("style", FORMATS)
def test_every_format_renders(style: str) -> None:
    """Each format has the code in it, and is the same twice."""
    assert "PT032" in render([ONE], style, [ONE.file])
    assert render([ONE], style, [ONE.file]) == render([ONE], style, [ONE.file])
