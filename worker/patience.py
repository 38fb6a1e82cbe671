"""How long a program may take to get ready: longer than usual only while it is at work."""

import os
from pathlib import Path
from typing import NamedTuple

_AT_WORK = 0.01
"""Of a processor: a program that starts has so much on the busiest machine, one that hangs uses less."""


class Work(NamedTuple):
    """What a program has done since it began: seconds of processor time, and bytes that it has logged."""

    seconds: float
    said: int


class Patience:
    """Ends after `within` seconds in which a program neither worked nor said anything, after `at_most` in any case.

    Every `now` is of one clock that never goes back, in seconds.
    """

    def __init__(self, now: float, within: float, at_most: float) -> None:
        self._within = within
        self._at_most = at_most
        self._begun = self._looked = now
        self._seen = Work(0, 0)

    def is_due(self, now: float) -> bool:
        """Whether it is time to look whether the program is at work."""
        return now >= self._looked + self._within

    def is_over(self, now: float, work: Work) -> bool:
        """Whether to give up, by what the program has done until now."""
        worked = work.seconds - self._seen.seconds >= _AT_WORK * (now - self._looked)
        at_work = worked or work.said > self._seen.said
        self._looked, self._seen = now, work
        return not at_work or now >= self._begun + self._at_most

    def waited(self, now: float) -> float:
        """Seconds since it began."""
        return now - self._begun


def processor_time(pid: int) -> float:
    """Seconds that all threads of a process have had (proc(5), utime and stime); 0 if that is not to be known."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
