"""Pickles of listed names that lie: about types, sizes, frames, or about what the names are for."""

import os
import pickle
from pathlib import Path

import numpy as np
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from tests.unit.corpus.cases import Case, Payload, call, joblibbed, name, number, pickled, text

_RECONSTRUCT = name("numpy._core.multiarray", "_reconstruct")
_NDARRAY = name("numpy", "ndarray")
_DTYPE = name("numpy", "dtype")
_CTOR = name("numpy.random._pickle", "__bit_generator_ctor")


def _dtype(code: str, flags: int = 0, size: int = -1) -> bytes:
    state = b"(" + number(3) + text("<") + b"NNN" + number(size) + number(-1) + number(flags) + b"t"
    return call(_DTYPE, text(code), b"\x89", b"\x88") + state + b"b"


def _array(shape: int, dtype: bytes, data: bytes) -> bytes:
    made = call(_RECONSTRUCT, _NDARRAY, b"(" + number(0) + b"t", b"C\x01b")
    return made + b"(" + number(1) + b"(" + number(shape) + b"t" + dtype + b"\x89C" + bytes([len(data)]) + data + b"tb"


def _framed(marker: Path) -> bytes:
    """A frame that reaches over an array: joblib reads the array behind the frame and goes on in it, on the payload."""
    data = joblibbed([np.arange(4.0)])
    end = data.index(b"ub") + 2
    evil = pickle.dumps(Payload(marker), 4)[2:]
    frame = b"\x95" + (end - 2 + len(evil)).to_bytes(8, "little")
    return data[:2] + frame + data[2:end] + data[end:] + evil


def rebuilt() -> dict[str, Case]:
    """Rebuilding functions, called as their libraries do not."""
    how = "in a way in which its library does not"
    bad = {
        "reconstruct-subtype": call(_RECONSTRUCT, name("numpy.ma", "MaskedArray"), b"(" + number(0) + b"t", b"C\x01b"),
        "reconstruct-huge": call(_RECONSTRUCT, _NDARRAY, b"(" + number(2**31 - 1) + b"t", b"C\x01b"),
        "reconstruct-object": call(_RECONSTRUCT, _NDARRAY, b"(" + number(9) + b"t", text("O")),
        "dtype-of-name": call(_DTYPE, name("numpy", "float64")),
        "scalar-object": call(name("numpy._core.multiarray", "scalar"), _dtype("O8", 63), b"C\x08" + bytes(8)),
        "scalar-short": call(name("numpy._core.multiarray", "scalar"), _dtype("f8"), b"C\x01a"),
        "frombuffer-object": call(
            name("numpy._core.numeric", "_frombuffer"), b"C\x08" + bytes(8), _dtype("O8", 63), b"(K\x01t", text("C")
        ),
        "encode-other": call(name("_codecs", "encode"), text("bf.zxqve"), text("rot13")),
        "bytearray-huge": call(name("builtins", "bytearray"), number(2**31 - 1)),
        "list-of-name": call(name("builtins", "list"), name("builtins", "str")),
        "str-called": call(name("builtins", "str"), b"C\x02os", text("ascii")),
        "estimator-called": call(name("sklearn.linear_model._logistic", "LogisticRegression")),
        "ufunc-called": call(name("numpy", "add"), number(1), number(2)),
        "randomstate-calls": call(
            name("numpy.random._pickle", "__randomstate_ctor"), text("/etc"), name("numpy", "ndarray")
        ),
        "bit-generator-class": call(_CTOR, name("sklearn.tree._tree", "Tree")),
        "reconstructor-base": call(name("copyreg", "_reconstructor"), _NDARRAY, name("builtins", "dict"), b"}"),
        "defaultdict-factory": call(name("collections", "defaultdict"), name("sklearn.pipeline", "Pipeline")),
        "unpickle-other-class": call(
            name("numpy.random.bit_generator", "__pyx_unpickle_SeedSequence"),
            name("sklearn.pipeline", "Pipeline"),
            b"K\x01N",
        ),
        "newobj-of-class": call(name("sklearn.neighbors._kd_tree", "newObj"), name("sklearn.pipeline", "Pipeline")),
        "tree-of-name": call(name("sklearn.tree._tree", "Tree"), number(1), _NDARRAY, number(1)),
        "torch-tensor-without-storage": call(
            name("torch._utils", "_rebuild_tensor_v2"), text("x"), number(0), b"(K\x01t(K\x01t\x89}"
        ),
    }
    return {f"call-{one}": Case(pickled(body), "unknown", how) for one, body in bad.items()}


