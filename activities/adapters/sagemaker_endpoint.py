"""How models are spelt on SageMaker: models, endpoint configurations and endpoints, their names and their states.

Source: Amazon SageMaker API Reference.
"""

import hashlib
import re
import time
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from activities.adapters.aws_clients import translated
from models.canonical import Slug
from models.environments import Capacity, SageMaker, bundle_uri
from models.errors import SmokeTestError, UnavailableError
from models.inventory import Environment
from models.placement import Placed

_MOVING = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"})
_LONGEST = 63
MODEL_TAG = "modelops:model"


def endpoint_name(environment: Environment, model: Slug) -> str:
    """Another one for every model of every environment; letters, digits and single hyphens, at most 63."""
    name = f"modelops-{environment.lower()}-{re.sub('[^a-z0-9]+', '-', model)}"
    plain = "_" not in model and len(name) <= _LONGEST
    return name if plain else _with_hash(name, f"{environment}/{model}")


def variant_name(placed: Placed) -> str:
    """A version's own variant, by which it is asked and given its weight."""
    return f"v{placed.version}-{placed.bundle.removeprefix('sha256:')[:12]}"


class Variants(NamedTuple):
    """What an endpoint is to consist of: who answers, and who is only given copies."""

    answering: tuple[Placed, ...]
    mirrored: Placed | None = None


class Endpoint:
    """One endpoint, through a client of SageMaker. All names follow from what they stand for: nothing is made twice."""

    def __init__(
        self, client: Any, settings: SageMaker, capacity: Capacity, environment: Environment, model: Slug, poll: float
    ) -> None:
        self._client = client
        self._model_id = model
        self._settings = settings
        self._capacity = capacity
        self.name = endpoint_name(environment, model)
        self._poll = poll

    def point(self, variants: Variants) -> None:
        """Have the endpoint consist of these variants, and wait until it does.

        SmokeTestError: SageMaker could not start one, and what served before still serves. UnavailableError.
        """
        with translated(f"endpoint '{self.name}'"):
            config = self._config(variants)
            found = self._settled()
            if found is None:
                tags = [{"Key": MODEL_TAG, "Value": self._model_id}]
                self._client.create_endpoint(EndpointName=self.name, EndpointConfigName=config, Tags=tags)
            elif found["EndpointConfigName"] != config:
                self._client.update_endpoint(EndpointName=self.name, EndpointConfigName=config)
            found = self._settled()
        if found is None or found["EndpointStatus"] != "InService" or found["EndpointConfigName"] != config:
            said = (found or {}).get("FailureReason") or f"it is {(found or {}).get('EndpointStatus', 'gone')}"
            raise SmokeTestError(f"endpoint '{self.name}' could not be brought to {config}: {said}")

    def weigh(self, weights: dict[str, float]) -> None:
        """Give each variant its weight, unless it has it, and wait until it is so."""
        with translated(f"endpoint '{self.name}'"):
            if self.weights() != weights:
                desired = [
                    {"VariantName": name, "DesiredWeight": weight, "DesiredInstanceCount": self._capacity.least}
                    for name, weight in weights.items()
                ]
                self._client.update_endpoint_weights_and_capacities(
                    EndpointName=self.name, DesiredWeightsAndCapacities=desired
                )
                self._settled()

    def weights(self) -> dict[str, float]:
        """The weight of each variant that answers."""
        found = self._found()
        variants = found["ProductionVariants"] if found else ()
        return {one["VariantName"]: float(one.get("CurrentWeight", 0)) for one in variants}

    def delete(self) -> None:
        """Delete it; no error if there is none."""
        with translated(f"endpoint '{self.name}'"):
            if self._settled() is not None:
                self._client.delete_endpoint(EndpointName=self.name)

    def _config(self, variants: Variants) -> str:
        settings = self._settings.model_dump_json(exclude={"credentials", "reader", "ready_within"})
        told = (variants, settings, self._capacity.model_dump_json())
        name = _with_hash(self.name, repr(told))
        known = self._client.list_endpoint_configs(NameContains=name)["EndpointConfigs"]
        if any(one["EndpointConfigName"] == name for one in known):
            return name
        answering = [self._variant(one, 0 if index else 100) for index, one in enumerate(variants.answering)]
        shadow = {"ShadowProductionVariants": [self._variant(variants.mirrored, 100)]} if variants.mirrored else {}
        self._client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=answering, **shadow)
        return name

    def _variant(self, placed: Placed, weight: int) -> dict[str, Any]:
        return {
            "VariantName": variant_name(placed),
            "ModelName": self._model(placed),
            "InstanceType": self._settings.instance,
            "InitialInstanceCount": self._capacity.least,
            "InitialVariantWeight": weight,
        }

    def _model(self, placed: Placed) -> str:
        settings = self._settings
        data = bundle_uri(settings.bundles, self._model_id, placed.bundle)
        name = _with_hash(self.name, f"{data} {settings.image} {settings.role}")
        known = self._client.list_models(NameContains=name)["Models"]
        if any(one["ModelName"] == name for one in known):
            return name
        container = {"Image": settings.image, "ModelDataUrl": data}
        self._client.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=settings.role)
        return name

    def _settled(self) -> dict[str, Any] | None:
        """The endpoint when it moves no more; UnavailableError at the deadline."""
        deadline = time.monotonic() + self._settings.ready_within
        while (found := self._found()) and found["EndpointStatus"] in _MOVING:
            if time.monotonic() > deadline:
                raise UnavailableError(
                    f"endpoint '{self.name}' is {found['EndpointStatus']} for {self._settings.ready_within} s already",
                    "SageMaker's console tells what it waits for",
                )
            time.sleep(self._poll)
        return found

    def _found(self) -> dict[str, Any] | None:
        """The endpoint; None if there is none, which SageMaker says in words alone."""
        try:
            found: dict[str, Any] = self._client.describe_endpoint(EndpointName=self.name)
        except ClientError as error:
            if error.response["Error"]["Message"].startswith("Could not find endpoint"):
                return None
            raise
        return found


def _with_hash(name: str, told: str) -> str:
    """The name and sixteen digits that stand for everything told."""
    return f"{name[: _LONGEST - 17].rstrip('-')}-{hashlib.sha256(told.encode()).hexdigest()[:16]}"
