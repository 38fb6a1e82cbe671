"""Estimators of scikit-learn, as people hand them in: pickled, or exported to ONNX."""

import pickle
from functools import cache

import numpy as np
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.unit.hostile import Case, dumped


def pickled() -> dict[str, Case]:
    """Files that must not pass, by name: what they would call when they are loaded is not known to be harmless."""
    estimator = LinearRegression().fit(*_rows())
    return {
        "estimator": Case(pickle.dumps(estimator), "unknown", "export to ONNX"),
        "estimator-joblib": Case(dumped(estimator, 3), "unknown", "export to ONNX"),
    }


@cache
def exported() -> dict[str, bytes]:
    """Models that must pass, by name."""
    x, y = _rows()
    classes = (y > 0.5).astype(int)
    estimators = {
        "logistic-regression": LogisticRegression(),
        "forest": RandomForestClassifier(3, max_depth=3, random_state=0),
        "pipeline": make_pipeline(StandardScaler(), LogisticRegression()),
    }
    return {name: to_onnx(model.fit(x, classes), x[:1]).SerializeToString() for name, model in estimators.items()}


def _rows() -> tuple[np.ndarray, np.ndarray]:
    x = np.random.default_rng(0).random((40, 2), dtype=np.float32)
    return x, x[:, 0]
