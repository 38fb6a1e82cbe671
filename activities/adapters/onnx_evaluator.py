"""Measures a version on CSV files. A model that computes runs in a bounded child process, on one processor."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import compress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from activities.adapters.child_process import NO_MEMORY, REFUSED, run_module
from activities.adapters.csv_table import Table, Values, missing_column, read_table
from activities.adapters.estimator_scoring.process import EstimatorProcess
from activities.adapters.table_scoring import load_table, score_rows
from models.errors import InvalidInputError
from models.evidence import EvaluationReport, GroupRate, WindowReport
from models.formats import FORMATS, Format
from models.golden import SCORE, Parity, compare
from models.inventory import Column, DataContract, Submission
from models.verdict import Reading

Mask = NDArray[np.bool_]

_BINS = 10
_FLOOR = 1e-4
_CHILD = "activities.adapters.onnx_scoring"
_EXPORT = "Export one float input [n, inputs], in the order of the data contract, and a probability output."
_SMALLER = "Submit a smaller model, or have the limit raised."


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


def _area(labels: Values, scores: Values) -> float:
    """The area under the receiver operating characteristic. scikit-learn takes seconds to load: not when we start."""
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(labels, scores))


def _labels(table: Table, contract: DataContract) -> Values:
    """1 for the favourable outcome, 0 for the other, NaN if not known yet."""
    labels = table.numbers(Column(name=contract.label))
    others = np.setdiff1d(labels[~np.isnan(labels)], [0, 1])
    if others.size:
        raise InvalidInputError(f"label '{contract.label}' of {table.path} must be 0 or 1; found {others[0]:g}")
    return labels


def _group_rates(groups: Mapping[str, Sequence[str]], selected: Mask) -> tuple[GroupRate, ...]:
    """Selection rate and size of every group of every column; who has no recorded group is in none."""
    rates = []
    for column, cells in groups.items():
        chosen = Counter(compress(cells, selected))
        for group, count in sorted(Counter(filter(None, cells)).items()):
            rates.append(GroupRate(column=column, group=group, selected=chosen[group] / count, count=count))
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

    def __init__(self, timeout_seconds: float = 120.0, memory_bytes: int = 4 << 30) -> None:
        """How long one model may take to answer all rows, and how much address space it may have."""
        self._timeout = timeout_seconds
        self._memory = memory_bytes

    def evaluate(self, model: Path, data: Path, submission: Submission) -> EvaluationReport:
        """Measure on held-out data, which must hold every label; MissingColumnError, InvalidInputError."""
        contract = submission.contract
        protected = [one.column for one in contract.protected]
        needed = [*(column.name for column in contract.inputs), contract.label, *protected]
        table = read_table(data, needed, welcome=_recorded(submission))
        labels = _labels(table, contract)
        if np.isnan(labels).any() or np.unique(labels).size < 2:
            raise InvalidInputError(f"label '{contract.label}' of {data} must be there in every row, both 0 and 1")
        scores = self._scores(model, table, submission)
        rates = _group_rates({name: table.cells[name] for name in protected}, scores >= contract.threshold)
        _demand_reference_groups(rates, contract, data)
        readings = (
            Reading(name="auc", value=_area(labels, scores), count=table.rows),
            Reading(name="calibration_error", value=calibration_error(scores, labels), count=table.rows),
            *_adverse_impact("adverse_impact", rates, contract),
        )
        recorded = FORMATS[submission.format].elsewhere
        return EvaluationReport(rows=table.rows, readings=readings, groups=rates, recorded=recorded)

    def measure(self, model: Path, reference: Path, window: Path, submission: Submission) -> WindowReport:
        """Compare a window with the training data; MissingColumnError, InvalidInputError.

        Labels may be missing, in some rows or altogether: then the live readings rest on fewer rows or are not there.
        """
        contract = submission.contract
        names = [column.name for column in contract.inputs]
        welcome = [contract.label, *(one.column for one in contract.protected), *_recorded(submission)]
        now = read_table(window, names, welcome=welcome)
        earlier, inputs = read_table(reference, names).inputs(contract), now.inputs(contract)
        psi = {name: population_stability(earlier[:, i], inputs[:, i]) for i, name in enumerate(names)}
        drift = Reading(name="drift", value=max(psi.values()), count=now.rows)
        scores = self._scores(model, now, submission)
        selected = float(np.mean(scores >= contract.threshold))
        selection = Reading(name="live_selection_rate", value=selected, count=now.rows)
        live = _live(now, scores, contract) if contract.label in now.cells else ()
        return WindowReport(window=window.name, rows=now.rows, readings=(drift, selection, *live), psi=psi)

    def replay(self, model: Path, golden: Path, submission: Submission) -> Parity:
        """Have golden predictions answered anew; MissingColumnError, InvalidInputError."""
        if submission.golden is None:
            raise InvalidInputError(f"{golden} has predictions for a version that was submitted without any")
        inputs = [column.name for column in submission.contract.inputs]
        if SCORE in inputs:
            raise InvalidInputError(f"an input is called '{SCORE}', as the golden predictions are", "rename the input")
        table = read_table(golden, [*inputs, SCORE])
        answers = self._scores(model, table, submission)
        expected = table.numbers(Column(name=SCORE))
        return compare(expected.tolist(), answers.tolist(), submission.golden.tolerance)

    def _scores(self, model: Path, table: Table, submission: Submission) -> Values:
        """The probability of the favourable outcome, one per row; InvalidInputError if it is something else."""
        if FORMATS[submission.format].elsewhere:
            return _probabilities(table.path, _answers(table))
        if submission.format is Format.DECISION_TABLE:
            return _probabilities(model, score_rows(load_table(model), _columns(table, submission.contract)))
        if not FORMATS[submission.format].served:
            raise InvalidInputError(f"{model} cannot be run here: it is handed in as {submission.format}", _EXPORT)
        if FORMATS[submission.format].runs_code:
            return _probabilities(model, self._estimate(model, table, submission))
        return _probabilities(model, self._run(model, table.inputs(submission.contract)))

    def _estimate(self, model: Path, table: Table, submission: Submission) -> Values:
        """What a scikit-learn estimator answers, if it is clean; InvalidInputError."""
        names = [column.name for column in submission.contract.inputs]
        rows, cpu = table.inputs(submission.contract), math.ceil(self._timeout)
        try:
            form = submission.format
            return EstimatorProcess(model.read_bytes(), form, names, self._timeout, self._memory, cpu).score(rows)
        except MemoryError:
            raise InvalidInputError(f"{model} needs more than {self._memory / (1 << 30):g} GiB", _SMALLER) from None
        except InvalidInputError as error:
            raise InvalidInputError(f"{model} cannot be run: {error}", error.remedy) from error

    def _run(self, model: Path, inputs: Values) -> Values:
        """What an ONNX model answers; InvalidInputError if it exceeds its limits."""
        rows, columns = inputs.shape
        limits = (str(self._memory), str(math.ceil(self._timeout)))
        try:
            given = inputs.astype(np.float32).tobytes()
            child = run_module(_CHILD, [str(model.absolute()), str(columns), *limits], self._timeout, given)
        except TimeoutError:
            needs = f"{model} needs more than {self._timeout:g} seconds to answer {rows} rows"
            raise InvalidInputError(needs, _SMALLER) from None
        if child.returncode == NO_MEMORY:
            needs = f"{model} needs more than {self._memory / (1 << 30):g} GiB of memory to answer {rows} rows"
            raise InvalidInputError(needs, _SMALLER)
        if child.returncode == REFUSED:
            raise InvalidInputError(f"{model} cannot be run on {columns} inputs: {child.stdout.decode()}", _EXPORT)
        if child.returncode != 0 or len(child.stdout) != rows * np.dtype(np.float32).itemsize:
            how = f"the run ended abnormally (exit status {child.returncode})"
            raise InvalidInputError(f"{model} cannot be run on {columns} inputs: {how}", _EXPORT)
        return np.frombuffer(child.stdout, dtype=np.float32).astype(float)


def _columns(table: Table, contract: DataContract) -> dict[str, Values | NDArray[np.object_]]:
    return {
        column.name: np.array(table.cells[column.name], dtype=object)
        if column.type == "string"
        else table.numbers(column)
        for column in contract.inputs
    }


def _recorded(submission: Submission) -> list[str]:
    """The column of what the model answered, where somebody else runs it."""
    return [SCORE] if FORMATS[submission.format].elsewhere else []


def _answers(table: Table) -> Values:
    """What was answered to each row when it was asked; MissingColumnError, InvalidInputError."""
    remedy = "Ask the model about every row, and keep what it answered in this column."
    if SCORE not in table.cells:
        raise missing_column(table.path, table.header, SCORE, remedy)
    answers = table.numbers(Column(name=SCORE))
    if np.isnan(answers).any():
        row = int(np.isnan(answers).argmax()) + 1
        raise InvalidInputError(f"{table.path} has no answer of the model in '{SCORE}', first at row {row}", remedy)
    return answers


def _probabilities(model: Path, scores: Values) -> Values:
    fitting = (scores >= 0) & (scores <= 1)
    if not fitting.all():
        place = int(np.argmin(fitting)) + 1
        raise InvalidInputError(f"{model} answers with something else than a probability, first at row {place}")
    return scores


def _live(table: Table, scores: Values, contract: DataContract) -> tuple[Reading, ...]:
    """What the labelled rows of a window say; nothing where they say too little to compute it."""
    for protected in contract.protected:
        if protected.column not in table.cells:
            remedy = "Add the protected column to the window: without it, nobody would see an adverse impact."
            raise missing_column(table.path, table.header, protected.column, remedy)
    labels = _labels(table, contract)
    labelled = ~np.isnan(labels)
    labels, scores = labels[labelled], scores[labelled]
    groups = {one.column: list(compress(table.cells[one.column], labelled)) for one in contract.protected}
    rates = _group_rates(groups, scores >= contract.threshold)
    impact = _adverse_impact("live_adverse_impact", rates, contract)
    if np.unique(labels).size < 2:
        return impact
    return (Reading(name="live_auc", value=_area(labels, scores), count=len(labels)), *impact)
