"""Search attributes: how a lifecycle is found in the Web UI and by `list` queries."""

from datetime import datetime
from typing import Any

from temporalio.common import SearchAttributeKey, SearchAttributePair, SearchAttributeUpdate, TypedSearchAttributes

from models.status import Status

MODEL = SearchAttributeKey.for_keyword("ModelopsModel")
STAGE = SearchAttributeKey.for_keyword("ModelopsStage")
PHASE = SearchAttributeKey.for_keyword("ModelopsPhase")
TIER = SearchAttributeKey.for_keyword("ModelopsTier")
OWNER = SearchAttributeKey.for_keyword("ModelopsOwner")
WAITS_FOR = SearchAttributeKey.for_keyword_list("ModelopsWaitsFor")
VERSION = SearchAttributeKey.for_int("ModelopsVersion")
DUE = SearchAttributeKey.for_datetime("ModelopsDue")

SCHEDULED = SearchAttributeKey.for_datetime("TemporalScheduledStartTime")
"""The server's own: when a schedule was to start the execution, without its jitter."""

Updates = list[SearchAttributeUpdate[Any]]

ALL = (MODEL, STAGE, PHASE, TIER, OWNER, WAITS_FOR, VERSION, DUE)


def searchable(status: Status, known: TypedSearchAttributes) -> Updates:
    """What has to change for the attributes to say where a lifecycle is."""
    subject = status.version or status.champion
    roles = [asked.role for asked in status.gate.asked] if status.gate else []
    updates: Updates = []
    for key, text in ((STAGE, status.stage), (PHASE, status.phase.value)):
        if known.get(key) != text:
            updates.append(key.value_set(text))
    if sorted(known.get(WAITS_FOR) or []) != sorted(roles):
        updates.append(WAITS_FOR.value_set(roles) if roles else WAITS_FOR.value_unset())
    if known.get(VERSION) != (subject.number if subject else None):
        updates.append(VERSION.value_set(subject.number) if subject else VERSION.value_unset())
    if _second(known.get(DUE)) != _second(status.due):
        updates.append(DUE.value_set(status.due) if status.due else DUE.value_unset())
    return updates


def updated(known: TypedSearchAttributes, updates: Updates) -> TypedSearchAttributes:
    """The attributes after some updates."""
    renewed = {update.key.name for update in updates}
    kept = [pair for pair in known if pair.key.name not in renewed]
    return TypedSearchAttributes(
        [*kept, *(SearchAttributePair(update.key, update.value) for update in updates if update.value is not None)]
    )


def _second(moment: datetime | None) -> datetime | None:
    return moment.replace(microsecond=0) if moment else None
