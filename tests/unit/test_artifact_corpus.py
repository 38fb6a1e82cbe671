"""Hundreds of hostile files are all blocked, and no benign one is: family by family, then all in the child process."""

from collections.abc import Callable
from pathlib import Path

import pytest

from activities.adapters.artifact_inspection import compressed, tar_archive, zip_archive
from activities.adapters.artifact_inspection.recognition import inspect
from activities.adapters.static_scanner import StaticScanner
from tests.unit.corpus.archives import bombs
from tests.unit.corpus.cases import Case

Made = Callable[[Path], dict[str, Case]]
FAMILIES = (
    *("imports", "opcodes", "packed", "rebuilt", "stated", "streams", "onnx", "zips", "tars", "polyglots", "others"),
    *("keras", "skops", "torch", "safetensors", "gguf", "texts", "definitions"),
)


@pytest.fixture(scope="module")
def families() -> dict[str, Made]:
    """What makes the hostile files of each family; the libraries that write them take seconds to import."""
    from tests.unit.corpus.families import FAMILIES

    return FAMILIES


@pytest.fixture(scope="module")
def hostile_files() -> Made:
    """What makes all of them."""
    from tests.unit.corpus.families import hostile_files

    return hostile_files


@pytest.fixture(scope="module")
def benign() -> dict[str, bytes]:
    """The benign files, by name."""
    from tests.unit.corpus.benign import benign_files

    return benign_files()


@pytest.mark.parametrize("family", FAMILIES)
def test_hostile_files_are_blocked(family: str, families: dict[str, Made], tmp_path: Path) -> None:
    """No hostile file passes: each gets its verdict, with a reason that says why, and its payload does not run."""
    marker = tmp_path / "marker"
    wrong = {}
    for name, case in families[family](marker).items():
        found = inspect(case.data)
        if found.verdict != case.verdict or case.words not in " ".join(found.reasons):
            wrong[name] = (case.verdict, case.words, found)
    assert wrong == {}
    assert not marker.exists()


def test_bombs_are_blocked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is unpacked beyond the cap, here a small one."""
    for module in (compressed, zip_archive, tar_archive):
        monkeypatch.setattr(module, "UNPACKED_AT_MOST", 2 << 20)
    for case in bombs(3).values():
        found = inspect(case.data)
        assert found.verdict == case.verdict
        assert case.words in " ".join(found.reasons)


def test_benign_files_pass(benign: dict[str, bytes]) -> None:
    """No file that a library writes for its own sound models is blocked."""
    found = {name: inspect(data) for name, data in benign.items()}
    assert {name: one for name, one in found.items() if one.verdict != "clean"} == {}


def test_there_are_enough_of_them(families: dict[str, Made], hostile_files: Made, benign: dict[str, bytes]) -> None:
    """The corpus does not shrink, and no family of it is left out above."""
    from tests.unit.corpus.benign import estimators

    assert set(FAMILIES) == families.keys()
    assert len(hostile_files(Path("never-made"))) >= 350
    assert len(benign) >= 80
    assert len(estimators()) >= 15


def test_the_child_process_says_the_same(hostile_files: Made, tmp_path: Path) -> None:
    """All hostile files in one folder, looked at as `modelops scan` does: none passes, and none makes the marker."""
    marker, folder = tmp_path / "marker", tmp_path / "files"
    cases = hostile_files(marker)
    for name, case in cases.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(case.data)
    report = StaticScanner().scan_all(folder)
    assert report.verdict == "malicious"
    assert {one.path: one.report.verdict for one in report.files} == {n: case.verdict for n, case in cases.items()}
    assert not marker.exists()


def test_the_child_process_passes_what_is_benign(benign: dict[str, bytes], tmp_path: Path) -> None:
    """All benign files in one folder are clean."""
    for name, data in benign.items():
        (tmp_path / name).write_bytes(data)
    report = StaticScanner().scan_all(tmp_path)
    assert {one.path: one.report for one in report.files if one.report.verdict != "clean"} == {}
    assert (report.verdict, len(report.files)) == ("clean", len(benign))
