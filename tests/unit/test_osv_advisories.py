"""A mirror of advisories: folders and archives, its age, and that a broken one is none."""

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from activities.adapters.osv_advisories import OsvAdvisories
from models.errors import InvalidInputError
from tests.unit.osv_records import record, since


def written(folder: Path, id: str, modified: str = "2026-11-20T08:00:00Z", name: str = "lib") -> Path:
    """A record in a file."""
    path = folder / f"{id}.json"
    text = record(id, since("0"), name=name).model_copy(update={"modified": datetime.fromisoformat(modified)})
    path.write_text(text.model_dump_json(exclude_none=True))
    return path


def test_a_folder_and_an_archive_say_the_same(tmp_path: Path) -> None:
    """Records of the wanted distributions, from files at any depth and from archives; the newest of all is the date."""
    folder, archive = tmp_path / "folder", tmp_path / "archive"
    (folder / "PyPI").mkdir(parents=True)
    archive.mkdir()
    written(folder / "PyPI", "A")
    written(folder, "B", "2026-11-22T08:00:00Z", name="other")
    written(folder, "C", name="LIB")
    with zipfile.ZipFile(archive / "all.zip", "w") as packed:
        for path in folder.rglob("*.json"):
            packed.write(path, path.name)
    for mirror in (folder, archive):
        (mirror / "licences.json").write_text(json.dumps({"Li.B": "MIT", "Lib_X==1.0": "ISC"}))
        found = OsvAdvisories(mirror).about({"lib"})
        assert sorted(one.id for one in found.advisories) == ["A", "C"]
        assert (found.as_of, found.records) == (datetime(2026, 11, 22, 8, tzinfo=UTC), 3)
        assert found.licences == {"li-b": "MIT", "lib-x==1.0": "ISC"}


def test_a_new_mirror_counts_at_once(tmp_path: Path) -> None:
    """It is read at every call."""
    written(tmp_path, "A")
    advisories = OsvAdvisories(tmp_path)
    assert len(advisories.about({"lib"}).advisories) == 1
    written(tmp_path, "B")
    assert len(advisories.about({"lib"}).advisories) == 2


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("B.json", b"{", "B.json is no OSV record"),
        ("B.json", b"[]", "B.json is no OSV record"),
        ("B.json", b'{"id": "B"}', "modified"),
        ("B.json", b'{"id": "B", "modified": "2026-11-20T08:00:00"}', "modified"),
        ("B.json", b'{"id": "B", "modified": "2026-11-20T08:00:00Z", "affected": [{"ranges": [{}]}]}', "ranges.0.type"),
        ("all.zip", b"PK\x03\x04 cut off", "cannot be read"),
        ("licences.json", b'{"lib": ["MIT"]}', "no table of licences"),
    ],
)
def test_a_broken_mirror_is_none(tmp_path: Path, name: str, data: bytes, why: str) -> None:
    """One record that cannot be read may be the one that matters, whatever it is about."""
    written(tmp_path, "A")
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InvalidInputError, match=why) as refused:
        OsvAdvisories(tmp_path).about({"nothing-of-it"})
    assert refused.value.remedy


def test_no_mirror_is_said(tmp_path: Path) -> None:
    """None configured, a folder that is not there, one without records: each is an error, none is 'nothing known'."""
    for mirror, why in (
        (None, "MODELOPS_ADVISORIES"),
        (tmp_path / "gone", "no advisories"),
        (tmp_path, "no advisories"),
    ):
        with pytest.raises(InvalidInputError, match=why):
            OsvAdvisories(mirror).about({"lib"})
