"""Model files made at test time: hostile ones whose payload would make one folder, and benign ONNX models."""

import bz2
import gzip
import io
import lzma
import os
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import joblib
import numpy as np
import onnx
from onnx import TensorProto, helper


class Case(NamedTuple):
    """A file, the verdict that it must get, and words that the reasons must hold."""

    data: bytes
    verdict: str
    words: str


class Payload:
    """An object whose unpickling makes the folder `marker`."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (str(self.marker),)


def live_pickles(marker: Path) -> dict[str, bytes]:
    """Pickles, by the opcodes that they use, each of which really makes the marker when it is loaded."""
    path, text = str(marker).encode(), f"S'{marker}'\n".encode()
    short = b"\x8c" + bytes([len(path)]) + path
    call = b"cposix\nmkdir\n(" + text + b"tR"
    files = {f"protocol-{protocol}": pickle.dumps(Payload(marker), protocol) for protocol in range(6)}
    files |= {f"nested-{protocol}": pickle.dumps({"model": [Payload(marker)]}, protocol) for protocol in (0, 2, 5)}
    return files | {
        "global-reduce": call + b".",
        "no-end": call,
        "inst": b"(" + text + b"iposix\nmkdir\n.",
        "obj": b"(cposix\nmkdir\n" + text + b"o.",
        "build": b"cfunctools\npartial\n(cbuiltins\nprint\ntR(cposix\nmkdir\n(" + text + b"t}Ntb)R.",
        "stack-global-memo": b"\x80\x04\x8c\x05posix\x940\x8c\x05mkdir\x940\x8c\x04list0h\x00h\x01\x93("
        + short
        + b"tR.",
        "stack-global-computed": (
            b"\x80\x04cbuiltins\nstr\n(C\x05posix\x8c\x05asciitR\x8c\x05mkdir\x93(" + short + b"tR."
        ),
        "stack-global-get-put": b"\x80\x04Vposix\np7\n0Vmkdir\np8\n0g7\ng8\n\x93(" + short + b"tR.",
        "stack-global-dup": b"\x80\x04\x8c\x05posix2N0\x8c\x05mkdir\x93(" + short + b"tR.",
        "dotted": b"\x80\x04\x8c\x02os\x8c\x0dpath.os.mkdir\x93(" + short + b"tR.",
        "header-late": b"]0\x80\x04" + pickle.dumps(Payload(marker), 4)[2:],
        "then-onnx": call + b"." + linear(),
        "then-zip": call + b"." + zipped({"readme.txt": b"nothing"}),
    }


def _pickle_cases(marker: Path) -> dict[str, Case]:
    cases = {name: Case(data, "malicious", "posix.mkdir") for name, data in live_pickles(marker).items()}
    cases["build"] = cases["build"]._replace(words="functools.partial")
    cases["dotted"] = cases["dotted"]._replace(words="os.path.os.mkdir")
    cases["stack-global-computed"] = cases["stack-global-computed"]._replace(words="put together while loading")
    evil = pickle.dumps(Payload(marker), 4)
    return cases | {
        "behind-a-harmless-pickle": Case(pickle.dumps([1]) + evil, "malicious", "posix.mkdir"),
        "extension": Case(b"\x80\x02\x82\x07)R.", "malicious", "copyreg.extension-7"),
        "behind-raw-array": Case(dumped([np.arange(50.0), Payload(marker)], 0), "malicious", "posix.mkdir"),
        "harmless-pickle": Case(pickle.dumps({"weights": [1.0, 2.0]}), "unknown", "export to ONNX"),
    }


def _packed_cases(marker: Path) -> dict[str, Case]:
    evil = pickle.dumps(Payload(marker), 4)
    packed = {
        "zlib": zlib.compress(evil),
        "gzip": gzip.compress(evil),
        "bz2": bz2.compress(evil),
        "xz": lzma.compress(evil),
        "lzma": lzma.compress(evil, lzma.FORMAT_ALONE),
        "gzip-cut-off": gzip.compress(evil + bytes(range(256)) * 20)[:-40],
        "gzip-twice": gzip.compress(gzip.compress(evil)),
        "joblib-gzip": dumped([np.arange(50.0), Payload(marker)], ("gzip", 3)),
        "torch": zipped({"archive/data.pkl": evil, "archive/version": b"3\n"}),
        "torch-deflated": zipped({"archive/data.pkl": evil}, zipfile.ZIP_DEFLATED),
        "torch-behind-elf": b"\x7fELF" + zipped({"archive/data.pkl": evil}),
        "zip-in-gzip": gzip.compress(zipped({"model.bin": evil})),
        "npy-object": _npy(np.array([Payload(marker)], dtype=object)),
        "npz-object": zipped({"weights.npy": _npy(np.array([Payload(marker)], dtype=object))}),
    }
    cases = {name: Case(data, "malicious", "posix.mkdir") for name, data in packed.items()}
    wrong_sum = packed["torch"].replace(b"mkdir", b"mkdiR", 1)
    return cases | {"torch-wrong-checksum": Case(wrong_sum, "error", "damaged")}


@cache
def _onnx_cases() -> dict[str, Case]:
    plain, outside = linear(), _external("../../etc/passwd")
    function = helper.make_function("mine", "f", ["a"], ["b"], [_relu("a", "b")], [helper.make_opsetid("", 17)])
    twice = onnx.ModelProto(graph=onnx.GraphProto(name="again")).SerializeToString()
    return {
        "custom-domain": Case(_model([_relu("x", "y", domain="evil.ops")]), "unknown", "evil.ops"),
        "custom-domain-in-if": Case(branching(_relu("x", "z", domain="evil.ops")), "unknown", "evil.ops"),
        "custom-domain-html": Case(_model([_relu("x", "y", domain="<script>\x1b")]), "unknown", "'?script??'"),
        "own-function": Case(_model([_relu("x", "y")], functions=[function]), "unknown", "inline_local_functions"),
        "external-data": Case(_external("weights.bin"), "unknown", "weights.bin"),
        "external-data-outside": Case(outside, "malicious", "outside the model's own folder"),
        "external-data-absolute": Case(_external("/etc/passwd"), "malicious", "outside the model's own folder"),
        "external-data-in-constant": Case(_hidden_external(), "malicious", "outside the model's own folder"),
        "unknown-operator": Case(_model([helper.make_node("Exfiltrate", ["x"], ["y"])]), "error", "Exfiltrate"),
        "no-opset": Case(_without("opset_import"), "error", "lacks its graph or its versions"),
        "no-graph": Case(_without("graph"), "error", "lacks its graph or its versions"),
        "cut-off": Case(plain[: len(plain) // 2], "error", "cut off"),
        "one-byte-short": Case(plain[:-1], "error", "cut off"),
        "trailing-bytes": Case(plain + b"\xf2\x3f\x04evil", "error", "not part of the ONNX model"),
        "trailing-model": Case(plain + plain, "error", "not part of the ONNX model"),
        "trailing-graph": Case(plain + twice, "error", "not part of the ONNX model"),
        "trailing-zip": Case(plain + zipped({"data.pkl": b"N."}), "malicious", "zip archive at once"),
        "impossible-shape": Case(_model([_relu("x", "y")], dims=(1 << 40,)), "error", "impossible shape"),
        "within-gzip": Case(gzip.compress(plain), "unknown", "compressed with gzip"),
        "within-zip": Case(zipped({"model.onnx": plain}), "unknown", "zip archive"),
    }


@cache
def _other_cases() -> dict[str, Case]:
    header = b'{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    return {
        "gzip-bomb": Case(gzip.compress(bytes(1 << 20)) * 260, "error", "more than the 256 MiB"),
        "zip-damaged": Case(zipped({"a": b"text"})[:30], "unknown", "damaged zip archive"),
        "empty": Case(b"", "unknown", "empty"),
        "text": Case("age,income\n41,É\n".encode(), "unknown", "plain text"),
        "text-like-opcodes": Case(b"country\nDE\nFR\nincome\n", "unknown", "plain text"),
        "script": Case(b"#!/bin/sh\nexit 1\n", "unknown", "a script"),
        "elf": Case(b"\x7fELF\x02\x01\x01" + bytes(60), "unknown", "a Linux program"),
        "safetensors": Case(struct.pack("<Q", len(header)) + header + bytes(4), "unknown", "a safetensors file"),
        "gguf": Case(b"GGUF\x03\x00\x00\x00" + bytes(16), "unknown", "a GGUF file"),
        "hdf5": Case(b"\x89HDF\r\n\x1a\n" + bytes(88), "unknown", "an HDF5 file"),
        "keras": Case(zipped({"config.json": b"{}", "model.weights.h5": b"\x89HDF"}), "unknown", "a Keras model"),
        "npy": Case(_npy(np.zeros(3)), "unknown", "a NumPy array"),
        "torch-of-numbers": Case(zipped({"m/data.pkl": pickle.dumps([1.0])}), "unknown", "a PyTorch file"),
        "bytes": Case(bytes(range(255, 100, -1)), "unknown", "no kind that is known"),
    }


def hostile_files(marker: Path) -> dict[str, Case]:
    """The files that must not pass and are soon made, by name."""
    return _pickle_cases(marker) | _packed_cases(marker) | _onnx_cases() | _other_cases()


@cache
def zip_bomb() -> Case:
    """A zip archive of 260 MiB of zeros: it takes most of a second to make."""
    zero = bytes(1 << 20)
    return Case(zipped({f"{n}": zero for n in range(260)}, zipfile.ZIP_DEFLATED), "error", "256 MiB")


def benign_models() -> dict[str, bytes]:
    """ONNX models that must pass and are made by hand, by name."""
    ml = helper.make_node("LinearRegressor", ["x"], ["y"], domain="ai.onnx.ml", coefficients=[1.0, 2.0], targets=1)
    own = helper.make_function("ai.onnx.ml", "f", ["a"], ["b"], [_relu("a", "b")], [helper.make_opsetid("", 17)])
    return {
        "linear": linear(),
        "branching": branching(_relu("x", "z")),
        "ai-onnx-ml": _model([ml]),
        "standard-function": _model([_relu("x", "y")], functions=[own]),
    }


def endless() -> bytes:
    """A loop of standard operators that no run would ever finish."""
    loop = helper.make_node("Loop", ["n", "go", "x"], ["y"], body=_loop_body())
    often = helper.make_tensor("n", TensorProto.INT64, [], [2**62])
    return _model([loop], initializers=[often, helper.make_tensor("go", TensorProto.BOOL, [], [1])])


def linear() -> bytes:
    """A matrix product and a sigmoid."""
    weights = helper.make_tensor("w", TensorProto.FLOAT, [2, 2], np.eye(2, dtype=np.float32).tobytes(), raw=True)
    nodes = [helper.make_node("MatMul", ["x", "w"], ["z"]), helper.make_node("Sigmoid", ["z"], ["y"])]
    return _model(nodes, initializers=[weights])


def branching(node: onnx.NodeProto) -> bytes:
    """A model with a node that gives `z`, inside one branch of an If."""
    then = helper.make_graph([node], "then", [], [_value("z")])
    other = helper.make_graph([_relu("x", "z")], "else", [], [_value("z")])
    constant = helper.make_tensor("go", TensorProto.BOOL, [], [1])
    branch = helper.make_node("If", ["go"], ["y"], then_branch=then, else_branch=other)
    return _model([branch], initializers=[constant])


def zipped(files: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    """A zip archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression, compresslevel=1) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def dumped(value: object, compress: int | tuple[str, int]) -> bytes:
    """What joblib writes."""
    stream = io.BytesIO()
    joblib.dump(value, stream, compress=compress)
    return stream.getvalue()


