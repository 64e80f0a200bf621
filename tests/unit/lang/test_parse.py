"""Bad input gives diagnostics: never an exception, never a machine, always at a place that exists."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from peak_trade.lang.check import examine
from peak_trade.lang.codes import CODES
from peak_trade.lang.parse import parse, parse_file
from peak_trade.lang.source import DIAGNOSTICS_MAX, Diagnostic, Source

SPEC = Path(__file__).parents[3] / "spec"
TEXTS = [(SPEC / f"{name}.yaml").read_text() for name in ("order", "session")]
TEXTS.append((Path(__file__).parents[2] / "golden" / "spec" / "ten_mistakes.yaml").read_text())
JUNK = [
    *"{}[],:&*!|>'\"%@`#?-~\t\0\x85\u2028\ufeff\u200b\ud800\u00e9",
    *(
        "null",
        "1e5",
        '"\\UFFFFFFFF"',
        '"\\ud800"',
        "<<",
        "*x",
        "&x",
        "!t",
        "- ",
        "? ",
        "---\n",
        "%YAML 1.1\n",
        "\r",
        "\r\n",
    ),
    *("9" * 5000, "[" * 40, "{a: " * 40, "not " * 60, "(" * 300, "from", "when: ", "states:\n"),
]


def judged(text: str) -> tuple[Diagnostic, ...]:
    """Return the diagnostics of `text` after checking what holds for any text."""
    source = Source("text", text)
    parsed = parse(source)
    assert (parsed.machine is None) is bool(parsed.diagnostics)
    found, lines = examine(parsed), source.lines()
    assert set(parsed.diagnostics) <= set(found)
    assert len(parsed.diagnostics) <= DIAGNOSTICS_MAX + 1
    for item in found:
        assert item.code in CODES
        assert 1 <= item.span.line <= len(lines)
        assert 1 <= item.span.column <= len(lines[item.span.line - 1]) + 1
        assert item.span.width >= 1
    return found


@given(st.text())
def test_any_text_gives_diagnostics(text: str) -> None:
    """No text that Hypothesis thinks of is a machine or an exception."""
    assert judged(text)


@given(st.binary())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_give_diagnostics(tmp_path: Path, data: bytes) -> None:
    """No file is a machine or an exception by accident."""
    path = tmp_path / "any.yaml"
    path.write_bytes(data)
    parsed = parse_file(path)
    assert parsed.machine is None
    assert parsed.diagnostics


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """Return a specification with some lines or characters lost, doubled, exchanged or overwritten."""
    lines = draw(st.sampled_from(TEXTS)).split("\n")
    for _ in range(draw(st.integers(1, 4))):
        one, other = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
        place = draw(st.integers(0, len(lines[one])))
        match draw(st.integers(0, 5)):
            case 0 if len(lines) > 1:
                del lines[one]
            case 1:
                lines.insert(other, lines[one])
            case 2:
                lines[one], lines[other] = lines[other], lines[one]
            case 3:
                lines[one] = lines[one][:place] + draw(st.sampled_from(JUNK)) + lines[one][place:]
            case 4:
                lines[one] = lines[one][:place] + lines[one][place + draw(st.integers(1, 12)) :]
            case _:
                words = lines[one].split(" ")
                words[draw(st.integers(0, len(words) - 1))] = draw(st.sampled_from(lines[other].split(" ")))
                lines[one] = " ".join(words)
    return "\n".join(lines)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(damaged())
def test_a_damaged_specification_gives_diagnostics_or_a_machine(text: str) -> None:
    """Whatever happens to a shipped specification, the reader says what it finds and goes on."""
    judged(text)


def nested(depth: int) -> str:
    """Return a chain of comparisons whose meaning would double with each level, if it were admitted."""
    text = "true"
    for _ in range(depth):
        text = f"(true == {text} == true)"
    return text


@pytest.mark.parametrize(
    ("guard", "code"),
    [
        (nested(30), "PT031"),
        ("not " * 400 + "true", "PT035"),
        ("-" * 1900 + "1 > 0", "PT035"),
        ("(" * 900 + "1" + ")" * 900, "PT030"),
        (" + ".join(["cum"] * 300) + " > 0", "PT035"),
        ("9" * 1900 + " > cum", "PT035"),
        ("cum in {" * 60 + "1" + "}" * 60, "PT031"),
        ("cum in {}", "PT031"),
        ("cum > 0 # and more", "PT031"),
        ("cum > 0x10", "PT031"),
        ("cum > 1 if", "PT030"),
        ("ｃum > 1", "PT031"),
        ("cum is qty", "PT031"),
        ("(cum := 1) > 0", "PT031"),
        ("state == new", "PT032"),
    ],
)
def test_a_hostile_guard_is_one_diagnostic(guard: str, code: str) -> None:
    """Towers, doublings, look-alikes and Python beyond the subset are refused by their code."""
    found = judged(TEXTS[0].replace("cum + last_qty < qty", f'"{guard}"', 1))
    assert {item.code for item in found} == {code}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[" * 250_000, "PT002"),
        ("- " * 120_000, "PT002"),
        ("a: &a [x, x]\n" + "".join(f"b{i}: &b{i} [*a, *a, *a]\n" for i in range(40)), "PT003"),
        ("".join(f"k{i}: 1\n" for i in range(20_000)), "PT007"),
        ("\tx\n" * 80_000, "PT007"),
        ("\ufffd" * 80_000, "PT006"),
        ("a: " + "b\n " * 80_000, "PT010"),
        ('a: "' + "\\n" * 120_000 + '"', "PT010"),
        ("%A\n" * 80_000, "PT001"),
        ("a", "PT012"),
        ("[]", "PT012"),
        ("null", "PT012"),
    ],
)
def test_a_hostile_file_ends_in_diagnostics(text: str, code: str) -> None:
    """Bombs, towers and floods end at a limit with its code."""
    assert code in {item.code for item in judged(text)}


def test_a_mistake_does_not_hide_the_next_stage() -> None:
    """A text mistake, a shape mistake, a name mistake and a cell mistake are told together."""
    text = TEXTS[0].replace("\nversion: ", "\nversion: v", 1).replace("cum + last_qty < qty", "cum + last_qyt < qty", 1)
    text = text.replace("  - {in: rejected, on: reject, reason: duplicate_reject}\n", "").replace("x", "x\u200b", 1)
    assert {item.code for item in judged(text)} == {"PT006", "PT012", "PT032", "PT045", "PT050"}
