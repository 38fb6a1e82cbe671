"""What a change to a lifecycle means: every difference has its direction and its sentence, and the way back mirrors."""

import json
from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from datetime import date
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from models.canonical import canonical
from models.changes.change import Change, Direction
from models.compiler import compile_template
from models.difference import difference
from models.errors import TemplateError
from models.impact import impact
from models.plan import ControlPlan, PackPlan, Plan, Remedy, WaiverPlan
from models.policy import Policy
from models.verdict import Comparison
from tests.unit.policy_mistakes import LATER, LOAN
from tests.unit.small_plans import SMALL
from tests.unit.template_mistakes import CREDIT, TEMPLATES
from tests.unit.test_compiler import COMPARISONS, REINSTATING
from worker.policies import built_in_packs

PLAN = compile_template(CREDIT, "t")
TIGHTER, LOOSER, NEUTRAL = Direction.TIGHTER, Direction.LOOSER, Direction.NEUTRAL


def edited(*edits: tuple[str, str], text: str = CREDIT) -> Plan:
    """The plan of a template after edits of its text."""
    for old, new in edits:
        assert text.count(old) == 1, f"{text.count(old)} times: {old}"
        text = text.replace(old, new)
    return compile_template(text, "t")


def told(before: Plan, after: Plan) -> list[tuple[Direction, str]]:
    """The differences as a reader sees them."""
    return [(one.direction, one.sentence) for one in difference(before, after)]


