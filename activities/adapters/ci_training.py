"""Trains by having a pipeline run elsewhere."""

from pathlib import Path

from pydantic import ValidationError

from activities.adapters.ci_runs import RESULT, CiRuns, Run
from activities.adapters.file_digests import pinned
from models.canonical import canonical, digest_bytes
from models.errors import PipelineError, TrainingError
from models.evidence import EffectKey
from models.inventory import Submission
from models.training import accept, request_of


class CiTrainer:
    """Fits `Trainer`; each run may take `timeout` seconds."""

    def __init__(self, runs: CiRuns, timeout: float) -> None:
        self._runs = runs
        self._timeout = timeout

    def train(self, trainer: str, previous: Submission, window: Path | None, key: EffectKey) -> Submission:
        """Make a challenger of `previous`; TrainingError."""
        request = canonical(request_of(trainer, previous, pinned(window) if window else None)).decode()
        try:
            return self._runs.result(
                key, request, self._timeout, lambda run, result: accept(trainer, previous, _read(trainer, run, result))
            )
        except PipelineError as error:
            raise TrainingError(f"trainer '{trainer}': {error}", error.remedy) from error


def _read(trainer: str, run: Run, result: bytes) -> Submission:
    try:
        return Submission.model_validate_json(result)
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"]))
        said = f"trainer '{trainer}': {RESULT} of run {run.id} ({digest_bytes(result)}): {place}"
        raise TrainingError(f"{said}: {error.errors()[0]['msg']}", f"see {run.page}") from error
