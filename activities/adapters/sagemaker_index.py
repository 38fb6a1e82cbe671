"""What SageMaker serves: read, and nothing changed. Of an endpoint, the variant beside which others are tried.

An endpoint's model is in its tag, a version in the variant's name, and its bundle where the variant's model data is.
"""

import re
from collections.abc import Callable
from typing import Any

from activities.adapters.aws_clients import AwsClients, translated
from activities.adapters.sagemaker_endpoint import MODEL_TAG, endpoint_name
from models.environments import SageMaker, bundle_at
from models.inventory import Environment
from models.reconciliation import Served, Shelf

_VARIANT = re.compile(r"v(\d+)-[0-9a-f]{12}")
_SILENT = ("Creating", "Failed", "Deleting", "OutOfService")


class SageMakerIndex:
    """Fits `Environments`, for one of them. `credentials` tells the secret of who may only look, each time."""

    def __init__(self, settings: SageMaker, credentials: Callable[[], str] | None) -> None:
        self._settings = settings
        self._clients = AwsClients(settings.region, credentials)

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    def serves(self, environment: Environment) -> Shelf:
        """The version of every endpoint of ours that answers; UnavailableError, NotPermittedError."""
        beginning = endpoint_name(environment, "")
        with translated(f"SageMaker in {self._settings.region}"):
            client = self._clients.client("sagemaker")
            pages = client.get_paginator("list_endpoints").paginate(NameContains=beginning)
            found = [one for page in pages for one in page["Endpoints"] if one["EndpointName"].startswith(beginning)]
            return dict(self._served(client, one) for one in found if one["EndpointStatus"] not in _SILENT)

    def _served(self, client: Any, listed: dict[str, Any]) -> tuple[str, Served]:
        name = listed["EndpointName"]
        tags = {one["Key"]: one["Value"] for one in client.list_tags(ResourceArn=listed["EndpointArn"])["Tags"]}
        model = tags.get(MODEL_TAG, name)
        endpoint = client.describe_endpoint(EndpointName=name)
        variant = _champion(endpoint["ProductionVariants"])
        config = client.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
        data = next(
            client.describe_model(ModelName=one["ModelName"])["PrimaryContainer"].get("ModelDataUrl", "")
            for one in config["ProductionVariants"]
            if one["VariantName"] == variant
        )
        version = _VARIANT.fullmatch(variant)
        return model, Served(int(version[1]) if version else 0, bundle_at(self._settings.bundles, model, data))


def _champion(variants: list[dict[str, Any]]) -> str:
    """The first that answers at all: whoever is tried stands behind it."""
    answering = [one for one in variants if one.get("CurrentWeight", 0) > 0]
    return str((answering or variants)[0]["VariantName"])
