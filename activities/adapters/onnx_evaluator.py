"""Measures a version on files of data. A model that computes runs in a bounded child process, on one processor."""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache, partial
from itertools import compress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from activities.adapters.child_process import NO_MEMORY, REFUSED, run_module
from activities.adapters.column_counters import (
    Reference,
    count_answered,
    count_columns,
    count_groups,
    count_reference,
    count_scores,
)
from activities.adapters.column_kinds import columns_of, header_of
from activities.adapters.csv_table import Values, missing_column, read_table, tensor
from activities.adapters.estimator_scoring.process import EstimatorProcess
from activities.adapters.feature_importance import RowSample, cells_of, importances
from activities.adapters.outcome_parts import with_outcomes
from activities.adapters.remembered_part import RememberedPart
from activities.adapters.table_scoring import load_table, score_rows
from activities.adapters.window_parts import Part, parts_of
from activities.window_ports import Beat, unheard
from models.errors import InvalidInputError
from models.evidence import EvaluationReport, GroupRate, WindowReport
from models.expectation import Expectation, expect
from models.formats import FORMATS, Format
from models.golden import SCORE, Parity, compare
from models.inventory import Column, DataContract, Submission
from models.schema import SchemaReport, compare_columns
from models.statistics.figures import Figure, Result, Unmeasured
from models.statistics.performance import area_under_curve, calibration_error
from models.statistics.scores import Scores
from models.window import (
    Beside,
    Groups,
    Importances,
    WindowTally,
    adverse_impact,
    group_rates,
    readings_of,
    report_window,
)

_CHILD = "activities.adapters.onnx_scoring"
_EXPORT = "Export one float input [n, inputs], in the order of the data contract, and a probability output."
_SMALLER = "Submit a smaller model, or have the limit raised."

_REMEMBERED = 32
"""Versions of which it is remembered what their held-out data says."""

_ELSEWHERE = "others run the model: it cannot be asked about rows with exchanged inputs"


class _HeldOut(NamedTuple):
    expectation: Expectation
    importances: Mapping[str, float] | str


