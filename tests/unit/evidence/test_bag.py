"""A bag names every file that is not as it was packed."""

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peak_trade.evidence.bag import DATA, DECLARATION, INFO, MANIFEST, SIGNATURE, TAGS, NotABag, digest, verify, write

NAMES = st.from_regex(r"[a-z]{1,6}(/[a-z]{1,6}\.[a-z]{1,4}){0,2}", fullmatch=True)
PAYLOADS = st.dictionaries(NAMES, st.binary(max_size=60), min_size=1, max_size=5)
PAYLOAD: Mapping[str, bytes] = {"evidence.md": b"# EV\n", "run/metrics.json": b"{}\n", "empty": b""}
LABELS = {"External-Identifier": "EV-20260118-FINISH_C3-TRY", "Bagging-Date": "2026-01-18"}


def is_tree(names: set[str]) -> bool:
    """Whether no name is a folder of another."""
    return not any(other.startswith(f"{name}/") for name in names for other in names)


@given(payload=PAYLOADS.filter(lambda found: is_tree(set(found)) and any(found.values())), data=st.data())
def test_any_flipped_byte_names_its_file(
    tmp_path_factory: pytest.TempPathFactory, payload: dict[str, bytes], data: st.DataObject
) -> None:
    """Whichever byte of whichever payload file is changed, exactly that file is named; back again, none is."""
    folder = tmp_path_factory.mktemp("bag") / "pack"
    write(folder, payload, LABELS)
    assert verify(folder) == ()
    name = data.draw(st.sampled_from(sorted(name for name, content in payload.items() if content)))
    at = data.draw(st.integers(0, len(payload[name]) - 1))
    changed = bytearray(payload[name])
    changed[at] ^= data.draw(st.integers(1, 255))
    (folder / DATA / name).write_bytes(changed)
    assert [(flaw.file, flaw.kind) for flaw in verify(folder)] == [(f"{DATA}/{name}", "changed")]
    (folder / DATA / name).write_bytes(payload[name])
    assert verify(folder) == ()


@pytest.mark.parametrize("name", [DECLARATION, INFO, MANIFEST, TAGS])
def test_no_byte_of_a_tag_file_can_be_changed_unseen(tmp_path: Path, name: str) -> None:
    """Every single byte of every tag file, flipped in its lowest bit, makes the bag not intact; none is a crash."""
    folder = tmp_path / "pack"
    write(folder, PAYLOAD, LABELS)
    original = (folder / name).read_bytes()
    for at in range(len(original)):
        changed = bytearray(original)
        changed[at] ^= 1
        (folder / name).write_bytes(changed)
        assert verify(folder), f"byte {at} of {name}"


def test_missing_extra_and_linked_files_are_named(tmp_path: Path) -> None:
    """A file that is gone, one too many and a link in place of a file are three flaws of three kinds."""
    folder = tmp_path / "pack"
    write(folder, PAYLOAD, LABELS)
    (folder / DATA / "empty").unlink()
    (folder / DATA / "run" / "more").write_text("x")
    page = folder / DATA / "evidence.md"
    page.rename(tmp_path / "elsewhere")
    page.symlink_to(tmp_path / "elsewhere")
    (folder / "out").symlink_to(tmp_path)
    assert [(flaw.file, flaw.kind) for flaw in verify(folder)] == [
        ("data/empty", "missing"),
        ("data/evidence.md", "malformed"),
        ("data/run/more", "extra"),
        ("out", "extra"),
    ]


@pytest.mark.parametrize(
    "line", ["0" * 64 + "  data/../../escape", "0" * 64 + "  /etc/hostname", "nonsense", "ab  data/x"]
)
def test_a_manifest_that_leads_elsewhere_is_malformed(tmp_path: Path, line: str) -> None:
    """A path that leaves the bag is never opened: its line is named as malformed."""
    folder = tmp_path / "pack"
    write(folder, PAYLOAD, LABELS)
    with (folder / MANIFEST).open("a") as file:
        file.write(f"{line}\n")
    found = {(flaw.file, flaw.kind) for flaw in verify(folder)}
    assert found == {(MANIFEST, "changed"), (MANIFEST, "malformed")}


def test_the_same_payload_is_the_same_bag(tmp_path: Path) -> None:
    """Two bags of one payload have the same bytes and digest, whether from memory or from files."""
    source = tmp_path / "source"
    source.write_bytes(PAYLOAD["evidence.md"])
    first = write(tmp_path / "a", PAYLOAD, LABELS)
    second = write(tmp_path / "b", {**PAYLOAD, "evidence.md": source}, LABELS)
    assert first == second == digest(tmp_path / "a")
    for name in (DECLARATION, INFO, MANIFEST, TAGS):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_signature_is_no_extra_file(tmp_path: Path) -> None:
    """The signature lies beside the sums it signs and is not one of them."""
    write(tmp_path / "a", PAYLOAD, LABELS)
    (tmp_path / "a" / SIGNATURE).write_text("signed")
    assert verify(tmp_path / "a") == ()


def test_nothing_is_overwritten_and_no_half_bag_is_left(tmp_path: Path) -> None:
    """An existing target is refused; a payload that cannot be read leaves no target."""
    write(tmp_path / "a", PAYLOAD, LABELS)
    with pytest.raises(FileExistsError, match="another tag"):
        write(tmp_path / "a", PAYLOAD, LABELS)
    with pytest.raises(FileNotFoundError):
        write(tmp_path / "b", {"x": tmp_path / "nowhere"}, LABELS)
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("name", ["../x", "/x", "a//b", "a b\n", ".hidden", "x%0a", ""])
def test_a_name_that_would_need_escapes_is_refused(tmp_path: Path, name: str) -> None:
    """Names are plain, so that sha256sum and every reader mean the same file."""
    with pytest.raises(ValueError, match="plain names"):
        write(tmp_path / "a", {name: b""}, LABELS)


def test_a_folder_without_a_bag_is_said_to_be_none(tmp_path: Path) -> None:
    """An empty folder is no tampered bag but none."""
    with pytest.raises(NotABag, match="which has neither"):
        verify(tmp_path)


@pytest.mark.skipif(shutil.which("sha256sum") is None, reason="coreutils' sha256sum is not here")
def test_sha256sum_agrees(tmp_path: Path) -> None:
    """Without our code, sha256sum passes what `verify` passes and names what `verify` names."""
    write(tmp_path / "a", PAYLOAD, LABELS)
    check = ["sha256sum", "--check", "--strict", "--quiet", MANIFEST, TAGS]
    environment = os.environ | {"LC_ALL": "C"}
    assert subprocess.run(check, cwd=tmp_path / "a", check=False).returncode == 0
    (tmp_path / "a" / DATA / "evidence.md").write_text("# EW\n")
    done = subprocess.run(check, cwd=tmp_path / "a", env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stdout.strip() == "data/evidence.md: FAILED"
