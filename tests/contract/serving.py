"""Real inference servers, bundles and models for the tests of serving."""

import json
import multiprocessing
import socket
import sys
import time
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import onnx
from onnx import TensorProto, helper

from activities.adapters.file_artifact_store import FileArtifactStore
from models.bundle.manifest import SAMPLE_FILE, TITLE, BundleConfig, Descriptor, Manifest
from models.canonical import Digest, canonical
from models.evidence import EffectKey
from models.inventory import Column, DataContract, Environment, Golden, Reference, Source, Submission
from tests.contract import forked_server
from tests.packing import FACTS, MODEL, packager_in

PROJECT = Path(__file__).parents[2]
PROD = Environment.PROD
COLUMNS = ("income", "debt", "years")
TOKEN = "the-token-of-the-tests-0123456789abcdef"
JSON = {"content-type": "application/json"}
AUTHORIZED = {**JSON, "authorization": f"Bearer {TOKEN}"}

# A server takes most of a second to import, and nearly every test starts one.
_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload([forked_server.__name__])


def _onnx(probability: list[onnx.NodeProto], **constants: list[float]) -> bytes:
    """A model of three inputs; the nodes make `p` ([n, 1]) of `x`, and [1 - p, p] is the output."""
    ends = [helper.make_node("Sub", ["one", "p"], ["q"]), helper.make_node("Concat", ["q", "p"], ["both"], axis=1)]
    values = {"one": [1.0], **constants}
    graph = helper.make_graph(
        [*probability, *ends],
        "model",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])],
        [helper.make_tensor_value_info("both", TensorProto.FLOAT, [None, 2])],
        [helper.make_tensor(name, TensorProto.FLOAT, [len(v)], v) for name, v in values.items()],
    )
    opset = helper.make_opsetid("", 17)
    return bytes(helper.make_model(graph, opset_imports=[opset], ir_version=9).SerializeToString())


def constant(probability: float) -> bytes:
    """A model that answers every row with one number; a missing value counts as 0."""
    nodes = [
        helper.make_node("IsNaN", ["x"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "x"], ["known"]),
        helper.make_node("Mul", ["known", "zero"], ["zeros"]),
        helper.make_node("ReduceMax", ["zeros"], ["flat"], axes=[1]),
        helper.make_node("Add", ["flat", "constant"], ["p"]),
    ]
    return _onnx(nodes, zero=[0.0], constant=[probability])


def sloping() -> bytes:
    """A model that answers the logistic function of a row's mean; a missing value counts as 0."""
    nodes = [
        helper.make_node("IsNaN", ["x"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "x"], ["known"]),
        helper.make_node("ReduceMean", ["known"], ["mean"], axes=[1]),
        helper.make_node("Sigmoid", ["mean"], ["p"]),
    ]
    return _onnx(nodes, zero=[0.0])


def failing() -> bytes:
    """A model that loads, and fails on every row."""
    nodes = [
        helper.make_node("Cast", ["seven"], ["shape"], to=TensorProto.INT64),
        helper.make_node("Reshape", ["x", "shape"], ["p"]),
    ]
    return _onnx(nodes, seven=[7.0, 7.0])


