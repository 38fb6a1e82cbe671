"""The artifact gate beside other scanners, on one corpus: what each blocks, what it blocks wrongly, and how fast."""

import pickle
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from activities.adapters.static_scanner import StaticScanner
from tests.bench.second_opinions import PROGRAMS, Opinion, ask
from tests.bench.table import show
from tests.unit.corpus.archives import bombs
from tests.unit.corpus.benign import benign_files, estimators
from tests.unit.corpus.cases import joblibbed
from tests.unit.corpus.families import hostile_files

pytestmark = [pytest.mark.bench, pytest.mark.timeout(1_800)]

_ENDINGS = {
    b"PK\x03\x04": "zip",
    b"GGUF": "gguf",
    b"\x93NUMPY": "npy",
    b"\x89HDF": "h5",
    b"\x08": "onnx",
    b"\x1f\x8b": "joblib",
    b"\x78": "joblib",
    b"BZh": "joblib",
    b"{": "json",
}
_ZIPS = {"keras": "keras", "torch": "pt", "skops": "skops", "npz": "npz"}
"""The others go by names: each file is called as its format is, for their sake."""


def _called(name: str, data: bytes) -> str:
    ending = next((ending for magic, ending in _ENDINGS.items() if data.startswith(magic)), "pkl")
    if ending == "zip":
        ending = next((found for word, found in _ZIPS.items() if word in name), "zip")
    if "safetensors" in name:
        ending = "safetensors"
    return f"{name.replace('/', '_')}.{ending}"


def _write(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir()
    for name, data in files.items():
        (folder / _called(name, data)).write_bytes(data)
    return folder


def _large() -> dict[str, bytes]:
    """A large array, many small objects, and many trees."""
    numbers = np.random.default_rng(0).random(6_000_000)
    return {
        "array": joblibbed({"w": numbers}),
        "numbers": pickle.dumps(numbers[:400_000].tolist()),
        "forests": pickle.dumps([pickle.loads(pickle.dumps(estimators()["forest"])) for _ in range(200)]),
    }


def _ours(folder: Path) -> Opinion:
    began = time.perf_counter()
    report = StaticScanner(timeout_seconds=600).scan_all(folder)
    seconds = time.perf_counter() - began
    return Opinion(frozenset(one.path for one in report.files if one.report.verdict != "clean"), seconds)


def _opinions(folder: Path, home: Path) -> Iterator[tuple[str, Opinion]]:
    yield "modelops", _ours(folder)
    for tool in PROGRAMS:
        yield tool, ask(tool, home, folder)


def test_second_opinions(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Ours alone blocks every hostile file and no benign one."""
    home = Path(request.config.cache.mkdir("second-opinions"))
    hostile = {name: case.data for name, case in (hostile_files(tmp_path / "marker") | bombs(260)).items()}
    folders = [
        _write(tmp_path / "hostile", hostile),
        _write(tmp_path / "benign", benign_files()),
        _write(tmp_path / "large", _large()),
    ]
    size = sum(path.stat().st_size for path in folders[2].iterdir()) / 1e6
    rows = []
    for (tool, bad), (_, good), (_, big) in zip(*(_opinions(folder, home) for folder in folders), strict=True):
        detected = f"{len(bad.blocked)} of {len(hostile)}"
        alarms = f"{len(good.blocked)} of {len(benign_files())}"
        rows.append((tool, (detected, alarms, f"{size / big.seconds:.1f}", f"{bad.seconds + good.seconds:.1f} s")))
        if tool == "modelops":
            assert (len(bad.blocked), good.blocked, big.blocked) == (len(hostile), frozenset(), frozenset())
    show("Scanners on one corpus", ("hostile blocked", "benign blocked", "MB/s", "whole corpus"), rows)
    assert not (tmp_path / "marker").exists()
