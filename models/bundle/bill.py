"""The bill of materials of a version (ML-BOM): what it is, what it needs, how it was measured.

Nothing in it is of the moment or the machine: its serial number is derived from what it is about (UUID version 5).
"""

from collections.abc import Iterator, Sequence
from uuid import NAMESPACE_URL, uuid5

from models.bundle.cyclonedx import (
    Approach,
    Bill,
    Component,
    Considerations,
    Contents,
    Dataset,
    Dependency,
    Fairness,
    Hash,
    License,
    Metadata,
    Metric,
    ModelCard,
    ModelParameters,
    Named,
    Quantitative,
    Ref,
    Shape,
)
from models.bundle.manifest import BundleConfig
from models.canonical import digest
from models.evidence import EvaluationReport, GroupRate
from models.inventory import Column, ModelKind, Protected, Reference, Submission
from models.supply.lock import Pin

_UNSAID = License(license=Named(name="NOASSERTION"))


def bill_of(config: BundleConfig, pins: Sequence[Pin], evaluation: EvaluationReport | None) -> Bill:
    """The bill of what a bundle is made from; without an evaluation it has no figures."""
    data = tuple(_data(config.submission))
    needed = tuple(_library(pin) for pin in pins)
    model = _model(config, data, evaluation)
    return Bill(
        serial_number=f"urn:uuid:{uuid5(NAMESPACE_URL, digest(config))}",
        metadata=Metadata(component=model),
        components=(*data, *needed),
        dependencies=(Dependency(ref=model.bom_ref, depends_on=tuple(one.bom_ref for one in needed)),),
    )


def _model(config: BundleConfig, data: Sequence[Component], evaluation: EvaluationReport | None) -> Component:
    facts, submission = config.facts, config.submission
    learnt = facts.kind is ModelKind.ML
    contract = submission.contract
    parameters = ModelParameters(
        approach=Approach() if learnt else None,
        task="decision",
        datasets=tuple(Ref(ref=one.bom_ref) for one in data if one.name.startswith("training")),
        inputs=tuple(map(_shape, contract.inputs)),
        outputs=tuple(map(_shape, contract.outputs)),
    )
    considerations = Considerations(
        users=(facts.use_case.owner,),
        use_cases=(facts.intended_use,),
        technical_limitations=(submission.notes,) if submission.notes else (),
        fairness_assessments=tuple(_fairness(evaluation, contract.protected) if evaluation else ()),
    )
    card = ModelCard(
        model_parameters=parameters,
        quantitative_analysis=Quantitative(performance_metrics=tuple(_metrics(evaluation))) if evaluation else None,
        considerations=considerations,
    )
    return Component(
        type="machine-learning-model",
        bom_ref=f"model:{facts.id}",
        name=facts.id,
        version=str(config.version),
        description=facts.title,
        hashes=(_hash(submission.artifact),),
        licenses=(License(expression=submission.licence) if submission.licence else _UNSAID,),
        model_card=card,
    )


def _data(submission: Submission) -> Iterator[Component]:
    named = [(f"training-data-{number}", one) for number, one in enumerate(submission.training_data, 1)]
    for name, reference in (*named, ("holdout", submission.holdout)):
        yield Component(
            type="data",
            bom_ref=f"data:{name}",
            name=name,
            hashes=(_hash(reference),),
            data=(Dataset(name=name, contents=Contents(url=reference.uri)),),
        )


def _library(pin: Pin) -> Component:
    return Component(
        type="library",
        bom_ref=pin.purl,
        name=pin.name,
        version=str(pin.version),
        hashes=tuple(Hash(content=one) for one in pin.hashes),
        licenses=(_UNSAID,),
        purl=pin.purl,
    )


def _metrics(evaluation: EvaluationReport) -> Iterator[Metric]:
    for reading in evaluation.readings:
        yield Metric(type=reading.name, value=f"{reading.value:.6g}")
    for rate in evaluation.groups:
        yield Metric(type="selection_rate", value=f"{rate.selected:.6g}", slice=f"{rate.column}={rate.group}")


def _fairness(evaluation: EvaluationReport, protected: Sequence[Protected]) -> Iterator[Fairness]:
    """Each group beside the one that it is compared with, by the four-fifths rule."""
    for one in protected:
        groups = [rate for rate in evaluation.groups if rate.column == one.column]
        first = next((rate for rate in groups if rate.group == one.reference), None)
        for rate in groups:
            if first and rate is not first:
                yield Fairness(group_at_risk=f"{rate.column}: {rate.group}", harms=_harm(rate, first))


def _harm(rate: GroupRate, first: GroupRate) -> str:
    ratio = f", {rate.selected / first.selected:.2f} of that" if first.selected else ""
    return f"{rate.selected:.1%} of {rate.count} are selected; of {first.group}, {first.selected:.1%}{ratio}"


def _shape(column: Column) -> Shape:
    return Shape(format=f"{column.name}: {column.type}")


def _hash(reference: Reference) -> Hash:
    return Hash(content=reference.digest.removeprefix("sha256:"))
