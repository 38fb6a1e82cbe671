"""How long a step is tried before a person is asked."""

from datetime import timedelta
from itertools import repeat

from workflows.options import STEP_RETRIES


def test_a_step_outlasts_the_failover_of_a_database() -> None:
    """What may pass by itself is tried for about five minutes before the step is stuck."""
    patience, pause = timedelta(), STEP_RETRIES.initial_interval
    assert STEP_RETRIES.maximum_interval is not None
    for _ in repeat(None, STEP_RETRIES.maximum_attempts - 1):
        patience += pause
        pause = min(pause * STEP_RETRIES.backoff_coefficient, STEP_RETRIES.maximum_interval)
    assert timedelta(minutes=4.5) < patience < timedelta(minutes=6)
