"""Who packs and who verifies bundles, as configured."""

from activities.adapters.installation_key import InstallationKey
from activities.adapters.oci_bundles import OciBundles
from activities.adapters.oci_packager import OciPackager
from activities.ports import ArtifactStore
from models.bundle.provenance import builder_of
from models.signing import PublicKey
from worker.keeping import public_keys
from worker.settings import Settings


def packager_of(settings: Settings, store: ArtifactStore) -> OciPackager:
    """The packager; its key is made when it first signs."""
    key = InstallationKey(settings.packager, "the packager's", "MODELOPS_BUNDLE_KEY")
    return OciPackager(store, key, builder_of(settings.audience))


def bundles_of(settings: Settings, store: ArtifactStore) -> OciBundles:
    """The bundles of a store, signed by the keys that count at that moment."""
    return OciBundles(store, lambda: signers_of(settings))


def signers_of(settings: Settings) -> tuple[PublicKey, ...]:
    """The public keys whose bundles count here: that of our own packager, former ones, and those that were added."""
    return public_keys(settings.packager.with_suffix(".pub"))
