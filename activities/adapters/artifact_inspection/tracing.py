"""What an inspection of pickles notes on its way: what loading must not do, where, and how bad that is."""

import sys
from _compat_pickle import IMPORT_MAPPING, NAME_MAPPING
from typing import NamedTuple

from activities.adapters.artifact_inspection.allowed_names import Name, allowed
from activities.adapters.artifact_inspection.findings import shown

_SAME_NAMES = 3
"""From this protocol on, no name of Python 2 is translated."""

_NOTED_AT_MOST = 100


class Note(NamedTuple):
    """One thing that loading must not do; `code` if it can run some."""

    offset: int
    reason: str
    code: bool


class Notes:
    """What was noted, the first of each kind; `where` ends each place, as in ` of x.pkl`."""

    def __init__(self, where: str = "") -> None:
        self.where = where
        self.found: dict[str, Note] = {}
        self.count = 0

    def add(self, offset: int, what: str, code: bool = False) -> None:
        """Note what the rest of a sentence after "Loading this file" says."""
        self.count += 1
        if what not in self.found and len(self.found) < _NOTED_AT_MOST:
            reason = f"Loading this file {what}: see byte {offset}{self.where}."
            self.found[what] = Note(offset, reason, code)

    def name(self, offset: int, module: str, name: str, protocol: int = 4) -> Name | None:
        """The entry of a name that loading would look up; None, with a note, if it is not on the list."""
        if protocol < _SAME_NAMES:
            module, name = NAME_MAPPING.get((module, name), (IMPORT_MAPPING.get(module, module), name))
        if found := allowed(module, name):
            return found
        spelled, code = f"'{shown(f'{module}.{name}')}'", runs_code(module, name)
        why = "which can run code" if code else "which is not on the list of names that only rebuild data"
        self.add(offset, f"would import {spelled}, {why}", code)
        return None


_LIBRARIES = {"cffi", "dill", "cloudpickle", "pip", "setuptools", "pkg_resources", "IPython", "pytest", "_pytest"}


def runs_code(module: str, name: str) -> bool:
    """Whether a name that is not on the list is one of Python's own, or reaches through another by dots."""
    top = module.partition(".")[0]
    return top in sys.stdlib_module_names or top in _LIBRARIES | {"__builtin__", "builtins"} or "." in name or not top
