"""Where windows of production data come from, in our words."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Protocol

from models.canonical import Digest, Slug
from models.evidence import WindowSource
from models.inventory import DataContract
from models.metrics import Period

KEPT_WINDOWS = 30
"""So many windows of a model are kept at hand, and looked at again when outcomes arrive: a month of daily ones."""

Beat = Callable[[object], object]
"""Told how far something has come, now and then; whatever it raises ends that."""


def unheard(progress: object) -> None:
    """What is told when nobody listens."""


class Window(NamedTuple):
    """A window of data by its name, when it came or its period ended (UTC), and what it is taken from.

    Of a file, the name is the digest of its bytes; of a query, that of the question and its period.
    """

    name: Digest
    arrived: datetime
    source: WindowSource


class Known(NamedTuple):
    """What became of the cases of a window by now, row by row in a Parquet file, and the digest of all of it."""

    path: Path
    digest: Digest


class Brought(NamedTuple):
    """A window's data as a file, CSV or Parquet, and what they were taken from, with the digest of the bytes.

    `known` is what became of its cases, if anything was told of any beside the window.
    """

    path: Path
    source: WindowSource
    known: Known | None = None


class Given(NamedTuple):
    """What a trainer gets of a window: a file that stays, and of which window and with what outcomes it was made."""

    path: Path
    window: Digest
    outcomes: Digest | None = None


class Origin(Protocol):
    """Where the windows of one model come from."""

    def newest(self, period: Period) -> Window | None:
        """The window that arrived last, or that of the period; None if nothing has arrived."""

    def opened(self, window: Window) -> AbstractContextManager[Brought]:
        """Its data, while they are read; UnmeasuredError, also at the end, if they have changed meanwhile."""

    def kept(self, name: Digest) -> Window | None:
        """A window that was there before; None if its data are not here any more."""

    def here(self) -> Iterator[Window]:
        """The windows whose data are here, the newest first."""


class Arrivals(Protocol):
    """The windows of one model, each with what became of its cases."""

    def newest(self, period: Period) -> Window | None:
        """See `Origin`."""

    def opened(self, window: Window, contract: DataContract) -> AbstractContextManager[Brought]:
        """See `Origin`; InvalidInputError also if outcomes do not fit the contract."""

    def kept(self, name: Digest) -> Window | None:
        """See `Origin`."""

    def for_training(self, contract: DataContract) -> Given | None:
        """The newest window that is here of which labels are known, its own or by outcomes: those rows, with them.

        Where none is known of any, the newest as it is; None if none is here. InvalidInputError if one cannot be read.
        """


class Windows(Protocol):
    """The windows of every model."""

    def of(self, model: Slug) -> Arrivals:
        """The windows of one."""
