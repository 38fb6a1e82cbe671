"""Plans that were compiled before a policy: written down again, and held to it."""

from datetime import date

import pytest

from models.compiler import compile_template, compile_with_warnings
from models.errors import TemplateError
from models.impact import impact
from models.policy import NO_POLICY, Policy
from models.writing import write_template
from tests.unit.kernel_world import TEMPLATES, plan_of
from tests.unit.policy_mistakes import HELD_MISTAKES, LATER, LOAN, PolicyMistake
from tests.unit.small_plans import REJECTING, SMALL
from worker.policies import built_in_packs

TEXTS = [(TEMPLATES / f"{name}.yaml").read_text() for name in ("credit-high-risk", "low-risk")]


@pytest.mark.parametrize("text", [*TEXTS, SMALL, REJECTING], ids=["credit", "low", "small", "rejecting"])
def test_a_plan_written_down_compiles_to_itself(text: str) -> None:
    """Template to plan to template to plan: the same digest, so nothing was lost or made up."""
    plan = compile_template(text, "t")
    assert compile_template(write_template(plan), "again") == plan


def compiles(text: str) -> bool:
    """Whether a template is in order but for policy."""
    try:
        compile_template(text, "t")
    except TemplateError:
        return False
    return True


HELD = [mistake for mistake in HELD_MISTAKES if compiles(mistake.text)]


@pytest.mark.parametrize("mistake", HELD, ids=[f"{m.code}-{n}" for n, m in enumerate(HELD)])
def test_a_plan_lacks_what_its_template_lacks(mistake: PolicyMistake) -> None:
    """What the compiler says of a template under a policy is what is found in its plan later."""
    plan = compile_template(mistake.text, "t")
    try:
        said = compile_with_warnings(mistake.text, "t", mistake.policy).warnings
    except TemplateError as error:
        said = error.diagnostics
    expected = {(one.code, one.message, one.regulation) for one in said if one.regulation and one.code != "MO710"}
    assert {(one.code, one.message, one.regulation) for one in impact(plan, mistake.policy)} == expected


def test_a_regulation_to_come() -> None:
    """The built-in high-risk plan will satisfy the AI Act; the low-risk one never would."""
    later = Policy(built_in_packs(), LATER, LOAN)
    hard = [one for one in impact(plan_of("credit-high-risk"), later) if one.severity == "error"]
    assert hard == []
    lacks = {one.regulation.partition(",")[0] for one in impact(plan_of("low-risk"), later)}
    assert "eu-ai-act-high-risk@1" in lacks
    today = Policy(built_in_packs(), date(2026, 11, 25), LOAN)
    assert not any(one.regulation.startswith("eu-ai-act") for one in impact(plan_of("low-risk"), today))
    assert impact(plan_of("low-risk"), NO_POLICY) == ()