ONE_EDIT = [
    ("legal: 1, product: 1", "legal: 2, product: 1", TIGHTER, "gate 'release' asks 2 of legal instead of 1"),
    ("legal: 1, product: 1", "legal: 1, product: 1, risk: 1", TIGHTER, "gate 'release' asks 1 of risk as well"),
    ("data_science: 1, risk: 1}", "risk: 1}", LOOSER, "gate 'independent-validation' asks nobody of data_science any more"),
    ("secrets, auc, ad", "secrets, ad", LOOSER, "gate 'development' no longer checks 'auc'"),
    ("checks: [adverse_impact]\n", "checks: [adverse_impact, auc]\n", TIGHTER, "gate 'release' checks 'auc' as well"),
    ("sla: 10d", "sla: 11d", LOOSER, "gate 'independent-validation' gives people 11d instead of 10d"),
    ("remind: [3d, 7d]", "remind: [3d]", LOOSER, "gate 'independent-validation' reminds after 3d instead of 3d and 7d"),
    ("remind: [3d, 7d]", "remind: [2d, 7d]", TIGHTER, "gate 'independent-validation' reminds after 2d and 7d instead of 3d and 7d"),
    ("      remind: [3d, 7d]\n", "", LOOSER, "gate 'independent-validation' no longer reminds"),
    ("to: product}, {after: 7d, to: risk}", "to: product}", LOOSER, "gate 'release' no longer escalates to risk"),
    ("{after: 7d, to: risk}", "{after: 6d, to: risk}", TIGHTER, "gate 'release' escalates to risk after 6d instead of 7d"),
    (
        "on_timeout: hold               #",
        "on_timeout: reject #",
        TIGHTER,
        "gate 'independent-validation' rejects when nobody decides in time; before, it waits on when nobody decides in time",
    ),
    ("      sla: 5d\n", "      sla: 5d\n      approvals_lapse: 30d\n", TIGHTER, "gate 'release' lets approvals lapse after 30d"),
    ("question: May this", "question: Should this", NEUTRAL, "gate 'release' asks 'Should this version decide about customers in production?' instead of 'May this version decide about customers in production?'"),
    ('pass: ">= 0.75"', 'pass: ">= 0.7"', LOOSER, "KPI 'auc' passes at >= 0.7 instead of >= 0.75"),
    ('pass: ">= 0.75"', 'pass: "> 0.75"', TIGHTER, "KPI 'auc' passes at > 0.75 instead of >= 0.75"),
    ('fail: "< 0.70"', 'fail: "< 0.72"', TIGHTER, "KPI 'auc' fails at < 0.72 instead of < 0.7"),
    ('"> 0.25", at_least: 60', '"> 0.25", at_least: 600', LOOSER, "KPI 'drift' needs 600 instead of 60 observations"),
    ('"> 0.20", at_least: 300', '"> 0.20", at_least: 30', LOOSER, "KPI 'calibration_error' needs 30 instead of 300 observations"),
    ("  legal: legal-ai", "  legal: lawyers", NEUTRAL, "role 'legal' is held by the group 'lawyers' instead of 'legal-ai'"),
    ("developer, submitter, trainer, editor]", "developer, trainer, editor]", LOOSER, "separation of duties no longer bars the submitter of a version from approving it"),
    ("trainer, editor]", "trainer]", LOOSER, "separation of duties no longer bars the editor of a version from approving it"),
    ("retention: 3653d", "editors: [ana]\nretention: 3653d", TIGHTER, "the template names 'ana' as an editor"),
    ("tiers: [high, critical]", "tiers: [high]", TIGHTER, "the lifecycle no longer governs models of tier 'critical'"),
    ("tiers: [high, critical]", "tiers: [medium, high, critical]", LOOSER, "the lifecycle governs models of tier 'medium' as well"),
    ("    every: 1d", "    every: 2d", LOOSER, "monitor 'drift' looks every 2d instead of 1d"),
    ("breach_after: 1", "breach_after: 3", LOOSER, "monitor 'drift' takes 3 instead of 1 failures in a row for a breach"),
    ("breach_after: 1", "breach_after: 2 of 3", LOOSER, "monitor 'drift' takes 2 failures of 3 looks for a breach instead of 1 failures in a row"),
    ("then: retrain", "then: escalate", LOOSER, "monitor 'drift' starts 'escalate' at a breach instead of 'retrain'"),
    ("[drift, live_auc, live", "[drift, live", LOOSER, "monitor 'drift' no longer checks 'live_auc'"),
    ("cooldown: 7d", "cooldown: 14d", TIGHTER, "monitor 'drift' acts again after 14d instead of 7d"),
    ("at_most: 3", "at_most: 4", LOOSER, "monitor 'drift' acts at most 4 instead of 3 times"),
    ("per: 180d", "per: 90d", LOOSER, "monitor 'drift' counts what it did within 90d instead of 180d"),
    ("otherwise: suspend", "otherwise: escalate", LOOSER, "monitor 'drift' starts 'escalate' when it may not act instead of 'suspend'"),
    ("    to: risk\n", "", LOOSER, "monitor 'drift' no longer tells risk"),
    ("    to: risk\n", "    to: legal\n", NEUTRAL, "monitor 'drift' tells 'legal' instead of 'risk'"),
    ("retention: 3653d", "retention: 3700d", TIGHTER, "retention is 3700d instead of 3653d"),
    ("review: {every: 90d, to: risk}", "review: {every: 91d, to: risk}", LOOSER, "review is due every 91d instead of 90d"),
    ("do: [evaluate]", "do: [{run: evaluate, timeout: 20m}]", NEUTRAL, "stage 'validation' works in another way: evaluate (evaluate, 20m) instead of evaluate (evaluate, 10m)"),
    ("    do: [evaluate]\n", "", LOOSER, "step 'evaluate' is done in development instead of development, validation"),
    ("fail: development, inconclusive: staging", "fail: retiring, inconclusive: staging", NEUTRAL, "stage 'staging' leads by fail to 'retiring' instead of 'development'"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "direction", "sentence"), ONE_EDIT)
def test_one_edit_is_one_change(old: str, new: str, direction: Direction, sentence: str) -> None:
    """Each edit of a template is told in one sentence, with its direction; warnings about leftovers aside."""
    assert told(PLAN, edited((old, new))) == [(direction, sentence)]


def test_nothing_differs_from_itself() -> None:
    """Equal plans have no difference, and a name, a version and a title are none."""
    assert difference(PLAN, PLAN) == ()
    renamed = edited(("version: 1.0.0", "version: 2.0"), ("title: Credit decisions", "title: Loans"))
    assert difference(PLAN, renamed) == ()


