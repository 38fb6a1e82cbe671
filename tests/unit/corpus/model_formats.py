"""Keras, HDF5, skops and PyTorch files that name what they must not, made by changing sound ones."""

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import skops.io
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from tests.unit.corpus.cases import Case, Payload, call, name, npy, number, pickled, rows, text, zipped

Json = dict[str, Any]


def layer(kind: str, module: str | None = "keras.layers", **config: object) -> Json:
    """A layer, as Keras 3 writes one."""
    return {"module": module, "class_name": kind, "config": config, "registered_name": None}


def sequential(*layers: Json, **more: object) -> Json:
    """A model of layers, as Keras 3 writes one."""
    config = {"name": "model", "layers": [layer("InputLayer", batch_shape=[None, 2]), *layers]}
    return {"module": "keras", "class_name": "Sequential", "config": config, "registered_name": None, **more}


def hdf5(fill: Callable[[h5py.File], object] | None = None, config: Json | None = None) -> bytes:
    """Weights in HDF5, and what else one puts in."""
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.create_group("layers/dense").create_dataset("0", data=np.eye(2))
        if config is not None:
            file.attrs["model_config"] = json.dumps(config)
        if fill:
            fill(file)
    return stream.getvalue()


def keras(config: object, weights: bytes | None = None, **more: bytes) -> bytes:
    """A .keras archive."""
    files = {"metadata.json": b'{"keras_version": "3.15.1"}', "config.json": json.dumps(config).encode()}
    return zipped(files | {"model.weights.h5": weights or hdf5(), **more})


DENSE = layer("Dense", units=2, activation="relu")


def keras_cases(marker: Path) -> dict[str, Case]:
    """Configurations that name code, or what is not Keras' own."""
    function = {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "eval"}
    get_file = {"module": "keras.utils", "class_name": "function", "config": "get_file", "registered_name": "get_file"}
    lambda_ = {"class_name": "__lambda__", "config": {"value": ["4wAAAA==", None, None]}}
    bad = {
        "lambda": (sequential(layer("Lambda", function=lambda_)), "malicious", "can run code"),
        "lambda-of-keras-2": (
            sequential(layer("Lambda", None, function=["4wAAAA==", None, None])),
            "malicious",
            "Lambda",
        ),
        "os-system": (sequential(layer("system", "os", command="id")), "malicious", "os.system"),
        "subprocess": (sequential(layer("Popen", "subprocess", args=["id"])), "malicious", "subprocess.Popen"),
        "eval-as-activation": (sequential(layer("Dense", activation=function)), "malicious", "builtins.eval"),
        "get-file": (sequential(layer("Dense", activation=get_file)), "malicious", "get_file"),
        "torch-wrapper": (sequential(layer("TorchModuleWrapper", module="x")), "malicious", "TorchModuleWrapper"),
        "saved-model-layer": (sequential(layer("TFSMLayer", filepath="/tmp/x")), "malicious", "TFSMLayer"),
        "jax-layer": (sequential(layer("JaxLayer", call_fn="x")), "malicious", "JaxLayer"),
        "unsafe-mode": (sequential(DENSE, safe_mode=False), "malicious", "own safety"),
        "unsafe-switch": (sequential(layer("Dense", enable_unsafe_deserialization=1)), "malicious", "own safety"),
        "string-lookup": (sequential(layer("StringLookup", vocabulary="/etc/passwd")), "unknown", "StringLookup"),
        "own-class": (sequential(layer("Attention2", "my.layers")), "unknown", "my.layers.Attention2"),
        "registered": (sequential(DENSE | {"registered_name": "custom>Dense"}), "unknown", "not on the list"),
        "load-model": (layer("function", "keras.models") | {"config": "load_model"}, "malicious", "load_model"),
        "deep": (sequential(layer("Bidirectional", layer=layer("Lambda", function=lambda_))), "malicious", "Lambda"),
        "no-model": ({"name": "x"}, "unknown", "describes no model"),
    }
    cases = {f"keras-{one}": Case(keras(config), verdict, words) for one, (config, verdict, words) in bad.items()}
    twice = json.dumps(sequential(DENSE)).replace('"config":', '"config": {}, "config":', 1).encode()
    evil = pickle.dumps(Payload(marker), 4)
    return cases | {
        "keras-key-twice": Case(_raw(twice), "error", "is there twice"),
        "keras-no-json": Case(_raw(b"{"), "error", "cannot be read"),
        "keras-with-more": Case(keras(sequential(DENSE), **{"assets/x.txt": b"x"}), "unknown", "brings along"),
        "keras-with-pickle": Case(keras(sequential(DENSE), **{"x.pkl": evil}), "malicious", "posix.mkdir"),
        "keras-weights-no-hdf5": Case(keras(sequential(DENSE), b"\x7fELF" + bytes(90)), "unknown", "Linux program"),
        "keras-weights-pickle": Case(keras(sequential(DENSE), evil), "malicious", "posix.mkdir"),
        "hdf5-external-link": Case(hdf5(_external_link), "unknown", "link to somewhere else"),
        "hdf5-soft-link": Case(hdf5(_soft_link), "unknown", "link to somewhere else"),
        "hdf5-external-data": Case(hdf5(_external_data), "unknown", "in another file"),
        "hdf5-lambda": Case(hdf5(config=sequential(layer("Lambda", None))), "malicious", "Lambda"),
        "hdf5-training": Case(hdf5(_trained, sequential(DENSE)), "malicious", "posix.system"),
        "hdf5-cut-off": Case(hdf5()[:600], "error", "damaged"),
        "hdf5-opaque": Case(hdf5(_opaque), "unknown", "not a plain array"),
    }


