"""A bundle is worth what its bytes and its signature are worth, on whatever machine it is."""

import csv
import io
import json
import math
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.oci_bundles import parts_of, read_bundle, verified
from activities.adapters.oci_layout import OciLayout, take_in, write_layout
from activities.adapters.oip_deployer import OipDeployer
from models.bundle.manifest import GOLDEN_FILE
from models.canonical import Digest, digest_bytes
from models.errors import ConflictError, InvalidInputError, ModelopsError, SignatureError, UnknownNameError
from models.evidence import EvaluationReport, GroupRate, ScanReport
from models.formats import Format
from models.golden import SCORE, compare
from models.inventory import Column, DataContract, Golden, Protected, Reference, Source, Submission
from models.verdict import Reading
from tests.contract.serving import COLUMNS, PROD, TOKEN, Server, new_key, order_of, request_of, sloping
from tests.packing import FACTS, MODEL, packager_in, signer_in

ROWS: list[list[float | None]] = [[1.0, 2.0, 3.0], [-4.0, 0.5, 0.25], [0.0, None, -1.0]]
TABLE = {
    "format": "modelops/decision-table/1",
    "hit_policy": "FIRST",
    "rules": [{"when": {"income": {"at_least": 1}}, "then": 0.75}, {"when": {"debt": {"missing": True}}, "then": 0.5}],
    "otherwise": 0.25,
}
EVALUATION = EvaluationReport(
    rows=500,
    readings=(Reading(name="auc", value=0.82, count=500),),
    groups=(
        GroupRate(column="sex", group="male", selected=0.5, count=300),
        GroupRate(column="sex", group="female", selected=0.45, count=200),
    ),
)


def golden(scores: Sequence[float] = ()) -> bytes:
    """What the model answers to the rows: these scores, or else those of the ONNX model, worked out by hand."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([*COLUMNS, SCORE])
    by_hand = [1 / (1 + math.exp(-sum(value or 0.0 for value in row) / len(row))) for row in ROWS]
    for row, score in zip(ROWS, scores or by_hand, strict=True):
        writer.writerow([*("" if value is None else value for value in row), score])
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


def as_rules(folder: Path, version: Submission) -> Submission:
    """The version as a decision table; what it answers was read off the table."""
    named = Golden(predictions=pinned(folder, "golden.csv", golden([0.75, 0.25, 0.5])), tolerance=1e-5)
    artifact = pinned(folder, "table.json", json.dumps(TABLE).encode())
    return version.model_copy(update={"artifact": artifact, "format": Format.DECISION_TABLE, "golden": named})


def as_skops(folder: Path, version: Submission) -> Submission:
    """The version as a scikit-learn pipeline; what it answers was asked of the pipeline itself."""
    given = np.array([[math.nan if value is None else value for value in row] for row in ROWS])
    model = make_pipeline(SimpleImputer(), LogisticRegression()).fit(given, [1, 0, 1])
    scores = model.predict_proba(given)[:, 1].tolist()
    named = Golden(predictions=pinned(folder, "golden.csv", golden(scores)), tolerance=1e-5)
    artifact = pinned(folder, "model.skops", skops.io.dumps(model))
    return version.model_copy(update={"artifact": artifact, "format": Format.SKOPS, "golden": named})


def as_onnx(folder: Path, version: Submission) -> Submission:
    """The version as it is."""
    return version


def packed(
    folder: Path, store: str, submission: Submission, key: str = "keys", scanned: str = ""
) -> tuple[FileArtifactStore, Digest]:
    """A version packed into a new store, with an evaluation, and the report of a scan if it says what that found."""
    made = FileArtifactStore(folder / store, [folder])
    (folder / key).mkdir(exist_ok=True)
    artifact = submission.artifact
    scan = ScanReport(format=scanned, verdict="clean", scanned_bytes=1, artifact=artifact.digest)
    reports = {"evaluation": EVALUATION} | ({"scan": scan} if scanned else {})
    evidence = {kind: made.put(report.model_dump_json().encode()) for kind, report in reports.items()}
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


@pytest.mark.parametrize("form", [as_onnx, as_rules, as_skops])
def test_an_earlier_version_is_rebuilt_bit_for_bit(
    tmp_path: Path, submission: Submission, form: Callable[[Path, Submission], Submission]
) -> None:
    """From its submission, in a fresh store: the same bundle, the same signature, the same bytes in every file."""
    submission, folders = form(tmp_path / "trained", submission), list[Path]()
    for name in ("first", "again"):
        store, digest = packed(tmp_path, name, submission, scanned=submission.format)
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


class Elsewhere:
    """Another folder with a store of its own, in which is nothing but the bundle."""

    def __init__(self, root: Path, version: Submission) -> None:
        store, self.bundle = packed(root, "store", version, scanned=version.format)
        self.folder = root / "elsewhere"
        write_layout(store, parts_of(store, self.bundle), self.folder / "bundle")
        for name in ("trained", "store"):
            shutil.rmtree(root / name)
        opened = OciLayout(self.folder / "bundle")
        self.store = FileArtifactStore(self.folder / "store", [self.folder / "bundle"])
        take_in(opened, opened.bundle, parts_of(opened, opened.bundle), self.store)

    @contextmanager
    def server(self, signers: Path) -> Iterator[Server]:
        """An inference server there, that counts some keys."""
        server = Server(self.folder / signers.stem, self.folder / "store", signers=signers)
        server.start()
        yield server
        server.kill()


@pytest.mark.parametrize("form", [as_onnx, as_rules, as_skops])
def test_a_bundle_serves_elsewhere_with_nothing_but_itself(
    tmp_path: Path, submission: Submission, form: Callable[[Path, Submission], Submission]
) -> None:
    """Taken into another store, it answers its golden predictions over HTTP, whatever kind of model it is."""
    there = Elsewhere(tmp_path, form(tmp_path / "trained", submission))
    with (
        there.server(tmp_path / "keys" / "bundle.pub") as server,
        closing(OipDeployer({PROD: server.url}, TOKEN, timeout=120)) as deployer,
    ):
        deployer.deploy(PROD, MODEL, 3, there.bundle, new_key())
        rows = list(csv.DictReader(io.StringIO(read_bundle(there.store, there.bundle).files[GOLDEN_FILE].read_text())))
        asked = request_of([[float(row[name]) if row[name] else None for name in COLUMNS] for row in rows])
        answer = server.post(f"/v2/models/{MODEL}/infer", asked).json()
    parity = compare([float(row[SCORE]) for row in rows], answer["outputs"][0]["data"], 1e-5)
    assert (parity.holds, parity.rows) == (True, len(ROWS))


def test_a_server_that_does_not_count_the_key_refuses_it(tmp_path: Path, submission: Submission) -> None:
    """Whatever the bundle is, and wherever it came from."""
    there = Elsewhere(tmp_path, submission)
    (tmp_path / "strangers.pub").write_text("0" * 64 + "\n")
    with there.server(tmp_path / "strangers.pub") as server:
        refused = server.post(f"/v2/repository/models/{MODEL}/load", order_of(3, there.bundle))
    assert (refused.status_code, "by nobody whose key counts" in refused.text) == (400, True)