def test_a_gate_that_is_gone() -> None:
    """A gate that is gone is told once, and where its stage leads is neutral."""
    low = (TEMPLATES / "low-risk.yaml").read_text()
    gated = low.replace(
        "do: [promote], then: {pass: p", "do: [promote], gate: {id: late, checks: [threats]}, then: {pass: p"
    )
    before, after = compile_template(gated, "t"), compile_template(low, "t")
    assert told(before, after) == [(LOOSER, "gate 'late' is gone")]
    assert told(after, before) == [
        (TIGHTER, "gate 'late' is new in stage 'staging': checks threats; stands before PROD")
    ]


def test_a_gate_that_stands_later() -> None:
    """A gate that stood before TEST and now stands after it is named with both."""
    gate = "    gate: {satisfies: [clean-artifact], checks: [threats, vulnerabilities, secrets, auc, adverse_impact, parity_difference]}\n"
    later = edited(
        (gate, ""),
        ("      id: independent-validation\n", "      id: development\n"),
        ("    do: [evaluate]\n", "    do: [evaluate]\n    environment: TEST\n"),
    )
    early = edited((gate, ""), ("      id: independent-validation\n", "      id: development\n"))
    promoting = edited(
        (gate, ""),
        ("      id: independent-validation\n", "      id: development\n"),
        ("    do: [evaluate]\n", "    do: [evaluate, promote]\n    environment: TEST\n"),
    )
    assert (LOOSER, "gate 'development' now stands after promotion to TEST (was before)") in told(early, promoting)
    assert (TIGHTER, "gate 'development' now stands before promotion to TEST (was after)") in told(promoting, early)
    assert told(early, later) == [(NEUTRAL, "stage 'validation' has the environment 'TEST' instead of nothing")]


def test_a_way_round_a_gate() -> None:
    """A gate that a new route leads round no longer stands before production."""
    round_it = edited(
        ("then: {pass: validation, fail", "then: {pass: staging, fail"),
        ("inconclusive: staging}", "inconclusive: validation}"),
    )
    found = told(PLAN, round_it)
    assert (
        LOOSER,
        "gate 'independent-validation' now can be passed by on a path before promotion to PROD (was before)",
    ) in found


def test_suspension_that_ends_in_production() -> None:
    """A way back from suspension is looser, even through a gate."""
    found = told(PLAN, compile_template(REINSTATING, "t"))
    assert (LOOSER, "suspension can now end in production again") in found
    assert (TIGHTER, "suspension no longer ends in production again") in told(compile_template(REINSTATING, "t"), PLAN)


def test_brakes_on_suspension_are_looser() -> None:
    """Whoever holds a suspension back makes the lifecycle less safe, not more."""
    suspends = ("then: retrain", "then: suspend")
    found = told(edited(suspends), edited(suspends, ("cooldown: 7d", "cooldown: 14d")))
    assert found == [(LOOSER, "monitor 'drift' acts again after 14d instead of 7d")]


def test_a_bound_that_turns_round() -> None:
    """A KPI that passes elsewhere, neither less nor more, is both looser and tighter."""
    flipped = edited(('auc: {pass: ">= 0.75", fail: "< 0.70"', 'auc: {pass: "<= 0.75", fail: "> 0.80"'))
    assert [one.direction for one in difference(PLAN, flipped)] == [LOOSER, TIGHTER, TIGHTER, LOOSER]


def controlled(**control: object) -> Plan:
    """The plan under a pack with one control."""
    pack = PackPlan(pack="eu", version="1", digest="sha256:" + "0" * 64, reason="every model")
    facts = {"pack": "eu", "control": "oversight", "reference": "Art. 14", "severity": "soft", "gate": "release"}
    return PLAN.model_copy(update={"packs": (pack,), "controls": (ControlPlan.model_validate(facts | control),)})


