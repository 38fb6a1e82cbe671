"""A scikit-learn classifier made ready to answer, from bytes that the artifact gate has just found clean.

The gate looks at the very bytes that are loaded then, in the same process: nothing else is ever loaded, whatever
somebody says of it. Rows are float64 of shape [n, k]; the answer is the probability of class 1.
"""

import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import joblib
import numpy as np
import skops.io
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import InconsistentVersionWarning

from activities.adapters.artifact_inspection.allowed_names import allowed
from activities.adapters.artifact_inspection.recognition import inspect
from models.errors import InvalidInputError
from models.formats import Format, is_found_as

Values = NDArray[np.float64]

_CLASSIFIER = "Submit a fitted classifier of classes 0 and 1 that has predict_proba, or export it to ONNX."
_ORDER = "Write the inputs of the data contract in the order in which the model was trained on them."
_SAME = "Save it with the scikit-learn that is installed here, or export it to ONNX, which needs none."


class Estimator:
    """A classifier that was loaded."""

    def __init__(self, data: bytes, form: Format, names: Sequence[str]) -> None:
        """Judge and load it; InvalidInputError if it is not clean, no such classifier, or reads other inputs."""
        _demand_clean(data, form)
        self._model = _loaded(data, form)
        if (wrong := _misfit(self._model, names)) is not None:
            raise InvalidInputError(*wrong)

    def score(self, rows: Values) -> Values:
        """One number per row; InvalidInputError if the model fails on them, MemoryError."""
        try:
            with warnings.catch_warnings(action="ignore"):
                answers = np.asarray(self._model.predict_proba(rows), dtype=np.float64)
        except MemoryError:
            raise
        except Exception as error:
            raise InvalidInputError(f"the model fails: {type(error).__name__}: {error}", _CLASSIFIER) from error
        if answers.shape != (len(rows), 2):
            shape = list(answers.shape)
            raise InvalidInputError(f"the model answers {len(rows)} rows with an array of shape {shape}", _CLASSIFIER)
        return np.ascontiguousarray(answers[:, 1])


def warm_up() -> None:
    """Have scikit-learn look up what it does at first use, while files may still be opened."""
    forest = RandomForestClassifier(1, max_depth=1).fit([[0.0], [1.0]], [0, 1])
    forest.predict_proba([[0.5]])


def _demand_clean(data: bytes, form: Format) -> None:
    found = inspect(data)
    if found.verdict != "clean" or not is_found_as(form, found.format):
        why = " ".join(found.reasons[:2]) or f"it is {found.format}"
        raise InvalidInputError(f"the model is no clean {form} file: {why}", "submit it anew, so that it is scanned")


def _from_skops(data: bytes) -> Any:
    """Listed types are trusted, and no others."""
    listed = [one for one in skops.io.get_untrusted_types(data=data) if allowed(*one.rpartition(".")[::2])]
    return skops.io.loads(data, trusted=listed)


def _from_pickle(data: bytes) -> Any:
    return joblib.load(io.BytesIO(data))


_LOADERS: Mapping[Format, Callable[[bytes], Any]] = {
    Format.SKOPS: _from_skops,
    Format.JOBLIB: _from_pickle,
    Format.PICKLE: _from_pickle,
}


def _loaded(data: bytes, form: Format) -> Any:
    with warnings.catch_warnings(action="ignore"):
        warnings.simplefilter("error", InconsistentVersionWarning)
        try:
            return _LOADERS[form](data)
        except InconsistentVersionWarning as error:
            saved = error.original_sklearn_version
            here = error.current_sklearn_version
            raise InvalidInputError(f"the model was saved by scikit-learn {saved}, and here is {here}", _SAME) from None
        except MemoryError:
            raise
        except Exception as error:
            raise InvalidInputError(f"the model cannot be loaded: {type(error).__name__}: {error}", _SAME) from error


def _misfit(model: Any, names: Sequence[str]) -> tuple[str, str] | None:
    """What is wrong with a model, and what to do; None if it can answer."""
    if not hasattr(model, "predict_proba"):
        return f"the model is a {type(model).__name__}, which gives no probabilities", _CLASSIFIER
    classes = getattr(model, "classes_", None)
    if classes is None or list(classes) != [0, 1]:
        found = "none" if classes is None else ", ".join(map(str, classes))
        return f"the model must tell classes 0 and 1 apart; its classes are {found}", _CLASSIFIER
    width = getattr(model, "n_features_in_", len(names))
    if width != len(names):
        return f"the model reads {width} columns, the data contract has {len(names)} inputs", _ORDER
    trained = list(getattr(model, "feature_names_in_", names))
    if trained != list(names):
        where = next(index for index, (one, other) in enumerate(zip(trained, names, strict=True)) if one != other)
        return f"input {where + 1} of the data contract is '{names[where]}', the model has '{trained[where]}'", _ORDER
    return None
