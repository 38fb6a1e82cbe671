"""Writes the list of allowed Keras names anew, where Keras is installed: `python keras_listing.py`."""

import importlib
import inspect
import json
from pathlib import Path

import keras

LIST = Path(__file__).with_name("keras_names.json")
_CLASSES = [
    "constraints",
    "dtype_policies",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "optimizers",
    "optimizers.schedules",
    "regularizers",
]
_FUNCTIONS = ("activations", "losses", "metrics")
_RUN_CODE_OR_READ_FILES = {
    *("FlaxLayer", "JaxLayer", "Lambda", "TFSMLayer", "TorchModuleWrapper"),
    *("IntegerLookup", "StringLookup", "TextVectorization"),
    *("deserialize", "get", "serialize"),
}
_MODELS = {
    "keras": ["DTypePolicy", "Functional", "Model", "Sequential"],
    "keras.models": ["Functional", "Model", "Sequential"],
    "keras.src.models.functional": ["Functional"],
    "keras.src.models.sequential": ["Sequential"],
}


def _members(path: str, wanted: tuple[str, ...]) -> list[str]:
    module = keras
    for part in path.split("."):
        module = getattr(module, part)
    found = [
        *(name for name, _ in inspect.getmembers(module, inspect.isclass) if "classes" in wanted),
        *(name for name, _ in inspect.getmembers(module, inspect.isfunction) if "functions" in wanted),
    ]
    return sorted(set(found) - _RUN_CODE_OR_READ_FILES)


def _operations(path: str) -> list[str]:
    module = importlib.import_module(f"keras.src.ops.{path}")
    return sorted(
        name for name, one in inspect.getmembers(module, inspect.isclass) if one.__module__ == module.__name__
    )


def listed() -> dict[str, object]:
    """The whole list: classes and functions by the module that a saved configuration names."""
    classes = _MODELS | {f"keras.{path}": _members(path, ("classes",)) for path in _CLASSES}
    classes |= {f"keras.src.ops.{path}": _operations(path) for path in ("nn", "numpy", "math")}
    functions = {f"keras.{path}": _members(path, ("functions",)) for path in _FUNCTIONS}
    return {"made_with": {"keras": keras.__version__}, "classes": classes, "functions": functions}


if __name__ == "__main__":
    LIST.write_text(json.dumps(listed(), indent=1) + "\n")
