"""Policy packs: which apply and why, what they demand, what is said where a template or a pack falls short."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.canonical import canonical, digest
from models.compiler import compile_with_warnings
from models.diagnostics import Diagnostic, Severity
from models.errors import ConflictError, InvalidInputError, TemplateError
from models.inventory import ModelFacts, RiskTier
from models.plan import WaiverPlan
from models.policy import Confidence, Pack, Policy, load_pack
from models.policy import Severity as Weight
from models.scope import Scope
from models.source.yaml_source import Tree, parse_yaml
from tests.unit.policy_mistakes import (
    BANK,
    HELD,
    HELD_MISTAKES,
    LATER,
    LOAN,
    PACK_MISTAKES,
    POLICY_MISTAKES,
    PackMistake,
    PolicyMistake,
    waived,
)
from tests.unit.template_mistakes import CREDIT, TEMPLATES
from worker.policies import built_in_packs, known_packs
from worker.settings import Settings

NOW = date(2026, 11, 25)
SR_26_2 = date(2026, 4, 17)
EU_AI_ACT = date(2027, 12, 2)
LOW = (TEMPLATES / "low-risk.yaml").read_text()
HARMLESS = LOAN.model_copy(
    update={"risk_tier": RiskTier.LOW, "jurisdictions": ("US",), "personal_data": False, "automated_decision": False}
)
PACKS = {pack.name: pack for pack in built_in_packs()}
CATALOGUE = {
    "high": {
        "EU AI Act": (
            "Art. 9(1)-(2), Art. 9(8), Art. 10(2)(f)-(g), Art. 14(1)-(4), Art. 15(1)-(3), Art. 15(5), Art. 18(1), "
            "Art. 19(1), Art. 26(4), Art. 27, Art. 72(1)-(3)"
        ),
        "GDPR": "Art. 5(1)(d), Art. 32, Art. 35",
        "US MRM": "DEF-2, INV-1, DEV-3, VAL-1, EC-1, CHG-1, VAL-2, VAL-3",
        "NIST AI RMF": (
            "GOVERN 1.3, GOVERN 1.4, GOVERN 1.5, GOVERN 1.6, GOVERN 1.7, MAP 3.5, MEASURE 1.3, MEASURE 2.4, "
            "MEASURE 2.5, MEASURE 2.7, MEASURE 2.11, MANAGE 1.1, MANAGE 4.1"
        ),
        "ISO/IEC 42001": "A.5.3, A.6.2.4, A.6.2.5, A.6.2.6",
    },
    "medium": {"US MRM": "VAL-4, RET-1", "ISO/IEC 42001": "A.7.5"},
}
"""How sure the catalogue of controls is of each source that a built-in pack refers to."""


def compiled(text: str, on: date, facts: ModelFacts | None, *packs: Pack) -> tuple[Diagnostic, ...]:
    """The warnings of a template under packs; the built-in ones if none are given."""
    return compile_with_warnings(text, "t.yaml", Policy(packs or built_in_packs(), on, facts)).warnings


def bank(*edits: tuple[str, str]) -> Pack:
    """The bank's pack with edits."""
    text = BANK
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return load_pack(text, "bank.yaml")


# --- the built-in packs


def test_the_built_in_packs() -> None:
    """Seven packs come with the product, each under its own name."""
    assert [*PACKS] == [
        "baseline@1",
        "eu-ai-act-high-risk@1",
        "gdpr-automated-decisions@1",
        "iso-42001@1",
        "nist-ai-rmf@1",
        "us-sr-11-7@1",
        "us-sr-26-2@1",
    ]


@pytest.mark.parametrize("name", PACKS)
def test_what_is_not_sure_binds_nobody(name: str) -> None:
    """No control of low confidence is hard, and guidance that binds nobody is soft at most."""
    controls = PACKS[name].controls.values()
    hard = [control for control in controls if control.severity is Weight.HARD]
    assert not [control for control in hard if control.confidence is Confidence.LOW]
    assert not hard or name in ("baseline@1", "eu-ai-act-high-risk@1", "gdpr-automated-decisions@1")


def test_references_are_those_of_the_catalogue() -> None:
    """Every control refers to a row of the catalogue, with its confidence; no row of the table is left over."""
    rows = {
        (f"{framework} {control}", confidence)
        for confidence, frameworks in CATALOGUE.items()
        for framework, controls in frameworks.items()
        for control in controls.split(", ")
    }
    assert {(one.reference, one.confidence.value) for pack in PACKS.values() for one in pack.controls.values()} == rows


