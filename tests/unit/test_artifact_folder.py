"""Folders: every file counts, no link is followed, and the process that reads them can reach nothing else."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from activities.adapters import static_scanner
from activities.adapters.artifact_inspection.folder import look_at, open_file, open_folder
from activities.adapters.child_process import NOT_ISOLATED
from activities.adapters.static_scanner import StaticScanner
from tests.unit.corpus.onnx_models import linear

LARGEST = 1 << 20
PROBE = """
import socket, sys
from activities.adapters.child_process import isolate
isolate()
for attempt in (socket.socket, lambda: socket.create_connection(("127.0.0.1", 9)), lambda: open("/etc/hostname"),
                socket.socketpair, lambda: __import__("os").pipe()):
    try:
        attempt()
    except OSError:
        continue
    sys.exit("reached")
print("cut off")
"""
OPEN = "import resource; resource.setrlimit = lambda *_: None" + PROBE


def found(folder: Path) -> dict[str, str]:
    """The verdicts on a folder's files, in this process."""
    return {one.path: one.finding.verdict for one in look_at(list(open_folder(str(folder))), LARGEST)}


def model_with_weights(location: str = "weights.bin") -> bytes:
    """A model that keeps its weights in another file."""
    tensor = helper.make_tensor("w", TensorProto.FLOAT, [2, 2], np.eye(2, dtype=np.float32).tobytes(), raw=True)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", location), ("offset", "0"), ("length", "16")):
        tensor.external_data.append(onnx.StringStringEntryProto(key=key, value=value))
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 2]) for name in "xy")
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "g", [x], [y], [tensor])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def test_texts_may_lie_beside_a_model(tmp_path: Path) -> None:
    """Data, notes and settings are clean beside a clean model, and are no model by themselves."""
    texts = {
        "README.md": "# A model",
        "config.json": "{}",
        "conda.yaml": "name: x",
        "vocab.txt": "a\nb",
        "MLmodel": "a: 1",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    assert set(found(tmp_path).values()) == {"unknown"}
    (tmp_path / "model.onnx").write_bytes(linear())
    assert set(found(tmp_path).values()) == {"clean"}


@pytest.mark.parametrize(
    ("name", "data", "verdict"),
    [
        ("code.py", b"import os\n", "unknown"),
        ("run.txt", b"#!/bin/sh\n", "unknown"),
        ("not.json", b"{", "unknown"),
        ("not.yaml", b"a: [\n", "unknown"),
        ("object.yaml", b"a: !!python/name:os.system\n", "malicious"),
        ("tokenizer_config.json", b'{"chat_template": "{{ x.__class__ }}"}', "malicious"),
        ("chat_template.jinja", b"{{ x.__class__ }}", "malicious"),
        ("config.json", b'{"auto_map": {"AutoModel": "m.M"}}', "malicious"),
        ("library.so", b"\x7fELF" + bytes(60), "unknown"),
        ("noise", bytes(range(200, 250)), "unknown"),
    ],
)
def test_one_bad_file_is_enough(name: str, data: bytes, verdict: str, tmp_path: Path) -> None:
    """Beside a clean model, a file that is none of its data is not clean."""
    (tmp_path / "model.onnx").write_bytes(linear())
    (tmp_path / name).write_bytes(data)
    assert found(tmp_path) == {"model.onnx": "clean", name: verdict}


def test_links_and_pipes_are_not_followed(tmp_path: Path) -> None:
    """A link is not followed, not even to a clean model, and a pipe does not make the inspection wait."""
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "model.onnx").write_bytes(linear())
    (folder / "link.onnx").symlink_to(tmp_path / "model.onnx")
    (folder / "up").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe")
    assert found(folder) == {"link.onnx": "unknown", "up": "unknown", "pipe": "error"}


def test_weights_beside_their_model(tmp_path: Path) -> None:
    """An ONNX model may keep its weights in a file of the same folder that has as many bytes."""
    (tmp_path / "model.onnx").write_bytes(model_with_weights())
    assert found(tmp_path) == {"model.onnx": "unknown"}
    weights = tmp_path / "weights.bin"
    weights.write_bytes(bytes(8))
    assert found(tmp_path) == {"model.onnx": "unknown", "weights.bin": "unknown"}
    weights.write_bytes(np.eye(2, dtype=np.float32).tobytes())
    assert found(tmp_path) == {"model.onnx": "clean", "weights.bin": "clean"}
    weights.write_bytes(b"\x7fELF" + bytes(60))
    assert found(tmp_path)["weights.bin"] == "unknown"


def test_weights_elsewhere(tmp_path: Path) -> None:
    """Weights outside of the model's own folder are malicious, and behind a link they are not found."""
    (tmp_path / "model.onnx").write_bytes(model_with_weights("../weights.bin"))
    assert found(tmp_path) == {"model.onnx": "malicious"}
    (tmp_path / "model.onnx").write_bytes(model_with_weights())
    (tmp_path / "weights.bin").symlink_to("/etc/hostname")
    assert found(tmp_path) == {"model.onnx": "unknown", "weights.bin": "unknown"}


def test_empty_folder_is_not_clean(tmp_path: Path) -> None:
    """A folder without a file is nothing that could be used."""
    report = StaticScanner().scan_all(tmp_path)
    assert report.verdict == "unknown"
    assert "no file" in report.reasons[0]


def test_large_file_is_not_read(tmp_path: Path) -> None:
    """A file over the limit is not looked at."""
    (tmp_path / "model.onnx").write_bytes(bytes(LARGEST + 1))
    (one,) = look_at([open_file(str(tmp_path / "model.onnx"))], LARGEST)
    assert one.finding.verdict == "unknown"


def _run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_child_reaches_nothing() -> None:
    """Once isolated, a process opens no socket, no file and no pipe."""
    assert _run(PROBE).stdout == "cut off\n"


def test_child_that_is_not_isolated_reads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where isolation cannot be had the child ends at once, and the verdict is error."""
    assert _run(OPEN).returncode == NOT_ISOLATED
    ended = subprocess.CompletedProcess([], NOT_ISOLATED, b"", b"")
    monkeypatch.setattr(static_scanner, "run_module", lambda *_: ended)
    report = StaticScanner().scan_all(tmp_path / "model.onnx")
    assert report.verdict == "error"
    assert "cut off from the network" in report.reasons[0]
