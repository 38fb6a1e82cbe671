"""The model card of a version in Markdown, from the facts that are on record (Mitchell et al. 2019)."""

import re
from collections.abc import Iterator, Sequence

from models.bundle.manifest import BundleConfig
from models.evidence import EvaluationReport
from models.supply.lock import Pin

_MARKS = re.compile(r"([\\`*_{}\[\]<>#|!~])")


def card_of(config: BundleConfig, pins: Sequence[Pin], evaluation: EvaluationReport | None) -> str:
    """The card; without an evaluation it says that nothing was measured."""
    facts, submission = config.facts, config.submission
    parts = [
        f"# {_plain(facts.title)}, version {config.version}",
        _table(("", ""), _identity(config)),
        "## Intended use",
        _plain(facts.intended_use),
        "## Who answers for it",
        _table(("", ""), _people(config)),
        "## Data",
        _table(("", "Digest", "Where"), _data(config)),
        "## What it reads",
        _table(("Input", "Type"), ((one.name, one.type) for one in submission.contract.inputs)),
        "## What was measured",
        *_measured(evaluation),
        "## What it needs",
        f"Python {config.python} and {len(pins)} pinned distributions: `bom.cdx.json` lists them.",
    ]
    if submission.notes:
        parts += ["## Notes of the developer", _plain(submission.notes)]
    return "\n\n".join(parts) + "\n"


def _identity(config: BundleConfig) -> Iterator[tuple[str, ...]]:
    facts, submission = config.facts, config.submission
    yield "Model", facts.id
    yield "Kind", f"{facts.kind}, as {submission.format}"
    yield "Risk tier", facts.tier_in_words
    yield "Sector", f"{facts.sector}, in {', '.join(facts.jurisdictions)}"
    yield "Personal data", "yes" if facts.personal_data else "no"
    yield "Decides by itself", "yes" if facts.automated_decision else "no"
    yield (
        "Selected",
        f"from a score of {submission.contract.threshold:g}; {submission.contract.label} = 1 is favourable",
    )
    yield "Artifact", submission.artifact.digest
    yield "Source", f"{submission.source.repository} at {submission.source.commit}"
    yield "Licence", submission.licence or "nobody has said"


def _people(config: BundleConfig) -> Iterator[tuple[str, ...]]:
    facts, submission = config.facts, config.submission
    yield "Owner", facts.owner
    yield "Use case", f"{facts.use_case.process} ({facts.use_case.owner}): {facts.use_case.value_hypothesis}"
    yield "Developer", submission.developer
    yield "Submitter", submission.submitter
    for consumer in facts.consumers:
        yield "Consumer", f"{consumer.name}, {consumer.contact}"


def _data(config: BundleConfig) -> Iterator[tuple[str, ...]]:
    submission = config.submission
    for number, one in enumerate(submission.training_data, 1):
        yield f"Training {number}", one.digest, one.uri
    yield "Hold-out", submission.holdout.digest, submission.holdout.uri


def _measured(evaluation: EvaluationReport | None) -> Iterator[str]:
    if evaluation is None:
        yield "Nothing was measured when this was packaged."
        return
    yield f"On {evaluation.rows} rows that it had not seen:"
    yield _table(("Figure", "Value"), ((one.name, f"{one.value:.4f}") for one in evaluation.readings))
    if evaluation.groups:
        rates = ((one.column, one.group, f"{one.selected:.1%}", str(one.count)) for one in evaluation.groups)
        yield _table(("Column", "Group", "Selected", "Rows"), rates)


def _table(head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, ["---"] * len(head), *(tuple(map(_plain, row)) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """What people wrote, on one line, with no mark of Markdown or HTML that acts."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))
