"""The server that KServe and SageMaker start beside what they fetched: one archive, unpacked, and nothing else."""

import csv
import io
import shutil
import tarfile
from pathlib import Path

import httpx2
import pytest

from activities.adapters.oci_bundles import parts_of, read_bundle
from activities.adapters.oci_layout import OciLayout, write_archive
from models.bundle.manifest import GOLDEN_FILE
from models.errors import DigestMismatchError, SignatureError, UnknownNameError
from models.golden import SCORE, compare
from models.inventory import Submission
from tests.contract.listening import listening
from tests.contract.serving import COLUMNS, request_of
from tests.contract.test_model_bundle import packed, submission  # noqa: F401 - a fixture
from tests.packing import MODEL
from worker.container import CANNOT_START, create_app, load, main


@pytest.fixture
def fetched(tmp_path: Path, submission: Submission) -> Path:  # noqa: F811 - the fixture
    """The folder of what was fetched; store and training are gone."""
    store, bundle = packed(tmp_path, "store", submission)
    archive, folder = io.BytesIO(), tmp_path / "mnt"
    write_archive(store, parts_of(store, bundle), archive)
    archive.seek(0)
    with tarfile.open(fileobj=archive) as opened:
        opened.extractall(folder, filter="data")
    for name in ("trained", "store"):
        shutil.rmtree(tmp_path / name)
    return folder


@pytest.fixture
def signers(tmp_path: Path) -> Path:
    """The keys that count."""
    return tmp_path / "keys" / "bundle.pub"


def test_it_answers_its_golden_predictions_as_both_ask(fetched: Path, signers: Path) -> None:
    """By whatever name KServe asks, and by SageMaker's two paths; healthy as soon as it answers."""
    model = load(fetched, signers)
    golden = read_bundle(OciLayout(fetched), model.bundle).files[GOLDEN_FILE]
    rows = list(csv.DictReader(io.StringIO(golden.read_text())))
    asked = request_of([[float(row[name]) if row[name] else None for name in COLUMNS] for row in rows])
    with listening(create_app(model)) as url, httpx2.Client(base_url=url) as client:
        for path in ("/v2/models/loan-app-5f3a/infer", f"/v2/models/{MODEL}/infer", "/invocations"):
            answer = client.post(path, json=asked)
            assert answer.status_code == 200, answer.text
            scores = answer.json()["outputs"][0]["data"]
            assert compare([float(row[SCORE]) for row in rows], scores, 1e-5).holds
        for path in ("/ping", "/v2/health/live", "/v2/health/ready", f"/v2/models/{MODEL}/ready"):
            assert client.get(path).status_code == 200
        described = client.get(f"/v2/models/{MODEL}").json()
        assert (described["name"], described["versions"], described["parameters"]["bundle"]) == (
            MODEL,
            ["3"],
            model.bundle,
        )
        wrong = client.post("/invocations", content=b"{}")
    assert wrong.status_code == 400
    assert "error" in wrong.json()


def test_what_was_changed_on_its_way_is_not_served(fetched: Path, signers: Path, tmp_path: Path) -> None:
    """One byte of any part, a key that does not count, or no bundle at all: it does not start, and says why."""
    (tmp_path / "strangers.pub").write_text("0" * 64 + "\n")
    with pytest.raises(SignatureError, match="by nobody whose key counts"):
        load(fetched, tmp_path / "strangers.pub")
    with pytest.raises(UnknownNameError, match="there is no bundle in"):
        load(None, signers)
    layout = OciLayout(fetched)
    model = read_bundle(layout, layout.bundle).model_path
    model.chmod(0o644)
    model.write_bytes(model.read_bytes()[:-1] + b"\x00\x01")
    with pytest.raises(DigestMismatchError):
        load(fetched, signers)


def test_it_says_in_one_line_why_it_cannot_start(
    signers: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As SageMaker starts it; the exit status is not that of a crash."""
    assert main(["serve", "--bundle", str(tmp_path / "nothing"), "--signers", str(signers)]) == CANNOT_START
    said = capsys.readouterr().err
    assert said.startswith("cannot start: ")
    assert said.count("\n") == 1
