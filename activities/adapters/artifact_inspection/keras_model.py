"""Keras models: a configuration that names every class, beside weights. Only listed classes and functions pass."""

import json
from collections.abc import Mapping
from pathlib import Path

from activities.adapters.artifact_inspection.findings import Finding, shown
from activities.adapters.artifact_inspection.nested import objects
from activities.adapters.artifact_inspection.safetensors_file import once
from activities.adapters.artifact_inspection.tracing import runs_code

CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
FILES = {CONFIG, WEIGHTS, "metadata.json"}
_LIST = json.loads(Path(__file__).with_name("keras_names.json").read_text())
_CLASSES: dict[str, list[str]] = _LIST["classes"]
_FUNCTIONS: dict[str, list[str]] = _LIST["functions"]
_MARKS = {"__keras_tensor__", "__tensor__", "__numpy__", "__complex__", "__ellipsis__", "__bytes__", "__tuple__"}
_RUN_CODE = {
    "__lambda__",
    "Lambda",
    "TorchModuleWrapper",
    "TFSMLayer",
    "JaxLayer",
    "FlaxLayer",
    "get_file",
    "load_model",
}
_NEVER = {"enable_unsafe_deserialization", "safe_mode"}
_PARTS_AT_MOST = 1_000_000
_SAVE = "Build the model of Keras' own layers and save it again, or export it to ONNX."


def _is_listed(part: dict[str, object]) -> bool:
    module, name = part.get("module"), part.get("class_name")
    if name in _MARKS and module is None:
        return True
    if name == "function":
        function = part.get("config")
        return isinstance(module, str) and function in _FUNCTIONS.get(module, ())
    if module is None:
        return any(name in names for one, names in _CLASSES.items() if not one.startswith("keras.src.ops"))
    return isinstance(module, str) and name in _CLASSES.get(module, ())


def _fault(part: dict[str, object]) -> Finding | None:
    if _NEVER & set(part):
        return Finding("keras", "malicious", ("The configuration would switch off Keras' own safety.",))
    if not {"class_name", "module"} & set(part):
        return None
    module, name, registered = (part.get(key) for key in ("module", "class_name", "registered_name"))
    if _is_listed(part) and registered in (None, name, part.get("config")):
        return None
    spelled = shown(f"{module}.{part.get('config') if name == 'function' else name}")
    evil = name in _RUN_CODE or part.get("config") in ("get_file", "load_model")
    evil |= isinstance(module, str) and not module.startswith("keras") and runs_code(module, str(name))
    if evil:
        return Finding("keras", "malicious", (f"Loading this model would use '{spelled}', which can run code.",))
    reason = f"Loading this model would use '{spelled}', which is not on the list of Keras' own parts. {_SAVE}"
    return Finding("keras", "unknown", (reason,))


def inspect_config(text: str, model: bool = True) -> Finding:
    """The finding on a configuration, a JSON text: of a `model`, or of how one is trained."""
    try:
        config = json.loads(text, object_pairs_hook=once)
        if not isinstance(config, dict) or (model and "class_name" not in config):
            return Finding("keras", "unknown", (f"The configuration describes no model. {_SAVE}",))
        found = list(filter(None, map(_fault, objects(config, _PARTS_AT_MOST))))
    except (ValueError, RecursionError) as error:
        return Finding("keras", "error", (f"The configuration cannot be read: {shown(str(error), 200)}. {_SAVE}",))
    malicious = [one for one in found if one.verdict == "malicious"]
    return next(iter([*malicious, *found]), Finding("keras", "clean"))


def inspect_keras(files: Mapping[str, bytes]) -> Finding:
    """The finding on the files of an archive with a configuration; its weights are judged elsewhere."""
    others = sorted(set(files) - FILES)
    if others:
        return Finding("keras", "unknown", (f"The model brings along '{shown(others[0])}'. {_SAVE}",))
    return inspect_config(files[CONFIG].decode(errors="replace"))
