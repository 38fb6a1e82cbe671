"""The compiler: what compiles, what does not and where it says so, and that the same meaning gives the same plan."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.canonical import canonical, digest
from models.compiler import compile_template, compile_with_warnings
from models.diagnostic_codes import EXPLANATIONS
from models.diagnostics import Diagnostic
from models.errors import TemplateError
from models.evidence import StepKind
from models.plan import NEEDS_VERSION, Plan, Remedy
from models.rules.monitors import overlap
from models.source.yaml_source import parse_yaml
from models.state import Phase
from models.template import Runnable
from models.verdict import Comparison
from tests.unit.good_templates import GOOD, LOW
from tests.unit.kernel_world import World, happening
from tests.unit.policy_mistakes import POLICY_MISTAKES
from tests.unit.template_mistakes import CREDIT, MISTAKES, Mistake
from tests.unit.test_inheritance import CODES as INHERITED
from tests.unit.test_lifecycle_properties import check

ROOT = Path(__file__).parents[2]
REINSTATING = GOOD["reinstating"]


def diagnostics(text: str) -> tuple[Diagnostic, ...]:
    """Everything that is said of a template, whether it compiles or not."""
    try:
        return compile_with_warnings(text, "t.yaml").warnings
    except TemplateError as error:
        return error.diagnostics


@pytest.mark.parametrize("mistake", MISTAKES, ids=[f"{m.code}-{n}" for n, m in enumerate(MISTAKES)])
def test_a_mistake_is_named_where_it_is(mistake: Mistake) -> None:
    """Each mistake earns its code at its line and column, and nothing is said that is not wrong too."""
    found = diagnostics(mistake.text)
    assert (mistake.code, mistake.place) in [(one.code, (one.line, one.column)) for one in found]
    assert {one.code for one in found} - {mistake.code} == mistake.besides


def test_every_code_has_a_mistake() -> None:
    """No code of the table is untested, and no test is about a code that nobody explained."""
    assert {mistake.code for mistake in (*MISTAKES, *POLICY_MISTAKES)} | INHERITED == EXPLANATIONS.keys()


def test_every_code_is_explained() -> None:
    """Each code has a title and a paragraph."""
    for code, explanation in EXPLANATIONS.items():
        assert explanation.title, code
        assert explanation.text.endswith("."), code


@pytest.mark.parametrize("name", GOOD)
def test_good_templates_compile_without_a_warning(name: str) -> None:
    """Whatever is in order is taken as it is, the built-in templates among it."""
    assert compile_with_warnings(GOOD[name], f"{name}.yaml").warnings == ()


def test_there_is_much_to_refuse_and_something_to_take() -> None:
    """The corpus: each bad text is another edit of a good one, and each good one has another plan."""
    bad = {(mistake.text, getattr(mistake, "pack", "")) for mistake in (*MISTAKES, *POLICY_MISTAKES)}
    assert len(bad) == len(MISTAKES) + len(POLICY_MISTAKES) >= 60
    assert len({digest(compile_template(text, "t")) for text in GOOD.values()}) == len(GOOD) >= 15


def test_high_risk_has_two_human_gates() -> None:
    """Independent validation asks data science and risk, release asks legal and product; nothing else asks people."""
    plan = compile_template(CREDIT, "t")
    asked = {s.gate.id: s.gate.approvals for s in plan.stages if s.gate and s.gate.asks_people}
    assert asked == {
        "independent-validation": {"data_science": 1, "risk": 1},
        "release": {"legal": 1, "product": 1},
    }


def test_low_risk_is_cheap() -> None:
    """The smallest useful template has fewer than 15 lines and asks nobody."""
    plan = compile_template(LOW, "t")
    assert len(LOW.splitlines()) < 15
    assert not [s.gate for s in plan.stages if s.gate and s.gate.asks_people]


@pytest.mark.parametrize("text", [CREDIT, LOW])
def test_a_plan_survives_its_canonical_form(text: str) -> None:
    """A plan written as canonical JSON and read again is the same plan with the same digest."""
    plan = compile_template(text, "t")
    again = Plan.model_validate_json(canonical(plan))
    assert again == plan
    assert digest(again) == digest(plan)


def test_names_and_times_reach_the_plan() -> None:
    """What is written in days becomes seconds, and defaults are filled in."""
    plan = compile_template(CREDIT, "t")
    gate = plan.stage("validation").gate
    assert gate is not None
    assert (gate.sla, gate.remind, gate.escalate[0].after) == (864_000, (259_200, 604_800), 864_000)
    automatic = plan.stage("development").gate
    assert automatic is not None
    assert (automatic.id, automatic.question) == ("development", "")
    assert [step.timeout for step in plan.stage("development").steps] == [600, 600, 600, 300, 300]
    assert plan.monitors[0].brakes.otherwise is Remedy.SUSPEND


def test_an_escalation_only_monitor_needs_no_brakes() -> None:
    """Telling people needs no limit; whatever acts by itself does."""
    mistake = next(m for m in MISTAKES if m.code == "MO605")
    plan = compile_template(mistake.text.replace("then: retrain", "then: escalate"), "t")
    assert plan.monitors[0].brakes.otherwise is Remedy.ESCALATE


def test_suspension_may_end_through_people() -> None:
    """A suspended champion may come back through a gate that asks people."""
    plan = compile_template(REINSTATING, "t")
    assert plan.environment_gates == compile_template(CREDIT, "t").environment_gates


def test_silence_cannot_approve() -> None:
    """There is no way to write that a gate passes when nobody decides."""
    text = CREDIT.replace("on_timeout: hold               #", "on_timeout: approve #")
    assert [found.code for found in diagnostics(text)] == ["MO207"]


def test_mistakes_are_found_all_at_once() -> None:
    """Several mistakes of different families are named in one go, in the order of the text."""
    text = CREDIT
    for old, new in (
        ("      sla: 10d\n", ""),
        (", undeploy, archive]", ", archive]"),
        ('"< 0.65"', '"< 0.75"'),
        ("    to: risk\n", "    to: rsk\n"),
    ):
        text = text.replace(old, new)
    assert [found.code for found in diagnostics(text)] == ["MO601", "MO506", "MO403", "MO212"]


def test_a_hundred_errors_of_a_kind_are_enough() -> None:
    """A long text full of unknown names is answered at once: nobody reads more, and nothing is near among so many."""
    lost = "".join(f"  a{n}: {{then: {{pass: {'ab' * 25}{n}, fail: {'ba' * 25}{n}}}}}\n" for n in range(400))
    found = diagnostics(CREDIT.replace("  retired: {", f"{lost}  retired: {{"))
    assert [(one.code, one.suggestion) for one in found] == [("MO211", "")] * 100


def test_warnings_hide_no_error() -> None:
    """However many they are, what is wrong is found after them."""
    unused = "".join(f"  k{n}: {{pass: '> 1', fail: '< 1'}}\n" for n in range(110))
    text = CREDIT.replace("enters:\n", f"{unused}\nenters:\n").replace(
        "checks: [adverse_impact]\n", "checks: [adverse]\n"
    )
    assert [found.code for found in diagnostics(text)] == ["MO606"] * 110 + ["MO213"]


def _reordered(tree: object, how: int) -> object:
    """The same mapping with its keys in another order; the order of the stages is kept, for it has a meaning."""
    if isinstance(tree, list):
        return [_reordered(item, how) for item in tree]
    if not isinstance(tree, dict):
        return tree
    keys = list(tree)
    if "intake" not in tree:
        keys = sorted(keys, key=lambda key: hash_of(f"{how}{key}"))
    return {key: _reordered(tree[key], how) for key in keys}


def hash_of(text: str) -> str:
    """A scrambled but repeatable order."""
    return hashlib.sha256(text.encode()).hexdigest()


MEANT = [mistake for mistake in MISTAKES if not parse_yaml(mistake.text, "t").diagnostics]


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(MEANT), st.integers())
def test_the_order_of_keys_says_nothing(mistake: Mistake, how: int) -> None:
    """Shuffle the keys of a template with a mistake: the same is said, of the same places."""
    text = json.dumps(_reordered(parse_yaml(mistake.text, "t").tree, how))
    said, again = ({(one.code, one.path, one.message) for one in diagnostics(one)} for one in (mistake.text, text))
    assert said == again


_EVERYTHING = """
from models.canonical import digest
from models.compiler import compile_template
from tests.unit.good_templates import GOOD
from tests.unit.judges import said
from tests.unit.policy_mistakes import POLICY_MISTAKES
from tests.unit.template_mistakes import MISTAKES
print([digest(compile_template(text, "t")) for text in GOOD.values()])
print([said(mistake) for mistake in (*MISTAKES, *POLICY_MISTAKES)])
"""


def test_it_says_the_same_in_every_process() -> None:
    """Neither plans nor diagnostics depend on how a process orders its sets."""
    heard = {
        subprocess.run(
            [sys.executable, "-c", _EVERYTHING],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(heard) == 1


@given(st.integers())
def test_the_digest_depends_on_the_meaning_alone(how: int) -> None:
    """Comments, quotes, block or flow style and the order of keys change nothing in the plan or its digest."""
    text = json.dumps(_reordered(yaml.safe_load(CREDIT), how))
    assert digest(compile_template(f"# {how}\n{text}", "other.yaml")) == digest(compile_template(CREDIT, "t"))


def test_defaults_written_out_change_nothing() -> None:
    """Writing what is true anyway gives the same plan."""
    text = CREDIT.replace("do: [classify]", "do: [{run: classify, id: classify, timeout: 5m}]")
    text = text.replace("gate: {checks: [threats", "gate: {id: development, checks: [threats")
    text = text.replace("    then: retired\n", "    then: {pass: retired}\n").replace("    breach_after: 1\n", "")
    text = text.replace("tiers: [high, critical]", "tiers: [critical, high]").replace("sla: 10d", "sla: 240h")
    assert digest(compile_template(text, "t")) == digest(compile_template(CREDIT, "t"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("legal: 1, product: 1", "legal: 2, product: 1"),
        ("sla: 10d", "sla: 11d"),
        ("title: Credit decisions", "title: Credit judgements"),
        ("version: 1.0.0", "version: 1.0.1"),
        ("[owner, developer, submitter, trainer, editor]", "[owner, developer]"),
        ('pass: ">= 0.75"', 'pass: ">= 0.76"'),
    ],
)
def test_another_meaning_has_another_digest(old: str, new: str) -> None:
    """Whatever changes what is demanded changes the plan's digest and its source digest."""
    changed, plan = compile_template(CREDIT.replace(old, new), "t"), compile_template(CREDIT, "t")
    assert digest(changed) != digest(plan)
    assert changed.source != plan.source


