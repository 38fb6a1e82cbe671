"""One mutant, in a process of its own: the module is changed as it is imported, and then everything is proved again."""

import importlib.util
import multiprocessing
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder, SourceLoader
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

from tests.unit.mutants import Mutant

PROJECT = Path(__file__).parents[2]
PROCESSES = 2
WITHIN = 400.0
"""How long all mutants together may take, in seconds: one that ends its process, or never ends, is told by it."""
_UNCHANGED = ("hypothesis.strategies", "pydantic", "pytest", "sqlmodel", "yaml")
"""What mutants import and do not change: imported once, before they are forked."""


class _Loader(SourceLoader):
    def __init__(self, file: Path, mutant: Mutant) -> None:
        self._file = file
        self._mutant = mutant

    def get_filename(self, fullname: str) -> str:
        return str(self._file)

    def get_data(self, path: str) -> bytes:
        text = self._file.read_text()
        if self._mutant.old not in text:
            raise AssertionError(f"{self._file.name} has nothing like {self._mutant.old!r} any more")
        return text.replace(self._mutant.old, self._mutant.new, 1).encode()

    def path_stats(self, path: str) -> dict[str, float]:
        raise OSError("a mutant is not cached")


class _Finder(MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != f"models.{self._mutant.file}":
            return None
        file = PROJECT / "models" / f"{self._mutant.file.replace('.', '/')}.py"
        return importlib.util.spec_from_loader(fullname, _Loader(file, self._mutant), origin=str(file))


def survey(mutants: Sequence[Mutant], judge: str) -> list[str]:
    """How each is noticed by `judge`; called in a process that has imported no model."""
    for name in _UNCHANGED:
        importlib.import_module(name)
    with multiprocessing.get_context("fork").Pool(PROCESSES, maxtasksperchild=1) as pool:
        return pool.starmap_async(noticed, [(one, judge) for one in mutants], chunksize=1).get(WITHIN)


def noticed(mutant: Mutant, judge: str) -> str:
    """How a mutant is noticed by `judge` (a function `module:name` that returns what is wrong); empty if it is not."""
    if any(name == "models" or name.startswith("models.") for name in sys.modules):
        raise AssertionError("the models are imported already: a mutant needs a fresh process")
    sys.meta_path.insert(0, _Finder(mutant))
    module, _, name = judge.partition(":")
    try:
        said = getattr(importlib.import_module(module), name)()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return str(said)
