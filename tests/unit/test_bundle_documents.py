"""What a bundle says of itself holds by the standards' own schemas, and says nothing that nobody knows."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.oci_bundles import Bundle, read_bundle
from models.bundle.manifest import BundleConfig
from models.bundle.provenance import PAYLOAD_TYPE, provenance, sign, vouches
from models.canonical import digest_bytes
from models.errors import InvalidInputError
from models.formats import Format
from models.golden import compare
from models.inventory import Submission
from models.signing import public_of, signer_of
from tests.contract.test_model_bundle import packed, pinned, submission
from tests.packing import FACTS, key_in, packager_in

__all__ = ["submission"]


@pytest.fixture
def bundle(tmp_path: Path, submission: Submission) -> Bundle:
    """A bundle with an evaluation."""
    return read_bundle(*packed(tmp_path, "store", submission))


def found_by_cyclonedx(bill: str) -> object:
    """What is wrong with a bill of materials; the validator takes seconds to import."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill)


def test_the_bill_is_valid_cyclonedx(bundle: Bundle) -> None:
    """CycloneDX's own validator, in its strict mode, finds nothing wrong; model, data and each pin are components."""
    text = bundle.files["bom.cdx.json"].read_text()
    assert found_by_cyclonedx(text) is None
    bill = json.loads(text)
    model = bill["metadata"]["component"]
    assert (model["type"], model["version"], model["licenses"]) == (
        "machine-learning-model",
        "3",
        [{"expression": "Apache-2.0"}],
    )
    metrics = model["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert {"type": "auc", "value": "0.82"} in metrics
    assert {"type": "selection_rate", "value": "0.45", "slice": "sex=female"} in metrics
    (fairness,) = model["modelCard"]["considerations"]["fairnessAssessments"]
    assert fairness["groupAtRisk"] == "sex: female"
    assert "0.90 of that" in fairness["harms"]
    purls = {one["purl"]: one for one in bill["components"] if "purl" in one}
    assert set(purls) == {"pkg:pypi/numpy@2.4.6", "pkg:pypi/onnxruntime@1.32.0"}
    assert purls["pkg:pypi/numpy@2.4.6"]["hashes"] == [{"alg": "SHA-256", "content": "0" * 64}]
    assert purls["pkg:pypi/numpy@2.4.6"]["licenses"] == [{"license": {"name": "NOASSERTION"}}]
    needs = {one["ref"]: one["dependsOn"] for one in bill["dependencies"]}
    assert needs == {model["bom-ref"]: sorted(purls)}


def test_a_bill_without_figures_is_valid(tmp_path: Path, submission: Submission) -> None:
    """A version that nobody has measured has a bill and a card, and neither shows a figure."""
    store = FileArtifactStore(tmp_path / "bare", [tmp_path])
    found = read_bundle(store, packager_in(tmp_path, store).package(FACTS, 1, submission, {}))
    text = found.files["bom.cdx.json"].read_text()
    assert found_by_cyclonedx(text) is None
    assert "quantitativeAnalysis" not in text
    assert "Nothing was measured" in found.files["model-card.md"].read_text()


def test_the_card_tells_the_facts(bundle: Bundle, tmp_path: Path, submission: Submission) -> None:
    """Who answers for it, where it came from, what was measured; what people wrote does not act as Markdown."""
    card = bundle.files["model-card.md"].read_text()
    for fact in ("# Loans, version 3", "olga", submission.artifact.digest, "0.8200", "45.0%", "Decide about loans."):
        assert fact in card
    sly = submission.model_copy(update={"notes": "<script>x</script> [a](javascript:b) | c"})
    assert (
        "\\<script\\>x\\</script\\> \\[a\\](javascript:b) \\| c"
        in read_bundle(*packed(tmp_path, "sly", sly)).files["model-card.md"].read_text()
    )


def test_the_provenance_is_an_in_toto_statement(bundle: Bundle) -> None:
    """Its subject is the manifest; the commit, the lock file and all data are there by digest, and no time is."""
    said: dict[str, Any] = json.loads(provenance(bundle.digest, bundle.config, "urn:x").model_dump_json())
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    assert said["predicateType"] == "https://slsa.dev/provenance/v1"
    assert said["subject"] == [{"name": FACTS.id, "digest": {"sha256": bundle.digest[7:]}}]
    built = said["predicate"]["buildDefinition"]
    assert built["externalParameters"]["source"]["digest"] == {"gitCommit": "a" * 40}
    materials = {one["name"]: one["digest"].get("sha256") for one in built["resolvedDependencies"]}
    handed_in = bundle.config.submission
    assert materials["dependencies"] == handed_in.dependencies.digest[7:]
    assert materials["training-data-1"] == handed_in.training_data[0].digest[7:]
    assert said["predicate"]["runDetails"] == {"builder": {"id": "urn:x"}}


def test_a_signature_vouches_for_just_this(bundle: Bundle, tmp_path: Path) -> None:
    """Not for another bundle, nor for one that is said to be made from something else, nor under another key."""
    private = key_in(tmp_path).private()
    public, config = public_of(private), bundle.config
    envelope = sign(provenance(bundle.digest, config, "urn:x"), private)
    assert (vouches(envelope, bundle.digest, config, [public]), envelope.payloadType) == (public, PAYLOAD_TYPE)
    other = BundleConfig.model_validate(config.model_copy(update={"version": 4}))
    assert vouches(envelope, bundle.digest, other, [public]) is None
    assert vouches(envelope, digest_bytes(b""), config, [public]) is None
    assert vouches(envelope, bundle.digest, config, ["0" * 64]) is None
    assert signer_of(envelope.model_copy(update={"payloadType": "text/plain"}), [public]) is None


@pytest.mark.parametrize(
    ("form", "data", "reason"),
    [
        (Format.PICKLE, b"\x80\x04N.", "no scan found"),
        (Format.JOBLIB, b"\x80\x04N.", "no scan found"),
        (Format.SKOPS, b"no archive", "does not begin like it"),
        (Format.DECISION_TABLE, b"{}", "is no DecisionTable"),
        (Format.VENDOR, b'{"format": "modelops/vendor/1", "endpoint": "http://plain.example"}', "is no VendorModel"),
        (Format.AGENT, b"[]", "is no Agent"),
    ],
)
def test_what_is_not_what_it_is_said_to_be(
    form: Format, data: bytes, reason: str, tmp_path: Path, submission: Submission
) -> None:
    """A file of another format is not packed; one that can run code only with a clean scan of these very bytes."""
    changes = {"artifact": pinned(tmp_path, "artifact", data), "format": form, "golden": None}
    with pytest.raises(InvalidInputError, match=reason):
        packed(tmp_path, "store", submission.model_copy(update=changes))


def test_a_scan_counts_for_the_format_that_it_found(tmp_path: Path, submission: Submission) -> None:
    """Bytes that are clean as weights may be others to whoever unpickles them; joblib's are found as pickles."""
    changes = {"artifact": pinned(tmp_path, "artifact", b"\x80\x04N."), "format": Format.JOBLIB, "golden": None}
    version = submission.model_copy(update=changes)
    with pytest.raises(InvalidInputError, match="no scan found"):
        packed(tmp_path, "store", version, scanned="safetensors")
    assert packed(tmp_path, "store", version, scanned="pickle")


def test_an_agent_takes_its_files_along(tmp_path: Path, submission: Submission) -> None:
    """Prompt, tools and policy are parts of the bundle, each by its digest; nothing of ours claims to serve it."""
    parts = {name: pinned(tmp_path, name, name.encode()) for name in ("prompt", "tools", "policy")}
    agent = {"format": "modelops/agent/1", "language_model": "small", **{k: v.model_dump() for k, v in parts.items()}}
    artifact = pinned(tmp_path, "agent.json", json.dumps(agent).encode())
    changes = {"artifact": artifact, "format": Format.AGENT, "golden": None}
    found = read_bundle(*packed(tmp_path, "store", submission.model_copy(update=changes)))
    assert found.files["agent/prompt"].read_bytes() == b"prompt"
    assert (found.packing.file, found.packing.served) == ("agent.json", False)


@pytest.mark.parametrize("line", ["numpy", "numpy>=2", "git+https://x.example/y", "--index-url https://x.example"])
def test_what_is_not_pinned_is_not_packed(line: str, tmp_path: Path, submission: Submission) -> None:
    """A bill of materials names each distribution exactly, from one index."""
    lock = pinned(tmp_path, "lock", f"a==1\n{line}\n".encode())
    with pytest.raises(InvalidInputError, match="is no lock file: line 2"):
        packed(tmp_path, "store", submission.model_copy(update={"dependencies": lock}))


def test_a_model_may_need_nothing(tmp_path: Path, submission: Submission) -> None:
    """A table of rules depends on no distribution."""
    lock = pinned(tmp_path, "lock", b"# nothing\n")
    packed(tmp_path, "store", submission.model_copy(update={"dependencies": lock}))


@given(st.lists(st.floats(0, 1), max_size=20), st.floats(0, 0.5))
def test_golden_predictions_are_met_within_the_tolerance(scores: list[float], shift: float) -> None:
    """What is shifted by no more than the tolerance is alike, what is shifted by more is not; no rows prove nothing."""
    moved = [score + shift for score in scores]
    assert compare(scores, moved, 0.6).holds is bool(scores)
    assert compare(scores, [score + 1 for score in scores], 0.6).unlike == len(scores)
    assert compare([*scores, 0.5], [*moved, float("nan")], 0.6).unlike == 1
    with pytest.raises(ValueError, match="shorter"):
        compare([*scores, 0.5], scores, 0.6)