def stated() -> dict[str, Case]:
    """States that are not those of what they are put into."""
    scaler = name("sklearn.preprocessing._data", "StandardScaler") + b")\x81"
    twice = scaler + b"}b}b"
    bad = {
        "object-flags": (_array(1, _dtype("O8", 0), bytes(8)), "unknown", "no data type"),
        "float-as-object": (_array(1, _dtype("f8", 63), bytes(8)), "unknown", "no data type"),
        "size-other": (_array(1, _dtype("V8", 0, 4096), bytes(8)), "unknown", "no data type"),
        "bytes-as-objects": (_array(1, _dtype("O8", 63), bytes(8)), "unknown", "no array"),
        "too-few-bytes": (_array(100, _dtype("f8"), bytes(8)), "unknown", "no array"),
        "dunder": (scaler + b"}" + text("__class__") + b"Nsb", "unknown", "__class__"),
        "slots": (scaler + b"(N}" + text("predict") + b"Nstb", "unknown", "not its attributes"),
        "twice": (twice, "malicious", "no new instance"),
        "class-changed": (name("sklearn.pipeline", "Pipeline") + b"}b", "malicious", "no new instance"),
        "list-changed": (b"]}b", "malicious", "no new instance"),
        "memory-folder": (
            name("sklearn.pipeline", "Pipeline") + b")\x81}" + text("memory") + text("/tmp/x") + b"sb",
            "unknown",
            "'memory'",
        ),
        "number-key": (scaler + b"}K\x01Nsb", "unknown", "is no text"),
        "rebuilder-kept": (b"]" + _CTOR + b"a", "malicious", "only rebuilds data"),
        "rebuilder-in-state": (scaler + b"}" + text("func") + _CTOR + b"sb", "malicious", "only rebuilds data"),
        "rebuilder-in-tuple": (scaler + b"}" + text("func") + b"(" + _CTOR + b"tsb", "malicious", "only rebuilds"),
        "bare-function": (_CTOR, "malicious", "only rebuilds data"),
        "append-to-estimator": (scaler + b"K\x01a", "malicious", "keeps none"),
        "items-into-name": (_NDARRAY + text("x") + b"Ns", "malicious", "keeps none"),
        "call-of-instance": (scaler + b")R", "malicious", "not a function by its name"),
        "new-with-arguments": (
            name("sklearn.pipeline", "Pipeline") + b"K\x01\x85\x81",
            "unknown",
            "as its library does not",
        ),
        "new-ex": (name("sklearn.pipeline", "Pipeline") + b")}" + text("x") + b"Ns\x92", "unknown", "library does not"),
    }
    return {f"state-{one}": Case(pickled(body), verdict, words) for one, (body, verdict, words) in bad.items()}


def streams(marker: Path) -> dict[str, Case]:
    """Streams that two readers would follow differently, or never to the end."""
    evil = pickle.dumps(Payload(marker), 4)
    laughs = b"K\x01" + b"\x94" + b"".join(b"h" + bytes([one]) + b"2\x86\x94" for one in range(40))
    array = joblibbed([np.full(4, 1.0)])
    padded = array[: array.rindex(b"\xff")] + b"N" + array[array.rindex(b"\xff") + 1 :]
    dict_later = name("sklearn.preprocessing._data", "StandardScaler") + b")\x81}\x94b0h\x00" + text("__x__") + b"Ns"
    return {
        "frame-over-array": Case(_framed(marker), "malicious", "a frame reaches over"),
        "frame-over-end": Case(b"\x80\x04\x95\x80" + bytes(7) + b"N." + evil, "malicious", "a frame reaches over"),
        "array-padding": Case(padded, "malicious", "skip bytes that joblib does not write"),
        "array-cut-off": Case(joblibbed(np.arange(400.0))[:-9], "unknown", "could not be followed"),
        "array-of-old-joblib": Case(_old_joblib(), "unknown", "joblib (1.2 or newer)"),
        "dict-changed-later": Case(pickled(dict_later), "malicious", "already"),
        "billion-laughs": Case(pickled(laughs + b"}h\x28Ns"), "unknown", "would take for ever"),
        "billion-laughs-called": Case(
            pickled(laughs + b"0" + call(name("builtins", "slice"), b"h\x28")), "unknown", "in a way"
        ),
        "deep-tuples": Case(pickled(call(name("builtins", "slice"), b"N" + b"\x85" * 20_000)), "unknown", "followed"),
        "text-without-end": Case(b"cjoblib\nload\n(S'/tmp/x'\ntR", "unknown", "'joblib.load'"),
        "memo-bomb": Case(pickled(b"Nr\xff\xff\xff\x7f"), "unknown", "places that it does not use"),
        "memo-missing": Case(pickled(b"h\x07"), "unknown", "could not be followed"),
        "persistent": Case(pickled(text("key") + b"Q"), "unknown", "outside of it"),
        "persistent-text": Case(b"\x80\x02Pkey\n.", "unknown", "outside of it"),
        "buffer": Case(b"\x80\x05\x97.", "unknown", "outside of it"),
        "trailing-bytes": Case(pickle.dumps([1.0]) + b"\xff\xfemore", "unknown", "could not be followed"),
        "trailing-pickle": Case(pickle.dumps([1.0]) + pickle.dumps([2.0]), "unknown", "one behind the other"),
        "left-on-stack": Case(pickled(b"NN"), "unknown", "values behind"),
        "stack-empty": Case(b"\x80\x040.", "unknown", "could not be followed"),
        "huge-length": Case(b"\x80\x04\x8e" + b"\xff" * 7 + b"\x7fab.", "unknown", "no kind that is known"),
        "function-transformer-system": Case(
            pickle.dumps(FunctionTransformer(func=os.system)), "malicious", "posix.system"
        ),
        "function-transformer-load": Case(
            pickle.dumps(FunctionTransformer(func=np.load, kw_args={"allow_pickle": True})), "unknown", "load"
        ),
        "estimator-of-payload": Case(_smuggled(marker), "malicious", "posix.mkdir"),
    }


def _old_joblib() -> bytes:
    """An array whose alignment joblib older than 1.2 did not write: where it begins depends on the reader."""
    return joblibbed(np.arange(4.0)).replace(b"numpy_array_alignment_bytes", b"numpy_array_alignment_bytez")


def _smuggled(marker: Path) -> bytes:
    scaler = StandardScaler()
    scaler.extra = Payload(marker)
    return pickle.dumps(scaler)
