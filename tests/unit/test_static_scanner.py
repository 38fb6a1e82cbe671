"""The artifact gate looks and never loads."""

import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.adapters.artifact_inspection.recognition import inspect
from activities.adapters.static_scanner import StaticScanner
from models.canonical import digest_bytes
from models.evidence import ScanReport
from tests.unit.corpus.cases import Payload, rows
from tests.unit.corpus.onnx_models import endless, linear, plain_models
from tests.unit.corpus.pickles import live_pickles

NOWHERE = Path("never-made")
BRANCHING = plain_models()["branching"]


@pytest.fixture(scope="module")
def models() -> dict[str, bytes]:
    """Sound ONNX models, by name; the libraries that write them take seconds to import."""
    from tests.unit.corpus.benign import benign_models

    return benign_models()


@pytest.fixture(scope="module")
def estimator() -> bytes:
    """A pickled estimator, of a library that takes a second to import."""
    from sklearn.linear_model import LinearRegression

    return pickle.dumps(LinearRegression().fit(*rows()))


def scan(folder: Path, data: bytes, scanner: StaticScanner | None = None, name: str = "file") -> ScanReport:
    path = folder / name
    path.write_bytes(data)
    return (scanner or StaticScanner()).scan(path, digest_bytes(data))


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


def test_a_model_is_clean(tmp_path: Path) -> None:
    """An ONNX model of standard operators is clean, whatever its file is called."""
    data = linear()
    assert scan(tmp_path, data, name="-c") == ScanReport(
        format="onnx", verdict="clean", scanned_bytes=len(data), artifact=digest_bytes(data)
    )


def test_reason_gives_the_place(tmp_path: Path) -> None:
    """The reason names what would be imported and the byte at which it stands."""
    data = pickle.dumps([1, 2, Payload(NOWHERE)], 2)
    (reason, remedy) = scan(tmp_path, data).reasons
    assert "'posix.mkdir'" in reason
    assert f"byte {data.index(b'cposix')}." in reason
    assert "export it to ONNX" in remedy


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
    place=st.integers(0, len(BRANCHING) - 1),
    byte=st.integers(0, 255),
    name=st.sampled_from(["branching", "forest", "pipeline"]),
)
def test_damage_is_judged(models: dict[str, bytes], place: int, byte: int, name: str) -> None:
    """A damaged model gets a verdict; the inspection itself does not fail."""
    data = bytearray(models[name])
    data[place] = byte
    assert inspect(bytes(data)).verdict in ("clean", "malicious", "unknown", "error")


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.frozensets(st.integers()),
    max_leaves=10,
)


@settings(deadline=None, max_examples=80)
@given(value=PLAIN, protocol=st.integers(0, 5))
def test_pickled_data_are_clean(value: object, protocol: int) -> None:
    """A pickle of mere data is clean by every protocol."""
    assert inspect(pickle.dumps(value, protocol)) == ("pickle", "clean", ())


@settings(deadline=None, max_examples=80)
@given(value=PLAIN, protocol=st.integers(0, 5))
def test_pickled_data_with_a_payload_are_malicious(value: object, protocol: int) -> None:
    """Whatever stands around a payload does not hide it."""
    finding = inspect(pickle.dumps([value, Payload(NOWHERE), value], protocol))
    assert finding.verdict == "malicious"
    assert "'posix.mkdir'" in finding.reasons[0]


@settings(deadline=None, max_examples=200)
@given(place=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_a_changed_pickle_is_judged(estimator: bytes, place: int, byte: int) -> None:
    """A pickle in which a byte is another gets a verdict; the inspection itself does not fail."""
    data = bytearray(estimator)
    data[place % len(data)] = byte
    assert inspect(bytes(data)).verdict in ("clean", "malicious", "unknown", "error")


@settings(deadline=None, max_examples=80)
@given(data=st.binary(max_size=200))
def test_any_bytes_are_judged(data: bytes) -> None:
    """Bytes of any kind get a verdict, and random ones are clean only if they are a pickle of data."""
    finding = inspect(data)
    assert finding.verdict in ("malicious", "unknown", "error") or finding.format == "pickle"


def test_a_model_that_could_run_for_ever_is_not_clean(tmp_path: Path) -> None:
    """A loop cannot be interrupted once it runs in a server, so it is refused with the way out."""
    report = scan(tmp_path, endless())
    assert report.verdict == "unknown"
    assert "can run for ever" in report.reasons[0]
