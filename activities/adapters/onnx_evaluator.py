"""Measures an ONNX model on CSV files, with numpy, pandas, scikit-learn and ONNX Runtime on one processor."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from onnxruntime import InferenceSession, SessionOptions
from onnxruntime.capi import onnxruntime_pybind11_state as runtime
from sklearn.metrics import roc_auc_score

from models.errors import InvalidInputError, MissingColumnError
from models.evidence import EvaluationReport, GroupRate, WindowReport
from models.inventory import Column, DataContract, Submission
from models.verdict import Reading

Values = NDArray[np.float64]
Mask = NDArray[np.bool_]

_BINS = 10
_FLOOR = 1e-4
_ERRORS_ONLY = 3
_TRUTHS = {"true": "1", "false": "0"}
_RUNTIME_ERRORS = (
    runtime.Fail,
    runtime.InvalidArgument,
    runtime.InvalidGraph,
    runtime.InvalidProtobuf,
    runtime.NotImplemented,
    runtime.RuntimeException,
)


def population_stability(reference: Values, window: Values) -> float:
    """The population stability index of one input, missing values (NaN) a bin of their own.

    Ten bins at the reference's deciles, each closed above, both ends open; a value that holds several deciles is a
    bin of its own, so that a column of mostly one value is not blind. A share below 0.0001 counts as 0.0001.
    """
    known = reference[~np.isnan(reference)]
    deciles = np.quantile(known, np.arange(1, _BINS) / _BINS) if known.size else np.empty(0)
    values, held = np.unique(deciles, return_counts=True)
    edges = np.union1d(values, np.nextafter(values[held > 1], -np.inf))
    before, now = (np.maximum(_shares(column, edges), _FLOOR) for column in (reference, window))
    return float(np.sum((now - before) * np.log(now / before)))


def _shares(column: Values, edges: Values) -> Values:
    known = column[~np.isnan(column)]
    counts = np.bincount(np.searchsorted(edges, known), minlength=len(edges) + 1)
    return np.append(counts, column.size - known.size) / column.size


def calibration_error(scores: Values, labels: Values) -> float:
    """Expected calibration error: ten equal-width bins, the gaps weighted by the cases in each bin."""
    bins = np.clip((scores * _BINS).astype(int), 0, _BINS - 1)
    gaps = np.bincount(bins, weights=scores - labels, minlength=_BINS)
    return float(np.abs(gaps).sum() / scores.size)


def _read(path: Path, needed: Sequence[str]) -> pd.DataFrame:
    """Every cell as text, only an empty one as missing."""
    try:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8")
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"{path} is not a CSV file with a header: {error}") from error
    for column in needed:
        if column not in frame:
            raise MissingColumnError(
                f"column '{column}' is missing in {path}; found: {', '.join(map(str, frame.columns))}",
                remedy="Add the column, or correct the data contract of the version.",
            )
    if frame.empty:
        raise InvalidInputError(f"{path} has a header but no rows")
    return frame


def _numbers(frame: pd.DataFrame, column: Column, path: Path) -> Values:
    text = frame[column.name]
    if column.type == "boolean":
        text = text.str.lower().replace(_TRUTHS)
    try:
        return pd.to_numeric(text).to_numpy(dtype=float)
    except ValueError as error:
        raise InvalidInputError(f"column '{column.name}' of {path} is not all numbers: {error}") from error


def _inputs(frame: pd.DataFrame, contract: DataContract, path: Path) -> Values:
    """Shape [rows, inputs], in the contract's order; missing values are NaN, for the model's own imputer."""
    texts = [column.name for column in contract.inputs if column.type == "string"]
    if texts:
        raise InvalidInputError(f"input '{texts[0]}' is a string: this evaluator feeds one tensor of numbers")
    return np.column_stack([_numbers(frame, column, path) for column in contract.inputs])


def _labels(frame: pd.DataFrame, contract: DataContract, path: Path) -> Values:
    """1 for the favourable outcome, 0 for the other, NaN if not known yet."""
    labels = _numbers(frame, Column(name=contract.label), path)
    others = np.setdiff1d(labels[~np.isnan(labels)], [0, 1])
    if others.size:
        raise InvalidInputError(f"label '{contract.label}' of {path} must be 0 or 1; found {others[0]:g}")
    return labels


def _scores(model: Path, inputs: Values) -> Values:
    """The probability of the favourable outcome, one per row."""
    options = SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = _ERRORS_ONLY
    try:
        session = InferenceSession(model, sess_options=options, providers=["CPUExecutionProvider"])
        feeds = {session.get_inputs()[0].name: inputs.astype(np.float32)}
        output = next((o for o in session.get_outputs() if o.type == "tensor(float)"), None)
        if output is None:
            raise InvalidInputError(f"{model} has no output of type tensor(float) that could be a probability")
        answers = np.asarray(session.run([output.name], feeds)[0], dtype=float)
    except _RUNTIME_ERRORS as error:
        raise InvalidInputError(
            f"{model} cannot be run on {inputs.shape[1]} inputs: {error}",
            remedy="Export one float input [n, inputs], in the order of the data contract, and a probability output.",
        ) from error
    scores: Values = answers.reshape(len(inputs), -1)[:, -1]
    if not np.all((scores >= 0) & (scores <= 1)):
        raise InvalidInputError(
            f"{model} answers with something else than a probability, first at row "
            f"{int(np.argmin((scores >= 0) & (scores <= 1))) + 1}"
        )
    return scores


def _group_rates(frame: pd.DataFrame, contract: DataContract, selected: Mask) -> tuple[GroupRate, ...]:
    """Selection rate and size of every group; who has no recorded group is in none."""
    rates = []
    for protected in contract.protected:
        for group, chosen in pd.Series(selected, index=frame.index).groupby(frame[protected.column]):
            rate = GroupRate(
                column=protected.column, group=str(group), selected=float(chosen.mean()), count=len(chosen)
            )
            rates.append(rate)
    return tuple(rates)


def _adverse_impact(name: str, rates: Sequence[GroupRate], contract: DataContract) -> tuple[Reading, ...]:
    """The four-fifths rule's ratio; no reading unless every protected column can be compared."""
    ratios, compared = [], list[GroupRate]()
    for protected in contract.protected:
        groups = [rate for rate in rates if rate.column == protected.column]
        first = next((rate for rate in groups if rate.group == protected.reference), None)
        if first is None or first.selected == 0 or len(groups) == 1:
            return ()
        ratios += [rate.selected / first.selected for rate in groups if rate is not first]
        compared += groups
    if not ratios:
        return ()
    return (Reading(name=name, value=min(ratios), count=min(rate.count for rate in compared)),)


