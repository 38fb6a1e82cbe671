"""HDF5 files, as Keras writes weights and old models: groups and plain arrays that are wholly inside."""

import io
from collections.abc import Iterator

import h5py

from activities.adapters.artifact_inspection.findings import Finding, shown, worst
from activities.adapters.artifact_inspection.keras_model import inspect_config

MAGIC = b"\x89HDF\r\n\x1a\n"
_FILTERS = {h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32}
_KINDS = "biufcSU"
_OBJECTS_AT_MOST = 200_000
_SAVE = "Save the model again with Keras as .keras, or export it to ONNX."


def _objects(file: h5py.File) -> Iterator[tuple[str, h5py.Group | h5py.Dataset]]:
    """Everything in the file, no link followed; ValueError for a link that is not a plain one."""
    waiting: list[tuple[str, h5py.Group]] = [("/", file)]
    count = 0
    yield "/", file
    while waiting:
        path, group = waiting.pop()
        for name in group:
            count += 1
            if count > _OBJECTS_AT_MOST:
                raise ValueError("there are too many objects in it")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"'{shown(path + name)}' is a link to somewhere else")
            found = group[name]
            yield path + name, found
            if isinstance(found, h5py.Group):
                waiting.append((f"{path}{name}/", found))


def _check_dataset(path: str, one: h5py.Dataset) -> None:
    plan = one.id.get_create_plist()
    if plan.get_external_count() or one.is_virtual:
        raise ValueError(f"the data of '{shown(path)}' are in another file")
    filters = {plan.get_filter(place)[0] for place in range(plan.get_nfilters())}
    text = h5py.check_string_dtype(one.dtype) is not None
    if filters - _FILTERS or (one.dtype.kind not in _KINDS and not text):
        raise ValueError(f"'{shown(path)}' is not a plain array")


def _configurations(file: h5py.File) -> Iterator[Finding]:
    for key in ("model_config", "training_config"):
        if (found := file.attrs.get(key)) is not None:
            text = found.decode(errors="replace") if isinstance(found, bytes) else str(found)
            yield inspect_config(text, model=key == "model_config")


def inspect_hdf5(data: bytes) -> Finding:
    """The finding on bytes that begin as an HDF5 file does."""
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            for path, one in _objects(file):
                if isinstance(one, h5py.Dataset):
                    _check_dataset(path, one)
                elif not isinstance(one, h5py.Group):
                    raise ValueError(f"'{shown(path)}' is neither a group nor an array")
            return worst([*_configurations(file), Finding("hdf5", "clean")])._replace(format="hdf5")
    except ValueError as error:
        return Finding("hdf5", "unknown", (f"The file is HDF5, and {shown(str(error), 200)}. {_SAVE}",))
    except (OSError, KeyError, RuntimeError, TypeError) as error:
        return Finding("hdf5", "error", (f"The file is HDF5 and damaged: {shown(str(error), 200)}. {_SAVE}",))
