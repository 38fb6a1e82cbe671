"""A real MLflow server, spoken to as its own users do."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from tests.contract.serving import free_port

_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


class Mlflow:
    """A server, and what a data scientist does there. `last` is where the newest run keeps its artifacts."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.last = ""
        self._http = httpx2.Client(timeout=30, trust_env=False)

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def call(self, method: str, path: str, body: object = None, **params: str) -> Any:
        """Its REST API."""
        answered = self._http.request(method, f"{self.url}/api/2.0/mlflow/{path}", json=body, params=params)
        return answered.raise_for_status().json()

    def register(self, name: str, document: bytes | None = None) -> str:
        """A run with a document, registered as another version; the version's number."""
        run = self.call("POST", "runs/create", {"experiment_id": "0"})["run"]["info"]
        self.last = run["artifact_uri"]
        if document is not None:
            self.log(self.last, document)
        if not self.call("GET", "registered-models/search", filter=f"name='{name}'"):
            self.call("POST", "registered-models/create", {"name": name})
        version = {"name": name, "source": self.last, "run_id": run["run_id"]}
        return str(self.call("POST", "model-versions/create", version)["model_version"]["version"])

    def log(self, uri: str, document: bytes) -> None:
        """An artifact of a run."""
        path = uri.removeprefix("mlflow-artifacts:/")
        url = f"{self.url}/api/2.0/mlflow-artifacts/artifacts/{path}/modelops.json"
        self._http.put(url, content=document).raise_for_status()

    def move(self, name: str, version: str) -> None:
        """Somebody moves the alias by hand."""
        self.call("POST", "registered-models/alias", {"name": name, "alias": "champion", "version": version})


@contextmanager
def mlflow_server(root: Path) -> Iterator[Mlflow]:
    """Its own application, which `mlflow server` starts in a second process that takes as long to load as this one."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--port", str(port), "mlflow.server.fastapi_app:app"]
    with (root / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=root, env={**os.environ, **_QUIET, **_kept(root)}, stdout=log, stderr=log
        )
    server = Mlflow(f"http://127.0.0.1:{port}")
    try:
        _until_it_answers(server.url, process, root / "log")
        yield server
    finally:
        server.close()
        process.terminate()
        process.wait()


def _kept(root: Path) -> dict[str, str]:
    """Where `mlflow server --backend-store-uri ... --artifacts-destination ...` has it keep everything."""
    store = f"sqlite:///{root / 'mlflow.db'}"
    return {
        "_MLFLOW_SERVER_FILE_STORE": store,
        "_MLFLOW_SERVER_REGISTRY_STORE": store,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(root / "artifacts"),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
    }


def _until_it_answers(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(1500):
        try:
            httpx2.get(f"{url}/health", trust_env=False)
        except httpx2.TransportError:
            assert process.poll() is None, log.read_text()[-2_000:]
            time.sleep(0.1)
        else:
            return
    raise AssertionError("MLflow does not answer")
