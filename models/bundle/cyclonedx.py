"""A bill of materials as CycloneDX 1.6 spells it: of its many fields, those that we have something to say in.

Source: https://cyclonedx.org/docs/1.6/json/. A field without a value is left out.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

from models.bundle.manifest import SPELT


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True, **SPELT)

    @model_serializer(mode="wrap")
    def _without_gaps(self, handler: SerializerFunctionWrapHandler) -> dict[str, object]:
        return {name: value for name, value in handler(self).items() if value not in (None, [], ())}


class Hash(_Part):
    """A digest of a component."""

    alg: Literal["SHA-256"] = "SHA-256"
    content: str


class Named(_Part):
    """A licence by its name."""

    name: str


class License(_Part):
    """An SPDX expression, or a licence by its name: NOASSERTION where nobody has said."""

    expression: str | None = None
    license: Named | None = None


class Contents(_Part):
    """Where data is."""

    url: str


class Dataset(_Part):
    """A data set."""

    type: Literal["dataset"] = "dataset"
    name: str
    contents: Contents


class Ref(_Part):
    """Another component of the same bill."""

    ref: str


class Approach(_Part):
    """How a model learnt."""

    type: Literal["supervised"] = "supervised"


class Shape(_Part):
    """One input or output."""

    format: str


class ModelParameters(_Part):
    """What a model is for and made of."""

    approach: Approach | None = None
    task: str
    datasets: tuple[Ref, ...] = ()
    inputs: tuple[Shape, ...] = ()
    outputs: tuple[Shape, ...] = ()


class Metric(_Part):
    """One figure; `slice` is the group that it is about."""

    type: str
    value: str
    slice: str | None = None


class Quantitative(_Part):
    """What was measured."""

    performance_metrics: tuple[Metric, ...]


class Fairness(_Part):
    """How a group fares."""

    group_at_risk: str
    harms: str


class Considerations(_Part):
    """What whoever uses the model has to think of."""

    users: tuple[str, ...] = ()
    use_cases: tuple[str, ...] = ()
    technical_limitations: tuple[str, ...] = ()
    fairness_assessments: tuple[Fairness, ...] = ()


class ModelCard(_Part):
    """A model card (Mitchell et al. 2019, "Model Cards for Model Reporting")."""

    model_parameters: ModelParameters
    quantitative_analysis: Quantitative | None = None
    considerations: Considerations


class Component(_Part):
    """A model, a library or data."""

    type: Literal["machine-learning-model", "library", "data"]
    bom_ref: str = Field(serialization_alias="bom-ref")
    name: str
    version: str | None = None
    description: str | None = None
    hashes: tuple[Hash, ...] = ()
    licenses: tuple[License, ...] = ()
    purl: str | None = None
    model_card: ModelCard | None = None
    data: tuple[Dataset, ...] = ()


class Metadata(_Part):
    """What the bill is about."""

    component: Component


class Dependency(_Part):
    """What a component needs."""

    ref: str
    depends_on: tuple[str, ...] = ()


class Bill(_Part):
    """The bill of materials."""

    schema_address: Literal["http://cyclonedx.org/schema/bom-1.6.schema.json"] = Field(
        default="http://cyclonedx.org/schema/bom-1.6.schema.json", serialization_alias="$schema"
    )
    bom_format: Literal["CycloneDX"] = "CycloneDX"
    spec_version: Literal["1.6"] = "1.6"
    serial_number: str
    version: Literal[1] = 1
    metadata: Metadata
    components: tuple[Component, ...] = ()
    dependencies: tuple[Dependency, ...] = ()
