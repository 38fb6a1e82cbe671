"""A bundle says all that it holds, and every byte of it is checked when it is read back."""

import json
from pathlib import Path

import pytest

from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.oci_bundles import read_bundle
from activities.adapters.oci_packager import OciPackager
from models.canonical import digest_bytes
from models.errors import DigestMismatchError, InvalidInputError, MissingColumnError, UnknownNameError
from models.inventory import Column, DataContract, Reference, Source, Submission
from tests.packing import FACTS, packager_in
from tests.unit.corpus.onnx_models import linear

MODEL = linear()
LOCK = b"numpy==2.4.6\n"
HOLDOUT = b"income,age,approved\n1200.5,41,1\n,30,0\n"
EVIDENCE = {"scan": digest_bytes(b"scan"), "submission": digest_bytes(b"submission")}


@pytest.fixture
def store(tmp_path: Path) -> FileArtifactStore:
    return FileArtifactStore(tmp_path / "store", [tmp_path])


@pytest.fixture
def submission(tmp_path: Path) -> Submission:
    (tmp_path / "model").write_bytes(MODEL)
    (tmp_path / "lock").write_bytes(LOCK)
    (tmp_path / "holdout").write_bytes(HOLDOUT)
    return Submission(
        artifact=Reference(uri=str(tmp_path / "model"), digest=digest_bytes(MODEL)),
        source=Source(repository="https://git.example/loans", commit="a" * 40),
        training_data=(Reference(uri="/data/train.csv", digest=digest_bytes(b"train")),),
        holdout=Reference(uri=str(tmp_path / "holdout"), digest=digest_bytes(HOLDOUT)),
        dependencies=Reference(uri=str(tmp_path / "lock"), digest=digest_bytes(LOCK)),
        contract=DataContract(
            inputs=(Column(name="income"), Column(name="age", type="integer")),
            outputs=(Column(name="score"),),
            label="approve",
            threshold=0.4,
        ),
        developer="dana",
        submitter="sam",
    )


@pytest.fixture
def packager(tmp_path: Path, store: FileArtifactStore) -> OciPackager:
    return packager_in(tmp_path, store)


def package(packager: OciPackager, submission: Submission, version: int = 3) -> str:
    return packager.package(FACTS, version, submission, EVIDENCE)


def test_bundle_reads_back(store: FileArtifactStore, packager: OciPackager, submission: Submission) -> None:
    """What was packaged is read back: the model's bytes, the contract, the environment, where it came from."""
    digest = package(packager, submission)
    bundle = read_bundle(store, digest)
    assert (bundle.digest, bundle.model, bundle.version) == (digest, "loan-approval", 3)
    assert bundle.contract == submission.contract
    assert bundle.model_path.read_bytes() == MODEL
    assert bundle.files["requirements.lock"].read_bytes() == LOCK
    assert (bundle.environment.python, bundle.environment.dependencies) == ("3.11", digest_bytes(LOCK))
    assert (bundle.config.facts, bundle.config.submission, bundle.config.evidence) == (FACTS, submission, EVIDENCE)


def test_manifest_is_oci(store: FileArtifactStore, packager: OciPackager, submission: Submission) -> None:
    """The manifest is an OCI image manifest: each descriptor gives its media type, digest, size and title."""
    path = store.path(package(packager, submission))
    manifest = json.loads(path.read_bytes())
    assert manifest["schemaVersion"] == 2
    assert manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert manifest["artifactType"] == "application/vnd.modelops.bundle.v1"
    titles = [layer["annotations"]["org.opencontainers.image.title"] for layer in manifest["layers"]]
    assert titles == [
        "model.onnx",
        "requirements.lock",
        "inputs.schema.json",
        "outputs.schema.json",
        "environment.json",
        "sample-request.json",
        "bom.cdx.json",
        "model-card.md",
    ]
    for descriptor in [manifest["config"], *manifest["layers"]]:
        data = store.path(descriptor["digest"]).read_bytes()
        assert descriptor["size"] == len(data)
        assert "/" in descriptor["mediaType"]


def test_schema_describes_a_row(store: FileArtifactStore, packager: OciPackager, submission: Submission) -> None:
    """The input schema is a JSON Schema that asks for each column with its type, and for nothing else."""
    bundle = read_bundle(store, package(packager, submission))
    schema = json.loads(bundle.files["inputs.schema.json"].read_bytes())
    assert schema == {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"income": {"type": "number"}, "age": {"type": "integer"}},
        "required": ["income", "age"],
        "additionalProperties": False,
    }


def test_same_content_same_digest(
    store: FileArtifactStore, packager: OciPackager, submission: Submission, tmp_path: Path
) -> None:
    """The same content has the same digest in another store, whatever the order of its evidence."""
    other = FileArtifactStore(tmp_path / "other", [tmp_path])
    backwards = dict(reversed(EVIDENCE.items()))
    again = packager_in(tmp_path, other).package(FACTS, 3, submission, backwards)
    assert again == package(packager, submission)


