"""What a bundle costs: to pack and sign one, and to verify one, beside hashing the same bytes."""

import hashlib
import os
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from activities.adapters.file_artifact_store import FileArtifactStore
from activities.adapters.oci_bundles import verified
from models.canonical import digest_bytes
from models.formats import Format
from models.inventory import Column, DataContract, Reference, Source, Submission
from tests.bench.race import best
from tests.bench.table import show
from tests.packing import FACTS, packager_in, signer_in

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

MEGABYTES, ROUNDS = 64, 5
TIMES_TO_VERIFY, TIMES_TO_BUILD = 2.0, 8.0


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def test_a_bundle_of_a_large_model(tmp_path: Path) -> None:
    """Verifying costs little more than hashing once; building brings the bytes in, and hashes what it has brought."""
    data = os.urandom(MEGABYTES << 20)

    def pinned(name: str, content: bytes) -> Reference:
        (tmp_path / name).write_bytes(content)
        return Reference(uri=(tmp_path / name).as_uri(), digest=digest_bytes(content))

    rows = pinned("rows.csv", b"income,good\n1,1\n2,0\n")
    submission = Submission(
        artifact=pinned("model", data),
        format=Format.SAFETENSORS,
        source=Source(repository="https://git.example/loans", commit="a" * 40),
        training_data=(rows,),
        holdout=rows,
        dependencies=pinned("lock", b"numpy==2.4.6\n"),
        contract=DataContract(inputs=(Column(name="income"),), outputs=(Column(name="score"),), label="good"),
        developer="dana",
        submitter="sam",
    )
    plain = [_seconds(lambda: hashlib.sha256(data).digest()) for _ in range(ROUNDS)]
    stores = [FileArtifactStore(tmp_path / f"store-{number}", [tmp_path]) for number in range(ROUNDS)]
    packers = [partial(packager_in(tmp_path, store).package, FACTS, 1, submission, {}) for store in stores]
    build = list(map(_seconds, packers))
    bundle, key = packager_in(tmp_path, stores[0]).package(FACTS, 1, submission, {}), signer_in(tmp_path)
    verify = [_seconds(lambda: verified(stores[0], bundle, [key])) for _ in range(ROUNDS)]
    show(
        f"bundle of {MEGABYTES} MB",
        ("MB/s", "times"),
        [
            (name, (f"{MEGABYTES / min(spent):,.0f}", f"{best(spent, plain):.2f}"))
            for name, spent in (("SHA-256 alone", plain), ("verify", verify), ("pack and sign", build))
        ],
    )
    assert best(verify, plain) <= TIMES_TO_VERIFY
    assert best(build, plain) <= TIMES_TO_BUILD