OPERATORS = st.sampled_from([">=", "<=", ">", "<", "=="])
BOUNDS = st.integers(-3, 3).map(float)
COMPARISONS = st.builds(lambda operator, bound: Comparison(operator=operator, bound=bound), OPERATORS, BOUNDS)


@given(COMPARISONS, COMPARISONS)
def test_overlap_is_what_some_number_shows(one: Comparison, other: Comparison) -> None:
    """Two comparisons overlap exactly if a number between, at or beyond their bounds satisfies both."""
    shown = any(one.holds(n / 2) and other.holds(n / 2) for n in range(-8, 9))
    assert overlap(one, other) == shown


NAMES = st.sampled_from(list(yaml.safe_load(CREDIT)["stages"]))
VERDICTS = st.sampled_from(["pass", "fail", "inconclusive"])
KINDS = st.sampled_from([kind.value for kind in get_args(Runnable)])
GATES = st.sampled_from([None, {"checks": ["threats"]}, yaml.safe_load(CREDIT)["stages"]["staging"]["gate"]])


def _rewire(data: st.DataObject, tree: dict[str, Any]) -> None:
    """One random change of the graph."""
    stage = tree["stages"][data.draw(NAMES)]
    match data.draw(st.integers(0, 6)):
        case 0 | 1:
            then = stage.get("then", {})
            stage["then"] = ({"pass": then} if isinstance(then, str) else then) | {
                data.draw(VERDICTS): data.draw(NAMES)
            }
        case 2:
            tree["enters"][data.draw(st.sampled_from(list(tree["enters"])))] = data.draw(NAMES)
        case 3:
            stage.setdefault("do", []).insert(data.draw(st.integers(0, 3)), data.draw(KINDS))
        case 4:
            stage["do"] = stage.get("do", [])[1:]
        case 5:
            stage["gate"] = data.draw(GATES)
        case _:
            stage["environment"] = data.draw(st.sampled_from([None, "DEV", "TEST", "PROD"]))


def _happen(data: st.DataObject, world: World) -> None:
    """One event, more often a likely one than not, after which everything must still hold."""
    before, likely = world.state, data.draw(st.integers(0, 4))
    if before.in_flight and likely:
        last = world.answer()
    elif before.gate and likely:
        last = world.decide(data.draw(st.sampled_from(["dmitri", "rosa", "lena", "paul"])))
    else:
        last = world.say(happening(data, world))
    check(world, before, last)
    order, gate = world.state.in_flight, world.state.gate
    assert gate is None or world.state.subject
    if order and order.kind in NEEDS_VERSION - {StepKind.PROMOTE, StepKind.MONITOR}:
        assert world.state.candidate


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_whatever_compiles_runs(data: st.DataObject) -> None:
    """A randomly rewired template is refused, or its plan leads to production and keeps the kernel's invariants."""
    tree = yaml.safe_load(data.draw(st.sampled_from([CREDIT, REINSTATING])))
    for _ in range(data.draw(st.integers(1, 3))):
        _rewire(data, tree)
    try:
        plan = compile_template(json.dumps(tree), "t")
    except TemplateError:
        return
    world = World(plan)
    world.to_production()
    assert world.state.phase is Phase.STEADY
    for _ in range(40):
        _happen(data, world)