def _raw(config: bytes) -> bytes:
    return zipped({"config.json": config, "model.weights.h5": hdf5(), "metadata.json": b"{}"})


def _external_link(file: h5py.File) -> None:
    file["outside"] = h5py.ExternalLink("/etc/passwd", "/")


def _soft_link(file: h5py.File) -> None:
    file["again"] = h5py.SoftLink("/layers")


def _external_data(file: h5py.File) -> None:
    file.create_dataset("outside", (8,), "u1", external=[("/etc/hostname", 0, 8)])


def _trained(file: h5py.File) -> None:
    file.attrs["training_config"] = json.dumps({"optimizer_config": layer("system", "posix")})


def _opaque(file: h5py.File) -> None:
    file.create_dataset("opaque", data=np.zeros(2, "V8"))


@cache
def skops_files() -> dict[str, bytes]:
    """A sound pipeline, by the files of its archive."""
    x, y = rows()
    model = make_pipeline(FunctionTransformer(np.log1p), StandardScaler(), LinearRegression()).fit(x, y)
    return _members(skops.io.dumps(model))


def _members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {entry: archive.read(entry) for entry in archive.namelist()}
    return files | {"schema.json": json.dumps(json.loads(files["schema.json"])).encode()}


def _schema(old: str, new: str) -> bytes:
    files = skops_files()
    changed = files["schema.json"].decode().replace(old, new, 1)
    assert changed != files["schema.json"].decode()
    return zipped(files | {"schema.json": changed.encode()})


_NO_MEMORY = '"memory": {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": "null"'


