"""Reports are kept in the artifact store and travel as digests."""

from activities.ports import ArtifactStore
from models.canonical import Frozen, canonical
from models.evidence import Evidence


def keep_report(store: ArtifactStore, kind: str, report: Frozen, summary: str) -> Evidence:
    """Keep a report as canonical JSON; the evidence names it by digest."""
    return Evidence(kind=kind, digest=store.put(canonical(report)), summary=summary)
