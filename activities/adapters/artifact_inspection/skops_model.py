"""Models as skops saves them: a tree of named types in `schema.json`, beside arrays. Only listed types pass."""

import json
from collections.abc import Mapping

from activities.adapters.artifact_inspection.allowed_names import Kind, allowed
from activities.adapters.artifact_inspection.findings import Finding, shown
from activities.adapters.artifact_inspection.nested import objects
from activities.adapters.artifact_inspection.safetensors_file import once
from activities.adapters.artifact_inspection.tracing import runs_code

SCHEMA = "schema.json"
_PROTOCOL = 2
_NODES_AT_MOST = 1_000_000
_BIT_GENERATORS = ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")
_FIXED = {
    "BytearrayNode": ("builtins.bytearray",),
    "BytesNode": ("builtins.bytes",),
    "DTypeNode": ("numpy.dtype",),
    "DefaultDictNode": ("collections.defaultdict",),
    "DictNode": ("builtins.dict", "collections.OrderedDict"),
    "JsonNode": ("builtins.str",),
    "ListNode": ("builtins.list",),
    "MaskedArrayNode": ("numpy.ma.MaskedArray", "numpy.ma.core.MaskedArray"),
    "RandomGeneratorNode": ("numpy.random._generator.Generator",),
    "RandomStateNode": ("numpy.random.mtrand.RandomState",),
    "SetNode": ("builtins.set",),
    "SliceNode": ("builtins.slice",),
    "TreeNode": ("sklearn.tree._tree.Tree",),
    "TupleNode": ("builtins.tuple",),
}
_LISTED = {
    "FunctionNode": (Kind.VALUE,),
    "LossNode": (Kind.COMPILED,),
    "NdArrayNode": (Kind.VALUE,),
    "ObjectNode": (Kind.CLASS, Kind.COMPILED),
    "SparseMatrixNode": (Kind.CLASS,),
    "TypeNode": (Kind.VALUE,),
}
_CACHED = "CachedNode"
_SAVE = "Save the model with a present skops.io, or export it to ONNX."


def _may_be(loader: str, module: str, name: str) -> bool:
    if loader in _FIXED:
        return f"{module}.{name}" in _FIXED[loader]
    found = allowed(module, name)
    if loader == "NdArrayNode" and module != "numpy":
        return False
    return found is not None and found.kind in _LISTED.get(loader, ())


def _fault(node: dict[str, object], files: Mapping[str, bytes]) -> Finding | None:
    module, name, loader = (node.get(key) for key in ("__module__", "__class__", "__loader__"))
    if not isinstance(module, str) or not isinstance(name, str) or not isinstance(loader, str):
        return Finding("skops", "unknown", (f"A part of {SCHEMA} has no type. {_SAVE}",))
    if loader != _CACHED and not _may_be(loader, module, name):
        spelled = f"'{shown(f'{module}.{name}')}' by '{shown(loader)}'"
        if allowed(module, name) is None and runs_code(module, name):
            return Finding("skops", "malicious", (f"Loading this file would use {spelled}, which can run code.",))
        reason = f"Loading this file would use {spelled}, which is not on the list of types that only rebuild data."
        return Finding("skops", "unknown", (reason, _SAVE))
    if "file" in node and node["file"] not in files:
        return Finding("skops", "error", (f"{SCHEMA} names a file that is not in the archive. {_SAVE}",))
    if loader == "RandomGeneratorNode" and not any(f'"\\"{one}\\""' in json.dumps(node) for one in _BIT_GENERATORS):
        return Finding("skops", "unknown", (f"A random generator is of no kind that is known. {_SAVE}",))
    return None


def _keys_fault(node: dict[str, object]) -> Finding | None:
    content = node.get("content") if node.get("__loader__") == "DictNode" else None
    if not isinstance(content, dict):
        return None
    if strange := [key for key in content if key.startswith("__")]:
        reason = f"Loading this file would set '{shown(strange[0])}', on which Python itself acts."
        return Finding("skops", "malicious", (reason,))
    memory = content.get("memory")
    if isinstance(memory, dict) and memory.get("content") != "null":
        return Finding("skops", "unknown", (f"The model keeps a folder from which fitting loads pickles. {_SAVE}",))
    return None


def inspect_skops(files: Mapping[str, bytes]) -> Finding:
    """The finding on the files of an archive with a schema; its arrays are judged elsewhere."""
    found = list[Finding]()
    try:
        schema = json.loads(files[SCHEMA].decode(), object_pairs_hook=once)
        if not isinstance(schema, dict) or schema.get("protocol") != _PROTOCOL or "__loader__" not in schema:
            return Finding("skops", "unknown", (f"{SCHEMA} is not of skops' protocol {_PROTOCOL}. {_SAVE}",))
        for node in objects(schema, _NODES_AT_MOST):
            if {"__class__", "__module__", "__loader__"} & set(node):
                found += filter(None, (_fault(node, files), _keys_fault(node)))
    except (ValueError, RecursionError) as error:
        return Finding("skops", "error", (f"{SCHEMA} cannot be read: {shown(str(error), 200)}. {_SAVE}",))
    malicious = [one for one in found if one.verdict == "malicious"]
    return next(iter([*malicious, *found]), Finding("skops", "clean"))
