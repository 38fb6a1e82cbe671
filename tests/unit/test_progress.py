"""Long work in an activity: it tells how far it is, ends when nobody waits, and is a failure when it takes too long."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.exceptions import CancelledError
from temporalio.testing import ActivityEnvironment

from models.errors import UnmeasuredError
from models.statistics.figures import Unmeasured
from worker.progress import go_on


@pytest.fixture
def environment() -> ActivityEnvironment:
    """An attempt that has just begun and may take ten minutes."""
    found = ActivityEnvironment()
    found.info = dataclasses.replace(
        found.info, started_time=datetime.now(UTC), start_to_close_timeout=timedelta(minutes=10)
    )
    return found


def test_it_tells_how_far_it_is(environment: ActivityEnvironment) -> None:
    """Whatever it is given is what the Web UI shows; outside an activity nobody is told."""
    heard: list[object] = []
    environment.on_heartbeat = heard.append
    environment.run(go_on, "7 rows are counted")
    assert heard == ["7 rows are counted"]
    go_on("nobody listens")


def test_nobody_waits_any_more(environment: ActivityEnvironment) -> None:
    """Cancelled, it ends at the next part."""

    def work() -> None:
        go_on("1 part")
        environment.cancel()
        go_on("2 parts")

    with pytest.raises(CancelledError):
        environment.run(work)


@pytest.mark.parametrize(("minutes", "ends"), [(8.9, False), (9.1, True)])
def test_what_takes_too_long_is_told(environment: ActivityEnvironment, minutes: float, ends: bool) -> None:
    """Before the server gives the attempt up and begins anew."""
    began = datetime.now(UTC) - timedelta(minutes=minutes)
    environment.info = dataclasses.replace(environment.info, started_time=began)
    if not ends:
        environment.run(go_on, "5 rows")
        return
    with pytest.raises(UnmeasuredError, match="5 rows within 9 minutes") as late:
        environment.run(go_on, "5 rows")
    assert late.value.state is Unmeasured.SOURCE_SLOW
