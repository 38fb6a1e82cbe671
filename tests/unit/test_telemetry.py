"""What a scrape sees of the findings."""

import math
from collections.abc import Sequence

from prometheus_client import REGISTRY

from models.errors import UnavailableError
from models.reconciliation import Finding, FindingKind
from worker.telemetry import count_findings


def gauge(kind: FindingKind) -> float | None:
    """The value of one kind."""
    return REGISTRY.get_sample_value("modelops_findings", {"kind": kind.value})


def test_each_scrape_counts_by_kind() -> None:
    """Every kind is there, and counts what holds at the moment of the scrape."""
    holding: list[Finding] = []
    count_findings(lambda: holding)
    assert [gauge(kind) for kind in FindingKind] == [0] * len(FindingKind)
    holding += [Finding(kind=FindingKind.SILENT, model=None, about=place, text="x") for place in ("PROD", "TEST")]
    assert (gauge(FindingKind.SILENT), gauge(FindingKind.RECORD_GONE)) == (2, 0)


def test_a_silent_record_is_no_zero() -> None:
    """Where the record cannot be read nobody knows, and the scrape goes on."""

    def silent() -> Sequence[Finding]:
        raise UnavailableError("the database is away")

    count_findings(silent)
    assert math.isnan(gauge(FindingKind.EXECUTION_GONE) or 0)
