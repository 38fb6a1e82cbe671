"""A version looked at in somebody's CI: one contract for three systems, whatever a run leaves."""

import io
import json
import zipfile
from collections.abc import Callable

import pytest

from activities.adapters import ci_http
from activities.adapters.ci_checks import CiChecks
from activities.adapters.ci_http import member
from activities.adapters.ci_runs import RESULT, name_of
from activities.ports import CheckAnswer
from models.errors import PipelineError, UnknownNameError
from models.evidence import EffectKey
from models.external import CheckRequest, request_of
from tests.contract.ci_runs import Ci, Crash, branched, ci, crash, host, jenkins
from tests.contract.ci_systems import URL, Jenkins
from tests.unit.signed_record import submission_of

__all__ = ["branched", "ci", "host", "jenkins"]

KEY = EffectKey(model="loans", visit=7, step="red-team")
SUBMISSION = submission_of("one")
ASKED = request_of("loans", 1, SUBMISSION, ("evasions",))
GOOD = json.dumps(
    {"artifact": SUBMISSION.artifact.digest, "readings": [{"name": "evasions", "value": 1, "count": 80}]}
).encode()
OTHER = GOOD.replace(b"evasions", b"auc")


def check(
    ci: Ci, beat: Callable[[str], None] = lambda run: None, abandoned: bool = False, timeout: int = 5
) -> CheckAnswer:
    """As the activity has it."""
    return CiChecks({"red-team": ci.runs(beat, abandoned)}).check("red-team", ASKED, timeout, KEY)


def leaving(ci: Ci, result: bytes, outcome: str = "success") -> Callable[[str], None]:
    """The run ends as soon as somebody looks."""
    return lambda run: ci.end(outcome, result)


def test_a_version_is_looked_at_elsewhere(ci: Ci) -> None:
    """The run is told which bytes and which readings; what it says comes with its source, as it was collected."""
    answer = check(ci, leaving(ci, GOOD))
    (build,) = ci.system.builds
    assert (build.name, CheckRequest.model_validate_json(build.request)) == (name_of(KEY), ASKED)
    assert (answer.collected, answer.run) == (GOOD, "1")
    assert answer.page.rstrip("/") == f"{URL}/1"
    assert [(one.name, one.value, one.count) for one in answer.report.readings] == [("evasions", 1, 80)]
    assert check(ci) == answer
    assert len(ci.system.builds) == 1


@pytest.mark.parametrize(
    ("outcome", "result", "reason"),
    [("failure", b"", "run 1 failed"), ("success", b"\x00", "Invalid JSON"), ("success", OTHER, "it gives auc")],
)
def test_what_cannot_be_used_is_said_and_another_run_is_had_for_the_asking(
    ci: Ci, outcome: str, result: bytes, reason: str
) -> None:
    """By whose pipeline, which run, and where people see it; nobody is stuck with a bad answer for ever."""
    with pytest.raises(PipelineError, match=f"pipeline 'red-team': .*{reason}") as failed:
        check(ci, leaving(ci, result, outcome))
    assert f"{URL}/1" in failed.value.remedy
    assert check(ci, leaving(ci, GOOD)).run == "2"
    assert len(ci.system.builds) == 2


def test_a_run_from_another_branch_answers_for_nothing(branched: Ci) -> None:
    """Whoever may push a branch can have a run of any name there, with a pipeline that says what they like."""
    branched.system.begin(name_of(KEY), "")
    branched.system.builds[0].branch = "of-mallory"
    branched.end("success", GOOD)
    assert check(branched, leaving(branched, GOOD)).run == "2"


def test_a_report_that_is_too_long_is_not_read_to_its_end(ci: Ci, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long an answer is, the worker keeps no more of it than a little."""
    monkeypatch.setattr(ci_http, "_LARGEST", 50_000)
    with pytest.raises(PipelineError, match=r"more than 50000 bytes|a very long one"):
        check(ci, leaving(ci, GOOD + b" " * 50_000))


def test_what_never_ends_is_cancelled(ci: Ci) -> None:
    """When the time is up that the template gives it, and it is said so."""
    with pytest.raises(PipelineError, match=r"run \S+ did not finish within 0 s and was cancelled"):
        check(ci, timeout=0)
    assert ci.system.cancelled == [1]


@pytest.mark.parametrize("abandoned", [True, False])
def test_a_lifecycle_that_turns_while_a_run_is_being_begun(
    ci: Ci, monkeypatch: pytest.MonkeyPatch, abandoned: bool
) -> None:
    """The run that nobody has heard of yet is cancelled, too; that of a worker that stops goes on."""
    dispatch = ci.pipeline.dispatch

    def turning(name: str, request: str) -> None:
        dispatch(name, request)
        raise Crash

    monkeypatch.setattr(ci.pipeline, "dispatch", turning)
    with pytest.raises(Crash):
        check(ci, abandoned=abandoned)
    assert ci.system.cancelled == [1] * abandoned


def test_a_crash_while_it_runs(ci: Ci) -> None:
    """It is dispatched once, however often somebody comes back."""
    for _ in range(3):
        with pytest.raises(Crash):
            check(ci, crash)
    assert check(ci, leaving(ci, GOOD)).run == "1"
    assert (len(ci.system.builds), ci.system.cancelled) == (1, [])


def test_what_waits_in_a_queue(jenkins: Ci) -> None:
    """It is found there after a crash, and taken out of it when nobody wants it any more."""
    assert isinstance(jenkins.system, Jenkins)
    jenkins.system.waits = True
    for abandoned in (False, False, True):
        with pytest.raises(Crash):
            check(jenkins, crash, abandoned)
    assert (len(jenkins.system.builds), jenkins.system.cancelled) == (1, [1])
    jenkins.system.waits = False
    assert check(jenkins, leaving(jenkins, GOOD)).run == "2"


def test_what_is_no_archive_and_what_nobody_has_configured() -> None:
    """A broken archive is the pipeline's error; a name that the worker does not know is said with the remedy."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr(RESULT, GOOD)
    archive, begins = file.getvalue(), len(RESULT) + 30
    damaged = archive[:begins] + b"\xff" * 8 + archive[begins + 8 :]
    for broken in (damaged, archive[:-30], b""):
        with pytest.raises(PipelineError, match="no zip file"):
            member(broken, RESULT)
    with pytest.raises(UnknownNameError, match="'red-team' is not configured") as unknown:
        CiChecks({}).check("red-team", ASKED, 1, KEY)
    assert "MODELOPS_CI" in unknown.value.remedy
