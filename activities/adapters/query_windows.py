"""Windows of production data that are asked of a database, one for each period."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pcsv

from activities.adapters.file_digests import FileDigests
from activities.adapters.sql_select import demand_one_statement, open_engine
from activities.adapters.window_parts import ArrowPart, query_parts
from activities.window_ports import KEPT_WINDOWS, Beat, Brought, Window
from models.canonical import Digest, Slug, digest, digest_bytes
from models.errors import UnmeasuredError
from models.evidence import WindowSource
from models.metrics import Period, Query
from models.statistics.figures import Unmeasured

_NEVER = datetime.min.replace(tzinfo=UTC)


class QueryWindows:
    """Fits `Arrivals`: asks once for each period, and keeps the answer as a CSV file of its owner's alone.

    So what is counted is what is digested, however often it is measured; the source is asked no second time.
    """

    def __init__(
        self, model: Slug, query: Query, secret: Callable[[], str], within: int, kept: Path, beat: Beat
    ) -> None:
        """`secret` reads the URL each time that it is used; `within` are seconds; `kept` is the model's own folder."""
        self._model = model
        self._query = query
        self._secret = secret
        self._within = within
        self._folder = kept
        self._beat = beat
        self._digests = FileDigests(kept / "digests.json")

    def newest(self, period: Period) -> Window:
        """The window of the period, whatever is in it."""
        source = WindowSource(
            kind="sql",
            place=self._model,
            query=digest_bytes(self._query.encode()),
            since=period.since,
            until=period.until,
        )
        return Window(digest(source), period.until, source)

    @contextmanager
    def opened(self, window: Window) -> Iterator[Brought]:
        """The answer, asked for unless it is here; InvalidInputError, UnmeasuredError."""
        path = self._path(window.name)
        if not path.exists():
            self._fetch(window, path)
        yield Brought(path, window.source.model_copy(update={"content": self._digests.of(path)}))

    def kept(self, name: Digest) -> Window | None:
        """A window whose answer is still here."""
        source = self._source(self._path(name))
        return Window(name, source.until or _NEVER, source) if source else None

    def here(self) -> Iterator[Window]:
        """Those whose answers are here, that of the newest period first."""
        found = [window for path in self._answers() if (window := self.kept(f"sha256:{path.stem}"))]
        return iter(sorted(found, key=lambda window: window.arrived, reverse=True))

    def _fetch(self, window: Window, path: Path) -> None:
        what, source = f"the windows of '{self._model}'", window.source
        demand_one_statement(self._query, f"the query of {what}")
        engine = open_engine(self._secret, f"the source of {what}", self._within)
        given = {"model": self._model, "since": source.since, "until": source.until}
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}.part")
        try:
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                rows = 0
                for part in query_parts(engine, self._query, given, within=self._within):
                    pcsv.write_csv(_table(part), file, pcsv.WriteOptions(include_header=not rows))
                    rows += part.rows
                    self._beat(f"{rows} rows have arrived")
            path.with_suffix(".json").write_text(source.model_dump_json())
            beside.replace(path)
        finally:
            engine.dispose()
            beside.unlink(missing_ok=True)
        self._forget()

    def _forget(self) -> None:
        """The answers that were asked for longest ago."""
        for path in sorted(self._answers(), key=lambda path: path.stat().st_mtime_ns)[:-KEPT_WINDOWS]:
            path.unlink(missing_ok=True)
            path.with_suffix(".json").unlink(missing_ok=True)

    def _answers(self) -> list[Path]:
        return list(self._folder.glob("*.csv"))

    def _path(self, name: Digest) -> Path:
        return self._folder / f"{name.removeprefix('sha256:')}.csv"

    def _source(self, path: Path) -> WindowSource | None:
        try:
            return WindowSource.model_validate_json(path.with_suffix(".json").read_bytes()) if path.exists() else None
        except (OSError, ValueError):
            return None


def _table(part: ArrowPart) -> pa.Table:
    """As it is written down; UnmeasuredError if a column has no text."""
    columns = {
        name: array.cast(pa.int8()) if pa.types.is_boolean(array.type) else array
        for name, array in part.columns.items()
    }
    for name, array in columns.items():
        if pa.types.is_nested(array.type) or pa.types.is_binary(array.type):
            state, found = Unmeasured.OTHER_TYPE, f"it is of type {array.type}"
            raise UnmeasuredError(state, f"column '{name}' of {part.where}: {state.sentence} ({found})")
    return pa.table(columns)
