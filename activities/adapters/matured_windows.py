"""Windows whose outcomes arrive later than they do: each is joined, row by row, with what is known of its cases."""

import hashlib
import json
import math
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from activities.adapters.csv_outcomes import UNIT, outcome_files, read_outcomes
from activities.adapters.file_digests import stamp_of
from activities.adapters.labelled_windows import write_labelled
from activities.adapters.sqlite_cases import SqliteCases, writing
from activities.adapters.window_parts import columns_of, is_parquet, parts_of
from activities.window_ports import KEPT_WINDOWS, Beat, Brought, Given, Known, Origin, Window
from models.canonical import Digest, digest, digest_bytes
from models.errors import MissingColumnError
from models.inventory import DataContract
from models.metrics import Period

_TRAINED = 5
"""So many windows with their outcomes are kept for trainers: a run may still read one."""


class MaturedWindows:
    """Fits `Arrivals`: outcomes are CSV files of a folder, as for trials; a window tells its cases by a column `unit`.

    What was learned and joined is kept, so that a look after which nothing has changed reads nothing again.
    """

    def __init__(self, origin: Origin, outcomes: Path, kept: Path, beat: Beat) -> None:
        """`kept` is a folder of the model's own."""
        self._origin = origin
        self._outcomes = outcomes
        self._kept = kept
        self._beat = beat

    def newest(self, period: Period) -> Window | None:
        """See `Origin`."""
        return self._origin.newest(period)

    def kept(self, name: Digest) -> Window | None:
        """See `Origin`."""
        return self._origin.kept(name)

    def for_training(self, contract: DataContract) -> Given | None:
        """See `Arrivals`; what was joined for training is kept as long as the last few times."""
        newest: Given | None = None
        for window in islice(self._origin.here(), KEPT_WINDOWS):
            with self.opened(window, contract) as brought:
                if brought.known:
                    path = self._labelled(window, brought.path, brought.known, contract)
                    return Given(path, window.name, brought.known.digest)
                if contract.label in columns_of(brought.path):
                    return Given(brought.path, window.name)
            newest = newest or Given(brought.path, window.name)
        return newest

    def _labelled(self, window: Window, path: Path, known: Known, contract: DataContract) -> Path:
        folder, name = self._kept / "training", digest_bytes(f"{window.name} {known.digest}".encode())
        target = folder / f"{name.removeprefix('sha256:')}{'.parquet' if is_parquet(path) else '.csv'}"
        if not target.exists():
            write_labelled(path, known.path, contract, target, self._beat)
            _forget_oldest(folder.glob("*.*"), _TRAINED)
        return target

    @contextmanager
    def opened(self, window: Window, contract: DataContract) -> Iterator[Brought]:
        """With what became of its cases; InvalidInputError, UnavailableError."""
        with self._origin.opened(window) as brought:
            yield brought._replace(known=self._known(window, brought.path, contract))

    def _known(self, window: Window, path: Path, contract: DataContract) -> Known | None:
        files = {f"{digest(contract)} {json.dumps(stamp_of(file))}": file for file in outcome_files(self._outcomes)}
        if not files:
            return None
        state = digest_bytes(json.dumps([*files, stamp_of(path)]).encode())
        beside = self._kept / f"{window.name.removeprefix('sha256:')}.known"
        with writing(self._kept / "outcomes.db", digest(contract)) as cases:
            if cases.remembered(f"state of {window.name}") != state:
                for stamp in list(files)[cases.learned(list(files)) :]:
                    cases.learn(stamp, read_outcomes(files[stamp], contract))
                found = self._join(path, contract, cases, beside)
                cases.remember(f"digest of {window.name}", found or "")
                cases.remember(f"state of {window.name}", state)
                self._forget()
            known = cases.remembered(f"digest of {window.name}")
            if known and not beside.exists():
                self._join(path, contract, cases, beside)
        return Known(beside, known) if known else None

    def _join(self, path: Path, contract: DataContract, cases: SqliteCases, beside: Path) -> Digest | None:
        """Write down what is known of each row; the digest of that, None if nothing is known of any."""
        columns, seen, rows, known = [one.column for one in contract.protected], hashlib.sha256(), 0, 0
        schema = pa.schema([(contract.label, pa.float64()), *((name, pa.string()) for name in columns)])
        part_file = beside.with_suffix(f".{os.getpid()}.part")
        try:
            with pq.ParquetWriter(part_file, schema) as writer:
                for part in parts_of(path, [UNIT]):
                    found = cases.outcomes(part.texts(UNIT))
                    labels = [math.nan if one.label is None else one.label for one in found]
                    groups = {name: [one.groups.get(name, "") for one in found] for name in columns}
                    seen.update(json.dumps([labels, groups]).encode())
                    writer.write_table(pa.table({contract.label: labels, **groups}, schema))
                    rows, known = rows + part.rows, known + sum(not math.isnan(label) for label in labels)
                    self._beat(f"the outcomes of {rows} rows are joined")
            part_file.replace(beside)
        except MissingColumnError:
            return None
        finally:
            part_file.unlink(missing_ok=True)
        return f"sha256:{seen.hexdigest()}" if known else None

    def _forget(self) -> None:
        """What was joined with windows that were looked at longest ago."""
        _forget_oldest(self._kept.glob("*.known"), 2 * KEPT_WINDOWS)


def _forget_oldest(files: Iterable[Path], kept: int) -> None:
    for path in sorted(files, key=lambda path: path.stat().st_mtime_ns)[:-kept]:
        path.unlink(missing_ok=True)
