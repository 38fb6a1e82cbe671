"""Where versions serve, as configured: each environment's own target behind one deployer and one predictor."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import NamedTuple, Protocol

from activities.adapters.kserve_deployer import KServeDeployer
from activities.adapters.kserve_predictor import KServePredictor
from activities.adapters.oci_bundles import parts_of
from activities.adapters.oci_layout import write_archive
from activities.adapters.oip_deployer import OipDeployer
from activities.adapters.oip_predictor import OipPredictor
from activities.ports import Blobs, Deployer, Depot, Predictor, Sink
from models.answers import Asked
from models.canonical import Digest, Slug
from models.environments import Credentials, Environments, KServe, Local, ObjectStore, SageMaker, Surroundings
from models.errors import InvalidInputError
from models.evidence import EffectKey
from models.inventory import Environment
from models.placement import Placed
from models.traffic import Split
from worker.settings import Settings, read_secret


class Closing(Protocol):
    """What has connections."""

    def close(self) -> None:
        """Close them."""


class ClosingDeployer(Deployer, Closing, Protocol):
    """A deployer with connections."""


class ClosingPredictor(Predictor, Closing, Protocol):
    """A predictor with connections."""


class ClosingDepot(Depot, Closing, Protocol):
    """A depot with connections."""


class Target(NamedTuple):
    """What changes an environment, what asks its versions, and where it fetches bundles, if not from our store."""

    deployer: ClosingDeployer
    predictor: ClosingPredictor
    depot: ClosingDepot | None = None

    def bring(self, model: Slug, bundle: Digest) -> None:
        """Have a bundle be where the target fetches it; errors are those of `Depot`."""
        if self.depot:
            self.depot.bring(model, bundle)


class Targets:
    """Fits `Deployer` and `Predictor`: hands each call on to the target of its environment."""

    def __init__(self, targets: Mapping[Environment, Target]) -> None:
        self._targets = targets

    def of(self, environment: Environment) -> Target:
        """The target of an environment."""
        return self._targets[environment]

    def close(self) -> None:
        """Close all connections."""
        for target in self._targets.values():
            target.deployer.close()
            target.predictor.close()
            if target.depot:
                target.depot.close()

    def deploy(self, environment: Environment, model: Slug, version: int, bundle: Digest, key: EffectKey) -> str:
        """See `Deployer`."""
        target = self._targets[environment]
        target.bring(model, bundle)
        return target.deployer.deploy(environment, model, version, bundle, key)

    def divide(self, environment: Environment, model: Slug, split: Split | None, key: EffectKey) -> None:
        """See `Deployer`."""
        target = self._targets[environment]
        if split:
            target.bring(model, split.bundle)
        target.deployer.divide(environment, model, split, key)

    def withdraw(self, environment: Environment, model: Slug, key: EffectKey) -> None:
        """See `Deployer`."""
        self._targets[environment].deployer.withdraw(environment, model, key)

    def predict(self, environment: Environment, model: Slug, placed: Placed, request: str) -> Asked:
        """See `Predictor`."""
        return self._targets[environment].predictor.predict(environment, model, placed, request)


def targets_of(settings: Settings, environments: Environments, store: Blobs) -> Targets:
    """Every environment's target, which is given bundles of our store.

    InvalidInputError if something that one needs is not installed or not set.
    """
    return Targets({name: _target(settings, name, one, store) for name, one in environments.environments.items()})


def _target(settings: Settings, environment: Environment, said: Surroundings, store: Blobs) -> Target:
    match said.target:
        case Local(url=url):
            return Target(OipDeployer({environment: url}, settings.token), OipPredictor(url))
        case KServe() as kserve:
            secret = partial(read_secret, kserve.credentials)
            deployer = KServeDeployer(kserve, said.capacity, secret)
            depot = depot_of(kserve, kserve.store.credentials, store)
            return Target(deployer, KServePredictor(kserve, secret), depot)
        case SageMaker() as sagemaker:
            aws = secret_of(sagemaker.credentials)
            return Target(
                with_boto3("sagemaker_deployer").SageMakerDeployer(sagemaker, said.capacity, aws),
                with_boto3("sagemaker_predictor").SageMakerPredictor(sagemaker, aws),
                depot_of(sagemaker, sagemaker.credentials, store),
            )


def depot_of(target: KServe | SageMaker, credentials: Credentials | None, store: Blobs) -> ClosingDepot:
    """Where a target fetches bundles, filled from our store with some credentials."""

    def pack(bundle: Digest, into: Sink) -> None:
        write_archive(store, parts_of(store, bundle), into)

    place = target.store if isinstance(target, KServe) else ObjectStore(region=target.region)
    clients = with_boto3("aws_clients").AwsClients(place.region, secret_of(credentials), place.endpoint)
    depot: ClosingDepot = with_boto3("s3_bundles").S3Bundles(target.bundles, clients, pack)
    return depot


def secret_of(credentials: Credentials | None) -> Callable[[], str] | None:
    """What reads a secret each time that it is needed; None if nothing refers to one."""
    return partial(read_secret, credentials) if credentials else None


def with_boto3(adapter: str, who: str = "MODELOPS_ENVIRONMENTS: the targets sagemaker and kserve need") -> ModuleType:
    """boto3 takes its time to load, and is an extra: nobody else waits for it, or needs it."""
    try:
        return import_module(f"activities.adapters.{adapter}")
    except ModuleNotFoundError as error:
        raise InvalidInputError(
            f"{who} {error.name}, which is not installed",
            "install the extra: pip install 'modelops[aws]'",
        ) from error
