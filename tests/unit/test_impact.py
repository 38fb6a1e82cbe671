"""Plans that were compiled before a policy: written down again, and held to it."""

from datetime import date

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from models.compiler import compile_template, compile_with_warnings
from models.diagnostics import Severity
from models.errors import TemplateError
from models.impact import impact
from models.inventory import Environment, RiskTier
from models.policy import NAMED, NO_POLICY, Policy, load_pack
from models.writing import write_template
from tests.unit.good_templates import GOOD
from tests.unit.kernel_world import plan_of
from tests.unit.policy_mistakes import BANK, HELD, HELD_MISTAKES, LATER, LOAN, PolicyMistake, waived
from tests.unit.small_plans import SMALL
from worker.policies import built_in_packs


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_a_plan_written_down_compiles_to_itself(text: str) -> None:
    """Template to plan to template to plan: the same digest, so nothing was lost or made up."""
    plan = compile_template(text, "t")
    assert compile_template(write_template(plan), "again") == plan


FIGURES = st.floats(allow_nan=False, allow_infinity=False).map(lambda figure: repr(abs(figure)))

TITLES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=50).filter(str.strip)


@settings(deadline=None)
@given(title=TITLES, figure=FIGURES)
def test_whatever_is_written_is_read_again(title: str, figure: str) -> None:
    """Every title and every figure that a template may have survives the way to the plan, to text and back."""
    tree = yaml.safe_load(SMALL)
    tree["title"] = title
    tree["kpis"]["drift"] = {"pass": f"< {figure}", "fail": f">= {figure}"}
    try:
        plan = compile_template(yaml.safe_dump(tree, sort_keys=False), "t")
    except TemplateError:
        assume(False)
        raise
    assert compile_template(write_template(plan), "again") == plan


@pytest.mark.parametrize("title", ["Loans \U0001f600", "a\u2028b", "a\ufeffb"])
def test_titles_that_json_and_yaml_write_differently(title: str) -> None:
    """A title out of the ordinary does not hide what a plan lacks."""
    plan = plan_of("low-risk").model_copy(update={"title": title})
    assert len(impact(plan, Policy(built_in_packs(), LATER, LOAN))) > 30


def test_a_plan_that_would_compile_no_more() -> None:
    """A plan that the compiler would refuse today is not said to compile, whatever the packs ask."""
    plan = plan_of("low-risk")
    stages = tuple(
        one.model_copy(update={"environment": Environment.DEV}) if one.steady else one for one in plan.stages
    )
    assert "MO322" in {found.code for found in impact(plan.model_copy(update={"stages": stages}), NO_POLICY)}


MINE = """\
pack: mine
version: 1
title: What agents need
authority: We
effective: {from: 2026-01-01}
applies: {kinds: [agent]}
controls:
  watched: {title: It is watched., reference: "1", confidence: high, severity: hard, monitors: [drift], every: 1d}
"""


def test_a_pack_that_the_template_names() -> None:
    """It holds for the plan as well, though its model is out of scope."""
    text = SMALL.replace("tiers: [medium]", "tiers: [medium]\npolicies: [mine]")
    medium = LOAN.model_copy(update={"risk_tier": RiskTier.MEDIUM})
    plan = compile_template(text, "t", Policy((load_pack(MINE, "p"),), LATER, medium))
    stricter = Policy((load_pack(MINE.replace("1d", "1h"), "p"),), LATER, medium)
    assert [found.code for found in impact(plan, stricter)] == ["MO707"]


def test_waivers_are_written_down_as_well() -> None:
    """What a plan does without is told as such, until the waiver has ended; then it is missing."""
    text = HELD.replace("satisfies: [four-eyes, ", "satisfies: [").replace(*waived("four-eyes", "2028-06-30", 1))
    packs = (*built_in_packs(), load_pack(BANK, "bank.yaml"))
    plan = compile_template(text, "t", Policy(packs, LATER))
    named = plan.model_copy(update={"packs": tuple(one.model_copy(update={"reason": NAMED}) for one in plan.packs)})
    for day, severity in ((LATER, Severity.WARNING), (date(2028, 6, 30), Severity.ERROR)):
        assert [(one.code, one.severity) for one in impact(named, Policy(packs, day))] == [("MO702", severity)]


def compiles(text: str) -> bool:
    """Whether a template is in order but for policy."""
    try:
        compile_template(text, "t")
    except TemplateError:
        return False
    return True


CAUGHT = [mistake for mistake in HELD_MISTAKES if compiles(mistake.text)]


@pytest.mark.parametrize("mistake", CAUGHT, ids=[f"{m.code}-{n}" for n, m in enumerate(CAUGHT)])
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
