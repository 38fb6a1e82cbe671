"""A packager of the tests, with a key of its own, and the facts of the model that it packs."""

from pathlib import Path

from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.installation_key import InstallationKey
from activities.adapters.oci_bundles import OciBundles
from activities.adapters.oci_packager import OciPackager
from models.inventory import ModelFacts
from models.signing import public_of
from worker.keeping import public_keys

MODEL = "loan-approval"
FACTS = ModelFacts.model_validate(
    {
        "id": MODEL,
        "title": "Loans",
        "kind": "ml",
        "risk_tier": "high",
        "intended_use": "Decide about loans.",
        "use_case": {"id": "loans", "process": "Origination", "owner": "paul", "value_hypothesis": "Fewer losses."},
        "owner": "olga",
        "jurisdictions": ["EU"],
        "personal_data": True,
        "automated_decision": True,
        "sector": "banking",
    }
)


def key_in(folder: Path, name: str = "bundle") -> InstallationKey:
    """The packager's key in a folder, made if there is none."""
    return InstallationKey(folder / f"{name}.key", "the packager's", "MODELOPS_BUNDLE_KEY")


def packager_in(folder: Path, store: FileArtifactStore, python: str = "3.11") -> OciPackager:
    """A packager with that key."""
    return OciPackager(store, key_in(folder), "urn:modelops:installation:tests", python)


def signer_in(folder: Path) -> str:
    """The public half of that key."""
    return public_of(key_in(folder).private())


def bundles_in(folder: Path, store: FileArtifactStore) -> OciBundles:
    """The bundles of a store, as somebody sees them who counts that key."""
    return OciBundles(store, lambda: public_keys(folder / "bundle.pub"))
