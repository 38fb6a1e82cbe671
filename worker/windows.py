"""Where windows of production data come from, as configured."""

from functools import partial
from pathlib import Path
from typing import assert_never

from activities.adapters.file_digests import FileDigests
from activities.adapters.file_windows import FileWindows
from activities.adapters.matured_windows import MaturedWindows
from activities.adapters.query_windows import QueryWindows
from activities.window_ports import Arrivals, Beat, Origin, unheard
from models.canonical import Slug
from models.windows import Folder, Question, SaidWindows
from worker.said_windows import said_windows
from worker.settings import Settings, read_secret


class NamedWindows:
    """Fits `Windows`: a model's windows come from where the file says, or else as files into its own folder."""

    def __init__(self, said: SaidWindows, folders: Path, outcomes: Path, kept: Path, beat: Beat = unheard) -> None:
        """`folders` has one folder per model for those that come as files, `outcomes` has one per model for what
        becomes of their cases; `kept` is for what is remembered.
        """
        self._said = said.windows
        self._folders = folders
        self._outcomes = outcomes
        self._kept = kept
        self._beat = beat

    def of(self, model: Slug) -> Arrivals:
        """See `Windows`."""
        return MaturedWindows(self._origin(model), self._outcomes / model, self._kept / model, self._beat)

    def _origin(self, model: Slug) -> Origin:
        said = self._said.get(model)
        match said:
            case None:
                return self._files(model, self._folders / model)
            case Folder(folder=folder):
                return self._files(model, Path(folder))
            case Question(query=query, url=url, within=within):
                return QueryWindows(model, query, partial(read_secret, url), within, self._kept / model, self._beat)
            case _:
                assert_never(said)

    def _files(self, model: Slug, folder: Path) -> FileWindows:
        return FileWindows(folder, FileDigests(self._kept / model / "digests.json"))


def windows_of(settings: Settings, beat: Beat = unheard) -> NamedWindows:
    """From the file, or each model's own folder if there is none and none was named; InvalidInputError."""
    kept = settings.root / "observed" / "windows"
    return NamedWindows(said_windows(settings), settings.windows, settings.outcomes, kept, beat)
