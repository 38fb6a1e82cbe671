"""Is this an ONNX model that is wholly in this file and does nothing but what standard operators do?"""

import math
from collections.abc import Iterator

import onnx
import onnx.checker
import onnx.helper
from google.protobuf.message import DecodeError, Message

from activities.adapters.artifact_inspection.findings import DO_NOT_LOAD, Finding, shown
from activities.adapters.artifact_inspection.surroundings import Surroundings
from activities.adapters.artifact_inspection.zip_archive import leaves_folder

_DOMAINS = {"", "ai.onnx", "ai.onnx.ml"}
_LOOPS = {"Loop", "Scan"}
_PARTS_AT_MOST = 2_000_000
_ELEMENTS_AT_MOST = 1 << 31
_RESAVE = "Export the model again, or save it once more with onnx.save(onnx.load(path), path)."


def looks_like_onnx(data: bytes) -> bool:
    """Whether the first field is the `ir_version`, with which every ONNX writer begins."""
    return data[:1] == b"\x08"


def _parts(model: onnx.ModelProto) -> Iterator[Message]:
    """The model's messages at any depth: nodes, subgraphs, functions, tensors."""
    waiting: list[Message] = [model]
    while waiting:
        part = waiting.pop()
        yield part
        for field, value in part.ListFields():
            if field.message_type is not None:
                waiting += value if field.is_repeated else [value]


def _external(tensor: onnx.TensorProto, around: Surroundings) -> Finding | None:
    if tensor.data_location != onnx.TensorProto.EXTERNAL and not tensor.external_data:
        return None
    told = {entry.key: entry.value for entry in tensor.external_data}
    place = told.get("location", "")
    where = f"The weights '{shown(tensor.name)}' are kept in another file, '{shown(place)}'"
    if leaves_folder(place):
        return Finding("onnx", "malicious", (f"{where}, which lies outside the model's own folder.", DO_NOT_LOAD))
    if around.claims(place, told.get("offset", "0"), told.get("length", "0")):
        return None
    remedy = "Put everything into one file: onnx.save(onnx.load(path), path, save_as_external_data=False)."
    return Finding("onnx", "unknown", (f"{where}, which does not stand beside it. {remedy}",))


def _judge_part(part: Message, around: Surroundings) -> Finding | None:
    if isinstance(part, onnx.TensorProto):
        if any(size < 0 for size in part.dims) or math.prod(part.dims) > _ELEMENTS_AT_MOST:
            reason = f"The weights '{shown(part.name)}' claim an impossible shape. {_RESAVE}"
            return Finding("onnx", "error", (reason,))
        return _external(part, around)
    if isinstance(part, onnx.NodeProto) and part.domain not in _DOMAINS:
        reason = (
            f"The operator '{shown(part.op_type)}' of the domain '{shown(part.domain)}' is not a standard ONNX "
            "operator. Export the model with the operators of ai.onnx and ai.onnx.ml only."
        )
        return Finding("onnx", "unknown", (reason,))
    if isinstance(part, onnx.NodeProto) and part.op_type in _LOOPS:
        reason = (
            f"The operator '{part.op_type}' can run for ever, and nothing can interrupt it. "
            "Export the model without loops; unroll those of a fixed length."
        )
        return Finding("onnx", "unknown", (reason,))
    if isinstance(part, onnx.FunctionProto) and part.domain not in _DOMAINS:
        reason = (
            f"The model brings its own function '{shown(part.name)}' of the domain '{shown(part.domain)}'. "
            "Put functions in place with onnx.inliner.inline_local_functions before saving."
        )
        return Finding("onnx", "unknown", (reason,))
    return None


def _judge_parts(model: onnx.ModelProto, around: Surroundings) -> Finding | None:
    """The worst that any part is found to be; one reason of each kind of finding."""
    found: dict[str, Finding] = {}
    for count, part in enumerate(_parts(model)):
        if count >= _PARTS_AT_MOST:
            reason = f"The model has more than {_PARTS_AT_MOST} parts. Export a smaller one."
            return Finding("onnx", "unknown", (reason,))
        if finding := _judge_part(part, around):
            found.setdefault(finding.verdict, finding)
    return found.get("malicious") or found.get("error") or found.get("unknown")


def _parse(data: bytes) -> onnx.ModelProto | Finding:
    model = onnx.ModelProto()
    try:
        model.ParseFromString(data)
    except DecodeError:
        return Finding("onnx", "error", (f"The file begins like an ONNX model but is damaged or cut off. {_RESAVE}",))
    model.DiscardUnknownFields()
    if model.SerializeToString() != data:
        reason = f"The file holds bytes that are not part of the ONNX model that it begins with. {_RESAVE}"
        return Finding("onnx", "error", (reason,))
    if not (model.ir_version and model.opset_import and model.HasField("graph")):
        reason = f"The file begins like an ONNX model but lacks its graph or its versions. {_RESAVE}"
        return Finding("onnx", "error", (reason,))
    return model


def inspect_onnx(data: bytes, around: Surroundings) -> Finding:
    """The finding on bytes that begin as an ONNX model does, among the files that stand around it."""
    model = _parse(data)
    if isinstance(model, Finding):
        return model
    if finding := _judge_parts(model, around):
        return finding
    try:
        onnx.checker.check_model(_without_places(model) if around.claimed else model)
    except (onnx.checker.ValidationError, ValueError, RuntimeError) as error:
        reason = f"The model breaks the rules of ONNX: {shown(' '.join(str(error).split()), 300)} {_RESAVE}"
        return Finding("onnx", "error", (reason,))
    return Finding("onnx", "clean")


def _without_places(model: onnx.ModelProto) -> onnx.ModelProto:
    """The model as if inputs brought its external weights: the checker would look for their files."""
    for part in list(_parts(model)):
        if isinstance(part, onnx.GraphProto):
            kept = [tensor for tensor in part.initializer if tensor.data_location != onnx.TensorProto.EXTERNAL]
            moved = [tensor for tensor in part.initializer if tensor.data_location == onnx.TensorProto.EXTERNAL]
            known = {value.name for value in part.input}
            part.input.extend(
                onnx.helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
                for tensor in moved
                if tensor.name not in known
            )
            del part.initializer[:]
            part.initializer.extend(kept)
    return model
