"""Templates in which nothing is wrong, each for another reason: edits of the built-in ones and of small ones."""

from tests.unit.piping import PIPING
from tests.unit.small_plans import REJECTING, REMEDIES, SMALL
from tests.unit.template_mistakes import CALENDAR, CREDIT, TEMPLATES
from tests.unit.trying import TRYING

LOW = (TEMPLATES / "low-risk.yaml").read_text()

_BRAKES = "    brakes: {cooldown: 7d, at_most: 3, per: 180d, otherwise: suspend}\n"
_STOP = "    do: [stop_serving, stop_monitors]\n"
_VALIDATION = "then: {pass: staging, fail: development, inconclusive: validation}"
_ASKS = """
    gate:
      question: Is it safe?
      approvals: {risk: 1}
      sla: 5d
      escalate: [{after: 5d, to: risk}]
      on_timeout: reject
"""
_SECOND = """
  second:
    do: [scan]
    gate: {question: Do two agree?, approvals: {risk: 2, legal: 1}, sla: 1d, escalate: [{after: 1h, to: risk}], on_timeout: hold}
    then: {pass: staging, fail: development, inconclusive: second}
"""  # fmt: skip


def edited(text: str, *edits: tuple[str, str]) -> str:
    """A text after edits."""
    for old, new in edits:
        assert text.count(old) == 1, f"{text.count(old)} times in the text: {old}"
        text = text.replace(old, new)
    return text


GOOD = {
    "credit": CREDIT,
    "low": LOW,
    "small": SMALL,
    "rejecting": REJECTING,
    "remedies": REMEDIES,
    "reinstating": edited(CREDIT, (_STOP, _STOP.rstrip() + _ASKS + "    then: {pass: production, fail: retiring, inconclusive: suspended}\n")),
    "suspended-then-retired": edited(CREDIT, (_STOP, f"{_STOP}    then: retiring\n")),
    "failing-into-suspension": edited(CREDIT, (_VALIDATION, _VALIDATION.replace("fail: development", "fail: suspended"))),
    "failing-into-retirement": edited(CREDIT, (_VALIDATION, _VALIDATION.replace("fail: development", "fail: retiring"))),
    "inconclusive-from-the-start": edited(CREDIT, (_VALIDATION, _VALIDATION.replace("inconclusive: validation", "inconclusive: development"))),
    "gateways-at-medium-tier": edited(SMALL, ('question: "Is it fit?"', 'question: "Is it fit?", authentication: gateway')),
    "approvals-that-lapse": edited(CREDIT, ("      id: release\n", "      id: release\n      approvals_lapse: 30d\n")),
    "business-days": edited(CREDIT, ("retention: 3653d", CALENDAR + "retention: 3653d"), ("sla: 10d", "sla: 10bd"), ("[3d, 7d]", "[3d, 7bd]"), ("{after: 10d", "{after: 11bd")),
    "business-hours": edited(CREDIT, ("retention: 3653d", CALENDAR.replace("holidays", "hours: [9, 17], holidays") + "retention: 3653d"), ("      id: release\n", "      id: release\n      approvals_lapse: 20bd\n")),
    "edited-by-people": edited(CREDIT, ("retention: 3653d", "editors: [rosa, ana]\nretention: 3653d")),
    "telling-only": edited(CREDIT, ("then: retrain", "then: escalate"), (_BRAKES, "")),
    "suspending": edited(CREDIT, ("then: retrain", "then: suspend"), ("otherwise: suspend", "otherwise: escalate")),
    "two-monitors": CREDIT + "  unfair: {checks: [live_adverse_impact], every: 12h, breach_after: 2 of 5, then: escalate, to: legal}\n",
    "asking-without-figures": edited(CREDIT, ("      checks: [adverse_impact]\n", "")),
    "asking-twice": edited(CREDIT, (_VALIDATION, f"{_VALIDATION.replace('pass: staging', 'pass: second')}\n{_SECOND}")),
    "retiring-in-two-stages": edited(CREDIT, ("undeploy, archive]\n    then: retired", "undeploy]\n    then: sealing\n  sealing: {do: [archive], then: retired}")),
    "opening-in-two-stages": edited(LOW, ("intake: {do: [classify], then: {pass: development", "intake: {then: sorting}\n  sorting: {do: [classify], then: {pass: development")),
    "steps-with-names": edited(CREDIT, ("do: [evaluate]", "do: [{run: evaluate, id: again, timeout: 36500d}, {run: evaluate, id: once-more}]")),
    "a-single-value": edited(SMALL, ('drift: {pass: "<= 0.1", fail: "> 0.25"}', 'drift: {pass: "== 0", fail: "> 1e-300", at_least: 1000000000}')),
    "trying": TRYING,
    "piping": PIPING,
    "another-script": edited(LOW, ("title: Low risk, no human gate", 'title: "\\U0001f3e6 Кредит \\u2028 信用"')),
}  # fmt: skip
"""By what is unusual about them."""
