"""How a version answers is counted of what it answered, and read in two figures."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.evidence import QUANTITIES
from models.metrics import Period
from models.service import SERVED, ServiceReport, read_service, report_service
from models.traffic import Answer

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = Period(NOON, NOON + timedelta(hours=1))
ANSWERS = st.lists(
    st.builds(
        Answer,
        at=st.integers(-1, 61).map(lambda minute: NOON + timedelta(minutes=minute)),
        unit=st.just("a"),
        version=st.sampled_from([1, 2]),
        microseconds=st.integers(0, 999),
        mirrored=st.booleans(),
        error=st.sampled_from(["", "", "boom"]),
    ),
    max_size=60,
)


@given(ANSWERS)
def test_every_reading_is_of_the_version_in_the_period(answers: list[Answer]) -> None:
    """Errors of all its requests, the 95th percentile of what it answered; copies are nobody's request."""
    ours = [one for one in answers if one.version == 1 and HOUR.since <= one.at < HOUR.until and not one.mirrored]
    times = [one.microseconds for one in ours if not one.error]
    taken = read_service(report_service(answers, 1, HOUR))
    found = {one.name: one for one in taken.readings}
    assert found.keys() | taken.unmeasured.keys() == SERVED
    assert not found.keys() & taken.unmeasured.keys()
    if ours:
        rate = found["live_error_rate"]
        assert (rate.value, rate.count) == ((len(ours) - len(times)) / len(ours), len(ours))
    if times:
        late = found["live_latency"]
        assert late.value == pytest.approx(np.percentile(times, 95, method="inverted_cdf") / 1000)
        assert late.count == len(times)
    assert all(QUANTITIES[name].least <= one.value <= QUANTITIES[name].most for name, one in found.items())


def test_a_version_that_only_fails_has_no_latency() -> None:
    """Its errors are read; how long an answer takes cannot be told of none."""
    taken = read_service(ServiceReport(requests=3, failed=3))
    assert [(one.name, one.value) for one in taken.readings] == [("live_error_rate", 1.0)]
    assert taken.unmeasured == {"live_latency": "the version has answered nobody in the period"}
