"""The artifact gate looks and never loads."""

import pickle
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.adapters.artifact_inspection.recognition import inspect
from activities.adapters.static_scanner import StaticScanner
from models.canonical import digest_bytes
from models.evidence import ScanReport
from tests.unit.hostile import (
    Case,
    Payload,
    benign_models,
    endless,
    hostile_files,
    linear,
    live_pickles,
    zip_bomb,
)

NOWHERE = Path("never-made")
MODELS = benign_models()
ESTIMATORS = ("logistic-regression", "forest", "pipeline")
PICKLED = ("estimator", "estimator-joblib")
SCANNED = [
    *("protocol-0", "protocol-5", "inst", "build", "no-end", "stack-global-memo", "then-onnx", "behind-raw-array"),
    *("joblib-gzip", "torch", "npy-object", "custom-domain", "external-data-outside", "cut-off", "trailing-bytes"),
    *("trailing-zip", "zip-bomb", "empty"),
]


def scan(folder: Path, data: bytes, scanner: StaticScanner | None = None, name: str = "file") -> ScanReport:
    path = folder / name
    path.write_bytes(data)
    return (scanner or StaticScanner()).scan(path, digest_bytes(data))


def hostile(name: str, marker: Path) -> Case:
    """A file that must not pass: what takes long to make is made when it is asked for."""
    if name == "zip-bomb":
        return zip_bomb()
    if name in PICKLED:
        return Case(*estimators().pickled()[name])
    return hostile_files(marker)[name]


def benign(name: str) -> bytes:
    """A model that must pass."""
    return bytes(estimators().exported()[name]) if name in ESTIMATORS else MODELS[name]


def estimators() -> ModuleType:
    """Scikit-learn takes two seconds to import: only the process that tests with it does, not all that collect."""
    return import_module("tests.unit.estimators")


@pytest.mark.parametrize("name", [*hostile_files(NOWHERE), *PICKLED, "zip-bomb"])
def test_hostile_file_is_refused(name: str, tmp_path: Path) -> None:
    """No hostile file passes: each gets its verdict, with a reason that says why, and its payload does not run."""
    marker = tmp_path / "marker"
    case = hostile(name, marker)
    finding = inspect(case.data)
    assert finding.verdict == case.verdict
    assert case.words in " ".join(finding.reasons)
    assert not marker.exists()


@pytest.mark.parametrize("name", SCANNED)
def test_scanner_refuses(name: str, tmp_path: Path) -> None:
    """What the inspection finds is what the scanner reports from its child process, where nothing runs either."""
    marker = tmp_path / "marker"
    case = hostile(name, marker)
    report = scan(tmp_path, case.data)
    finding = inspect(case.data)
    assert (report.format, report.verdict, report.reasons) == finding
    assert (report.verdict, report.scanned_bytes) == (case.verdict, len(case.data))
    assert not marker.exists()


@pytest.mark.parametrize("name", live_pickles(NOWHERE))
def test_payload_is_live(name: str, tmp_path: Path) -> None:
    """The payloads are real: loading one of these pickles makes the marker that scanning it does not make."""
    marker = tmp_path / "marker"
    data = live_pickles(marker)[name]
    try:
        pickle.loads(data)
    except EOFError:
        assert name == "no-end"
    assert marker.is_dir()


@pytest.mark.parametrize("name", [*MODELS, *ESTIMATORS])
def test_benign_model_is_clean(name: str, tmp_path: Path) -> None:
    """An ONNX model of standard operators is clean."""
    model = benign(name)
    assert scan(tmp_path, model) == ScanReport(
        format="onnx",
        verdict="clean",
        scanned_bytes=len(model),
        artifact=digest_bytes(model),
    )


def test_reason_gives_the_place(tmp_path: Path) -> None:
    """The reason names what would be imported and the byte at which it stands."""
    data = pickle.dumps([1, 2, Payload(NOWHERE)], 2)
    (reason, remedy) = scan(tmp_path, data).reasons
    assert "'posix.mkdir'" in reason
    assert f"byte {data.index(b'cposix')}." in reason
    assert "export it to ONNX" in remedy