def _demand_reference_groups(rates: Sequence[GroupRate], contract: DataContract, path: Path) -> None:
    for protected in contract.protected:
        groups = [rate.group for rate in rates if rate.column == protected.column]
        if protected.reference not in groups:
            raise InvalidInputError(
                f"nobody in {path} has '{protected.column}' = '{protected.reference}', the group that the others are "
                f"compared with; found: {', '.join(groups) or 'no group'}"
            )


class OnnxEvaluator:
    """Fits the Evaluator port. The model file must have passed the artifact gate before."""

    def evaluate(self, model: Path, data: Path, submission: Submission) -> EvaluationReport:
        """Measure on held-out data, which must hold every label; MissingColumnError, InvalidInputError."""
        contract = submission.contract
        protected = [one.column for one in contract.protected]
        frame = _read(data, [*(column.name for column in contract.inputs), contract.label, *protected])
        labels = _labels(frame, contract, data)
        if np.isnan(labels).any() or np.unique(labels).size < 2:
            raise InvalidInputError(f"label '{contract.label}' of {data} must be there in every row, both 0 and 1")
        scores = _scores(model, _inputs(frame, contract, data))
        rates = _group_rates(frame, contract, scores >= contract.threshold)
        _demand_reference_groups(rates, contract, data)
        readings = (
            Reading(name="auc", value=float(roc_auc_score(labels, scores)), count=len(frame)),
            Reading(name="calibration_error", value=calibration_error(scores, labels), count=len(frame)),
            *_adverse_impact("adverse_impact", rates, contract),
        )
        return EvaluationReport(rows=len(frame), readings=readings, groups=rates)

    def measure(self, model: Path, reference: Path, window: Path, submission: Submission) -> WindowReport:
        """Compare a window with the training data; MissingColumnError, InvalidInputError.

        Labels may be missing, in some rows or altogether: then the live readings rest on fewer rows or are not there.
        """
        contract = submission.contract
        names = [column.name for column in contract.inputs]
        before, now = _read(reference, names), _read(window, names)
        earlier, inputs = _inputs(before, contract, reference), _inputs(now, contract, window)
        psi = {name: population_stability(earlier[:, i], inputs[:, i]) for i, name in enumerate(names)}
        drift = Reading(name="drift", value=max(psi.values()), count=len(now))
        live = _live(now, _scores(model, inputs), contract, window) if contract.label in now else ()
        return WindowReport(window=window.name, rows=len(now), readings=(drift, *live), psi=psi)


def _live(frame: pd.DataFrame, scores: Values, contract: DataContract, path: Path) -> tuple[Reading, ...]:
    """What the labelled rows of a window say; nothing where they say too little to compute it."""
    for protected in contract.protected:
        if protected.column not in frame:
            raise MissingColumnError(
                f"column '{protected.column}' is missing in {path}; found: {', '.join(frame.columns)}",
                remedy="Add the protected column to the window: without it, nobody would see an adverse impact.",
            )
    labels = _labels(frame, contract, path)
    labelled = ~np.isnan(labels)
    labels, scores, frame = labels[labelled], scores[labelled], frame[labelled]
    rates = _group_rates(frame, contract, scores >= contract.threshold)
    impact = _adverse_impact("live_adverse_impact", rates, contract)
    if np.unique(labels).size < 2:
        return impact
    return (Reading(name="live_auc", value=float(roc_auc_score(labels, scores)), count=len(labels)), *impact)
