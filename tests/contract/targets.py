"""Every target behind one face, for the one suite that all of them pass."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Protocol, TypeVar

import httpx2

from activities.adapters.aws_clients import AwsClients
from activities.adapters.kserve_deployer import KServeDeployer
from activities.adapters.kserve_index import KServeIndex
from activities.adapters.kserve_predictor import KServePredictor
from activities.adapters.kserve_service import inference_service
from activities.adapters.oip_deployer import OipDeployer
from activities.adapters.oip_index import OipIndex
from activities.adapters.oip_predictor import OipPredictor
from activities.adapters.sagemaker_deployer import SageMakerDeployer
from activities.adapters.sagemaker_endpoint import Endpoint, Variants, endpoint_name
from activities.adapters.sagemaker_index import SageMakerIndex
from activities.adapters.sagemaker_predictor import SageMakerPredictor
from activities.ports import Deployer, Predictor
from activities.reconciliation_ports import Environments
from models.canonical import Digest, digest_bytes
from models.environments import Capacity, Credentials, KServe, SageMaker
from models.placement import Placed
from tests.contract.cloud import BUCKET, KEY, REGION, Cloud
from tests.contract.cluster import Cluster
from tests.contract.fuse import BLOWN, Fuse
from tests.contract.kubernetes import NAMESPACE
from tests.contract.kubernetes import TOKEN as BEARER
from tests.contract.serving import PROD, TOKEN, Server, Shop, constant, failing, free_port, order_of
from tests.packing import MODEL

NOWHERE = "http://127.0.0.1:{}"


class Rig(Protocol):
    """A target with an environment of its own, in which nothing serves yet."""

    fuse: Fuse

    def deployer(self) -> Deployer:
        """As the actuator has it; it keeps nothing in memory from one call to the next."""

    def stranger(self) -> Deployer:
        """One with other credentials."""

    def lost(self) -> Deployer:
        """One whose target does not answer."""

    def predictor(self) -> Predictor:
        """Who asks what is loaded there."""

    def bundle(self, version: int, score: float | None) -> Digest:
        """A bundle of a version that gives everybody one score; None: it cannot be used."""

    def shares(self) -> Mapping[Digest, float]:
        """The bundles that answer and the percentage of each, as the target says."""

    def done(self) -> list[str]:
        """What was changed, in order."""

    def index(self) -> Environments:
        """Who may look at what serves."""

    def by_hand(self, version: int, bundle: Digest) -> None:
        """Somebody has a version serve without us."""

    def close(self) -> None:
        """Close all connections."""


Closing = TypeVar("Closing", bound="Closes")


class Closes(Protocol):
    """An adapter with connections."""

    def close(self) -> None:
        """Close them."""


class Adapters:
    """The adapters of a rig, each made once."""

    def __init__(self) -> None:
        self._made: dict[str, Closes] = {}

    def one(self, name: str, make: Callable[[], Closing]) -> Closing:
        """The adapter of a name."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]  # type: ignore[return-value]

    def close(self) -> None:
        """Close all connections."""
        for adapter in self._made.values():
            adapter.close()


