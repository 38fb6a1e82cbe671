"""Bundles by hand, as the command line asks for them: built, looked at, verified, taken out and taken in."""

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.oci_bundles import parts_of, read_bundle, verified
from activities.adapters.oci_layout import OciLayout, take_in, write_layout
from activities.adapters.oci_registry import OciRegistry
from activities.adapters.onnx_evaluator import OnnxEvaluator
from activities.adapters.static_scanner import StaticScanner
from activities.ports import ArtifactStore, Blobs
from activities.reports import keep_report
from activities.scanning import scan_submission
from models.bundle.manifest import TITLE
from models.bundle.registry_name import RegistryName
from models.canonical import Digest, Frozen
from models.errors import NotPermittedError, SignatureError
from models.evidence import Evidence
from models.formats import FORMATS, Format
from models.inventory import ModelFacts, Source, Submission
from models.signing import PublicKey
from worker.bundles import packager_of, signers_of
from worker.keeping import store_of
from worker.settings import Settings, read_secret

_BY_DIGEST = "sha256:"


class Part(Frozen):
    """One file of a bundle, or of its signature."""

    name: str
    media_type: str
    digest: Digest
    size: int


class Summary(Frozen):
    """What a bundle is, every byte of it hashed; `signer` is None if nobody signed it whose key counts."""

    digest: Digest
    model: str
    version: int
    format: Format
    python: str
    source: Source
    evidence: dict[str, Digest]
    signer: PublicKey | None
    parts: tuple[Part, ...]


def build(settings: Settings, facts: ModelFacts, version: int, submission: Submission, output: Path) -> Summary:
    """Scan, measure and pack a version as the worker does, into a new folder; our store does not get to know it.

    NotPermittedError if it is not clean, or does not answer its golden predictions; errors of evaluator and packager.
    """
    with tempfile.TemporaryDirectory(prefix="modelops-bundle-") as folder:
        store = FileArtifactStore(Path(folder), [settings.root, *settings.sources])
        evidence = {one.kind: one.digest for one in _evidence(store, version, submission)}
        digest = packager_of(settings, store).package(facts, version, submission, evidence)
        write_layout(store, parts_of(store, digest), output)
    return inspect(settings, str(output))


def inspect(settings: Settings, place: str) -> Summary:
    """What a bundle is, in a folder or by its digest in our store; errors are those of `read_bundle`."""
    store, digest = _opened(settings, place)
    try:
        signer = verified(store, digest, signers_of(settings))[1]
    except SignatureError:
        signer = None
    return _summary(store, digest, signer)


def verify(settings: Settings, place: str, keys: Sequence[PublicKey]) -> Summary:
    """The same of a bundle that one of these keys signed, or else one that counts here; errors are of `verified`."""
    store, digest = _opened(settings, place)
    return _summary(store, digest, verified(store, digest, keys or signers_of(settings))[1])


def export(settings: Settings, digest: Digest, output: Path) -> Summary:
    """Write a bundle of our store into a new folder."""
    store = store_of(settings)
    read_bundle(store, digest)
    write_layout(store, parts_of(store, digest), output)
    return inspect(settings, str(output))


def bring_in(settings: Settings, folder: Path) -> Summary:
    """Take a folder's bundle into our store, if somebody signed it whose key counts here."""
    layout = OciLayout(folder)
    verified(layout, layout.bundle, signers_of(settings))
    take_in(layout, layout.bundle, parts_of(layout, layout.bundle), FileArtifactStore(settings.store, [folder]))
    return inspect(settings, layout.bundle)


def push(settings: Settings, digest: Digest, place: RegistryName) -> Summary:
    """Put a bundle of our store into a registry, signatures too; UnavailableError, NotPermittedError."""
    found, store = inspect(settings, digest), store_of(settings)
    with closing(_registry(settings, place)) as registry:
        registry.push(store, parts_of(store, digest))
    return found


def pull(settings: Settings, place: RegistryName) -> Summary:
    """Take a registry's bundle into our store, if somebody signed it whose key counts here: all of it, or nothing."""
    with (
        closing(_registry(settings, place)) as registry,
        tempfile.TemporaryDirectory(prefix="modelops-bundle-") as folder,
    ):
        pulled = registry.bundle(Path(folder))
        verified(pulled, pulled.digest, signers_of(settings))
        take_in(
            pulled, pulled.digest, parts_of(pulled, pulled.digest), FileArtifactStore(settings.store, [Path(folder)])
        )
    return inspect(settings, pulled.digest)


def _registry(settings: Settings, place: RegistryName) -> OciRegistry:
    credentials = settings.registries.get(place.host)
    return OciRegistry(place, partial(read_secret, credentials) if credentials else None)


def _opened(settings: Settings, place: str) -> tuple[Blobs, Digest]:
    if place.startswith(_BY_DIGEST):
        return store_of(settings), place
    layout = OciLayout(Path(place))
    return layout, layout.bundle


def _summary(store: Blobs, digest: Digest, signer: PublicKey | None) -> Summary:
    config = read_bundle(store, digest).config
    parts = (
        Part(name=one.annotations.get(TITLE, ""), media_type=one.media_type, digest=one.digest, size=one.size)
        for one in parts_of(store, digest)
    )
    return Summary(
        digest=digest,
        model=config.facts.id,
        version=config.version,
        format=config.submission.format,
        python=config.python,
        source=config.submission.source,
        evidence=config.evidence,
        signer=signer,
        parts=tuple(parts),
    )


def _evidence(store: ArtifactStore, version: int, submission: Submission) -> Iterator[Evidence]:
    """What the steps of a lifecycle find out before a version is packaged."""
    packing, artifact = FORMATS[submission.format], submission.artifact
    model = store.fetch(artifact)
    yield keep_report(store, "submission", submission, f"version {version} as submitted")
    scan = scan_submission(store, StaticScanner(), submission)
    if scan.verdict != "clean":
        raise NotPermittedError(
            f"{artifact.uri} is {scan.verdict}: {'; '.join(scan.reasons) or 'no reason is given'}",
            "only what a scan finds clean is packed",
        )
    yield keep_report(store, "scan", scan, scan.verdict)
    if packing.served or packing.elsewhere:
        evaluator = OnnxEvaluator()
        report = evaluator.evaluate(model, store.fetch(submission.holdout), submission)
        yield keep_report(store, "evaluation", report, f"on {report.rows} rows")
        if submission.golden:
            parity = evaluator.replay(model, store.fetch(submission.golden.predictions), submission)
            if not parity.holds:
                raise NotPermittedError(str(parity), "convert the model again, or find out where it differs")
            yield keep_report(store, "parity", parity, str(parity))
