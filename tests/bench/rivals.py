"""MLServer and MLflow's scoring server, each in a process, serving the same ONNX file as we do.

Both live in an environment of their own, made once in `.bench/`: their dependencies are not ours. MLServer answers in
the process that takes the request (`parallel_workers: 0`), which is its fastest way for a small model.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx2

from tests.contract.serving import free_port

PACKAGES = ("mlserver", "mlflow", "onnx", "onnxruntime")
ENVIRONMENT = Path(__file__).parents[2] / ".bench" / "serving"
START_WITHIN = 120.0

RUNTIME = """
import numpy as np
import onnxruntime
from mlserver import MLModel
from mlserver.codecs import NumpyCodec
from mlserver.types import InferenceResponse


class OnnxRuntime(MLModel):
    async def load(self) -> bool:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(self.settings.parameters.uri, options)
        self._input = self._session.get_inputs()[0].name
        return True

    async def predict(self, payload):
        rows = NumpyCodec.decode_input(payload.inputs[0]).astype(np.float32)
        label, scores = self._session.run(None, {self._input: rows})
        outputs = [NumpyCodec.encode_output("score", scores[:, -1]), NumpyCodec.encode_output("label", label)]
        return InferenceResponse(model_name=self.name, id=payload.id, outputs=outputs)
"""

SAVE = "import sys, mlflow.onnx, onnx; mlflow.onnx.save_model(onnx.load(sys.argv[1]), sys.argv[2])"


class Rival(NamedTuple):
    """A server to be measured: its port, the path and the body of a prediction."""

    port: int
    path: str
    body: bytes


def environment() -> Path:
    """The interpreter of the rivals' environment, made if it is not there."""
    python = ENVIRONMENT / "bin" / "python"
    if not (ENVIRONMENT / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(ENVIRONMENT)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
        (ENVIRONMENT / "ready").touch()
    return python


@contextmanager
def mlserver(model: Path, row: list[float], folder: Path) -> Iterator[Rival]:
    """MLServer with the least runtime that ONNX Runtime needs."""
    port = free_port()
    settings = {"http_port": port, "grpc_port": free_port(), "metrics_port": free_port(), "parallel_workers": 0}
    parameters = {"uri": str(model), "version": "1"}
    runtime = {"name": "loan", "implementation": "onnx_runtime.OnnxRuntime", "parameters": parameters}
    folder.mkdir()
    (folder / "onnx_runtime.py").write_text(RUNTIME)
    (folder / "settings.json").write_text(json.dumps({**settings, "debug": False, "host": "127.0.0.1"}))
    (folder / "model-settings.json").write_text(json.dumps(runtime))
    tensor = {"name": "input", "shape": [1, len(row)], "datatype": "FP32", "data": row}
    with _running([str(environment().parent / "mlserver"), "start", "."], folder, f"{port}/v2/models/loan/ready"):
        yield Rival(port, "/v2/models/loan/infer", json.dumps({"inputs": [tensor]}).encode())


@contextmanager
def mlflow(model: Path, row: list[float], folder: Path) -> Iterator[Rival]:
    """`mlflow models serve` with one worker."""
    port, python = free_port(), environment()
    folder.mkdir()
    subprocess.run([str(python), "-c", SAVE, str(model), str(folder / "saved")], check=True, capture_output=True)
    command = [str(python), "-m", "mlflow", "models", "serve", "--env-manager", "local", "--workers", "1"]
    command += ["--model-uri", str(folder / "saved"), "--port", str(port)]
    with _running(command, folder, f"{port}/ping"):
        yield Rival(port, "/invocations", json.dumps({"inputs": [row]}).encode())


@contextmanager
def _running(command: list[str], folder: Path, ready: str) -> Iterator[None]:
    path = f"{environment().parent}:{os.environ['PATH']}"
    variables = {**os.environ, "PATH": path, "MLFLOW_DISABLE_TELEMETRY": "true", "PYTHONPATH": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=log, stderr=log, start_new_session=True)
    try:
        _wait(process, f"http://127.0.0.1:{ready}", folder / "log")
        yield
    finally:
        os.killpg(process.pid, 15)
        process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    give_up = time.monotonic() + START_WITHIN
    while time.monotonic() < give_up and process.poll() is None:
        try:
            if httpx2.get(url, timeout=5).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.2)
    raise AssertionError(f"{url} does not answer: {log.read_text()[-2000:]}")
