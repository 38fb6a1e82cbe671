"""The path to production with the real parts: gate, evaluator, packager, signatures, and inference servers."""

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from activities.adapters.bundle_samples import BundleSamples
from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.oip_deployer import OipDeployer
from activities.adapters.oip_predictor import OipPredictor
from activities.adapters.onnx_evaluator import OnnxEvaluator
from activities.adapters.static_scanner import StaticScanner
from models.answers import Asked
from models.canonical import Digest, digest_bytes
from models.evidence import EffectKey
from models.formats import Format
from models.inventory import Environment, Submission
from models.placement import Placed
from tests.contract.serving import TOKEN, Server
from tests.packing import bundles_in, packager_in
from tests.temporal.doubles import RecordingDeployer
from tests.temporal.house import House

ROWS = 400
KEYS = "wallet"
"""Where secrets of a house belong."""


class ServingDeployer(RecordingDeployer):
    """Deploys to inference servers, and remembers it."""

    def __init__(self, path: Path, servers: Mapping[Environment, Server]) -> None:
        super().__init__(path)
        self.real = OipDeployer({name: one.url for name, one in servers.items()}, TOKEN, timeout=30)

    def deploy(self, environment: Environment, model: str, version: int, bundle: Digest, key: EffectKey) -> str:
        """First there, then here."""
        endpoint = self.real.deploy(environment, model, version, bundle, key)
        super().deploy(environment, model, version, bundle, key)
        return endpoint

    def withdraw(self, environment: Environment, model: str, key: EffectKey) -> None:
        """First there, then here."""
        self.real.withdraw(environment, model, key)
        super().withdraw(environment, model, key)


class Asking:
    """Asks whatever server an environment has."""

    def __init__(self, servers: Mapping[Environment, Server]) -> None:
        self._each = {name: OipPredictor(one.url, timeout=30) for name, one in servers.items()}

    def predict(self, environment: Environment, model: str, placed: Placed, request: str) -> Asked:
        """See `OipPredictor`."""
        return self._each[environment].predict(environment, model, placed, request)

    def close(self) -> None:
        """Close all connections."""
        for one in self._each.values():
            one.close()


@contextmanager
def servers_in(house: House, *environments: Environment) -> Iterator[dict[Environment, Server]]:
    """Inference servers that serve what the house packs."""
    signers = house.root / KEYS / "bundle.pub"
    store = house.root / "artifacts"
    running = {name: Server(house.root / name, store, name, signers) for name in environments}
    for one in running.values():
        one.start()
    yield running
    for one in running.values():
        one.kill()


@contextmanager
def real_parts(house: House, servers: Mapping[Environment, Server]) -> Iterator[None]:
    """The house's parts are the real ones, but for what its version names beside itself."""
    keys = house.root / KEYS
    keys.mkdir(exist_ok=True)
    store = FileArtifactStore(house.root / "artifacts", [house.root])
    bundles = bundles_in(keys, store)
    house.parts = dataclasses.replace(
        house.parts,
        store=store,
        scanner=StaticScanner(),
        evaluator=OnnxEvaluator(),
        packager=packager_in(keys, store),
        bundles=bundles,
    )
    if not servers:
        house.actuator_parts = dataclasses.replace(house.actuator_parts, store=store, bundles=bundles)
        yield
        return
    deployer, asking = ServingDeployer(house.root / "effects.txt", servers), Asking(servers)
    house.actuator_parts = dataclasses.replace(
        house.actuator_parts,
        store=store,
        deployer=deployer,
        bundles=bundles,
        samples=BundleSamples(store),
        predictor=asking,
    )
    yield
    deployer.real.close()
    asking.close()


def is_good(income: int, block: int) -> bool:
    """The label: nine of ten with much income, one of ten with little."""
    return (block != 0) == (income >= 5)


def holdout(score: Callable[[int], float] | None = None) -> bytes:
    """Cases with their labels, and if a score is given what the model answered to them."""
    lines = ["income,region,sex,good" + (",score" if score else "")]
    for number in range(ROWS):
        income, block = number % 10, number // 10 % 10
        sex, region = ("male", "female")[number // 10 % 2], ("north", "south")[number // 100 % 2]
        recorded = f",{score(income)}" if score else ""
        lines.append(f"{income},{region},{sex},{int(is_good(income, block))}{recorded}")
    return ("\n".join(lines) + "\n").encode()


def written(root: Path, name: str, data: bytes | str | dict[str, Any]) -> dict[str, str]:
    """A file under the root, and its reference."""
    text = json.dumps(data) if isinstance(data, dict) else data
    path = root / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return {"uri": path.as_uri(), "digest": digest_bytes(path.read_bytes())}


def submission_of(root: Path, form: Format, artifact: dict[str, str], data: bytes, **more: Any) -> Submission:
    """A version of a model of income and region."""
    rows = written(root, "rows.csv", data)
    return Submission.model_validate(
        {
            "artifact": artifact,
            "format": form,
            "source": {"repository": "git@example.com:credit.git", "commit": "0" * 39 + "1"},
            "training_data": [rows],
            "holdout": rows,
            "dependencies": written(root, "requirements.lock", "pydantic==2.14.0\n"),
            "contract": {
                "inputs": [{"name": "income"}, {"name": "region", "type": "string"}],
                "outputs": [{"name": "score"}],
                "label": "good",
                "protected": [{"column": "sex", "reference": "male"}],
            },
            "developer": "ana",
            "submitter": "ana",
            **more,
        }
    )