def _npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def _value(name: str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 2])


def _relu(source: str, target: str, domain: str = "") -> onnx.NodeProto:
    return helper.make_node("Relu", [source], [target], domain=domain)


def _loop_body() -> onnx.GraphProto:
    step = helper.make_tensor_value_info("i", TensorProto.INT64, [])
    go, on = (helper.make_tensor_value_info(name, TensorProto.BOOL, []) for name in ("going", "on"))
    nodes = [helper.make_node("Identity", ["going"], ["on"]), _relu("a", "b")]
    return helper.make_graph(nodes, "body", [step, go, _value("a")], [on, _value("b")])


def _model(
    nodes: list[onnx.NodeProto],
    initializers: list[onnx.TensorProto] | None = None,
    functions: list[onnx.FunctionProto] | None = None,
    dims: tuple[int, ...] = (),
) -> bytes:
    if dims:
        initializers = [onnx.TensorProto(name="w", data_type=TensorProto.FLOAT, dims=dims, float_data=[1.0])]
    graph = helper.make_graph(nodes, "g", [_value("x")], [_value("y")], initializer=initializers)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, functions=functions or [], ir_version=8)
    return model.SerializeToString()


def _outside_tensor(location: str) -> onnx.TensorProto:
    entry = onnx.StringStringEntryProto(key="location", value=location)
    where = TensorProto.EXTERNAL
    return onnx.TensorProto(name="w", data_type=1, dims=[2, 2], data_location=where, external_data=[entry])


def _external(location: str) -> bytes:
    return _model([helper.make_node("MatMul", ["x", "w"], ["y"])], initializers=[_outside_tensor(location)])


def _hidden_external() -> bytes:
    return branching(helper.make_node("Constant", [], ["z"], value=_outside_tensor("..\\secret")))


def _without(field: str) -> bytes:
    model = onnx.ModelProto()
    model.ParseFromString(linear())
    model.ClearField(field)
    return model.SerializeToString()