class LocalRig(Adapters):
    """An inference server of ours, in a process of its own."""

    def __init__(self, server: Server, shop: Shop) -> None:
        super().__init__()
        self._server = server
        self._shop = shop
        self._bundles: dict[int, Digest] = {}
        self._before = len(server.effects())
        self.fuse = Fuse()
        self._way = _Way(server.url, self.fuse)

    def deployer(self) -> OipDeployer:
        """By the way that can be cut."""
        return self.one("deployer", lambda: OipDeployer({PROD: self._way.url}, TOKEN, timeout=30))

    def stranger(self) -> OipDeployer:
        """Another token."""
        return self.one("stranger", lambda: OipDeployer({PROD: self._server.url}, f"{TOKEN}x"))

    def lost(self) -> OipDeployer:
        """Nobody listens there."""
        return self.one("lost", lambda: OipDeployer({PROD: NOWHERE.format(free_port())}, TOKEN, timeout=1))

    def predictor(self) -> OipPredictor:
        """At the versions' own endpoints."""
        return self.one("predictor", lambda: OipPredictor(self._server.url))

    def bundle(self, version: int, score: float | None) -> Digest:
        """A real model."""
        self._bundles[version] = self._shop.bundle(version, failing() if score is None else constant(score))
        return self._bundles[version]

    def shares(self) -> Mapping[Digest, float]:
        """Who answers, by the version that is the default and what was divided last."""
        found = self._server.get(f"/v2/models/{MODEL}")
        if found.status_code != 200:
            return {}
        split = self._server.get("/effects").json()[-1].get("split") or {"share": 0, "bundle": ""}
        shares = {found.json()["parameters"]["bundle"]: 100 - split["share"], split["bundle"]: split["share"]}
        return {bundle: share for bundle, share in shares.items() if share}

    def done(self) -> list[str]:
        """By the server's own list."""
        return [f"{effect} {version}" for effect, version in self._server.effects()[self._before :]]

    def index(self) -> OipIndex:
        """By the server's own list."""
        return self.one("index", lambda: OipIndex({PROD: self._server.url}))

    def by_hand(self, version: int, bundle: Digest) -> None:
        """With the token."""
        for verb in ("load", "switch"):
            self._server.post(f"/v2/repository/models/{MODEL}/{verb}", order_of(version, bundle))

    def close(self) -> None:
        """The way is no more."""
        super().close()
        self._way.close()


class KServeRig(Adapters):
    """A cluster."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__()
        self.cluster = cluster
        self.fuse = cluster.fuse
        self._settings = KServe(
            kind="kserve",
            api=cluster.url,
            namespace=NAMESPACE,
            bundles="s3://bundles/models",
            runtime="modelops",
            credentials=Credentials(env="CLUSTER_TOKEN"),
            ready_within=5,
        )

    def deployer(self) -> KServeDeployer:
        """With the token."""
        return self.one("deployer", lambda: KServeDeployer(self._settings, Capacity(), lambda: BEARER))

    def stranger(self) -> KServeDeployer:
        """Another token."""
        return self.one("stranger", lambda: KServeDeployer(self._settings, Capacity(), lambda: "another-token"))

    def lost(self) -> KServeDeployer:
        """Nobody listens there."""
        away = self._settings.model_copy(update={"api": NOWHERE.format(free_port())})
        return self.one("lost", lambda: KServeDeployer(away, Capacity(), lambda: BEARER))

    def predictor(self) -> KServePredictor:
        """By the revisions' tags."""
        return self.one("predictor", lambda: KServePredictor(self._settings, lambda: BEARER))

    def bundle(self, version: int, score: float | None) -> Digest:
        """A name."""
        return _named(self.cluster.models, version, score)

    def shares(self) -> Mapping[Digest, float]:
        """By the status of the service."""
        return self.cluster.traffic(MODEL)

    def done(self) -> list[str]:
        """The revisions that were made."""
        return list(self.cluster.made)

    def index(self) -> KServeIndex:
        """By the services and their revisions."""
        return self.one("index", lambda: KServeIndex(self._settings, lambda: BEARER))

    def by_hand(self, version: int, bundle: Digest) -> None:
        """As `kubectl edit` does."""
        placed = Placed(version=version, bundle=bundle)
        self.cluster.apply(MODEL, inference_service(self._settings, Capacity(), MODEL, placed, None))
        until = time.monotonic() + 5
        while self.shares() != {bundle: 100}:
            assert time.monotonic() < until
            time.sleep(0.005)


