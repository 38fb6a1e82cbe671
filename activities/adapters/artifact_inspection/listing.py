"""Writes the list of allowed names anew: `python -m activities.adapters.artifact_inspection.listing`.

What other libraries contribute is written here by hand; what scikit-learn and NumPy contribute follows from the
installed versions, which the list names.
"""

import importlib
import inspect
import json
import re
from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import scipy
import sklearn
import sklearn._loss.link
import sklearn._loss.loss
import sklearn.metrics
import sklearn.neural_network._stochastic_optimizers as optimizers
from sklearn.base import BaseEstimator
from sklearn.experimental import enable_halving_search_cv  # noqa: F401 - it adds two estimators
from sklearn.gaussian_process.kernels import Kernel
from sklearn.model_selection import BaseCrossValidator
from sklearn.utils import all_estimators

from activities.adapters.artifact_inspection.allowed_names import LIST, Kind

Names = dict[str, list[str]]

_FAMILIES = (
    BaseEstimator,
    Kernel,
    BaseCrossValidator,
    sklearn._loss.loss.BaseLoss,
    sklearn._loss.link.BaseLink,
    optimizers.BaseOptimizer,
)
_PARTS_OF_ESTIMATORS = (
    "sklearn._loss.link.Interval",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.cluster._birch._CFNode",
    "sklearn.cluster._birch._CFSubcluster",
    "sklearn.cluster._bisect_k_means._BisectingTree",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.gaussian_process.kernels.Hyperparameter",
    "sklearn.metrics._scorer._CurveScorer",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.metrics._scorer._Scorer",
    "sklearn.utils._bunch.Bunch",
    "sklearn.utils._metadata_requests.MetadataRequest",
    "sklearn.utils._metadata_requests.MethodMetadataRequest",
)
_COMPILED = {
    "sklearn._loss._loss": r"Cy\w+",
    "sklearn.linear_model._sgd_fast": r"[A-Z]\w+",
    "sklearn.metrics._dist_metrics": r"[A-Z]\w+",
    "sklearn.neighbors._ball_tree": r"BallTree\w*",
    "sklearn.neighbors._kd_tree": r"KDTree\w*",
    "sklearn.tree._tree": "Tree",
}
_SCORING = re.compile(r"\w+_(score|error|loss)|chi2|f_classif|f_regression|mutual_info_\w+|r_regression")
_SPARSE = "bsr coo csc csr dia dok lil"
_TORCH_STORAGES = "Double Float Half BFloat16 Long Int Short Char Byte Bool ComplexFloat ComplexDouble"
_TORCH_TYPES = "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool complex64 complex128 strided"

_VALUES: Names = {
    "builtins": ["bool", "bytes", "complex", "float", "int", "object", "str"],
    "numpy": ["all", "any", "argmax", "argmin", "max", "mean", "median", "min", "ndarray", "prod", "std", "sum", "var"],
    "scipy._lib.array_api_compat.numpy._aliases": ["asarray"],
    "sklearn.cluster._kmeans": ["_kmeans_single_elkan", "_kmeans_single_lloyd"],
    "torch": [f"{name}Storage" for name in _TORCH_STORAGES.split()] + _TORCH_TYPES.split(),
}
_CLASSES: Names = {
    "collections": ["OrderedDict"],
    "joblib.numpy_pickle": ["NumpyArrayWrapper"],
    "scipy.interpolate._bsplines": ["BSpline"],
    **{f"scipy.sparse._{name}": [f"{name}_array", f"{name}_matrix"] for name in _SPARSE.split()},
}
_ARRAYS = ["_reconstruct", "scalar"]
_REBUILDERS: Names = {
    "_codecs": ["encode"],
    "builtins": ["bytearray", "dict", "frozenset", "list", "set", "slice", "tuple"],
    "collections": ["defaultdict", "deque"],
    "copyreg": ["_reconstructor"],
    "datetime": ["date", "datetime", "time", "timedelta", "timezone"],
    "numpy": ["dtype"],
    "numpy._core.multiarray": _ARRAYS,
    "numpy._core.numeric": ["_frombuffer"],
    "numpy.core.multiarray": _ARRAYS,
    "numpy.core.numeric": ["_frombuffer"],
    "numpy.ma.core": ["_mareconstruct"],
    "numpy.random._pickle": ["__bit_generator_ctor", "__generator_ctor", "__randomstate_ctor"],
    "numpy.random.bit_generator": ["__pyx_unpickle_SeedSequence"],
    "sklearn.metrics._dist_metrics": ["newObj"],
    "sklearn.neighbors._ball_tree": ["newObj"],
    "sklearn.neighbors._kd_tree": ["newObj"],
    "torch": ["Size", "device"],
    "torch._utils": ["_rebuild_parameter", "_rebuild_tensor", "_rebuild_tensor_v2"],
}
_GENERATORS: Names = {
    "numpy.ma": ["MaskedArray"],
    "numpy.ma.core": ["MaskedArray"],
    **{f"numpy.random._{name.lower()}": [name] for name in ("MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64")},
    "numpy.random._pcg64": ["PCG64", "PCG64DXSM"],
    "numpy.random.bit_generator": ["SeedSequence"],
}


