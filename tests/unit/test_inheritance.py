"""`extends`: a child adds and tightens; what it loosens is named where it is written."""

import pytest

from models.compiler import compile_template
from models.diagnostics import Diagnostic
from models.errors import TemplateError
from models.inventory import RiskTier
from tests.unit import small_plans
from tests.unit.kernel_world import TEMPLATES
from tests.unit.template_mistakes import Mistake

PARENTS = {name: (TEMPLATES / f"{name}.yaml").read_text() for name in ("credit-high-risk", "low-risk")}
PARENT = compile_template(PARENTS["credit-high-risk"], "p")
CODES = frozenset({"MO721", "MO722", "MO723"})
"""Earned here, because it takes more than one text."""

CHILD = """\
extends: credit-high-risk
lifecycle: credit-strict
version: 2.0.0
title: Credit decisions, as strict as we are
tiers: [critical]
retention: 7300d
kpis:
  auc: {pass: ">= 0.80", fail: "< 0.75"}
stages:
  validation:
    gate:
      approvals: {risk: 2}
      remind: [1d, 3d, 7d]
  staging:
    gate:
      checks: [auc]
"""


def child(text: str, **others: str) -> tuple[Diagnostic, ...]:
    """What is said of a child."""
    with pytest.raises(TemplateError) as caught:
        compile_template(text, "child.yaml", parents=PARENTS | others)
    return caught.value.diagnostics


def test_a_child_has_what_its_parent_has() -> None:
    """What the child writes is merged in: mappings key by key, checks added, figures and reminders replaced."""
    plan = compile_template(CHILD, "child.yaml", parents=PARENTS)
    validation, staging = plan.stage("validation"), plan.stage("staging")
    assert (plan.template, plan.tiers, plan.retention) == ("credit-strict", (RiskTier.CRITICAL,), 7300 * 86_400)
    assert [stage.name for stage in plan.stages] == [stage.name for stage in PARENT.stages]
    assert validation.gate is not None
    assert validation.gate.approvals == {"data_science": 1, "risk": 2}
    assert validation.gate.remind == (86_400, 3 * 86_400, 7 * 86_400)
    assert staging.gate is not None
    assert staging.gate.checks == ("adverse_impact", "auc")
    assert str(plan.kpi("auc").passes) == ">= 0.8"


def test_a_grandchild() -> None:
    """A child may be extended in turn."""
    text = "extends: strict\nlifecycle: credit-stricter\nversion: 3\nretention: 9000d\n"
    plan = compile_template(text, "g.yaml", parents=PARENTS | {"strict": CHILD})
    assert plan.retention == 9000 * 86_400
    assert plan.tiers == (RiskTier.CRITICAL,)


@pytest.mark.parametrize(
    ("old", "new", "at", "sentence"),
    [
        ("risk: 2}", "risk: 2, data_science: 0}", "", ""),
        ('">= 0.80", fail: "< 0.75"', '">= 0.70", fail: "< 0.65"', '{pass: |">= 0.70"', "KPI 'auc' passes"),
        ("[critical]", "[critical, high, medium]", "", "governs models of tier 'medium'"),
        ("retention: 7300d", "retention: 30d", "retention: |30d", "retention is 30d instead of 3653d"),
        ("retention: 7300d", "review: {every: 900d, to: risk}", "every: |900d", "review is due every 900d"),
        ("approvals: {risk: 2}", "sla: 99d", "sla: |99d", "gives people 99d instead of 10d"),
    ],
)
def test_what_is_loosened_is_named(old: str, new: str, at: str, sentence: str) -> None:
    """The diagnostic says what was loosened, at the place where the child writes it."""
    mistake = Mistake("MO722", ((old, new),), at, base=CHILD)
    found = child(mistake.text)
    if not sentence:
        assert "MO208" in {one.code for one in found}
        return
    (said,) = [one for one in found if sentence in one.message]
    assert said.code == "MO722"
    if at:
        assert (said.line, said.column) == mistake.place