# --- which packs apply, and why


def names(policy: Policy) -> list[str]:
    """The packs that apply."""
    return [applied.pack.pack for applied in policy.applied()]


def test_the_packs_of_the_loan_model() -> None:
    """What applies is computed from the facts, with the reason."""
    policy = Policy(built_in_packs(), NOW, LOAN)
    assert {applied.pack.pack: applied.reason for applied in policy.applied()} == {
        "baseline": "every model",
        "gdpr-automated-decisions": "jurisdiction EU; personal data; automated decision",
        "iso-42001": "tier high",
        "nist-ai-rmf": "tier high",
        "us-sr-26-2": "kind ml; jurisdiction US; sector banking",
    }
    assert [(to.pack.pack, to.reason) for to in policy.to_come()] == [
        ("eu-ai-act-high-risk", "tier high; jurisdiction EU; sector banking")
    ]


@pytest.mark.parametrize(
    ("on", "holds", "not_any_more"),
    [
        (SR_26_2 - timedelta(days=1), "us-sr-11-7", "us-sr-26-2"),
        (SR_26_2, "us-sr-26-2", "us-sr-11-7"),
    ],
)
def test_one_guidance_follows_the_other(on: date, holds: str, not_any_more: str) -> None:
    """SR 11-7 holds up to the day before SR 26-2 replaces it: never both, never neither."""
    found = names(Policy(built_in_packs(), on, LOAN))
    assert holds in found
    assert not_any_more not in found


def test_a_pack_holds_from_its_day() -> None:
    """The day before, it is to come; on its day it holds, and is to come no more."""
    before = Policy(built_in_packs(), EU_AI_ACT - timedelta(days=1), LOAN)
    since = Policy(built_in_packs(), EU_AI_ACT, LOAN)
    assert ("eu-ai-act-high-risk" in names(before), "eu-ai-act-high-risk" in names(since)) == (False, True)
    assert [to.pack.pack for to in before.to_come()] == ["eu-ai-act-high-risk"]
    assert since.to_come() == ()


def test_a_model_out_of_scope() -> None:
    """Each condition that is written must hold; of an unknown model only what is about every model is known."""
    assert names(Policy(built_in_packs(), LATER, HARMLESS)) == ["baseline", "us-sr-26-2"]
    assert names(Policy(built_in_packs(), LATER, HARMLESS.model_copy(update={"sector": "other"}))) == ["baseline"]
    assert names(Policy(built_in_packs(), LATER)) == ["baseline"]
    assert Policy(built_in_packs(), date(2020, 1, 1)).to_come()[0].pack.pack == "baseline"


def test_a_template_may_name_a_pack() -> None:
    """A pack that the template names applies to whatever model it governs, out of scope or unknown."""
    for facts in (HARMLESS, None):
        (applied,) = Policy(built_in_packs(), NOW, facts).applied(["iso-42001"])[1:2]
        assert (applied.pack.pack, applied.reason) == ("iso-42001", "the template names it")


def test_a_scope_that_says_no() -> None:
    """`personal_data: false` is a condition like any other."""
    assert Scope(personal_data=False).reason(HARMLESS) == "no personal data"
    assert Scope(personal_data=False).reason(LOAN) is None


# --- the built-in templates under them


@pytest.mark.parametrize("on", [SR_26_2 - timedelta(days=1), NOW, LATER])
def test_the_loan_model_may_be_governed(on: date) -> None:
    """The high-risk template satisfies every hard and soft control of the loan model, today and under the AI Act."""
    warnings = compiled(CREDIT, on, LOAN)
    assert [(found.code, found.regulation) for found in warnings] == [("MO702", "iso-42001@1, ISO/IEC 42001 A.6.2.5")]


@pytest.mark.parametrize("tier", [RiskTier.HIGH, RiskTier.CRITICAL])
def test_the_high_risk_template_does_under_every_pack(tier: RiskTier) -> None:
    """It suits the highest tier as well."""
    compiled(CREDIT, LATER, LOAN.model_copy(update={"risk_tier": tier}))


@pytest.mark.parametrize("facts", [HARMLESS, None])
def test_low_risk_needs_nobody(facts: ModelFacts | None) -> None:
    """A model that can do little harm comes to production under the packs that apply, and nobody is asked."""
    plan, warnings = compile_with_warnings(LOW, "t.yaml", Policy(built_in_packs(), LATER, facts))
    assert warnings == ()
    assert not [stage.gate for stage in plan.stages if stage.gate and stage.gate.asks_people]
    assert all(control.satisfied for control in plan.controls)


