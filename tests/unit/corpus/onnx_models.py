"""ONNX models made at test time: those of standard operators, and those that reach for more."""

import gzip
from functools import cache

import numpy as np
import onnx
from onnx import TensorProto, helper

from tests.unit.corpus.cases import Case, zipped


@cache
def hostile_onnx() -> dict[str, Case]:
    """Models that must not pass, by name."""
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
        "trailing-zip": Case(plain + zipped({"data.pkl": b"N."}), "malicious", "zip archive as well"),
        "impossible-shape": Case(_model([_relu("x", "y")], dims=(1 << 40,)), "error", "impossible shape"),
        "within-gzip": Case(gzip.compress(plain), "unknown", "compressed with gzip"),
        "external-data-drive": Case(_external("C:weights.bin"), "malicious", "outside the model's own folder"),
        "external-data-home": Case(_external("~/weights.bin"), "malicious", "outside the model's own folder"),
        "endless-loop": Case(endless(), "unknown", "can run for ever"),
    }


def plain_models() -> dict[str, bytes]:
    """ONNX models that must pass, by name."""
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
