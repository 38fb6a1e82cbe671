"""Where versions serve, as configured: each environment's own target behind one deployer and one predictor."""

from collections.abc import Mapping
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import NamedTuple, Protocol

from activities.adapters.kserve_deployer import KServeDeployer
from activities.adapters.kserve_predictor import KServePredictor
from activities.adapters.oip_deployer import OipDeployer
from activities.adapters.oip_predictor import OipPredictor
from activities.ports import Deployer, Predictor
from models.answers import Asked
from models.canonical import Digest, Slug
from models.environments import Environments, KServe, Local, SageMaker, Surroundings
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


class Target(NamedTuple):
    """What changes an environment, and what asks the versions in it."""

    deployer: ClosingDeployer
    predictor: ClosingPredictor


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

    def deploy(self, environment: Environment, model: Slug, version: int, bundle: Digest, key: EffectKey) -> str:
        """See `Deployer`."""
        return self._targets[environment].deployer.deploy(environment, model, version, bundle, key)

    def divide(self, environment: Environment, model: Slug, split: Split | None, key: EffectKey) -> None:
        """See `Deployer`."""
        self._targets[environment].deployer.divide(environment, model, split, key)

    def withdraw(self, environment: Environment, model: Slug, key: EffectKey) -> None:
        """See `Deployer`."""
        self._targets[environment].deployer.withdraw(environment, model, key)

    def predict(self, environment: Environment, model: Slug, placed: Placed, request: str) -> Asked:
        """See `Predictor`."""
        return self._targets[environment].predictor.predict(environment, model, placed, request)


def targets_of(settings: Settings, environments: Environments) -> Targets:
    """Every environment's target; InvalidInputError if something that one needs is not installed or not set."""
    return Targets({name: _target(settings, name, one) for name, one in environments.environments.items()})


def _target(settings: Settings, environment: Environment, said: Surroundings) -> Target:
    match said.target:
        case Local(url=url):
            return Target(OipDeployer({environment: url}, settings.token), OipPredictor(url))
        case KServe() as kserve:
            secret = partial(read_secret, kserve.credentials)
            return Target(KServeDeployer(kserve, said.capacity, secret), KServePredictor(kserve, secret))
        case SageMaker() as sagemaker:
            aws = partial(read_secret, sagemaker.credentials) if sagemaker.credentials else None
            deployer = _with_boto3("sagemaker_deployer").SageMakerDeployer(sagemaker, said.capacity, aws)
            return Target(deployer, _with_boto3("sagemaker_predictor").SageMakerPredictor(sagemaker, aws))


def _with_boto3(adapter: str) -> ModuleType:
    """boto3 takes its time to load, and is an extra: nobody else waits for it, or needs it."""
    try:
        return import_module(f"activities.adapters.{adapter}")
    except ModuleNotFoundError as error:
        raise InvalidInputError(
            f"MODELOPS_ENVIRONMENTS: the target sagemaker needs {error.name}, which is not installed",
            "install the extra: pip install 'modelops[aws]'",
        ) from error
