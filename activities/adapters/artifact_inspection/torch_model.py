"""PyTorch's zip format: one pickle that names its storages by key, and the storages beside it as raw bytes."""

from collections.abc import Mapping

from activities.adapters.artifact_inspection.allowed_names import Name
from activities.adapters.artifact_inspection.data_types import whole
from activities.adapters.artifact_inspection.findings import Finding, shown
from activities.adapters.artifact_inspection.inert import Group, Made
from activities.adapters.artifact_inspection.pickle_file import inspect_pickle

PICKLE = "data.pkl"
_SIZES = {"Bool": 1, "Byte": 1, "Char": 1, "Short": 2, "Half": 2, "BFloat16": 2, "Int": 4, "Float": 4, "Long": 8}
_SIZES |= {"Double": 8, "ComplexFloat": 8, "ComplexDouble": 16}
_PLAIN = ("version", "byteorder", ".format_version", ".storage_alignment", ".data/serialization_id")
_SAVE = "Save the state with torch.save(model.state_dict(), path), or export to ONNX with torch.onnx."


def pickle_of(files: Mapping[str, bytes]) -> str | None:
    """The name of the archive's pickle, if it is one that torch.save wrote."""
    return next((name for name in files if name.endswith(f"/{PICKLE}") or name == PICKLE), None)


class _Storages:
    """What the pickle may name: the raw files below `data/`."""

    def __init__(self, files: Mapping[str, bytes], folder: str) -> None:
        self._files = files
        self._folder = folder
        self.named = set[str]()

    def find(self, identity: object) -> Made | None:
        """An inert storage, if the identity names a file that has as many bytes as it says."""
        items = identity.items if isinstance(identity, Group) else ()
        if len(items) != 5 or items[0] != "storage" or not isinstance(items[1], Name) or not isinstance(items[2], str):
            return None
        path, count = f"{self._folder}data/{items[2]}", whole(items[4])
        size = _SIZES.get(items[1].name.removesuffix("Storage")) if items[1].module == "torch" else None
        if count is None or size is None or len(self._files.get(path, b"")) != count * size:
            return None
        self.named.add(path)
        return Made(None)


def inspect_torch(files: Mapping[str, bytes], where: str) -> Finding:
    """The finding on the files of an archive with a pickle; raw storages are data whatever they look like."""
    path = pickle_of(files) or PICKLE
    storages = _Storages(files, path.removesuffix(PICKLE))
    name = shown(path)
    found = inspect_pickle(files[path], f" of the archive's '{name}'{where}", storages.find)
    if found is None:
        return Finding("torch", "error", (f"The archive's '{name}' is no pickle. {_SAVE}",))
    if found.verdict != "clean":
        return found._replace(format="torch")
    plain = {path, *storages.named, *(path.removesuffix(PICKLE) + one for one in _PLAIN)}
    others = sorted(set(files) - plain)
    if others:
        reason = f"The archive holds '{shown(others[0])}', which is neither a pickle nor one of its storages. {_SAVE}"
        return Finding("torch", "unknown", (reason,))
    return Finding("torch", "clean")
