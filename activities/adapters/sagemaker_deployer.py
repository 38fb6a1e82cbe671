"""Deployment to SageMaker: an endpoint for each model, a variant for each version, weights for their shares.

SageMaker starts the new before it stops the old, and goes back by itself if the new does not start. What was done is
kept in an object beside the bundles.
"""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError
from pydantic import ValidationError

from activities.adapters.aws_clients import AwsClients, translated
from activities.adapters.sagemaker_endpoint import Endpoint, Variants, variant_name
from models.canonical import Digest, Slug
from models.environments import Capacity, SageMaker
from models.errors import ConflictError, InvalidInputError, SmokeTestError
from models.evidence import EffectKey
from models.inventory import Environment
from models.placement import WITHDRAWING, Placed, Placement, beside, deploying, dividing
from models.traffic import Split


class SageMakerDeployer:
    """Fits `Deployer`, for one environment. `credentials` tells the secret each time that it is needed, if it does.

    `poll` is the pause between two looks at an endpoint, in seconds. NotPermittedError if AWS refuses the credentials,
    UnavailableError if it does not answer or is not ready in time, ConflictError if somebody else changed the record.
    """

    def __init__(
        self, settings: SageMaker, capacity: Capacity, credentials: Callable[[], str] | None, poll: float = 5.0
    ) -> None:
        self._settings = settings
        self._capacity = capacity
        self._clients = AwsClients(settings.region, credentials)
        self._poll = poll

    def close(self) -> None:
        """Close the connections."""
        self._clients.close()

    def deploy(self, environment: Environment, model: Slug, version: int, bundle: Digest, key: EffectKey) -> str:
        """Start the version beside what serves, then stop what served; the URL that answers predictions.

        SmokeTestError: the version did not start, and what served before still serves.
        """
        endpoint, record = self._open(environment, model)
        placed, effect = Placed(version=version, bundle=bundle), deploying(version, bundle)
        if not record.placement.has(key, effect):
            try:
                endpoint.point(Variants((placed,)))
            except SmokeTestError:
                if record.placement.champion is None:
                    endpoint.delete()
                raise
            record.write(record.placement.after(key, effect, placed))
        return f"https://runtime.sagemaker.{self._settings.region}.amazonaws.com/endpoints/{endpoint.name}/invocations"

    def divide(self, environment: Environment, model: Slug, split: Split | None, key: EffectKey) -> None:
        """Give a challenger its share, or copies, or neither; ConflictError if there is no champion.

        SmokeTestError leaves everything as it was. InvalidInputError: SageMaker gives a share or copies, not both.
        """
        endpoint, record = self._open(environment, model)
        effect = dividing(split)
        if split and split.mirrored and split.share:
            raise InvalidInputError(
                f"SageMaker gives version {split.version} of '{model}' a share of requests or copies, not both",
                "mirror it first, then give it a share",
            )
        if record.placement.has(key, effect):
            return
        champion = beside(record.placement, split, f"'{model}' in {environment}")
        if champion is None:
            return
        if split is None:
            endpoint.point(Variants((champion,)))
        elif split.mirrored:
            endpoint.point(Variants((champion,), Placed(version=split.version, bundle=split.bundle)))
        else:
            challenger = Placed(version=split.version, bundle=split.bundle)
            endpoint.point(Variants((champion, challenger)))
            weights = {variant_name(champion): 100.0 - split.share, variant_name(challenger): float(split.share)}
            endpoint.weigh(weights)
        record.write(record.placement.after(key, effect, champion, split))

    def withdraw(self, environment: Environment, model: Slug, key: EffectKey) -> None:
        """Delete the endpoint; no error if there is none. What it was made of costs nothing, and stays."""
        endpoint, record = self._open(environment, model)
        if not record.placement.has(key, WITHDRAWING):
            endpoint.delete()
            record.write(record.placement.after(key, WITHDRAWING, None))

    def _open(self, environment: Environment, model: Slug) -> tuple[Endpoint, "_Record"]:
        with translated(f"SageMaker in {self._settings.region}"):
            sagemaker, s3 = self._clients.client("sagemaker"), self._clients.client("s3")
        endpoint = Endpoint(sagemaker, self._settings, self._capacity, environment, model, self._poll)
        return endpoint, _Record(s3, self._settings.bundles, endpoint.name)


class _Record:
    """The placement of a model, in an object of the bucket."""

    def __init__(self, client: Any, folder: str, name: str) -> None:
        self._client = client
        self._bucket, _, prefix = folder.removeprefix("s3://").partition("/")
        self._key = "/".join(filter(None, (prefix.strip("/"), "placements", f"{name}.json")))
        self._known: dict[str, str] = {"IfNoneMatch": "*"}
        self.placement = Placement()
        with translated(self._place):
            self._read()

    def write(self, placement: Placement) -> None:
        """Record something; ConflictError if somebody else has meanwhile."""
        body = placement.model_dump_json(exclude_defaults=True).encode()
        with translated(self._place):
            written = self._client.put_object(Bucket=self._bucket, Key=self._key, Body=body, **self._known)
        self._known = {"IfMatch": written["ETag"]}
        self.placement = placement

    def _read(self) -> None:
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=self._key)
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return
            raise
        self._known = {"IfMatch": found["ETag"]}
        try:
            self.placement = Placement.model_validate_json(found["Body"].read())
        except ValidationError as error:
            raise ConflictError(
                f"{self._place} does not tell what was deployed: somebody has changed it",
                "restore it, or delete it together with the endpoint and promote the version again",
            ) from error

    @property
    def _place(self) -> str:
        return f"s3://{self._bucket}/{self._key}"
