"""Files that must pass, each made by the library whose format it is, or exactly as that library writes it."""

import datetime
import gzip
import io
import json
import pickle
import tarfile
from collections import Counter, OrderedDict, defaultdict, deque
from functools import cache

import numpy as np
import scipy.sparse
import skops.io
from safetensors.numpy import save as save_safetensors
from skl2onnx import to_onnx
from sklearn.cluster import KMeans
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from tests.unit.corpus.cases import joblibbed, npy, rows, zipped
from tests.unit.corpus.definitions import definitions
from tests.unit.corpus.model_formats import DENSE, hdf5, keras, layer, sequential, torch
from tests.unit.corpus.onnx_models import plain_models
from tests.unit.corpus.weights import SOUND, gguf


@cache
def estimators() -> dict[str, object]:
    """Fitted estimators of many kinds."""
    x, y = rows()
    labels = (y > 0.5).astype(int)
    words = ["good loan", "bad loan", "good house"] * 4
    models = {
        "logistic": LogisticRegression(),
        "forest": RandomForestClassifier(3, max_depth=3, random_state=0),
        "boosting": GradientBoostingClassifier(n_estimators=3, random_state=0),
        "histogram-boosting": HistGradientBoostingClassifier(max_iter=3, random_state=0),
        "neighbours": KNeighborsClassifier(),
        "tree": DecisionTreeClassifier(max_depth=2),
        "gradient-descent": SGDClassifier(random_state=0),
        "network": MLPClassifier((2,), max_iter=400, solver="lbfgs", random_state=0),
        "vectors": SVC(),
        "bayes": GaussianNB(),
        "clusters": KMeans(2, n_init=1, random_state=0),
        "search": GridSearchCV(GaussianNB(), {"var_smoothing": [1e-9, 1e-8]}, cv=2, scoring="accuracy"),
        "pipeline": make_pipeline(FunctionTransformer(np.log1p), StandardScaler(), LogisticRegression()),
        "columns": ColumnTransformer(
            [("a", OneHotEncoder(handle_unknown="ignore"), [0]), ("b", StandardScaler(), [1])]
        ),
    }
    fitted = {name: model.fit(x, labels) for name, model in models.items()}
    return fitted | {"words": TfidfVectorizer().fit(words)}


@cache
def benign_models() -> dict[str, bytes]:
    """ONNX models that must pass, by name: those made by hand, and those converted from estimators."""
    x, y = rows()
    classes = (y > 0.5).astype(int)
    converted = {
        "logistic-regression": LogisticRegression(),
        "forest": RandomForestClassifier(3, max_depth=3, random_state=0),
        "pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
    }
    return plain_models() | {
        name: to_onnx(model.fit(x, classes), x[:1]).SerializeToString() for name, model in converted.items()
    }


def _data() -> dict[str, object]:
    structured = np.array([(1.0, 2)], dtype=[("a", "f8"), ("b", "i4")])
    plain = {"weights": [1.0, -2.5], "name": "é", "on": True, "none": None, "big": 2**80, "z": 1j, "b": b"bytes"}
    return {
        "data": plain | {"set": {1, 2}, "frozen": frozenset((1,)), "tuple": (1, (2, 3)), "array": bytearray(b"x")},
        "collections": [OrderedDict(a=1), defaultdict(list, a=[1]), deque([1], 3), slice(1, 2)],
        "arrays": [np.eye(3), np.array(["a", "bc"]), np.array([1, None], dtype=object), structured, np.float32(1.5)],
        "masked-and-sparse": [np.ma.array([1.0, 2.0], mask=[False, True]), scipy.sparse.csr_matrix(np.eye(3))],
        "random": [np.random.default_rng(3), np.random.RandomState(3)],
        "dates": [datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC), np.array(["2026-01-02"], "M8[D]")],
    }


def _tarred() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in (("m/w.npy", npy(np.eye(2))), ("m/README.md", b"# A model\n")):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def _pickles() -> dict[str, bytes]:
    made = {f"pickle-{name}": pickle.dumps(model) for name, model in estimators().items()}
    made |= {f"pickle-{name}": pickle.dumps(value) for name, value in _data().items()}
    made |= {f"protocol-{number}": pickle.dumps(estimators()["tree"], number) for number in range(6)}
    forest = estimators()["forest"]
    made |= {f"joblib-{kind}": joblibbed(forest, (kind, 3)) for kind in ("zlib", "gzip", "bz2", "lzma", "xz")}
    return made | {f"joblib-{name}": joblibbed(model) for name, model in (estimators() | _data()).items()}


@cache
def benign_files() -> dict[str, bytes]:
    """Every file that must pass, by name."""
    attention = layer("MultiHeadAttention", num_heads=2, key_dim=4)
    settings = {"tokenizer_class": "T", "chat_template": SOUND}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, a=np.eye(3), b=np.arange(3))
    skopsed = {
        f"skops-{name}": skops.io.dumps(estimators()[name]) for name in ("pipeline", "forest", "columns", "tree")
    }
    return {
        **_pickles(),
        **skopsed,
        **definitions(),
        **{f"onnx-{name}": data for name, data in benign_models().items()},
        "keras-dense": keras(sequential(DENSE, layer("Dropout", rate=0.1), DENSE)),
        "keras-attention": keras(sequential(attention, layer("Bidirectional", layer=layer("LSTM", units=2)))),
        "hdf5-weights": hdf5(),
        "hdf5-model": hdf5(config=sequential(DENSE)),
        "torch-state": torch(),
        "torch-of-numbers": zipped({"m/data.pkl": pickle.dumps([1.0])}),
        "safetensors": save_safetensors({"w": np.eye(3, dtype=np.float32), "b": np.zeros(0, np.float32)}),
        "safetensors-metadata": save_safetensors({"w": np.arange(3)}, {"format": "np"}),
        "gguf": gguf(),
        "gguf-template": gguf({"tokenizer.chat_template": SOUND}),
        "gguf-quantised": gguf(kind=24, data=bytes(32)),
        "npy": npy(np.eye(3)),
        "npy-structured": npy(np.zeros(2, dtype=[("a", "f8"), ("b", "U3")])),
        "npy-objects": npy(np.array([1, "a", None], dtype=object)),
        "npz": buffer.getvalue(),
        "tar": _tarred(),
        "tar-gzip": gzip.compress(_tarred()),
        "zip": zipped({"model.onnx": benign_models()["linear"], "README.md": b"# A model\n", "config.json": b"{}"}),
        "tokenizer": json.dumps(settings).encode(),
        "counter": pickle.dumps(dict(Counter("abca"))),
    }