@pytest.mark.parametrize(
    ("before", "after", "direction", "text"),
    [
        (
            {},
            {"gate": None, "satisfied": False},
            LOOSER,
            "is satisfied by nothing; before, it is satisfied by gate 'release'",
        ),
        (
            {},
            {"gate": None, "satisfied": False, "waived_until": date(2027, 1, 1)},
            LOOSER,
            "is waived until 2027-01-01; before, it is satisfied by gate 'release'",
        ),
        (
            {"satisfied": False, "waived_until": date(2027, 1, 1)},
            {"satisfied": False, "waived_until": date(2026, 6, 1)},
            TIGHTER,
            "is waived until 2026-06-01; before, it is waived until 2027-01-01",
        ),
        (
            {"satisfied": False, "waived_until": date(2027, 1, 1), "waiver": WaiverPlan(owner="olga", reason="x")},
            {
                "satisfied": False,
                "waived_until": date(2027, 1, 1),
                "waiver": WaiverPlan(owner="rosa", reason="It is being built.", renewals=1),
            },
            NEUTRAL,
            "is waived by rosa, renewed once: It is being built.",
        ),
        ({}, {"gate": "validation"}, NEUTRAL, "is satisfied by gate 'validation' instead of 'release'"),
        ({}, {"severity": "hard"}, TIGHTER, "is hard instead of soft"),
    ],
)
def test_controls(before: dict[str, object], after: dict[str, object], direction: Direction, text: str) -> None:
    """A control that loses its gate, is waived, or weighs less is looser."""
    assert told(controlled(**before), controlled(**after)) == [(direction, f"control 'oversight' (Art. 14) {text}")]


def test_packs() -> None:
    """A pack that holds now is tighter, and its controls are not told one by one."""
    assert told(PLAN, controlled()) == [(TIGHTER, "policy pack 'eu' 1 now holds: every model")]
    assert told(controlled(), PLAN) == [(LOOSER, "policy pack 'eu' no longer holds")]


@given(COMPARISONS, COMPARISONS)
def test_within_is_what_every_number_shows(one: Comparison, other: Comparison) -> None:
    """A comparison is within another exactly if no number at, between or beyond their bounds satisfies it alone."""
    shown = all(other.holds(n / 2) for n in range(-20, 21) if one.holds(n / 2))
    assert one.within(other) == shown


# --- edited templates

Tree = dict[str, Any]
WRITTEN: Tree = yaml.safe_load(CREDIT)
Edit = Callable[[st.DataObject, Tree], None]
DAYS = st.integers(1, 9).map(lambda days: f"{days}d")
ROLES = st.sampled_from(["data_science", "risk", "legal", "product"])


def _gate(data: st.DataObject, tree: Tree) -> Tree:
    name = data.draw(st.sampled_from(["validation", "staging"]))
    gate: Tree = tree["stages"][name]["gate"]
    return gate


def _approvals(data: st.DataObject, tree: Tree) -> None:
    _gate(data, tree)["approvals"][data.draw(ROLES)] = data.draw(st.integers(1, 3))


def _dismiss(data: st.DataObject, tree: Tree) -> None:
    _gate(data, tree)["approvals"].pop(data.draw(ROLES), None)


def _checks(data: st.DataObject, tree: Tree) -> None:
    figures = st.lists(st.sampled_from(["auc", "adverse_impact", "calibration_error"]), unique=True)
    _gate(data, tree)["checks"] = data.draw(figures)


def _waits(data: st.DataObject, tree: Tree) -> None:
    gate = _gate(data, tree)
    gate["sla"] = data.draw(st.integers(10, 14).map(lambda days: f"{days}d"))
    gate["remind"] = data.draw(st.lists(DAYS, unique=True, max_size=3))
    told = st.fixed_dictionaries({"after": DAYS, "to": ROLES})
    gate["escalate"] = data.draw(st.lists(told, min_size=1, max_size=3))
    gate["on_timeout"] = data.draw(st.sampled_from(["hold", "reject"]))


