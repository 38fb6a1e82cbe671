"""What the inventory tells of models, as values."""

from datetime import datetime

from models.canonical import Frozen
from models.inventory import ModelKind, RiskTier, VersionStatus
from models.reconciliation import FindingKind
from models.state import Phase


class Listed(Frozen):
    """One model in a list; the last seven are None as long as it has no lifecycle."""

    model: str
    title: str
    kind: ModelKind
    tier: RiskTier
    owner: str
    template: str | None = None
    stage: str | None = None
    phase: Phase | None = None
    candidate: int | None = None
    champion: int | None = None
    paused: bool | None = None
    updated: datetime | None = None


class Known(Frozen):
    """A version in the inventory."""

    number: int
    status: VersionStatus
    artifact: str | None
    bundle: str | None
    gates: tuple[str, ...]


class Found(Frozen):
    """A finding, from when it was first seen until it held no more; `resolved` is None of one that holds."""

    kind: FindingKind
    model: str | None
    text: str
    first_seen: datetime
    last_seen: datetime
    resolved: datetime | None
