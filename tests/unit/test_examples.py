"""The small scripts of the README, used wrongly."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.signers import PASSPHRASE, fill
from tests.unit.test_cli_process import ROOT, nobody_listens


def run(wallet: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A script, where no server answers."""
    fill(wallet, "rosa")
    return subprocess.run(
        [sys.executable, "-m", f"examples.{script}", *arguments],
        cwd=ROOT,
        env={
            **os.environ,
            "MODELOPS_TEMPORAL_ADDRESS": nobody_listens(),
            "MODELOPS_WALLET": str(wallet),
            "MODELOPS_PASSPHRASE": PASSPHRASE,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("script", "arguments", "said"),
    [
        ("start_lifecycle", (), "usage: python -m examples.start_lifecycle FACTS.yaml TEMPLATE"),
        ("start_lifecycle", ("none.yaml", "low-risk"), "none.yaml cannot be read: No such file or directory"),
        ("approve", ("loans",), "usage: python -m examples.approve MODEL PERSON REASON"),
        ("approve", ("loans", "dmitri", "Sound."), "there is no private key of dmitri here"),
        ("approve", ("loans", "rosa", "Sound."), "no Temporal server answers"),
    ],
)
def test_wrong_arguments(tmp_path: Path, script: str, arguments: tuple[str, ...], said: str) -> None:
    """What is wrong is said in a line or two, without a traceback, and the exit status is 1."""
    found = run(tmp_path, script, *arguments)
    assert found.returncode == 1
    assert said in found.stderr
    assert len(found.stderr.splitlines()) <= 2
