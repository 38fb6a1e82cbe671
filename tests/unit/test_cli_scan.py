"""`modelops scan`: exit status 0 only when everything is clean."""

import json
import pickle
from pathlib import Path

from typer.testing import CliRunner, Result

from client.cli import app
from tests.unit.corpus.cases import Payload
from tests.unit.corpus.onnx_models import linear


def run(*arguments: str) -> Result:
    """The command, in this process."""
    return CliRunner().invoke(app, ["scan", *arguments], env={"COLUMNS": "200", "NO_COLOR": "1"})


def test_a_clean_model_passes(tmp_path: Path) -> None:
    """A clean folder ends with status 0 and a row for each file."""
    (tmp_path / "model.onnx").write_bytes(linear())
    (tmp_path / "README.md").write_text("# A model\n")
    found = run(str(tmp_path))
    assert found.exit_code == 0, found.output
    assert "Verdict: clean" in found.stdout
    assert [line.split()[:3] for line in found.stdout.splitlines()[1:3]] == [
        ["README.md", "text", "clean"],
        ["model.onnx", "onnx", "clean"],
    ]


def test_a_hostile_file_does_not(tmp_path: Path) -> None:
    """A payload ends with status 3; the report names what would be imported, and the byte, also as JSON."""
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(Payload(tmp_path / "marker")))
    found = run(str(path), "--json")
    assert found.exit_code == 3
    report = json.loads(found.stdout)
    assert report["verdict"] == "malicious"
    (one,) = report["files"]
    assert one["path"] == "model.pkl"
    assert "'posix.mkdir'" in one["report"]["reasons"][0]
    assert "see byte " in one["report"]["reasons"][0]
    assert not (tmp_path / "marker").exists()


def test_what_is_not_there(tmp_path: Path) -> None:
    """A missing path ends with status 6."""
    assert run(str(tmp_path / "nowhere")).exit_code == 6
