"""What notices a mutant: the proofs of a few plans, and the corpus of good and bad templates."""

from datetime import timedelta
from pathlib import Path

import pytest

from models.compiler import compile_template, compile_with_warnings
from models.diagnostics import Diagnostic
from models.errors import TemplateError
from models.inventory import Environment
from models.plan import Plan
from models.policy import NO_POLICY, Policy
from models.proof.exploration import explore
from models.proof.graph import gates_before, way_to
from tests.unit.kernel_world import TEMPLATES
from tests.unit.policy_mistakes import LATER, LOAN, POLICY_MISTAKES, PackMistake, PolicyMistake
from tests.unit.small_plans import REJECTING, REMEDIES, TRIED, TRIED_AGAIN, waiving
from tests.unit.template_mistakes import CREDIT, MISTAKES, Mistake
from tests.unit.test_graph_proofs import ENTERS, stage
from worker.policies import built_in_packs

_QUIET = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
"""What a process with mutants has imported before is no matter here."""


def proofs() -> str:
    """The first promise that the kernel breaks on one of these plans."""
    waived = waiving((TEMPLATES / "low-risk.yaml").read_text())
    return _broken(waived, REMEDIES, REJECTING)


def _broken(*judged: Plan | str) -> str:
    for one in judged:
        plan = compile_template(one, "judged.yaml") if isinstance(one, str) else one
        found = explore(plan, at_most=20_000)
        if found.outcome != "proved":
            return found.counter_example.broken if found.counter_example else found.outcome
    return ""


def trials() -> str:
    """The first promise that the kernel breaks while a challenger is tried."""
    return _broken(TRIED_AGAIN, TRIED)


def corpus() -> str:
    """The first bad template whose mistake is not named where it is, or good one that is found fault with."""
    for mistake in (*MISTAKES, *POLICY_MISTAKES):
        places = {(one.code, one.line, one.column) for one in said(mistake)}
        if (mistake.code, *mistake.place) not in places:
            return f"{mistake.code} is not named"
    return _good() or _days() or _ways()


def clearances() -> str:
    """What the tests of the actuator's own rules say."""
    return _tests("clearance", "entitlement", "warrants", "attack_warrants", "testimony")


def watch() -> str:
    """What the tests say of when a monitor is in breach."""
    return _tests("monitoring")


def _tests(*names: str) -> str:
    files = [str(Path(__file__).with_name(f"test_{name}.py")) for name in names]
    status = pytest.main(["--exitfirst", "--quiet", "--no-header", "-p", "no:cacheprovider", "-n0", *_QUIET, *files])
    return "" if status == pytest.ExitCode.OK else status.name if isinstance(status, pytest.ExitCode) else str(status)


def said(mistake: Mistake) -> tuple[Diagnostic, ...]:
    """Everything that the compiler says of a mistake."""
    if isinstance(mistake, PolicyMistake | PackMistake):
        return mistake.found()
    try:
        return compile_with_warnings(mistake.text, "t.yaml").warnings
    except TemplateError as error:
        return error.diagnostics


def _good() -> str:
    policies = (NO_POLICY, Policy(built_in_packs(), LATER, LOAN))
    for policy in policies:
        try:
            compile_template(CREDIT, "t.yaml", policy)
        except TemplateError as error:
            return f"a good template is refused: {error.diagnostics[0].code}"
    return ""


def _days() -> str:
    """Every pack holds from its first day to the last before its end, for the tiers that it is about."""
    for pack in built_in_packs():
        since, until = pack.effective.since, pack.effective.until
        days = [(since - timedelta(days=1), False), (since, True)]
        days += [(until, False)] if until else []
        if any(pack.effective.on(day) is not holds for day, holds in days):
            return f"{pack.name} holds on another day"
        other = LOAN.model_copy(update={"risk_tier": "low"})
        if pack.applies.tiers and "low" not in pack.applies.tiers and pack.applies.reason(other):
            return f"{pack.name} applies to a tier that it is not about"
    return ""


def _ways() -> str:
    """Small graphs whose gates before production are known."""
    into = Environment.PROD
    round_it = (stage("a", "b"), stage("b", "c", unknown="c"), stage("c", into=into))
    two_ways = (stage("a", "b", unknown="c"), stage("b", "d"), stage("c", "d"), stage("d", into=into))
    twice = (stage("a", "b", into=into), stage("b", "c"), stage("c", into=into))
    for name, stages, gates in (("round", round_it, ("gate-a",)), ("two ways", two_ways, ()), ("twice", twice, ())):
        if gates_before(stages, ENTERS)[into] != gates:
            return f"other gates are before production: {name}"
    by_name = {one.name: one for one in round_it}
    if way_to(by_name, "a", "c", frozenset({"b"})) != ("a", "b", "c"):
        return "a way round a gate is not seen"
    return ""
