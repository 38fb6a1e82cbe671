"""Has pipelines elsewhere look at versions."""

from collections.abc import Mapping

from activities.adapters.ci_runs import RESULT, CiRuns, Run
from activities.ports import CheckAnswer
from models.canonical import canonical, digest_bytes
from models.errors import PipelineError, UnknownNameError
from models.evidence import EffectKey
from models.external import CheckRequest, read_report


class CiChecks:
    """Fits `Pipelines`, by their names."""

    def __init__(self, named: Mapping[str, CiRuns]) -> None:
        self._named = named

    def close(self) -> None:
        """Close the connections."""
        for runs in self._named.values():
            runs.close()

    def check(self, pipeline: str, asked: CheckRequest, timeout: int, key: EffectKey) -> CheckAnswer:
        """What the run of a key says; PipelineError, UnknownNameError, UnavailableError."""
        runs = self._named.get(pipeline)
        if runs is None:
            raise UnknownNameError(f"pipeline '{pipeline}' is not configured", "name it in MODELOPS_CI, then retry")

        def accept(run: Run, result: bytes) -> CheckAnswer:
            try:
                return CheckAnswer(run.id, run.page, result, read_report(result, asked))
            except PipelineError as error:
                said = f"{RESULT} of run {run.id} ({digest_bytes(result)}): {error}"
                raise PipelineError(said, f"see {run.page}; retry for another run") from error

        try:
            return runs.result(key, canonical(asked).decode(), timeout, accept)
        except PipelineError as error:
            raise PipelineError(f"pipeline '{pipeline}': {error}", error.remedy) from error