HEAD = "extends: parent\nlifecycle: mine\nversion: 2\n"
CREDIT, SMALL = PARENTS["credit-high-risk"], small_plans.SMALL
QUICK = """\
enters: {suspension: quick}
stages:
  quick:
    do: [stop_serving, stop_monitors]
    gate: {question: "May it?", approvals: {legal: 1}, sla: 1d, escalate: [{after: 1d, to: risk}], on_timeout: hold}
    then: {pass: production, fail: suspended, inconclusive: quick}
"""
ESCALATING = CREDIT.replace("otherwise: suspend", "otherwise: escalate")
LOOSENED = [
    (CREDIT, "stages: {retiring: {do: [notify_consumers, stop_monitors, undeploy, archive]}, intake: {do: [classify, assess_consumers]}}", "the end can come before 'assess_consumers' was done"),
    (CREDIT, "stages: {suspended: {do: [stop_serving]}}", "suspension no longer begins with 'stop_monitors'"),
    (CREDIT, "stages: {development: {do: [register, scan, package, promote, evaluate]}}", "promotion to DEV can come before 'evaluate' was done"),
    (CREDIT, "stages: {validation: {do: []}, development: {do: [register, scan, evaluate, {run: evaluate, id: again}, package, promote]}}", "step 'evaluate' is done in development, development instead of development, validation"),
    (CREDIT, "stages: {staging: {do: []}}", "TEST is not promoted to any more"),
    (CREDIT, "kpis: {drift: {at_least: 1000000000}}", "KPI 'drift' needs 1000000000 instead of 60 observations"),
    (CREDIT, "monitors: {drift: {then: suspend, brakes: {cooldown: 900d, otherwise: escalate}}}", "monitor 'drift' starts 'escalate' when it may not act instead of 'suspend'"),
    (ESCALATING, "monitors: {drift: {brakes: {cooldown: 900d}}}", "monitor 'drift' acts again after 900d instead of 7d"),
    (ESCALATING, "monitors: {drift: {then: suspend, brakes: {at_most: 1}}}", "monitor 'drift' acts at most 1 instead of 3 times"),
    (CREDIT, "roles: {legal: lending-product}", "role 'legal' is held by the same people as role 'product'"),
    (CREDIT, "stages: {validation: {gate: {remind: [1d]}}}", "gate 'independent-validation' reminds after 1d instead of 3d and 7d"),
    (SMALL, QUICK, "gate 'reinstatement' can now be passed by on a way back from suspension"),
]  # fmt: skip


@pytest.mark.parametrize(("parent", "text", "sentence"), LOOSENED, ids=[one[2][:40] for one in LOOSENED])
def test_what_looks_like_more_is_less(parent: str, text: str, sentence: str) -> None:
    """Work that moves away from where it counts, a monitor that never breaches, one group in two roles."""
    said = [found.message for found in child(f"{HEAD}{text}\n", parent=parent) if found.code == "MO722"]
    assert f"{sentence}: looser than 'parent' allows" in said


def test_a_waiver_is_not_prolonged() -> None:
    """It may end sooner than that of the parent."""
    waivers = "waivers: {four-eyes: {owner: risk, reason: It is being built., until: 2029-01-01}}\n"
    (said,) = child(f"{HEAD}waivers: {{four-eyes: {{until: 2029-02-01}}}}\n", parent=CREDIT + waivers)
    assert (said.code, said.path) == ("MO722", "waivers.four-eyes.until")
    text = f"{HEAD}waivers: {{four-eyes: {{until: 2028-02-01}}}}\n"
    compile_template(text, "child.yaml", parents={"parent": CREDIT + waivers})


def test_a_child_has_a_name_of_its_own() -> None:
    """It does not pass for its parent."""
    said = child("extends: credit-high-risk\n")
    assert [(one.code, one.path) for one in said] == [("MO202", "lifecycle"), ("MO202", "version")]


TIGHTENED = [
    "stages: {validation: {gate: {sla: 5d, remind: [2d, 4d]}}}",
    "stages: {validation: {gate: {escalate: [{after: 8d, to: risk}, {after: 9d, to: legal}]}}}",
    "kpis: {drift: {at_least: 30}, auc: {at_least: 600}}",
    "monitors: {drift: {then: suspend, brakes: {cooldown: 1d}}}",
    "monitors: {drift: {brakes: {cooldown: 9d, at_most: 1, per: 900d}}}",
    "roles: {legal: lawyers}",
    "stages: {validation: {do: [scan, evaluate]}, suspended: {do: [stop_serving, stop_monitors, notify_consumers]}}",
]


@pytest.mark.parametrize("text", TIGHTENED)
def test_what_is_tightened_is_taken(text: str) -> None:
    """A shorter wait with reminders of its own, more observations at a gate and fewer in a monitor, more work."""
    compile_template(f"{HEAD}{text}\n", "child.yaml", parents={"parent": CREDIT})


def test_a_mistake_of_a_child_is_in_its_own_file() -> None:
    """An entry that is added to a list is named at the child's line; what the child did not write, at `extends`."""
    (found,) = child(CHILD.replace("checks: [auc]", "checks: [aucc]"))
    assert (found.code, found.file, found.line) == ("MO213", "child.yaml", 16)
    broken = PARENTS["low-risk"].replace("do: [classify], ", "")
    found, *_ = child("extends: broken\nlifecycle: mine\nversion: 1\n", broken=broken)
    assert (found.code, found.line, found.column) == ("MO507", 1, 10)


def test_parents_that_are_none() -> None:
    """An unknown parent is suggested another; a circle, a depth without end and a text that is none are named."""
    head = "lifecycle: mine\nversion: 1\n"
    (unknown,) = [one for one in child(f"extends: credit-hi-risk\n{head}") if one.code == "MO721"]
    assert "did you mean 'credit-high-risk'?" in unknown.suggestion
    circle = child(f"extends: a\n{head}", a=f"extends: b\n{head}", b=f"extends: a\n{head}")
    assert (circle[0].code, len(circle)) == ("MO723", 1)
    assert "extends itself" in circle[0].message
    deep = {f"t{number}": f"extends: t{number + 1}\n{head}" for number in range(20)}
    assert "more than 8 templates" in child(f"extends: t0\n{head}", **deep)[0].message
    assert "cannot be read" in child(f"extends: bad\n{head}", bad="[")[0].message
