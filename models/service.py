"""How a version answers those who ask it in production: how often it fails, and how long they wait."""

from collections.abc import Iterable

from pydantic import Field

from models.canonical import Frozen
from models.metrics import Period
from models.taken import Taken
from models.tally import Counts
from models.traffic import Answer
from models.verdict import Reading

SERVED = frozenset({"live_error_rate", "live_latency"})
"""What is read from where a version serves."""


class ServiceReport(Frozen):
    """What a version was asked in a period, and how long it took: `late` is the 95th percentile, in microseconds.

    Time is the version's own, without the way to the server. Requests that are wrong in themselves do not count, nor do
    copies whose answers nobody saw.
    """

    requests: int = Field(ge=0)
    failed: int = Field(ge=0)
    late: int | None = Field(default=None, ge=0)


def report_service(answers: Iterable[Answer], version: int, period: Period) -> ServiceReport:
    """What some lines of a traffic log say of a version."""
    counts = Counts()
    for answer in answers:
        if answer.version == version and period.since <= answer.at < period.until and not answer.mirrored:
            counts.add(answer)
    return ServiceReport(requests=counts.requests, failed=counts.failed, late=counts.late)


def read_service(report: ServiceReport) -> Taken:
    """`live_error_rate` of all requests; `live_latency`, in milliseconds, of those that were answered."""
    if not report.requests:
        return unread("nobody has asked the version in the period")
    errors = Reading(name="live_error_rate", value=report.failed / report.requests, count=report.requests)
    if report.late is None:
        return Taken((errors,), {"live_latency": "the version has answered nobody in the period"})
    late = Reading(name="live_latency", value=report.late / 1000, count=report.requests - report.failed)
    return Taken((errors, late))


def unread(why: str) -> Taken:
    """Neither of both, and why."""
    return Taken(unmeasured=dict.fromkeys(sorted(SERVED), why))