def test_other_content_other_digest(
    store: FileArtifactStore, packager: OciPackager, submission: Submission, tmp_path: Path
) -> None:
    """Another version, another contract or another Python give another digest."""
    contract = submission.contract.model_copy(update={"threshold": 0.5})
    changed = submission.model_copy(update={"contract": contract})
    python = packager_in(tmp_path, store, "3.12").package(FACTS, 3, submission, EVIDENCE)
    digests = {package(packager, submission), package(packager, submission, 4), package(packager, changed), python}
    assert len(digests) == 4


@pytest.mark.parametrize("part", ["manifest", "config", *range(8)])
def test_changed_part_is_noticed(
    part: str | int, store: FileArtifactStore, packager: OciPackager, submission: Submission
) -> None:
    """A byte changed in any part of the bundle is noticed."""
    digest = package(packager, submission)
    manifest = json.loads(store.path(digest).read_bytes())
    descriptor = manifest["layers"][part] if isinstance(part, int) else manifest.get(part)
    path = store.path(descriptor["digest"] if descriptor and part != "manifest" else digest)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"~")
    with pytest.raises(DigestMismatchError):
        read_bundle(store, digest)


def test_wrong_size_is_noticed(store: FileArtifactStore, packager: OciPackager, submission: Submission) -> None:
    """A manifest that lies about a size is refused."""
    manifest = json.loads(store.path(package(packager, submission)).read_bytes())
    manifest["layers"][0]["size"] += 1
    with pytest.raises(DigestMismatchError, match="another size"):
        read_bundle(store, store.put(json.dumps(manifest).encode()))


def test_bundle_without_model_is_refused(
    store: FileArtifactStore, packager: OciPackager, submission: Submission
) -> None:
    """A manifest without a model is refused by name."""
    manifest = json.loads(store.path(package(packager, submission)).read_bytes())
    del manifest["layers"][0]
    with pytest.raises(InvalidInputError, match=r"lacks model\.onnx"):
        read_bundle(store, store.put(json.dumps(manifest).encode()))


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", MODEL, b'{"schemaVersion":2,"artifactType":"other"}'])
def test_other_thing_is_no_bundle(data: bytes, store: FileArtifactStore, packager: OciPackager) -> None:
    """The digest of something else is refused with a remedy."""
    with pytest.raises(InvalidInputError, match="is not a bundle") as caught:
        read_bundle(store, store.put(data))
    assert caught.value.remedy


def test_missing_model_is_unknown(
    store: FileArtifactStore, packager: OciPackager, submission: Submission, tmp_path: Path
) -> None:
    """Nothing is packaged around a model that is not there."""
    (tmp_path / "model").unlink()
    with pytest.raises(UnknownNameError):
        package(packager, submission)
    with pytest.raises(UnknownNameError):
        read_bundle(store, digest_bytes(b"never packaged"))


def test_sample_request_holds_inputs_alone(
    store: FileArtifactStore, packager: OciPackager, submission: Submission
) -> None:
    """The sample request has real rows in the contract's order, gaps as null, and no label or protected column."""
    digest = packager.package(FACTS, 1, submission, EVIDENCE)
    sample = json.loads(read_bundle(store, digest).files["sample-request.json"].read_bytes())
    assert sample["inputs"][0]["shape"] == [2, 2]
    assert sample["inputs"][0]["data"] == [1200.5, 41, None, 30]


def test_holdout_without_an_input_column_is_refused(
    store: FileArtifactStore, packager: OciPackager, submission: Submission
) -> None:
    """Hold-out data that lacks an input column is named, with the column."""
    contract = submission.contract.model_copy(update={"inputs": (Column(name="salary"),)})
    with pytest.raises(MissingColumnError, match="salary"):
        packager.package(FACTS, 1, submission.model_copy(update={"contract": contract}), EVIDENCE)


def test_sample_is_read_as_the_evaluator_reads(
    store: FileArtifactStore, packager: OciPackager, submission: Submission, tmp_path: Path
) -> None:
    """Words of a boolean are numbers, a byte order mark is no part of a name, an infinite number is refused."""
    inputs = (Column(name="employed", type="boolean"), Column(name="income"))
    contract = submission.contract.model_copy(update={"inputs": inputs})

    def packaged(data: bytes) -> str:
        (tmp_path / "holdout").write_bytes(data)
        holdout = Reference(uri=str(tmp_path / "holdout"), digest=digest_bytes(data))
        return package(packager, submission.model_copy(update={"contract": contract, "holdout": holdout}))

    bundle = read_bundle(store, packaged(b"\xef\xbb\xbfemployed,income\nTrue,1\nfalse,2\n"))
    assert json.loads(bundle.files["sample-request.json"].read_bytes())["inputs"][0]["data"] == [1, 1, 0, 2]
    with pytest.raises(InvalidInputError, match=r"column 'income' of .* row 2 holds 'inf'"):
        packaged(b"employed,income\ntrue,1\nfalse,inf\n")