def _figures(data: st.DataObject, tree: Tree) -> None:
    kpi = tree["kpis"][data.draw(st.sampled_from(["auc", "live_auc"]))]
    kpi["pass"] = data.draw(st.sampled_from([">= 0.75", "> 0.75", ">= 0.8", "== 0.9"]))
    kpi["fail"] = data.draw(st.sampled_from(["< 0.70", "<= 0.70", "< 0.6"]))
    kpi["at_least"] = data.draw(st.integers(1, 3))


def _monitor(data: st.DataObject, tree: Tree) -> None:
    monitor = tree["monitors"]["drift"]
    monitor["every"], monitor["breach_after"] = (
        data.draw(DAYS),
        data.draw(st.sampled_from([1, 2, 3, "1 of 2", "2 of 3", "2 of 4"])),
    )
    monitor["then"] = data.draw(st.sampled_from(sorted(Remedy)))
    otherwise = data.draw(st.sampled_from(["suspend", "escalate"]))
    monitor["brakes"] = {"cooldown": data.draw(DAYS), "at_most": data.draw(st.integers(1, 3)), "per": "90d", "otherwise": otherwise}  # fmt: skip
    monitor["to"] = data.draw(st.none() | ROLES)
    tree["monitors"].update(data.draw(st.sampled_from([{}, {"second": {**monitor, "checks": ["drift"]}}])))


def _lifecycle(data: st.DataObject, tree: Tree) -> None:
    tree["tiers"] = data.draw(st.lists(st.sampled_from(["medium", "high", "critical"]), min_size=1, unique=True))
    tree["separation_of_duties"] = data.draw(
        st.lists(st.sampled_from(["owner", "developer", "submitter"]), unique=True)
    )
    tree["retention"] = data.draw(st.none() | DAYS)
    tree["review"] = data.draw(st.none() | st.fixed_dictionaries({"every": DAYS, "to": ROLES}))
    tree["roles"]["legal"] = data.draw(st.sampled_from(["legal-ai", "lawyers", "lending-product"]))


def _work(data: st.DataObject, tree: Tree) -> None:
    stage = tree["stages"][data.draw(st.sampled_from(["development", "suspended", "retiring"]))]
    stage["do"] = data.draw(st.lists(st.sampled_from(stage["do"]), unique=True, min_size=2))
    tree["stages"]["intake"]["do"] = data.draw(st.sampled_from([["classify"], ["classify", "notify_consumers"]]))


def _graph(data: st.DataObject, tree: Tree) -> None:
    stages = tree["stages"]
    match data.draw(st.integers(0, 5)):
        case 0:
            stages["validation"]["gate"] = None
            stages["validation"]["then"] = "staging"
        case 1:
            stages["validation"] |= {"environment": "TEST", "do": ["evaluate", "promote"]}
        case 2:
            stages["development"]["do"] = ["register", "scan", "package", "evaluate"]
        case 3:
            stages["staging"]["then"]["fail"] = data.draw(st.sampled_from(["retiring", "development"]))
        case 4:
            stages["audit"] = {
                "gate": stages["staging"]["gate"],
                "then": stages["staging"]["then"] | {"inconclusive": "audit"},
            }
            stages["staging"].pop("gate")
            stages["staging"]["then"] = {"pass": "audit", "fail": "development", "inconclusive": "staging"}
        case _:
            gate = {**stages["staging"]["gate"], "id": "reinstate"}
            then = {"pass": "production", "fail": "retiring", "inconclusive": "suspended"}
            stages["suspended"] |= {"gate": gate, "then": then}


EDITS: list[Edit] = [_approvals, _dismiss, _checks, _waits, _figures, _monitor, _lifecycle, _work, _graph]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """The plan of a template that was edited up to four times."""
    tree, data = deepcopy(WRITTEN), draw(st.data())
    for edit in draw(st.lists(st.sampled_from(EDITS), max_size=4)):
        _attempt(edit, data, tree)
    try:
        return compile_template(json.dumps(tree), "t")
    except TemplateError:
        assume(False)
        raise


def _attempt(edit: Edit, data: st.DataObject, tree: Tree) -> None:
    """An edit may find that an earlier one took its place away."""
    if all(tree["stages"][name].get("gate") for name in ("validation", "staging")):
        edit(data, tree)


