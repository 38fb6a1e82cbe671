"""How long a prediction takes, and how many fit into a second, beside MLServer and `mlflow models serve`."""

import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.oip_deployer import OipDeployer
from examples.loan_approval import data, train
from models.canonical import Digest
from models.evidence import EffectKey
from models.inventory import Submission
from models.traffic import Answer, Split
from tests.bench.rivals import Rival, mlflow, mlserver
from tests.bench.table import show
from tests.contract.callers import Caller
from tests.contract.serving import PROD, TOKEN, Server
from tests.packing import FACTS, bundles_in, packager_in
from worker.model_repository import Route
from worker.router import Router
from worker.served_model import ServedModel, load_model
from worker.traffic_log import TrafficLog

pytestmark = [pytest.mark.bench, pytest.mark.timeout(900)]

MODEL = "loan-approval"
WARM, CALLS, ROUNDS = 200, 1_000, 3
CLIENTS, SECONDS = 8, 2.0
OF_THEIR_MEDIAN = 0.5
LOADS = 10
ANSWERS = 5_000


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The loan model as its training program makes it."""
    folder = tmp_path_factory.mktemp("loans")
    paths = data.write(folder, data.SEED)
    request: train.Request = {
        "strategy": "plain",
        "training": [train.reference(paths["training"])],
        "holdout": train.reference(paths["holdout"]),
        "window": None,
        "source": {"repository": "examples/loan_approval", "commit": "1" * 40},
        "developer": "ana",
        "submitter": "ana",
        "trainer": None,
    }
    train.run(request, folder / "plain")
    return folder


class Ours:
    """The inference server with the loan model in several versions."""

    def __init__(self, root: Path, trained: Path) -> None:
        self.folder = root / "store"
        self.server = Server(root / "prod", self.folder)
        self.deployer = OipDeployer({PROD: self.server.url}, TOKEN, timeout=30)
        self.store = FileArtifactStore(root / "store", allowed_roots=(trained,))
        self.submission = Submission.model_validate_json((trained / "plain" / "result.json").read_bytes())
        self._steps = 0

    def bundle(self, version: int) -> Digest:
        """A bundle of the same model as some version."""
        one = self.submission
        for reference in (one.artifact, one.holdout, one.dependencies, *one.training_data):
            self.store.fetch(reference)
        return packager_in(self.folder, self.store).package(FACTS, version, one, {})

    def key(self) -> EffectKey:
        """A key that no other effect has."""
        self._steps += 1
        return EffectKey(model=MODEL, visit=self._steps, step="promote")

    def rival(self, row: list[float]) -> Rival:
        """What a prediction is sent to."""
        tensor = {"name": "input", "shape": [1, len(row)], "datatype": "FP32", "data": row}
        body = json.dumps({"inputs": [tensor]}).encode()
        return Rival(self.server.port, f"/v2/models/{MODEL}/infer", body)


@pytest.fixture
def ours(tmp_path: Path, trained: Path) -> Iterator[Ours]:
    """Version 1 serves."""
    made = Ours(tmp_path, trained)
    made.server.start()
    made.deployer.deploy(PROD, MODEL, 1, made.bundle(1), made.key())
    yield made
    made.deployer.close()
    made.server.kill()


def latencies(rival: Rival, calls: int = CALLS) -> list[float]:
    """Milliseconds of each call of one client."""
    caller = Caller(rival.port, rival.path)
    found = []
    for call in range(WARM + calls):
        began = time.perf_counter()
        status, answer = caller.send(rival.body)
        if call >= WARM:
            found.append((time.perf_counter() - began) * 1000)
        assert status == 200, answer
    caller.close()
    return found


def throughput(rival: Rival) -> float:
    """Calls per second of several clients at once."""
    counts: list[int] = []
    stop = time.perf_counter() + SECONDS

    def call() -> None:
        caller, calls = Caller(rival.port, rival.path), 0
        while time.perf_counter() < stop:
            assert caller.send(rival.body)[0] == 200
            calls += 1
        caller.close()
        counts.append(calls)

    threads = [threading.Thread(target=call) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / SECONDS


def p99(values: list[float]) -> float:
    """The 99th percentile."""
    return statistics.quantiles(values, n=100)[-1]


def test_serving(ours: Ours, trained: Path, tmp_path: Path) -> None:
    """The median of one client is at most half of either rival's; all three take turns, and each has its best round."""
    model, row = trained / "plain" / "model.onnx", [1.0] * len(ours.submission.contract.inputs)
    with ExitStack() as stack:
        servers = {
            "ours": ours.rival(row),
            "MLServer": stack.enter_context(mlserver(model, row, tmp_path / "mlserver")),
            "mlflow models serve": stack.enter_context(mlflow(model, row, tmp_path / "mlflow")),
        }
        rounds = [{name: latencies(one) for name, one in servers.items()} for _ in range(ROUNDS)]
        rushes = [{name: throughput(one) for name, one in servers.items()} for _ in range(ROUNDS)]
    best = {name: min(statistics.median(one[name]) for one in rounds) for name in servers}
    tails = {name: min(p99(one[name]) for one in rounds) for name in servers}
    rates = {name: max(one[name] for one in rushes) for name in servers}
    rows = [
        (name, (f"{best[name]:.2f}", f"{tails[name]:.2f}", f"{rates[name]:.0f}", f"{best['ours'] / best[name]:.2f}"))
        for name in servers
    ]
    show(
        f"one row to the loan model; p50, p99 of one client (ms), calls/s of {CLIENTS}, our p50 / theirs",
        ("p50", "p99", "calls/s", "ours / theirs"),
        rows,
    )
    for rival in ("MLServer", "mlflow models serve"):
        assert best["ours"] / best[rival] <= OF_THEIR_MEDIAN
        assert rates["ours"] > rates[rival]


