"""Decision models that are no file of weights: rules, what a vendor runs, an agent of a prompt, tools and a policy."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import StringConstraints

from models.canonical import Frozen
from models.decision_table import DecisionTable
from models.formats import Format
from models.inventory import Reference, Text

Endpoint = Annotated[str, StringConstraints(pattern=r"^https://[^\s/@]+(/\S*)?$", max_length=500)]
"""Where a vendor's model answers: encrypted, and with no password in it."""


class VendorModel(Frozen):
    """A model that somebody else runs: which release of what, where it answers, and the agreement that says how."""

    format: Literal["modelops/vendor/1"]
    provider: Text
    product: Text
    release: Text
    endpoint: Endpoint
    agreement: Reference

    @property
    def parts(self) -> Mapping[str, Reference]:
        """The files that belong to it, by their names in a bundle."""
        return {"vendor/agreement": self.agreement}

    @property
    def answers_at(self) -> str:
        """Where it is asked."""
        return self.endpoint


class Agent(Frozen):
    """A language model that is told what to do, with what, and what it must not: each in a file of its own."""

    format: Literal["modelops/agent/1"]
    language_model: Text
    prompt: Reference
    tools: Reference
    policy: Reference

    @property
    def parts(self) -> Mapping[str, Reference]:
        """The files that belong to it, by their names in a bundle."""
        return {"agent/prompt": self.prompt, "agent/tools": self.tools, "agent/policy": self.policy}

    @property
    def answers_at(self) -> str:
        """What is asked, in the prompt's words."""
        return self.language_model


Elsewhere = VendorModel | Agent
"""What somebody else runs."""

Definition = DecisionTable | Elsewhere

DEFINITIONS: Mapping[Format, type[Definition]] = {
    Format.DECISION_TABLE: DecisionTable,
    Format.VENDOR: VendorModel,
    Format.AGENT: Agent,
}


def parse_definition(form: Format, data: bytes) -> Definition:
    """What a file defines; ValidationError if it is not strictly what its format says."""
    return DEFINITIONS[form].model_validate_json(data, strict=True)


def parts_of(definition: Definition) -> Mapping[str, Reference]:
    """The files that belong to it, by their names in a bundle."""
    return {} if isinstance(definition, DecisionTable) else definition.parts