def test_low_risk_is_not_for_decisions_about_people() -> None:
    """The same template does not compile for a model that decides about people in the EU by itself."""
    facts = HARMLESS.model_copy(update={"jurisdictions": ("EU",), "personal_data": True, "automated_decision": True})
    with pytest.raises(TemplateError, match=r"GDPR Art\. 35"):
        compiled(LOW, NOW, facts)


def test_the_plan_says_what_satisfies_what() -> None:
    """For each control the plan names the gate and the reference."""
    plan, _ = compile_with_warnings(CREDIT, "t.yaml", Policy(built_in_packs(), LATER, LOAN))
    found = {(one.pack, one.control): one for one in plan.controls}
    control = found["eu-ai-act-high-risk", "fundamental-rights"]
    assert (control.gate, control.reference, control.satisfied) == ("release", "EU AI Act Art. 27", True)
    assert not found["iso-42001", "deployment-accepted"].satisfied
    assert ("us-sr-26-2", "revalidation-medium") not in found


# --- what is said where something falls short


@pytest.mark.parametrize("mistake", POLICY_MISTAKES, ids=[f"{m.code}-{n}" for n, m in enumerate(POLICY_MISTAKES)])
def test_a_mistake_is_named_where_it_is(mistake: PolicyMistake | PackMistake) -> None:
    """Each mistake earns its code at its line and column, and nothing is said that is not wrong too."""
    found = mistake.found()
    assert (mistake.code, mistake.place) in [(one.code, (one.line, one.column)) for one in found]
    assert {one.code for one in found} - {mistake.code} == mistake.besides


def test_what_the_mistakes_are_made_in_is_in_order() -> None:
    """The template and the pack without a mistake say nothing."""
    assert PolicyMistake("", (), "").found() == ()
    assert PackMistake("", (), "").found() == ()


def test_a_pack_is_called_a_pack() -> None:
    """What is wrong at the top of a pack is said of the pack."""
    mistake = next(one for one in PACK_MISTAKES if one.code == "MO202")
    assert [one.message for one in mistake.found()] == ["the pack lacks 'authority'"]


def test_the_regulation_is_named() -> None:
    """Whoever misses a control is told who asks for it, and where."""
    mistake = next(one for one in HELD_MISTAKES if "fundamental-rights" in one.edits[0][0])
    (found,) = mistake.found()
    assert found.regulation == "eu-ai-act-high-risk@1, EU AI Act Art. 27"
    assert found.suggestion.startswith("the gate of 'staging' comes nearest: write 'satisfies: [fundamental-rights]'")


def test_a_waiver_lets_a_soft_control_wait() -> None:
    """A waived control is only told; the plan says until when."""
    text = HELD.replace("satisfies: [four-eyes, ", "satisfies: [").replace(*waived("four-eyes"))
    plan, (found,) = compile_with_warnings(text, "t.yaml", Policy((*built_in_packs(), bank()), NOW))
    assert (found.code, found.severity) == ("MO702", Severity.WARNING)
    control = next(one for one in plan.controls if one.control == "four-eyes")
    assert (control.satisfied, control.waived_until) == (False, date(2029, 1, 1))
    assert control.waiver == WaiverPlan(owner="rosa", reason="It is built.")
    assert plan.waived == (control,)
    assert "waiver" not in next(one for one in plan.controls if one.satisfied).model_dump()


def test_a_waiver_that_has_ended_lets_nothing_wait() -> None:
    """Compiled on its last day, a template lacks the control as well as a waiver of it."""
    text = HELD.replace("satisfies: [four-eyes, ", "satisfies: [").replace(*waived("four-eyes", until=str(NOW)))
    with pytest.raises(TemplateError) as refused:
        compiled(text, NOW, None, *built_in_packs(), bank())
    errors = [one.code for one in refused.value.diagnostics if one.severity is Severity.ERROR]
    assert sorted(errors) == ["MO702", "MO710"]


def test_a_pack_that_bounds_waivers_allows_those_within() -> None:
    """The longest waiver and the last renewal that a pack allows are allowed."""
    packs = (*built_in_packs(), bank(("controls:\n", "waivers: {at_most: 60d, renewals: 1}\ncontrols:\n")))
    text = HELD.replace("satisfies: [four-eyes, ", "satisfies: [")
    last = NOW + timedelta(days=60)
    found = compiled(text.replace(*waived("four-eyes", str(last), 1)), NOW, None, *packs)
    assert [one.code for one in found] == ["MO702"]
    with pytest.raises(TemplateError, match="MO716"):
        compiled(text.replace(*waived("four-eyes", str(last + timedelta(days=1)), 1)), NOW, None, *packs)