def test_what_goes_on_beside(ours: Ours) -> None:
    """Copies, a division, versions being loaded, and the way back to a warm one, as callers notice them."""
    row = [1.0] * len(ours.submission.contract.inputs)
    rival, second = ours.rival(row), ours.bundle(2)
    alone = latencies(rival)
    ours.deployer.divide(PROD, MODEL, Split(version=2, bundle=second, mirrored=True), ours.key())
    mirrored = latencies(rival)
    ours.deployer.divide(PROD, MODEL, Split(version=2, bundle=second, share=50), ours.key())
    divided = latencies(rival)
    bundles = [ours.bundle(version) for version in range(3, 3 + LOADS)]
    stop = threading.Event()

    def load() -> None:
        for version, bundle in enumerate(bundles, 3):
            if not stop.is_set():
                ours.deployer.divide(PROD, MODEL, Split(version=version, bundle=bundle), ours.key())

    loader = threading.Thread(target=load)
    loader.start()
    loading = latencies(rival)
    stop.set()
    loader.join()
    ours.deployer.deploy(PROD, MODEL, 2, second, ours.key())
    began = time.perf_counter()
    ours.deployer.deploy(PROD, MODEL, 1, ours.bundle(1), ours.key())
    back = time.perf_counter() - began
    measured = {"champion alone": alone, "mirrored": mirrored, "divided": divided, "others being loaded": loading}
    rows = [(name, (f"{statistics.median(one):.2f}", f"{p99(one):.2f}")) for name, one in measured.items()]
    show(
        f"beside the champion, one client (ms); the way back to a warm version took {back:.3f} s", ("p50", "p99"), rows
    )


class Silent(TrafficLog):
    """A log that keeps nothing."""

    def add(self, model: str, answer: Callable[[], Answer]) -> None:
        """Drop it."""


def answering(log: TrafficLog, model: ServedModel, body: bytes) -> float:
    """Microseconds of an answer, in this process, while the log is written."""
    router, route = Router(log), Route(model, None, None)
    log.start()
    began = time.perf_counter()
    for _ in range(ANSWERS):
        router.answer(route, body)
    took = time.perf_counter() - began
    log.stop()
    return took / ANSWERS * 1e6


def test_the_traffic_log(ours: Ours, tmp_path: Path) -> None:
    """What the log takes of an answer, at more requests per second than a server gets."""
    model = load_model(bundles_in(ours.folder, ours.store), ours.bundle(1), MODEL, 1)
    body = ours.rival([1.0] * len(model.columns)).body
    rounds = range(ROUNDS)
    without, with_log = zip(
        *(
            (answering(Silent(tmp_path), model, body), answering(TrafficLog(tmp_path / f"{turn}"), model, body))
            for turn in rounds
        ),
        strict=True,
    )
    rows = [
        ("without", (f"{min(without):.0f}", "")),
        ("with", (f"{min(with_log):.0f}", f"{min(with_log) / min(without):.2f}")),
    ]
    show("an answer with and without the traffic log, the best round of each", ("us", "ratio"), rows)