def mirrored(changes: tuple[Change, ...]) -> Counter[tuple[str, Direction]]:
    """What the way back must say."""
    return Counter((one.subject, one.direction.mirrored) for one in changes)


def _meaning(plan: Plan) -> Tree:
    """What a plan asks, without its name and without orders that mean nothing."""
    tree: Tree = json.loads(canonical(plan))
    for key in ("template", "version", "title", "source"):
        tree.pop(key)
    for holder in (*tree["monitors"], *(stage["gate"] for stage in tree["stages"] if stage["gate"])):
        holder["checks"] = sorted(holder["checks"])
    entry = tree["stages"][0]["name"]
    return tree | {"entry": entry, "stages": {stage["name"]: stage for stage in tree["stages"]}}


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(plans(), plans())
def test_the_way_back_mirrors(before: Plan, after: Plan) -> None:
    """There and back, the same subjects change, and tighter and looser are exchanged."""
    there, back = difference(before, after), difference(after, before)
    assert mirrored(there) == Counter((one.subject, one.direction) for one in back)


CALENDAR = ("retention: 3653d", "calendar: {zone: Europe/Berlin, workdays: [mon, tue]}\nretention: 3653d")


@pytest.mark.parametrize(
    ("edit", "way", "sentence"),
    [
        (
            ("Europe/Berlin", "Europe/Paris"),
            NEUTRAL,
            "the calendar is that of 'Europe/Paris' instead of 'Europe/Berlin'",
        ),
        (("mon, tue]", "mon, tue, wed]"), TIGHTER, "the calendar counts wed as a business day"),
        (("mon, tue]}", "mon, tue], holidays: [2026-12-25]}"), LOOSER, "the calendar has a holiday on 2026-12-25"),
        (
            ("mon, tue]}", "mon, tue], hours: [9, 17]}"),
            NEUTRAL,
            "the calendar has the hours '(9, 17)' instead of nothing",
        ),
        (("sla: 10d", "sla: 10bd"), LOOSER, "gate 'independent-validation' gives people 10bd instead of 10d"),
        (("sla: 10d", "sla: 13bd"), LOOSER, "gate 'independent-validation' gives people 13bd instead of 10d"),
    ],
)
def test_business_days(edit: tuple[str, str], way: Direction, sentence: str) -> None:
    """What a calendar counts, and a wait that counts by it."""
    before = edited(CALENDAR)
    assert (way, sentence) in told(before, edited(CALENDAR, edit))
    assert (way.mirrored, True) in [(one, True) for one, _ in told(edited(CALENDAR, edit), before)]
    assert (NEUTRAL, "the calendar is new") in told(PLAN, before)


def test_a_gateway_in_place_of_signatures_is_looser() -> None:
    """Whoever holds the gateway could decide for everybody."""
    own, gateway = (
        edited(("gate: {id: release", f"gate: {{id: release{how}"), text=SMALL)
        for how in ("", ", authentication: gateway")
    )
    sentence = "gate 'release' takes a gateway's word for who decides instead of each person's own signature"
    assert told(own, gateway) == [(LOOSER, sentence)]
    assert [way for way, _ in told(gateway, own)] == [TIGHTER]


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(plans(), plans())
def test_a_difference_is_told_exactly_if_there_is_one(before: Plan, after: Plan) -> None:
    """Plans that ask the same have no difference; plans that do not, have one."""
    assert bool(difference(before, after)) == (_meaning(before) != _meaning(after))


def lacks(plan: Plan) -> set[tuple[str, str]]:
    """What a plan lacks of what the built-in packs demand."""
    return {(one.code, one.regulation) for one in impact(plan, Policy(built_in_packs(), LATER, LOAN))}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(plans())
def test_what_is_not_looser_loses_no_control(after: Plan) -> None:
    """Where nothing is told to be looser, every control that was satisfied still is: a child is as good as its parent."""
    if all(one.direction is not LOOSER for one in difference(PLAN, after)):
        assert lacks(after) <= lacks(PLAN)
