"""What somebody's pipeline is asked about a version, and what of its answer counts.

An answer is evidence with a source: readings under the names that the lifecycle's template lets it give, about just the
bytes that it was asked about. It has no verdict: gates judge.
"""

from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError

from models.canonical import PRINTABLE, Digest, Frozen, Slug
from models.errors import PipelineError
from models.inventory import DataContract, Reference, Source, Submission
from models.verdict import Reading


class CheckRequest(Frozen):
    """A version, by pinned references, and the readings that are asked for."""

    model: Slug
    version: int
    artifact: Reference
    source: Source
    dependencies: Reference
    holdout: Reference
    contract: DataContract
    readings: tuple[Slug, ...]


class Found(Reading):
    """A reading as somebody else gives it; it rests on nothing (`count` 0) where it could not be taken."""

    count: int = Field(ge=0, le=10**12)


class CheckReport(Frozen):
    """What a pipeline leaves in `result.json`: the bytes that it looked at, and each reading that it was asked for."""

    artifact: Digest
    readings: tuple[Found, ...] = Field(max_length=32)
    summary: Annotated[str, StringConstraints(max_length=300), PRINTABLE] = ""


class PipelineReport(Frozen):
    """A report with its source: which pipeline, which run of it, and the digest of the bytes as they were collected."""

    pipeline: Slug
    run: str
    page: str
    collected: Digest
    report: CheckReport


def request_of(model: Slug, version: int, submission: Submission, readings: tuple[Slug, ...]) -> CheckRequest:
    """The request about a version."""
    return CheckRequest(
        model=model,
        version=version,
        artifact=submission.artifact,
        source=submission.source,
        dependencies=submission.dependencies,
        holdout=submission.holdout,
        contract=submission.contract,
        readings=readings,
    )


def read_report(result: bytes, asked: CheckRequest) -> CheckReport:
    """The answer to a request; PipelineError if it is none, or about something else, or says more or less."""
    try:
        report = CheckReport.model_validate_json(result)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "result.json"
        raise PipelineError(f"{place}: {first['msg']}") from error
    if report.artifact != asked.artifact.digest:
        raise PipelineError(f"it is about {report.artifact}, and {asked.artifact.digest} was asked about")
    given = [reading.name for reading in report.readings]
    if sorted(given) != sorted(asked.readings):
        raise PipelineError(f"it gives {', '.join(given) or 'no readings'} instead of {', '.join(asked.readings)}")
    return report
