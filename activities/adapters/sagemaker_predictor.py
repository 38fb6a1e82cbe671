"""Asks versions on SageMaker, each by its own variant."""

import time
from collections.abc import Callable

from botocore.exceptions import ClientError

from activities.adapters.aws_clients import AwsClients, translated
from activities.adapters.sagemaker_endpoint import endpoint_name, variant_name
from models.answers import Asked
from models.canonical import Slug
from models.environments import SageMaker
from models.errors import SmokeTestError
from models.inventory import Environment
from models.placement import Placed


class SageMakerPredictor:
    """Fits `Predictor`, for one environment. `credentials` tells the secret each time that it is needed, if it does."""

    def __init__(self, settings: SageMaker, credentials: Callable[[], str] | None) -> None:
        self._clients = AwsClients(settings.region, credentials)

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    def predict(self, environment: Environment, model: Slug, placed: Placed, request: str) -> Asked:
        """The answer of a version's variant; SmokeTestError, UnavailableError, NotPermittedError."""
        name = endpoint_name(environment, model)
        with translated(f"endpoint '{name}'"):
            client = self._clients.client("sagemaker-runtime")
            begun = time.perf_counter()
            try:
                answer = client.invoke_endpoint(
                    EndpointName=name,
                    TargetVariant=variant_name(placed),
                    ContentType="application/json",
                    Body=request.encode(),
                )
            except ClientError as error:
                if error.response["Error"]["Code"] not in ("ModelError", "ValidationError"):
                    raise
                raise SmokeTestError(f"version {placed.version} on endpoint '{name}': {error}") from error
            return Asked(answer["Body"].read(), time.perf_counter() - begun)