class Shop:
    """Packages models into one artifact store, and signs them."""

    def __init__(self, root: Path) -> None:
        self.folder = root
        self.store = FileArtifactStore(root, allowed_roots=())
        self.packager = packager_in(root, self.store)

    def bundle(self, version: int, model: bytes, threshold: float = 0.5, golden: bytes | None = None) -> Digest:
        """A bundle of a version of the model, with golden predictions if they are given."""
        contract = DataContract(
            inputs=tuple(Column(name=name) for name in COLUMNS),
            outputs=(Column(name="score"),),
            label="approved",
            threshold=threshold,
        )
        submission = Submission(
            artifact=self._kept(model),
            source=Source(repository="https://example.com/loans.git", commit="a" * 40),
            training_data=(self._kept(b"training data"),),
            holdout=self._kept(b"income,debt,years,approved\n1,2,3,1\n4,5,6,0\n"),
            dependencies=self._kept(b"numpy==2.4.6\n"),
            contract=contract,
            golden=Golden(predictions=self._kept(golden), tolerance=1e-4) if golden else None,
            developer="dora",
            submitter="sam",
        )
        return self.packager.package(FACTS, version, submission, {})

    def with_sample(self, bundle: Digest, sample: dict[str, Any]) -> Digest:
        """The bundle with a sample request of its own."""
        data = json.dumps(sample).encode()
        manifest = Manifest.model_validate_json(self.store.path(bundle).read_bytes())
        other = {"digest": self.store.put(data), "size": len(data)}

        def changed(layer: Descriptor) -> Descriptor:
            return layer.model_copy(update=other) if layer.annotations[TITLE] == SAMPLE_FILE else layer

        layers = tuple(map(changed, manifest.layers))
        digest = self.store.put(canonical(manifest.model_copy(update={"layers": layers})))
        config = BundleConfig.model_validate_json(self.store.path(manifest.config.digest).read_bytes())
        self.packager.sign(digest, config)
        return digest

    def _kept(self, data: bytes) -> Reference:
        return Reference(uri="https://example.com/kept", digest=self.store.put(data))


class Server:
    """One inference server process that can be killed and started again on the same state."""

    def __init__(self, folder: Path, store: Path, environment: Environment = PROD, signers: Path | None = None) -> None:
        """`signers` are the public keys that count, else the one of the store's shop."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.folder = folder
        self._arguments = [
            *("--environment", str(environment), "--port", str(self.port)),
            *("--root", str(folder), "--store", str(store), "--signers", str(signers or store / "bundle.pub")),
        ]
        self.command = [sys.executable, "-m", "worker.inference", *self._arguments]

    def start(self) -> None:
        """Start the process and wait until it answers."""
        self.process = _FORKING.Process(target=forked_server.serve, args=(self._arguments, TOKEN), daemon=True)
        self.process.start()
        for _ in range(600):
            try:
                httpx2.get(f"{self.url}/v2/health/live")
            except httpx2.TransportError:
                assert self.process.is_alive(), "the server ended"
                time.sleep(0.05)
            else:
                return
        raise AssertionError("the server does not answer")

    def kill(self) -> None:
        """End the process without warning."""
        self.process.kill()
        self.process.join()

    def get(self, path: str) -> httpx2.Response:
        """The answer to a GET."""
        return httpx2.get(f"{self.url}{path}")

    def post(self, path: str, body: object) -> httpx2.Response:
        """The answer to some JSON, sent with the deploy token."""
        return httpx2.post(f"{self.url}{path}", content=json.dumps(body).encode(), headers=AUTHORIZED)

    def scores(self, path: str = "", rows: int = 1) -> list[float]:
        """The scores of some rows by the default version, or by that of a path."""
        response = self.post(f"/v2/models/{MODEL}{path}/infer", request_of([[1.0, 2.0, 3.0]] * rows))
        assert response.status_code == 200, response.text
        return [round(score, 4) for score in response.json()["outputs"][0]["data"]]

    def effects(self) -> list[tuple[str, int | None]]:
        """What was applied: effect and version."""
        return [(effect["effect"], effect["version"]) for effect in self.get("/effects").json()]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def request_of(rows: list[list[float | None]]) -> dict[str, Any]:
    """An inference request of one tensor."""
    data = [value for row in rows for value in row]
    return {"inputs": [{"name": "rows", "shape": [len(rows), len(rows[0])], "datatype": "FP32", "data": data}]}


def order_of(version: int, bundle: Digest) -> dict[str, Any]:
    """The body of load and switch, under a key of its own."""
    parameters = {"version": str(version), "bundle": bundle, "idempotency_key": str(new_key())}
    return {"parameters": parameters}


_visits = count(1)


def new_key() -> EffectKey:
    """A key that no other effect has."""
    return EffectKey(model=MODEL, visit=next(_visits), step="promote")