def skops_cases(marker: Path) -> dict[str, Case]:
    """Schemas that name what only code needs."""
    function = '"__class__": "log1p", "__module__": "numpy", "__loader__": "FunctionNode"'
    scaler = '"__class__": "StandardScaler", "__module__": "sklearn.preprocessing._data", "__loader__": "ObjectNode"'
    evil = npy(np.array([Payload(marker)], dtype=object))
    array = next(one for one in skops_files() if one.endswith(".npy"))

    def named(kind: str, module: str, loader: str) -> str:
        return f'"__class__": "{kind}", "__module__": "{module}", "__loader__": "{loader}"'

    bad = {
        "function": (function, named("system", "posix", "FunctionNode"), "malicious", "posix.system"),
        "function-load": (function, named("load", "numpy", "FunctionNode"), "unknown", "numpy.load"),
        "method": (function, named("log1p", "numpy", "MethodNode"), "unknown", "MethodNode"),
        "partial": (function, named("partial", "functools", "PartialNode"), "malicious", "functools.partial"),
        "operator": (function, named("methodcaller", "operator", "OperatorFuncNode"), "malicious", "methodcaller"),
        "reduce": (function, named("Popen", "subprocess", "ConstructorFromReduceNode"), "malicious", "Popen"),
        "type": (function, named("eval", "builtins", "TypeNode"), "malicious", "builtins.eval"),
        "object": (scaler, named("StandardScaler", "mymodule", "ObjectNode"), "unknown", "mymodule"),
        "object-as-tree": (
            scaler,
            named("StandardScaler", "sklearn.preprocessing._data", "TreeNode"),
            "unknown",
            "Tree",
        ),
        "no-loader": (scaler, scaler.rsplit(",", 1)[0], "unknown", "has no type"),
        "protocol": ('"protocol": 2', '"protocol": 0', "unknown", "protocol 2"),
        "dunder": ('"with_mean":', '"__class__ ":', "malicious", "Python itself acts"),
        "file-missing": (f'"{array}"', '"nowhere.npy"', "error", "not in the archive"),
        "memory": (_NO_MEMORY, _NO_MEMORY.replace("null", '\\"/tmp/x\\"'), "unknown", "loads pickles"),
        "key-twice": ('"content":', '"content": 1, "content":', "error", "is there twice"),
    }
    cases = {f"skops-{one}": Case(_schema(old, new), verdict, said) for one, (old, new, verdict, said) in bad.items()}
    return cases | {"skops-object-array": Case(zipped(skops_files() | {array: evil}), "malicious", "posix.mkdir")}


def torch_pickle(storage: str = "FloatStorage", key: str = "0", count: int = 4) -> bytes:
    """The pickle of one tensor's state, as torch.save writes it."""
    identity = b"(" + text("storage") + name("torch", storage) + text(key) + text("cpu") + number(count) + b"tQ"
    hooks = call(name("collections", "OrderedDict"))
    shape, stride = b"(" + number(2) + number(2) + b"t", b"(" + number(2) + number(1) + b"t"
    tensor = call(name("torch._utils", "_rebuild_tensor_v2"), identity, number(0), shape, stride, b"\x89", hooks)
    return pickled(call(name("collections", "OrderedDict")) + text("weight") + tensor + b"s", 2)


def torch(pickle_: bytes | None = None, **more: bytes) -> bytes:
    """An archive as torch.save writes it."""
    files = {"m/data.pkl": torch_pickle() if pickle_ is None else pickle_, "m/version": b"3\n", "m/data/0": bytes(16)}
    return zipped(files | {f"m/{one}": data for one, data in more.items()})


def torch_cases(marker: Path) -> dict[str, Case]:
    """Archives whose pickle asks for more than its storages."""
    evil = pickle.dumps(Payload(marker), 4)
    outside, no_file = "outside of it", torch_pickle(key="../../etc/passwd")
    return {
        "torch-no-storage": Case(torch(no_file), "unknown", outside),
        "torch-short-storage": Case(torch(torch_pickle(count=400)), "unknown", outside),
        "torch-strange-storage": Case(torch(torch_pickle("float32")), "unknown", outside),
        "torch-with-code": Case(torch(**{"code/__torch__.py": b"import os\n"}), "unknown", "neither a pickle nor"),
        "torch-with-constants": Case(torch(**{"constants.pkl": evil}), "malicious", "posix.mkdir"),
        "torch-module": Case(torch(pickled(name("torch.nn.modules.linear", "Linear") + b")\x81")), "unknown", "Linear"),
        "torch-hub": Case(torch(pickled(call(name("torch.hub", "load"), text("x")))), "unknown", "torch.hub.load"),
        "torch-no-pickle": Case(torch(b"\xff\xff"), "error", "no pickle"),
        "torch-unnamed-storage": Case(torch(**{"data/7": evil}), "unknown", "neither a pickle nor"),
    }
