"""What every environment serves, as it is read with credentials that may only look."""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from activities.adapters.kserve_index import KServeIndex
from activities.adapters.oip_index import OipIndex
from activities.ports import Blobs, Depot
from activities.reconciliation_ports import Environments as Index
from models.canonical import digest_bytes
from models.environments import Environments, KServe, Local, SageMaker, Surroundings
from models.errors import InvalidInputError, UnavailableError, UnknownNameError
from models.inventory import Environment
from models.reconciliation import Served, Shelf
from worker.settings import read_secret
from worker.targets import depot_of, secret_of, with_boto3


class Look(NamedTuple):
    """What tells what an environment serves, and where its bundles lie; None of what nobody may look at."""

    reads: Index | None
    depot: Depot | None = None


class Shelves:
    """Fits `Environments`: hands each question on to the index of its environment, and looks at the bytes."""

    def __init__(self, looks: Mapping[Environment, Look]) -> None:
        self._looks = looks

    def serves(self, environment: Environment) -> Shelf:
        """The version of every model that answers, from what is really where its bundle should be; UnavailableError."""
        reads, depot = self._looks[environment]
        if reads is None:
            raise UnavailableError(
                f"nobody may look at what {environment} serves", "refer to credentials that may read: reader"
            )
        try:
            return {model: _as_it_is(depot, model, one) for model, one in reads.serves(environment).items()}
        except InvalidInputError as error:
            raise UnavailableError(f"what {environment} serves cannot be read: {error}", error.remedy) from error


def shelves_of(environments: Environments, store: Blobs) -> Shelves:
    """All environments, as configured; bytes are held against those of our store."""
    return Shelves({name: _look(name, one, store) for name, one in environments.environments.items()})


def _look(name: Environment, said: Surroundings, store: Blobs) -> Look:
    match said.target:
        case Local(url=url):
            return Look(OipIndex({name: url}))
        case KServe(reader=None) | SageMaker(reader=None):
            return Look(None)
        case KServe() as kserve:
            index = KServeIndex(kserve, partial(read_secret, kserve.reader or kserve.credentials))
            reader = kserve.store.reader
            return Look(index, depot_of(kserve, reader, store) if reader else None)
        case SageMaker() as sagemaker:
            index = with_boto3("sagemaker_index").SageMakerIndex(sagemaker, secret_of(sagemaker.reader))
            return Look(index, depot_of(sagemaker, sagemaker.reader, store))


def _as_it_is(depot: Depot | None, model: str, served: Served) -> Served:
    """As it is said, unless other bytes lie there: those are no bundle."""
    try:
        held = depot is None or depot.holds(model, served.bundle)
    except UnknownNameError:
        return served
    return served if held else served._replace(bundle=digest_bytes(f"changed: {served.bundle}".encode()))