def test_packs_that_bound_no_waivers_keep_their_digests() -> None:
    """What a pack does not say of waivers is not in its canonical form."""
    written = json.loads(canonical(bank()))
    assert "waivers" not in written
    assert all("waivable" not in control for control in written["controls"].values())


def test_of_two_packs_that_have_a_control_the_one_that_applies_counts() -> None:
    """What a pack about other models asks under the same name does not make a claim false."""
    other = bank(
        ("pack: bank", "pack: other"), ("{risk: 1}", "{risk: 9}"), ("controls:", "applies: {kinds: [agent]}\ncontrols:")
    )
    packs = (*built_in_packs(), bank(), other)
    assert [found.code for found in compiled(HELD, NOW, LOAN, *packs)] == ["MO702"]
    with pytest.raises(TemplateError, match="8 approvals of risk"):
        compiled(HELD, NOW, LOAN.model_copy(update={"kind": "agent"}), *packs)
    with pytest.raises(TemplateError, match="8 approvals of risk"):
        compiled(HELD, NOW, LOAN, *built_in_packs(), other)


def test_a_control_has_a_scope_of_its_own() -> None:
    """A control about other tiers asks nothing; of an unknown model, the template's tiers count."""
    pack = bank(("    review: 90d", "    review: 1d\n    applies: {tiers: [critical], sectors: [banking]}"))
    packs = (*built_in_packs(), pack)
    compiled(HELD, NOW, LOAN, *packs)
    for facts in (LOAN.model_copy(update={"risk_tier": RiskTier.CRITICAL}), None):
        with pytest.raises(TemplateError, match="MO709"):
            compiled(HELD, NOW, facts, *packs)
    compiled(HELD.replace("tiers: [high, critical]", "tiers: [high]"), NOW, None, *packs)


def test_retirement_is_looked_at_on_every_path() -> None:
    """A step before the end that one way through retirement leaves out is missing."""
    ways = "{pass: sealing, inconclusive: retired}"
    text = LOW.replace("undeploy, archive], then: retired}", f"undeploy], then: closing}}\n  closing: {{then: {ways}}}")
    text = text.replace("  retired: {", "  sealing: {do: [archive], then: retired}\n  retired: {")
    with pytest.raises(TemplateError, match="a version can come to 'retired' without archive"):
        compiled(text, NOW, HARMLESS)


def test_a_pack_reads_the_same_however_it_is_written() -> None:
    """A list of checks is short for checks without a bound; versions stay as they were written."""
    short = bank(('checks: {auc: ">= 0.75"}', "checks: [auc]"))
    long = bank(('checks: {auc: ">= 0.75"}', "checks: {auc: null}"))
    assert short == long
    assert bank(("version: 7", "version: 1.10")).name == "bank@1.10"


# --- packs of one's own


def test_packs_of_ones_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder of packs stands beside those that come with the product."""
    (tmp_path / "bank.yaml").write_text(BANK)
    (tmp_path / "notes.txt").write_text("not a pack")
    monkeypatch.setenv("MODELOPS_POLICIES", str(tmp_path))
    assert {pack.name for pack in known_packs(Settings().policies)} == {*PACKS, "bank@7"}
    assert known_packs(None) == built_in_packs()


def test_a_name_stands_for_one_pack(tmp_path: Path) -> None:
    """The same pack twice is one; another under the same name and version is refused."""
    (tmp_path / "a.yaml").write_text(BANK)
    (tmp_path / "b.yaml").write_text(f"# a copy\n{BANK}")
    assert [pack.name for pack in known_packs(tmp_path)].count("bank@7") == 1
    (tmp_path / "c.yaml").write_text(BANK.replace("90d", "91d"))
    with pytest.raises(ConflictError, match=r"c\.yaml: there is a pack bank@7 already"):
        known_packs(tmp_path)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A folder that is not there, and a pack with a mistake, are named."""
    with pytest.raises(InvalidInputError, match="none cannot be read"):
        known_packs(tmp_path / "none")
    (tmp_path / "bad.yaml").write_text(BANK.replace("every: 1d", "every: daily"))
    with pytest.raises(TemplateError, match=r"bad\.yaml:.*MO205"):
        known_packs(tmp_path)


# --- what holds of every pack and template


def tree_of(text: str) -> dict[str, Tree]:
    """A text as mappings and lists; days stay text."""
    tree = parse_yaml(text, "t.yaml").tree
    assert isinstance(tree, dict)
    return tree


