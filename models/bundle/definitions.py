"""Decision models that are no file of weights: what a vendor runs, and an agent of a prompt, tools and a policy."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import StringConstraints

from models.canonical import Frozen
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
