"""A bundle is worth what its bytes and its signature are worth, on whatever machine it is."""

import csv
import io
import json
import math
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.oci_bundles import parts_of, read_bundle, verified
from activities.adapters.oci_layout import OciLayout, take_in, write_layout
from models.bundle.manifest import GOLDEN_FILE
from models.canonical import Digest, digest_bytes
from models.errors import ConflictError, InvalidInputError, ModelopsError, SignatureError, UnknownNameError
from models.evidence import EvaluationReport, GroupRate
from models.golden import SCORE, compare
from models.inventory import Column, DataContract, Golden, Protected, Reference, Source, Submission
from models.verdict import Reading
from tests.contract.serving import COLUMNS, Server, order_of, request_of, sloping
from tests.packing import FACTS, MODEL, packager_in, signer_in

ROWS: list[list[float | None]] = [[1.0, 2.0, 3.0], [-4.0, 0.5, 0.25], [0.0, None, -1.0]]
EVALUATION = EvaluationReport(
    rows=500,
    readings=(Reading(name="auc", value=0.82, count=500),),
    groups=(
        GroupRate(column="sex", group="male", selected=0.5, count=300),
        GroupRate(column="sex", group="female", selected=0.45, count=200),
    ),
)


def golden() -> bytes:
    """What the model answers to the rows, worked out by hand."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*COLUMNS, SCORE])
    for row in ROWS:
        mean = sum(value or 0.0 for value in row) / len(row)
        writer.writerow([*("" if value is None else value for value in row), 1 / (1 + math.exp(-mean))])
    return out.getvalue().encode()


def pinned(folder: Path, name: str, data: bytes) -> Reference:
    """A file, and its reference."""
    (folder / name).write_bytes(data)
    return Reference(uri=(folder / name).as_uri(), digest=digest_bytes(data))


@pytest.fixture
def submission(tmp_path: Path) -> Submission:
    """A version with golden predictions."""
    folder = tmp_path / "trained"
    folder.mkdir()
    return Submission(
        artifact=pinned(folder, "model.onnx", sloping()),
        golden=Golden(predictions=pinned(folder, "golden.csv", golden()), tolerance=1e-5),
        licence="Apache-2.0",
        source=Source(repository="https://git.example/loans", commit="a" * 40),
        training_data=(pinned(folder, "train.csv", b"income\n1\n"),),
        holdout=pinned(folder, "holdout.csv", b"income,debt,years,good\n1,2,3,1\n4,5,6,0\n"),
        dependencies=pinned(folder, "lock", b"numpy==2.4.6 --hash=sha256:" + b"0" * 64 + b"\nonnxruntime==1.32.0\n"),
        contract=DataContract(
            inputs=tuple(Column(name=name) for name in COLUMNS),
            outputs=(Column(name="score"),),
            label="good",
            protected=(Protected(column="sex", reference="male"),),
        ),
        developer="dana",
        submitter="sam",
    )


def packed(folder: Path, store: str, submission: Submission, key: str = "keys") -> tuple[FileArtifactStore, Digest]:
    """A version packed into a new store, with an evaluation."""
    made = FileArtifactStore(folder / store, [folder])
    (folder / key).mkdir(exist_ok=True)
    evidence = {"evaluation": made.put(EVALUATION.model_dump_json().encode())}
    return made, packager_in(folder / key, made).package(FACTS, 3, submission, evidence)


@pytest.fixture
def layout(tmp_path: Path, submission: Submission) -> Path:
    """A bundle in a folder."""
    store, digest = packed(tmp_path, "store", submission)
    write_layout(store, parts_of(store, digest), tmp_path / "layout")
    return tmp_path / "layout"


def check(folder: Path, key: str) -> Digest:
    """The bundle in a folder, if it verifies."""
    opened = OciLayout(folder)
    return verified(opened, opened.bundle, [key])[0].digest


def test_an_earlier_version_is_rebuilt_bit_for_bit(tmp_path: Path, submission: Submission) -> None:
    """From its submission, in a fresh store: the same bundle, the same signature, the same bytes in every file."""
    folders = []
    for name in ("first", "again"):
        store, digest = packed(tmp_path, name, submission)
        folders.append(tmp_path / f"{name}-layout")
        write_layout(store, parts_of(store, digest), folders[-1])
    contents = [{p.relative_to(one): p.read_bytes() for p in one.rglob("*") if p.is_file()} for one in folders]
    assert contents[0] == contents[1]
    config = read_bundle(store, digest).config
    recipe = (config.facts, config.version, config.submission, config.evidence)
    assert packager_in(tmp_path / "keys", store, config.python).package(*recipe) == digest


def test_every_changed_byte_is_noticed(layout: Path, tmp_path: Path) -> None:
    """In any blob, of the bundle or its signature, and in the two files that lead to them."""
    key = signer_in(tmp_path / "keys")
    assert check(layout, key)
    files = [path for path in layout.rglob("*") if path.is_file() and path.read_bytes() != b"{}"]
    assert len(files) == 15
    for path in files:
        data = path.read_bytes()
        for place in {0, len(data) // 2, len(data) - 1}:
            flipped = bytearray(data)
            flipped[place] ^= 1
            path.write_bytes(flipped)
            with pytest.raises(ModelopsError):
                check(layout, key)
        path.write_bytes(data)
    assert check(layout, key)


def test_another_signature_does_not_count(layout: Path, tmp_path: Path, submission: Submission) -> None:
    """A bundle without signature, one of a stranger, and one whose signature is about another bundle are refused."""
    key, stranger = signer_in(tmp_path / "keys"), "0" * 64
    with pytest.raises(SignatureError, match="by nobody whose key counts"):
        check(layout, stranger)
    index = json.loads((layout / "index.json").read_text())
    bundle, signature = index["manifests"]
    (layout / "index.json").write_text(json.dumps(index | {"manifests": [bundle]}))
    with pytest.raises(SignatureError, match=r"signed by nobody$"):
        check(layout, key)
    store, other = packed(tmp_path, "other", submission.model_copy(update={"developer": "mallory"}))
    write_layout(store, parts_of(store, other), tmp_path / "swapped")
    for blob in (layout / "blobs" / "sha256").iterdir():
        shutil.copy(blob, tmp_path / "swapped" / "blobs" / "sha256" / blob.name)
    swapped = json.loads((tmp_path / "swapped" / "index.json").read_text())
    swapped["manifests"][1] = signature
    (tmp_path / "swapped" / "index.json").write_text(json.dumps(swapped))
    with pytest.raises(SignatureError, match=r"signed by nobody$"):
        check(tmp_path / "swapped", key)


def test_a_store_that_was_robbed_of_signatures_verifies_nothing(tmp_path: Path, submission: Submission) -> None:
    """What refers to a bundle is no part of its digest: without it the bundle is one that nobody signed."""
    store, digest = packed(tmp_path, "store", submission)
    key = signer_in(tmp_path / "keys")
    assert verified(store, digest, [key])[1] == key
    shutil.rmtree(tmp_path / "store" / "referrers")
    with pytest.raises(SignatureError):
        verified(store, digest, [key])


def test_what_is_there_is_not_written_over(layout: Path, tmp_path: Path, submission: Submission) -> None:
    """A folder with something in it is refused; so is one that holds no layout, or no bundle."""
    store, digest = packed(tmp_path, "store", submission)
    with pytest.raises(ConflictError, match="is there already"):
        write_layout(store, parts_of(store, digest), layout)
    with pytest.raises(UnknownNameError, match="no OCI image layout"):
        OciLayout(tmp_path / "trained")
    (layout / "index.json").write_text('{"schemaVersion": 2, "manifests": []}')
    with pytest.raises(InvalidInputError, match="0 bundles instead of one"):
        OciLayout(layout)


@pytest.fixture
def elsewhere(layout: Path, tmp_path: Path) -> Iterator[Callable[[Path], Server]]:
    """Servers of another folder with a store of its own, in which is nothing but the bundle."""
    there, running = tmp_path / "elsewhere", list[Server]()
    shutil.copytree(layout, there / "bundle")
    for name in ("trained", "store", "layout"):
        shutil.rmtree(tmp_path / name)
    opened = OciLayout(there / "bundle")
    store = FileArtifactStore(there / "store", [there / "bundle"])
    take_in(opened, opened.bundle, parts_of(opened, opened.bundle), store)

    def start(signers: Path) -> Server:
        server = Server(there / f"state-{len(running)}", there / "store", signers=signers)
        running.append(server)
        server.start()
        return server

    yield start
    for server in running:
        server.kill()


def test_a_bundle_serves_elsewhere_with_nothing_but_itself(elsewhere: Callable[[Path], Server], tmp_path: Path) -> None:
    """Taken into another store, it answers its golden predictions; a server that does not count the key refuses it."""
    bundle = OciLayout(tmp_path / "elsewhere" / "bundle").bundle
    (tmp_path / "strangers.pub").write_text("0" * 64 + "\n")
    refused = elsewhere(tmp_path / "strangers.pub").post(f"/v2/repository/models/{MODEL}/load", order_of(3, bundle))
    assert (refused.status_code, "by nobody whose key counts" in refused.text) == (400, True)
    server, order = elsewhere(tmp_path / "keys" / "bundle.pub"), order_of(3, bundle)
    for verb in ("load", "switch"):
        done = server.post(f"/v2/repository/models/{MODEL}/{verb}", order)
        assert done.status_code == 200, done.text
    store = FileArtifactStore(tmp_path / "elsewhere" / "store", [])
    rows = list(csv.DictReader(io.StringIO(read_bundle(store, bundle).files[GOLDEN_FILE].read_text())))
    asked = request_of([[float(row[name]) if row[name] else None for name in COLUMNS] for row in rows])
    answer = server.post(f"/v2/models/{MODEL}/infer", asked).json()
    parity = compare([float(row[SCORE]) for row in rows], answer["outputs"][0]["data"], 1e-5)
    assert (parity.holds, parity.rows) == (True, len(ROWS))
