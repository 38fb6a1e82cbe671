"""The file artifact store: pinned bytes in, the same bytes out, for good."""

import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.adapters.file_artifact_store import FileArtifactStore, parse_location
from models.canonical import digest_bytes
from models.errors import DigestMismatchError, InvalidInputError, UnavailableError, UnknownNameError
from models.inventory import Reference

BYTES = b"a model"
DIGEST = digest_bytes(BYTES)


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    folder = tmp_path / "allowed"
    folder.mkdir()
    (folder / "a model.onnx").write_bytes(BYTES)
    (tmp_path / "secret").write_bytes(BYTES)
    return folder


@pytest.fixture
def store(tmp_path: Path, allowed: Path) -> FileArtifactStore:
    return FileArtifactStore(tmp_path / "store", [tmp_path / "elsewhere", allowed])


def kept(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


def change(path: Path) -> None:
    path.chmod(0o644)
    path.write_bytes(b"A model")


def test_put_comes_back(store: FileArtifactStore, tmp_path: Path) -> None:
    """What is put in is at a place that its digest names, read-only, and nothing else is left behind."""
    assert store.put(BYTES) == DIGEST
    path = store.path(DIGEST)
    assert path == tmp_path / "store" / "sha256" / DIGEST[7:9] / DIGEST[9:]
    assert path.read_bytes() == BYTES
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert kept(tmp_path / "store") == [path]


def test_put_twice_is_put_once(store: FileArtifactStore) -> None:
    """Putting the same bytes again writes nothing."""
    before = store.path(store.put(BYTES)).stat()
    assert store.put(BYTES) == DIGEST
    assert store.path(DIGEST).stat().st_ino == before.st_ino


@pytest.mark.parametrize("form", ["{}/a model.onnx", "file://{}/a%20model.onnx", "file://localhost{}/a model.onnx"])
def test_fetch_brings_in(form: str, store: FileArtifactStore, allowed: Path) -> None:
    """A file is fetched by its path or its file URI."""
    assert store.fetch(Reference(uri=form.format(allowed), digest=DIGEST)).read_bytes() == BYTES


@pytest.mark.parametrize("name", ["w%41.onnx", "5%.onnx", "a%20model.onnx", "%.onnx"])
def test_percent_is_a_letter(name: str, store: FileArtifactStore, allowed: Path) -> None:
    """A name with a percent sign is found by its plain path and by its URI, which is decoded once."""
    path = allowed / name
    path.write_bytes(b"another")
    for uri in (str(path), path.as_uri()):
        assert store.fetch(Reference(uri=uri, digest=digest_bytes(b"another"))).read_bytes() == b"another"
        store.path(digest_bytes(b"another")).unlink()


def test_fetched_once_needs_no_source(store: FileArtifactStore, allowed: Path) -> None:
    """Bytes that are in the store are not fetched again, even if the source is gone or was never allowed."""
    path = store.fetch(Reference(uri=f"{allowed}/a model.onnx", digest=DIGEST))
    (allowed / "a model.onnx").unlink()
    assert store.fetch(Reference(uri=f"{allowed}/a model.onnx", digest=DIGEST)) == path
    assert store.fetch(Reference(uri="https://elsewhere.example/model.onnx", digest=DIGEST)) == path


def test_wrong_digest_names_both(store: FileArtifactStore, allowed: Path, tmp_path: Path) -> None:
    """Other bytes than those promised are refused, both digests are named, and nothing is kept."""
    promised = digest_bytes(b"another model")
    with pytest.raises(DigestMismatchError, match=f"{DIGEST}, but {promised}") as caught:
        store.fetch(Reference(uri=f"{allowed}/a model.onnx", digest=promised))
    assert caught.value.remedy
    assert kept(tmp_path / "store") == []


def test_changed_byte_is_noticed(store: FileArtifactStore, allowed: Path) -> None:
    """A byte changed in the store is noticed by path, by fetch and by put."""
    change(store.path(store.put(BYTES)))
    with pytest.raises(DigestMismatchError, match="was changed in the store"):
        store.path(DIGEST)
    with pytest.raises(DigestMismatchError, match="was changed in the store"):
        store.fetch(Reference(uri=f"{allowed}/a model.onnx", digest=DIGEST))
    with pytest.raises(DigestMismatchError, match="was changed in the store"):
        store.put(BYTES)


def test_missing_things_are_unknown(store: FileArtifactStore, allowed: Path) -> None:
    """A digest that was never put and a file that is not there are unknown names."""
    with pytest.raises(UnknownNameError, match="nothing with the digest"):
        store.path(DIGEST)
    with pytest.raises(UnknownNameError, match="no file"):
        store.fetch(Reference(uri=f"{allowed}/other.onnx", digest=DIGEST))
    with pytest.raises(UnknownNameError, match="no file"):
        store.fetch(Reference(uri=f"{allowed}/a model.onnx/inner", digest=DIGEST))


@pytest.mark.parametrize(
    "tail",
    ["/../secret", "/%2e%2e/secret", "/%252e%252e/secret", "/x\\y", "/x%5cy", "/x%00y", "/%ff", "/" + "%25" * 9 + "41"],
)
@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_tricky_path_is_refused(form: str, tail: str, store: FileArtifactStore, allowed: Path) -> None:
    """Dots, backslashes and NULs are refused, however they are encoded."""
    with pytest.raises(InvalidInputError) as caught:
        store.fetch(Reference(uri=form.format(f"{allowed}{tail}"), digest=DIGEST))
    assert caught.value.remedy


@pytest.mark.parametrize(
    "uri", ["https://a.example/m", "s3://a/m", "file://host/m", "model.onnx", "file:model.onnx", "file:///m?x", "~/m"]
)
def test_only_local_absolute_files(uri: str) -> None:
    """Other schemes, other hosts and relative paths are refused."""
    with pytest.raises(InvalidInputError, match="cannot be used"):
        parse_location(uri)


def test_long_name_is_refused(store: FileArtifactStore, allowed: Path) -> None:
    """A name that no file can have is an error of the caller, which retrying does not mend."""
    with pytest.raises(InvalidInputError, match="too long a name") as caught:
        store.fetch(Reference(uri=f"{allowed}/{'a' * 300}", digest=DIGEST))
    assert not caught.value.retryable


def test_outside_is_refused(store: FileArtifactStore, allowed: Path, tmp_path: Path) -> None:
    """A file outside the allowed folders is refused, also through a link and in a folder whose name begins alike."""
    (allowed / "link").symlink_to(tmp_path / "secret")
    (allowed / "folder").symlink_to(tmp_path)
    (allowed / "loop").symlink_to(allowed / "loop")
    (tmp_path / "allowed-too").mkdir()
    (tmp_path / "allowed-too" / "m").write_bytes(BYTES)
    for path in ("secret", "allowed/link", "allowed/folder/secret", "allowed/loop", "allowed-too/m"):
        with pytest.raises(InvalidInputError, match="does not lie under"):
            store.fetch(Reference(uri=str(tmp_path / path), digest=DIGEST))


def test_link_within_is_followed(store: FileArtifactStore, allowed: Path) -> None:
    """A link to a file that is allowed itself is followed."""
    (allowed / "latest").symlink_to(allowed / "a model.onnx")
    assert store.fetch(Reference(uri=str(allowed / "latest"), digest=DIGEST)).read_bytes() == BYTES


def test_only_regular_files(store: FileArtifactStore, allowed: Path) -> None:
    """A folder and a pipe are refused at once."""
    os.mkfifo(allowed / "pipe")
    for path in (allowed, allowed / "pipe"):
        with pytest.raises(InvalidInputError, match="not a regular file"):
            store.fetch(Reference(uri=str(path), digest=DIGEST))


@pytest.mark.parametrize("digest", ["sha256:../../../etc/passwd", "sha256:" + "A" * 64, DIGEST + "\n", "md5:0", ""])
def test_malformed_digest_is_refused(digest: str, store: FileArtifactStore) -> None:
    """What is no digest never becomes a path."""
    with pytest.raises(InvalidInputError, match="is not a digest"):
        store.path(digest)


def test_broken_disk_is_unavailable(tmp_path: Path) -> None:
    """A root that cannot be written to is an error that may pass: retrying helps."""
    (tmp_path / "store").write_bytes(b"not a folder")
    with pytest.raises(UnavailableError, match="cannot be read or written") as caught:
        FileArtifactStore(tmp_path / "store", []).put(BYTES)
    assert caught.value.retryable


@given(text=st.text(min_size=1, max_size=60).map("/".__add__))
def test_location_is_absolute_and_plain(text: str) -> None:
    """Whatever is written, a location is refused or is an absolute path without a way up."""
    try:
        path = parse_location(text)
    except InvalidInputError:
        return
    assert path.is_absolute()
    assert ".." not in path.parts