def _labels(table: Part, contract: DataContract) -> Values:
    """1 for the favourable outcome, 0 for the other, NaN if not known yet."""
    labels = table.numbers(Column(name=contract.label))
    others = np.setdiff1d(labels[~np.isnan(labels)], [0, 1])
    if others.size:
        raise InvalidInputError(f"label '{contract.label}' of {table.where} must be 0 or 1; found {others[0]:g}")
    return labels


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

    def __init__(self, timeout_seconds: float = 120.0, memory_bytes: int = 4 << 30, beat: Beat = unheard) -> None:
        """How long one model may take to answer a part's rows, and how much address space it may have."""
        self._timeout = timeout_seconds
        self._memory = memory_bytes
        self._beat = beat
        self._held_out = lru_cache(_REMEMBERED)(self._read_held_out)

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
        counted = count_scores(scores, labels, contract.threshold)
        groups = _groups(table, labels, scores, contract)
        rates = group_rates(groups)
        _demand_reference_groups(rates, contract, data)
        found: dict[str, Result | str] = {
            "auc": area_under_curve(counted),
            "calibration_error": calibration_error(counted),
            "adverse_impact": adverse_impact(contract, groups),
        }
        figures = {name: figure for name, figure in found.items() if isinstance(figure, Figure)}
        recorded = FORMATS[submission.format].elsewhere
        return EvaluationReport(rows=table.rows, readings=readings_of(figures), groups=rates, recorded=recorded)

    def measure(
        self,
        model: Path,
        reference: Path,
        held_out: Path,
        window: Path,
        submission: Submission,
        outcomes: Path | None = None,
    ) -> WindowReport:
        """Compare a window with the training data and with the held-out data; MissingColumnError, InvalidInputError.

        Labels may be missing, in some rows or altogether: then the live readings rest on fewer rows or are not there.
        What is wrong with the held-out data costs the readings that need it, each with the reason, and no other.
        """
        contract = submission.contract
        names = [column.name for column in contract.inputs]
        earlier = count_reference(lambda: parts_of(reference, names), contract.inputs)
        now, welcome = (
            WindowTally(),
            [
                contract.label,
                *(one.column for one in contract.protected),
                *_recorded(submission),
            ],
        )
        sample = RowSample(contract.inputs)
        parts = with_outcomes(parts_of(window, names, welcome), outcomes, contract)
        for part in map(RememberedPart, parts):
            now += self._count(model, part, earlier, submission, now)
            sample.add(part)
            self._beat(f"{now.rows} rows are counted")
        beside = self._beside(model, held_out, sample, submission)
        return report_window(window.name, contract, earlier.columns, now, earlier.deciles, beside)

    def compare_columns(self, training: Path, window: Path, submission: Submission) -> SchemaReport:
        """What has become of a window's columns, whether or not it can be measured; InvalidInputError."""
        contract = submission.contract
        return compare_columns(contract, header_of(training), columns_of(window, contract))

    def _beside(self, model: Path, held_out: Path, window: RowSample, submission: Submission) -> Beside:
        try:
            found = self._held_out(model, held_out, submission)
        except InvalidInputError as error:
            why = f"the held-out data cannot be measured: {error}"
            return Beside(why, why)
        if isinstance(found.importances, str):
            return Beside(found.expectation, found.importances)
        now, rows = self._importances(model, window, submission)
        return Beside(found.expectation, now if isinstance(now, str) else Importances(found.importances, now, rows))

    def _read_held_out(self, model: Path, data: Path, submission: Submission) -> _HeldOut:
        """What the data that a version was evaluated on says of it; MissingColumnError, InvalidInputError."""
        contract = submission.contract
        needed = [*(column.name for column in contract.inputs), contract.label, *_recorded(submission)]
        scores, sample = Scores(), RowSample(contract.inputs)
        for part in map(RememberedPart, parts_of(data, needed)):
            answers, labels = self._scores(model, part, submission), _labels(part, contract)
            scores += count_scores(answers, labels, contract.threshold, scores.exact)
            sample.add(part)
        return _HeldOut(expect(scores), self._importances(model, sample, submission)[0])

    def _importances(
        self, model: Path, sample: RowSample, submission: Submission
    ) -> tuple[Mapping[str, float] | str, int]:
        """How much the score hangs on each input, or why nobody can tell, and of how many rows."""
        rows = sample.rows()
        if FORMATS[submission.format].elsewhere:
            return _ELSEWHERE, rows.rows
        if len(rows.cells) < 2:
            return Unmeasured.ONE_FEATURE.sentence, rows.rows
        try:
            return importances(rows, partial(self._scores, model, submission=submission)), rows.rows
        except InvalidInputError as error:
            return f"the model does not answer rows with exchanged inputs: {error}", rows.rows

    def _count(
        self, model: Path, part: Part, earlier: Reference, submission: Submission, so_far: WindowTally
    ) -> WindowTally:
        """A part of a window, scored, to be added to what was counted so far."""
        contract = submission.contract
        scores = self._scores(model, part, submission)
        known = contract.label in part.header
        if known:
            _demand_protected_columns(part, contract)
        labels = _labels(part, contract) if known else np.full(part.rows, np.nan)
        groups = _groups(part, labels, scores, contract) if known else {}
        return WindowTally(
            rows=part.rows,
            inputs=count_columns(part, contract.inputs, earlier.edges),
            selected=int(np.sum(scores >= contract.threshold)),
            answered=count_answered(scores, so_far.answered.exact),
            scores=count_scores(scores, labels, contract.threshold, so_far.scores.exact),
            groups=groups,
        )

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

    def _scores(self, model: Path, table: Part, submission: Submission) -> Values:
        """The probability of the favourable outcome, one per row; InvalidInputError if it is something else."""
        if FORMATS[submission.format].elsewhere:
            return _probabilities(table.where, _answers(table))
        if submission.format is Format.DECISION_TABLE:
            columns = {column.name: cells_of(table, column) for column in submission.contract.inputs}
            return _probabilities(model, score_rows(load_table(model), columns))
        if not FORMATS[submission.format].served:
            raise InvalidInputError(f"{model} cannot be run here: it is handed in as {submission.format}", _EXPORT)
        if FORMATS[submission.format].runs_code:
            return _probabilities(model, self._estimate(model, table, submission))
        return _probabilities(model, self._run(model, tensor(table, submission.contract)))

    def _estimate(self, model: Path, table: Part, submission: Submission) -> Values:
        """What a scikit-learn estimator answers, if it is clean; InvalidInputError."""
        names = [column.name for column in submission.contract.inputs]
        rows, cpu = tensor(table, submission.contract), math.ceil(self._timeout)
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


def _recorded(submission: Submission) -> list[str]:
    """The column of what the model answered, where somebody else runs it."""
    return [SCORE] if FORMATS[submission.format].elsewhere else []


def _answers(table: Part) -> Values:
    """What was answered to each row when it was asked; MissingColumnError, InvalidInputError."""
    remedy = "Ask the model about every row, and keep what it answered in this column."
    if SCORE not in table.header:
        raise missing_column(table.where, table.header, SCORE, remedy)
    answers = table.numbers(Column(name=SCORE))
    if np.isnan(answers).any():
        row = int(np.isnan(answers).argmax()) + 1
        raise InvalidInputError(f"{table.where} has no answer of the model in '{SCORE}', first at row {row}", remedy)
    return answers


def _probabilities(model: Path | str, scores: Values) -> Values:
    fitting = (scores >= 0) & (scores <= 1)
    if not fitting.all():
        place = int(np.argmin(fitting)) + 1
        raise InvalidInputError(f"{model} answers with something else than a probability, first at row {place}")
    return scores


def _groups(table: Part, labels: Values, scores: Values, contract: DataContract) -> Groups:
    """The groups of people in the rows whose outcome is known."""
    known = ~np.isnan(labels)
    selected, positive = scores[known] >= contract.threshold, labels[known] == 1
    names = {one.column: list(compress(table.texts(one.column), known)) for one in contract.protected}
    return {column: count_groups(cells, selected, positive) for column, cells in names.items()}


def _demand_protected_columns(part: Part, contract: DataContract) -> None:
    for protected in contract.protected:
        if protected.column not in part.header:
            remedy = "Add the protected column to the window: without it, nobody would see an adverse impact."
            raise missing_column(part.where, part.header, protected.column, remedy)
