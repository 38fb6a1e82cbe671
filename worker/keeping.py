"""Where things are kept outside the database, as configured: for the worker, and for those who only look."""

from importlib import import_module
from pathlib import Path

from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.file_checkpoints import FileCheckpoints
from activities.adapters.git_checkpoints import GitCheckpoints
from activities.ports import ArtifactStore, Checkpoints
from models.errors import InvalidInputError
from models.signing import PublicKey
from worker.settings import GIT, S3, Settings


def checkpoints_of(settings: Settings) -> Checkpoints:
    """The checkpoints of the audit trail; InvalidInputError, UnavailableError if there is no way to them."""
    place = settings.checkpoints or str(settings.root / "checkpoints")
    if place.startswith(GIT):
        return GitCheckpoints(Path(place.removeprefix(GIT)).expanduser().resolve())
    if place.startswith(S3):
        return _bucket(*place.removeprefix(S3).partition("/")[::2])
    return FileCheckpoints(Path(place).expanduser().resolve())


def _bucket(name: str, prefix: str) -> Checkpoints:
    """boto3 takes its time to load, and is an extra: nobody else waits for it, or needs it."""
    try:
        adapter = import_module("activities.adapters.s3_checkpoints")
    except ModuleNotFoundError as error:
        raise InvalidInputError(
            f"MODELOPS_CHECKPOINTS: {S3}{name} needs {error.name}, which is not installed",
            "install the extra: pip install 'modelops[aws]'",
        ) from error
    checkpoints: Checkpoints = adapter.S3Checkpoints(name, prefix)
    return checkpoints


def notary_keys(settings: Settings) -> tuple[PublicKey, ...]:
    """The notary's public key, former ones too; none if it has not made one yet. InvalidInputError."""
    return public_keys(settings.notary.with_suffix(".pub"))


def public_keys(place: Path) -> tuple[PublicKey, ...]:
    """The keys in a file, one on each line; none if there is no such file. InvalidInputError."""
    try:
        return tuple(place.read_text().split())
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"{place} cannot be read: {error}", "restore it, or have it made anew") from error


def store_of(settings: Settings) -> ArtifactStore:
    """The artifact store."""
    return FileArtifactStore(settings.store, [settings.root, *settings.sources])
