"""scikit-learn estimators answer in a process that can reach nothing, and only if the gate finds their bytes clean."""

import io
import os
import pickle
import signal
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn import __version__
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from activities.adapters.estimator_scoring import estimator
from activities.adapters.estimator_scoring.estimator import Estimator
from activities.adapters.estimator_scoring.process import EstimatorProcess
from activities.adapters.onnx_evaluator import OnnxEvaluator
from models.errors import InvalidInputError
from models.formats import Format
from models.inventory import Submission
from tests.contract.test_model_bundle import submission
from tests.unit.corpus.cases import Payload
from tests.unit.corpus.families import hostile_files
from tests.unit.corpus.onnx_models import linear

__all__ = ["submission"]

NAMES = ("income", "debt", "years")
ROWS = np.array([[1.0, 2.0, 3.0], [-4.0, 0.5, 0.25], [0.0, np.nan, -1.0], [2.0, 2.0, 8.0]])
FRAME = pd.DataFrame(ROWS, columns=list(NAMES))
MODEL = make_pipeline(SimpleImputer(), StandardScaler(), RandomForestClassifier(3, random_state=0)).fit(
    FRAME, [1, 0, 0, 1]
)


def joblibbed(model: object) -> bytes:
    """As joblib writes it."""
    buffer = io.BytesIO()
    joblib.dump(model, buffer, compress=3)
    return buffer.getvalue()


FILES = {
    Format.SKOPS: skops.io.dumps(MODEL),
    Format.JOBLIB: joblibbed(MODEL),
    Format.PICKLE: pickle.dumps(MODEL),
}


@pytest.mark.parametrize("form", FILES)
def test_what_is_clean_answers(form: Format) -> None:
    """As where it was trained, missing values with it."""
    answers = Estimator(FILES[form], form, NAMES).score(ROWS)
    np.testing.assert_array_equal(answers, MODEL.predict_proba(FRAME)[:, 1])


def test_hostile_files_are_never_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever they are said to be: no loader sees one of them, and none of them runs."""

    def loaded(data: bytes) -> object:
        raise AssertionError("it was loaded")

    monkeypatch.setattr(estimator, "_LOADERS", dict.fromkeys(FILES, loaded))
    cases, marker = hostile_files(tmp_path / "marker"), tmp_path / "marker"
    for name, case in cases.items():
        form = Format.SKOPS if case.data.startswith(b"PK") else Format.JOBLIB
        with pytest.raises(InvalidInputError, match="no clean"):
            Estimator(case.data, form, NAMES)
        assert not marker.exists(), name
    with pytest.raises(InvalidInputError, match="cannot be loaded: AssertionError: it was loaded"):
        Estimator(FILES[Format.SKOPS], Format.SKOPS, NAMES)


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (FILES[Format.PICKLE], Format.SKOPS),
        (FILES[Format.SKOPS], Format.PICKLE),
        (FILES[Format.JOBLIB], Format.PICKLE),
        (linear(), Format.JOBLIB),
    ],
)
def test_a_clean_file_of_another_format_is_never_loaded(data: bytes, form: Format) -> None:
    """What one loader reads as one model, another may read as another: the gate has looked at it as one of them."""
    with pytest.raises(InvalidInputError, match=f"no clean {form} file: it is "):
        Estimator(data, form, NAMES)


def test_what_does_not_fit_is_named() -> None:
    """Another order of columns, another number of them, other classes, no probabilities, another release."""
    with pytest.raises(InvalidInputError, match="input 1 of the data contract is 'debt', the model has 'income'"):
        Estimator(FILES[Format.SKOPS], Format.SKOPS, ("debt", "income", "years"))
    plain = LogisticRegression().fit(np.eye(2), ["no", "yes"])
    with pytest.raises(InvalidInputError, match="its classes are no, yes"):
        Estimator(pickle.dumps(plain), Format.PICKLE, NAMES[:2])
    regression = LinearRegression().fit(np.eye(2), [0, 1])
    with pytest.raises(InvalidInputError, match="LinearRegression, which gives no probabilities"):
        Estimator(pickle.dumps(regression), Format.PICKLE, NAMES[:2])
    model = pickle.dumps(LogisticRegression().fit(np.eye(2), [0, 1]))
    with pytest.raises(InvalidInputError, match="reads 2 columns, the data contract has 3 inputs"):
        Estimator(model, Format.PICKLE, NAMES)
    older = model.replace(__version__.encode(), b"0" + __version__.encode()[1:])
    with pytest.raises(InvalidInputError, match=f"saved by scikit-learn 0.*, and here is {__version__}"):
        Estimator(older, Format.PICKLE, NAMES[:2])


def test_it_answers_in_a_process_that_can_open_nothing() -> None:
    """One that was killed is started anew; one that does not answer in time is ended; the last one goes by itself."""
    process = EstimatorProcess(FILES[Format.SKOPS], Format.SKOPS, NAMES)
    expected = MODEL.predict_proba(FRAME)[:, 1]
    np.testing.assert_array_equal(process.score(ROWS), expected)
    child = process._process
    assert child is not None
    limits = Path(f"/proc/{child.pid}/limits").read_text()
    assert next(line for line in limits.splitlines() if line.startswith("Max open files")).split()[3:5] == ["0", "0"]
    os.kill(child.pid, signal.SIGSTOP)
    process._timeout = 0.2
    with pytest.raises(InvalidInputError, match=r"did not answer 4 rows within 0\.2 seconds"):
        process.score(ROWS)
    assert child.returncode == -signal.SIGKILL
    process._timeout = 10.0
    np.testing.assert_array_equal(process.score(ROWS), expected)
    last = process._process
    assert last is not None
    del process
    assert last.wait(5) == 0


def test_a_hostile_file_in_that_process(tmp_path: Path, submission: Submission) -> None:
    """The evaluator's own process refuses it, too, even where nobody has scanned it before."""
    data = submission.model_copy(update={"format": Format.PICKLE, "golden": None})
    contract = data.contract.model_copy(update={"protected": ()})
    marker = tmp_path / "marker"
    evil = tmp_path / "evil.pkl"
    evil.write_bytes(pickle.dumps(Payload(marker)))
    with pytest.raises(InvalidInputError, match=r"evil.pkl cannot be run: the model is no clean pickle file"):
        OnnxEvaluator().evaluate(
            evil, tmp_path / "trained" / "holdout.csv", data.model_copy(update={"contract": contract})
        )
    assert not marker.exists()


def test_a_model_that_talks_and_wants_many_processors() -> None:
    """What it prints is not taken for an answer, and it answers on the one processor that it has."""
    talking = RandomForestClassifier(200, max_depth=1, random_state=0, n_jobs=-1)
    near = make_pipeline(SimpleImputer(), KNeighborsClassifier(1, n_jobs=2))
    model = VotingClassifier([("talking", talking), ("near", near)], voting="soft").fit(FRAME, [1, 0, 0, 1])
    expected = model.predict_proba(FRAME)[:, 1]
    model.estimators_[0].set_params(verbose=100)
    process = EstimatorProcess(pickle.dumps(model), Format.PICKLE, NAMES)
    for _ in range(3):
        np.testing.assert_array_equal(process.score(ROWS), expected)
