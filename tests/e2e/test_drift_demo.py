"""`make demo-drift`, as a newcomer runs it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_demo_of_drift_tells_the_truth() -> None:
    """It ends well only if each claim holds: one retraining, an election, a quiet control. A report is there."""
    done = subprocess.run(
        [sys.executable, "-m", "examples.drift_demo", "--exit"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=840,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.index("PSI alone would have missed it") < done.stdout.index("elected: version 2 takes over")
    assert "no failure, no breach, no alarm; version 1 still serves" in done.stdout
    report = re.search(r"The report: (.+)", done.stdout)
    assert report
    assert "flight-delay" in Path(report[1]).read_text(encoding="utf-8")