def shuffled(tree: Tree, data: st.DataObject) -> Tree:
    """The same with the keys of each mapping in another order; the order of the stages has a meaning."""
    if isinstance(tree, list):
        return [shuffled(one, data) for one in tree]
    if not isinstance(tree, dict):
        return tree
    keys = list(tree) if "intake" in tree else data.draw(st.permutations(list(tree)))
    return {key: shuffled(tree[key], data) for key in keys}


def said(text: str, packs: tuple[Pack, ...]) -> set[tuple[str, str, str, str]]:
    """Everything that is said of a template but the line and column."""
    try:
        found = compile_with_warnings(text, "t.yaml", Policy(packs, LATER, LOAN)).warnings
    except TemplateError as error:
        found = error.diagnostics
    return {(one.code, one.path, one.message, one.regulation) for one in found}


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_the_order_of_packs_and_keys_says_nothing(data: st.DataObject) -> None:
    """Shuffle the packs, the keys of a pack and the keys of the template: the same is said, of the same places."""
    mistake = data.draw(st.sampled_from(HELD_MISTAKES))
    packs = mistake.policy.packs
    tree = shuffled(tree_of(BANK), data)
    again = load_pack(json.dumps(tree), "bank.yaml")
    assert digest(again) == digest(packs[-1]) or mistake.pack != BANK
    reordered = data.draw(st.permutations([*packs[:-1], again] if mistake.pack == BANK else packs))
    text = json.dumps(shuffled(tree_of(mistake.text), data))
    assert said(text, tuple(reordered)) == said(mistake.text, packs)


def _more_people(template: dict[str, Tree], data: st.DataObject) -> None:
    for stage in ("validation", "staging"):
        gate = _at(template, "stages", stage, "gate", "approvals")
        gate |= {role: data.draw(st.integers(1, 3)) + int(str(gate.get(role, 0))) for role in ("risk", "legal")}


def _stricter_bound(template: dict[str, Tree], data: st.DataObject) -> None:
    kpi = data.draw(st.sampled_from(["auc", "adverse_impact", "live_auc"]))
    _at(template, "kpis", kpi)["pass"] = f">= {data.draw(st.sampled_from([0.81, 0.9, 1.0]))}"


def _longer_kept(template: dict[str, Tree], data: st.DataObject) -> None:
    template["retention"] = f"{data.draw(st.integers(3653, 9000))}d"


def _sooner_looked_at(template: dict[str, Tree], data: st.DataObject) -> None:
    template["review"] = {"every": f"{data.draw(st.integers(1, 90))}d", "to": "risk"}
    _at(template, "monitors", "drift")["every"] = f"{data.draw(st.integers(1, 24))}h"


def _at(tree: Tree, *path: str) -> dict[str, Tree]:
    for key in path:
        assert isinstance(tree, dict)
        tree = tree[key]
    assert isinstance(tree, dict)
    return tree


TIGHTER: list[Callable[[dict[str, Tree], st.DataObject], None]] = [
    _more_people,
    _stricter_bound,
    _longer_kept,
    _sooner_looked_at,
]


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_tightening_breaks_no_control(data: st.DataObject) -> None:
    """More people, a stricter bound, longer retention or a shorter interval never fail a control that was satisfied."""
    mistake = data.draw(st.sampled_from([PolicyMistake("", (), ""), *HELD_MISTAKES]))
    tree = tree_of(mistake.text)
    before = {(code, regulation) for code, _, _, regulation in said(json.dumps(tree), mistake.policy.packs)}
    for tighten in data.draw(st.lists(st.sampled_from(TIGHTER), min_size=1, max_size=4)):
        tighten(tree, data)
    after = {(code, regulation) for code, _, _, regulation in said(json.dumps(tree), mistake.policy.packs)}
    assert after <= before


def test_what_is_watched_too_seldom_is_not_watched() -> None:
    """A dimension that nobody looks at for longer than a month, for medium a quarter, does not count as watched."""
    upkeep = "    every: 7d\n    then: escalate\n    to: data_science"
    text = CREDIT.replace(upkeep, upkeep.replace("7d", "36500d"))
    with pytest.raises(TemplateError, match="the process dimension is watched every 36500d"):
        compiled(text, LATER, LOAN)
    medium = Policy(built_in_packs(), LATER, LOAN.model_copy(update={"risk_tier": RiskTier.MEDIUM}))
    assert [control.every for _, _, control in medium.asked() if control.dimensions] == [92 * 86_400]