@pytest.mark.parametrize("name", ["model.pkl", "-c", "a b;c"])
def test_name_does_not_matter(name: str, tmp_path: Path) -> None:
    """The verdict follows the content, whatever the file is called."""
    assert scan(tmp_path, linear(), name=name).verdict == "clean"


def test_slow_inspection_is_a_timeout(tmp_path: Path) -> None:
    """An inspection that does not end in its time gives the verdict timeout."""
    report = scan(tmp_path, linear(), StaticScanner(timeout_seconds=0.001))
    assert report.verdict == "timeout"
    assert "within 0.001 seconds" in report.reasons[0]


def test_cpu_is_bounded(tmp_path: Path) -> None:
    """An inspection that computes for too long is ended, although it would go on."""
    slow = b"\x80\x04" + b"N0" * 8_000_000 + b"N."
    report = scan(tmp_path, slow, StaticScanner(timeout_seconds=1))
    assert report.verdict == "timeout"


def test_memory_is_bounded(tmp_path: Path) -> None:
    """An inspection that needs more memory than it may have gives the verdict error."""
    report = scan(tmp_path, bytes(64 << 20), StaticScanner(memory_bytes=64 << 20))
    assert report.verdict == "error"
    assert "ended abnormally" in report.reasons[0]


def test_large_file_is_unknown(tmp_path: Path) -> None:
    """A file over the limit is not looked at."""
    report = scan(tmp_path, linear(), StaticScanner(largest_bytes=100))
    assert report.verdict == "unknown"
    assert "larger than the 100 bytes" in report.reasons[0]


def test_other_bytes_are_refused(tmp_path: Path) -> None:
    """A clean file does not pass for another file's digest."""
    path = tmp_path / "file"
    path.write_bytes(linear())
    report = StaticScanner().scan(path, digest_bytes(b"another"))
    assert report.verdict == "error"
    assert digest_bytes(linear()) in report.reasons[0]


@pytest.mark.parametrize("name", ["missing", "."])
def test_unreadable_is_an_error(name: str, tmp_path: Path) -> None:
    """A missing file and a folder give the verdict error."""
    assert StaticScanner().scan(tmp_path / name, digest_bytes(b"")).verdict == "error"


@settings(deadline=None, max_examples=80)
@given(tail=st.binary(min_size=1, max_size=40))
def test_nothing_can_follow_a_model(tail: bytes) -> None:
    """A clean model with any bytes behind it is not clean."""
    assert inspect(linear() + tail).verdict != "clean"


@settings(deadline=None, max_examples=80)
@given(
    place=st.integers(0, len(MODELS["branching"]) - 1),
    byte=st.integers(0, 255),
    name=st.sampled_from(["branching", "forest", "pipeline"]),
)
def test_damage_is_judged(place: int, byte: int, name: str) -> None:
    """A damaged model gets a verdict; the inspection itself does not fail."""
    data = bytearray(benign(name))
    data[place] = byte
    assert inspect(bytes(data)).verdict in ("clean", "malicious", "unknown", "error")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.frozensets(st.integers()),
    max_leaves=10,
)


@settings(deadline=None, max_examples=80)
@given(value=JSON, protocol=st.integers(0, 5))
def test_pickled_data_is_unknown(value: object, protocol: int) -> None:
    """A pickle of mere data is told from a dangerous one, and passes no more than that one."""
    finding = inspect(pickle.dumps(value, protocol))
    assert (finding.format, finding.verdict) == ("pickle", "unknown")
    assert "export to ONNX" in finding.reasons[0]


@settings(deadline=None, max_examples=80)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_judged(data: bytes) -> None:
    """Bytes of any kind get a verdict, and random ones are never clean."""
    assert inspect(data).verdict in ("malicious", "unknown", "error")


def test_a_model_that_could_run_for_ever_is_not_clean(tmp_path: Path) -> None:
    """A loop cannot be interrupted once it runs in a server, so it is refused with the way out."""
    report = scan(tmp_path, endless())
    assert report.verdict == "unknown"
    assert "can run for ever" in report.reasons[0]