def _subclasses(base: type) -> Iterator[type]:
    below: list[type] = base.__subclasses__()
    for one in below:
        yield one
        yield from _subclasses(one)


def _sorted(found: set[tuple[str, str]]) -> Names:
    by_module = defaultdict(list)
    for module, name in sorted(found):
        by_module[module].append(name)
    return dict(by_module)


def sklearn_classes() -> Names:
    """Estimators, and the classes of which they are made, by their modules."""
    found = {(one.__module__, one.__name__) for _, one in all_estimators()}
    for base in _FAMILIES:
        found |= {(one.__module__, one.__name__) for one in _subclasses(base)}
    parts = {(module, name) for module, _, name in (full.rpartition(".") for full in _PARTS_OF_ESTIMATORS)}
    return _sorted({(module, name) for module, name in found | parts if module.startswith("sklearn.")})


def sklearn_compiled() -> Names:
    """Classes of extension modules that fitted estimators keep."""
    found = set()
    for module, pattern in _COMPILED.items():
        members = inspect.getmembers(importlib.import_module(module), inspect.isclass)
        found |= {(module, name) for name, one in members if one.__module__ == module and re.fullmatch(pattern, name)}
    return _sorted(found)


def sklearn_values() -> Names:
    """Functions that score, which searches and selectors are given."""
    modules = ("sklearn.metrics", "sklearn.feature_selection")
    members = [pair for module in modules for pair in inspect.getmembers(importlib.import_module(module))]
    found = {(one.__module__, name) for name, one in members if inspect.isfunction(one) and _SCORING.fullmatch(name)}
    return _sorted(found)


def numpy_values() -> Names:
    """Scalar types, and functions that act on each element."""
    types = [name for name in dir(np) if isinstance(one := getattr(np, name), type) and issubclass(one, np.generic)]
    return {"numpy": sorted({*types, *(name for name in dir(np) if isinstance(getattr(np, name), np.ufunc))})}


def _unpicklers(compiled: Names) -> Names:
    found = {}
    for module, names in compiled.items():
        there = importlib.import_module(module)
        found[module] = [f"__pyx_unpickle_{name}" for name in names if hasattr(there, f"__pyx_unpickle_{name}")]
    return found


def _merged(*parts: Names) -> Names:
    found = {(module, name) for part in parts for module, names in part.items() for name in names}
    return _sorted(found)


def listed() -> dict[str, dict[str, str] | Names]:
    """The whole list."""
    compiled = sklearn_compiled()
    versions = {"numpy": np.__version__, "scikit-learn": sklearn.__version__, "scipy": scipy.__version__}
    return {
        "made_with": versions,
        Kind.VALUE: _merged(_VALUES, numpy_values(), sklearn_values()),
        Kind.CLASS: _merged(_CLASSES, sklearn_classes()),
        Kind.COMPILED: _merged(_GENERATORS, compiled),
        Kind.REBUILDER: _merged(_REBUILDERS, _unpicklers(compiled)),
    }


if __name__ == "__main__":
    LIST.write_text(json.dumps(listed(), indent=1) + "\n")
