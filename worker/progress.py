"""What long work in a thread of an activity tells, and hears, while it goes on."""

from datetime import UTC, datetime

from temporalio import activity
from temporalio.exceptions import CancelledError

from models.errors import UnmeasuredError
from models.statistics.figures import Unmeasured

_PART = 0.9
"""Of the time that an attempt may take: what takes longer is told, instead of being begun anew for ever."""


def go_on(progress: object) -> None:
    """Tell how far it is; CancelledError if nobody waits for it any more, UnmeasuredError if it takes too long."""
    if not activity.in_activity():
        return
    info, state = activity.info(), Unmeasured.SOURCE_SLOW
    activity.heartbeat(progress)
    if activity.is_cancelled():
        raise CancelledError("nobody waits for it any more")
    if info.start_to_close_timeout and datetime.now(UTC) - info.started_time > _PART * info.start_to_close_timeout:
        minutes = (_PART * info.start_to_close_timeout).total_seconds() / 60
        remedy = "keep smaller windows, or in Parquet"
        raise UnmeasuredError(state, f"{state.sentence}: {progress} within {minutes:.0f} minutes", remedy)
