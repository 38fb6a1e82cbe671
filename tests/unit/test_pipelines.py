"""What somebody's pipeline may say of a version: what its plan says, about those bytes, and nothing of ours."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.canonical import digest_bytes
from models.changes.change import Direction
from models.compiler import compile_template
from models.difference import difference
from models.errors import PipelineError, TemplateError
from models.external import CheckReport, read_report, request_of
from models.plan import ExternalPlan
from models.proof.exploration import explore
from models.proof.moves import measurements
from models.verdict import Verdict, judge
from models.writing import write_template
from tests.unit.piping import PIPING
from tests.unit.signed_record import submission_of

PLAN = compile_template(PIPING, "piping.yaml")
STEP = PLAN.stage("outside").steps[0]
SUBMISSION = submission_of("one")
ASKED = request_of("loans", 1, SUBMISSION, ("evasions", "robustness"))
GIVEN: dict[str, Any] = {
    "artifact": SUBMISSION.artifact.digest,
    "readings": [{"name": "robustness", "value": 0.9, "count": 80}, {"name": "evasions", "value": 1, "count": 80}],
    "summary": "two hours of trying",
}


def said(**changes: object) -> bytes:
    """A report with something else in it."""
    return json.dumps(GIVEN | changes).encode()


def test_the_plan_says_whose_word_counts_for_what() -> None:
    """In normal form; and a plan without pipelines does not speak of them, so that its digest stays."""
    assert STEP.external == ExternalPlan(pipeline="red-team", readings=("evasions", "robustness"))
    assert STEP.measures == {"evasions", "robustness"}
    others = [step for stage in PLAN.stages for step in stage.steps if step.external is None]
    assert others
    assert all(set(step.model_dump()) == {"id", "kind", "timeout"} for step in others)
    assert difference(PLAN, compile_template(write_template(PLAN), "again.yaml")) == ()


def test_a_report_that_answers_what_was_asked() -> None:
    """In whatever order; one without a summary, too; a reading that could not be taken rests on nothing."""
    report = read_report(said(), ASKED)
    assert report == CheckReport.model_validate(GIVEN)
    nothing = [{"name": name, "value": 0, "count": 0} for name in ASKED.readings]
    kpi = PLAN.kpi("evasions")
    assert judge(kpi, read_report(said(readings=nothing), ASKED).readings).verdict is Verdict.INCONCLUSIVE
    assert judge(kpi, report.readings).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("result", "reason"),
    [
        (b"", "result.json: Invalid JSON"),
        (b"[]", "object"),
        (said(artifact=digest_bytes(b"others")), "was asked about"),
        (said(verdict="pass"), "verdict: Extra inputs"),
        (said(readings=GIVEN["readings"][:1]), "it gives robustness instead of evasions, robustness"),
        (said(readings=[]), "it gives no readings instead"),
        (said(readings=[*GIVEN["readings"], {"name": "auc", "value": 1, "count": 9_999}]), "evasions, auc instead"),
        (said(readings=[*GIVEN["readings"], GIVEN["readings"][0]]), "robustness, evasions, robustness instead"),
        (said(readings=[GIVEN["readings"][0] | {"count": -1}]), "greater than or equal to 0"),
        (said().replace(b"0.9", b"1e999"), "finite"),
        (said().replace(b"0.9", b"NaN"), "readings.0.value|Invalid JSON|finite"),
        (said(summary="x" * 301), "at most 300"),
    ],
)
def test_a_report_that_does_not(result: bytes, reason: str) -> None:
    """Less than was asked for, more, something else, or about something else: nothing of it counts."""
    with pytest.raises(PipelineError, match=reason):
        read_report(result, ASKED)


@settings(max_examples=50)
@given(st.binary(max_size=60) | st.text(max_size=20).map(json.dumps).map(str.encode))
def test_garbage_is_an_error_of_the_pipeline(garbage: bytes) -> None:
    """Whatever it is, it is told as the pipeline's own."""
    with pytest.raises(PipelineError):
        read_report(garbage, ASKED)


def test_every_answer_of_a_pipeline_is_explored() -> None:
    """A gate judges what it says in each of three ways, and on no path a version passes without it."""
    kpi = PLAN.kpi("evasions")
    explored = measurements(PLAN, "outside", STEP.measures)
    assert {judge(kpi, readings).verdict for _, readings in explored} == set(Verdict)
    found = explore(PLAN, at_most=20_000)
    assert found.outcome == "proved"


def test_another_pipeline_is_less_and_more() -> None:
    """So a template that extends another one cannot let a pipeline of its own speak in place of the one it trusts."""
    other = PIPING.replace("in: red-team", "in: of-my-own")
    changes = difference(PLAN, compile_template(other, "other.yaml"))
    assert [(one.direction, one.sentence) for one in changes] == [
        (Direction.TIGHTER, "evidence from pipelines has 'evasions' of 'of-my-own' as well"),
        (Direction.TIGHTER, "evidence from pipelines has 'robustness' of 'of-my-own' as well"),
        (Direction.LOOSER, "evidence from pipelines no longer has 'evasions' of 'red-team'"),
        (Direction.LOOSER, "evidence from pipelines no longer has 'robustness' of 'red-team'"),
    ]
    child = """
extends: piping
lifecycle: mine
version: 1
title: Mine
stages:
  outside:
    do: [{run: pipeline, in: of-my-own, readings: [evasions]}]
"""
    with pytest.raises(TemplateError, match="no longer has 'evasions' of 'red-team'"):
        compile_template(child, "mine.yaml", parents={"piping": PIPING})