class SageMakerRig(Adapters):
    """A cloud."""

    def __init__(self, cloud: Cloud) -> None:
        super().__init__()
        self.cloud = cloud
        self.fuse = cloud.fuse
        self.endpoint = endpoint_name(PROD, MODEL)
        self._settings = SageMaker(
            kind="sagemaker",
            region=REGION,
            role="arn:aws:iam::123456789012:role/modelops",
            image="123456789012.dkr.ecr.eu-central-1.amazonaws.com/modelops-inference:1",
            instance="ml.m5.large",
            bundles=f"s3://{BUCKET}/models",
            ready_within=5,
        )

    def deployer(self) -> SageMakerDeployer:
        """With the credentials."""
        return self.one(
            "deployer", lambda: SageMakerDeployer(self._settings, Capacity(), lambda: _credentials(KEY), poll=0.003)
        )

    def stranger(self) -> SageMakerDeployer:
        """Other credentials."""
        return self.one(
            "stranger", lambda: SageMakerDeployer(self._settings, Capacity(), lambda: _credentials("AKIASOMEBODYELSE"))
        )

    def lost(self) -> SageMakerDeployer:
        """Nobody listens there: boto3 is told of another address by a test."""
        return self.one("lost", lambda: SageMakerDeployer(self._settings, Capacity(), lambda: _credentials(KEY)))

    def predictor(self) -> SageMakerPredictor:
        """By the versions' variants."""
        return self.one("predictor", lambda: SageMakerPredictor(self._settings, lambda: _credentials(KEY)))

    def bundle(self, version: int, score: float | None) -> Digest:
        """A name."""
        return _named(self.cloud.models, version, score)

    def shares(self) -> Mapping[Digest, float]:
        """By the weights of the endpoint's variants."""
        weights = self.cloud.weights(self.endpoint)
        return {bundle: 100 * weight / sum(weights.values()) for bundle, weight in weights.items()}

    def done(self) -> list[str]:
        """The configurations that the endpoint was brought to."""
        return list(self.cloud.pointed)

    def index(self) -> SageMakerIndex:
        """By the endpoints and their tags."""
        return self.one("index", lambda: SageMakerIndex(self._settings, lambda: _credentials(KEY)))

    def by_hand(self, version: int, bundle: Digest) -> None:
        """As in the console."""
        client = self.clients().client("sagemaker")
        endpoint = Endpoint(client, self._settings, Capacity(), PROD, MODEL, poll=0.003)
        endpoint.point(Variants((Placed(version=version, bundle=bundle),)))

    def clients(self) -> AwsClients:
        """Of the region."""
        return self.one("clients", lambda: AwsClients(REGION, lambda: _credentials(KEY)))


def _credentials(key: str) -> str:
    return json.dumps({"Version": 1, "AccessKeyId": key, "SecretAccessKey": "secret"})


def _named(models: dict[str, float | None], version: int, score: float | None) -> Digest:
    bundle = digest_bytes(f"{version} {score}".encode())
    models[bundle] = score
    return bundle


class _Way:
    """Hands requests on to a server until its fuse is blown."""

    def __init__(self, url: str, fuse: Fuse) -> None:
        client = httpx2.Client(trust_env=False, timeout=30)

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def log_message(self, format: str, *given: object) -> None:
                """Nothing."""

            def _hand_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                status, content = BLOWN, b'{"error": "whoever asks is dead"}'
                if not fuse.blown:
                    headers = {
                        name: self.headers[name] for name in ("authorization", "content-type") if self.headers[name]
                    }
                    answer = client.request(self.command, f"{url}{self.path}", content=body, headers=headers)
                    fuse.burn()
                    if not fuse.blown:
                        status, content = answer.status_code, answer.content
                self.send_response(status)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = _hand_on

        self._client = client
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        Thread(target=lambda: self._server.serve_forever(0.02), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Be gone."""
        self._server.shutdown()
        self._server.server_close()
        self._client.close()


@contextmanager
def running(target: Cluster | Cloud) -> Iterator[None]:
    """While a target answers."""
    target.start()
    try:
        yield
    finally:
        target.stop()
