"""Risk tiers: what the answers to a questionnaire give, and what overrides them."""

import json
from datetime import date
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from client.cli import app
from client.documents import read_facts
from client.story import tell_change
from models.errors import InvalidInputError
from models.inventory import Assessment, ModelRegistered, Override, RiskTier
from models.policy import Pack, Policy, load_pack
from models.tiering import Questionnaire, Tiering, objections, rate
from tests.unit.policy_mistakes import BANK, LATER, LOAN, LOAN_FILE, asked
from worker.policies import built_in_packs

RANKS = list(RiskTier)
(BASELINE,) = (pack for pack in built_in_packs() if pack.pack == "baseline")
STRICT = load_pack(BANK.replace("controls:", asked("{low: 0, medium: 1, high: 2}"), 1), "bank.yaml")
NOTHING_BAD = {"impact": "slight", "autonomy": "informs", "population": "few", "data_sensitivity": "open"}


def questions(*packs: Pack) -> list[Questionnaire]:
    """The questionnaires of packs."""
    found = Policy(packs, LATER, LOAN).questionnaires()
    assert len(found) == len(packs)
    return list(found)


def tier(answers: dict[str, str], *packs: Pack) -> RiskTier:
    """What answers give."""
    return rate(questions(*packs), Assessment(answers=answers)).tier


def test_the_loan_model() -> None:
    """The tier follows from the answers, each with its points, by a pack that is named with its digest."""
    rating = Policy(built_in_packs(), LATER, LOAN).rating()
    assert rating is not None
    assert (rating.tier, rating.answered, LOAN.risk_tier) == ("high", "high", "high")
    assert rating.reasons == (
        "impact serious: 6 points, at least high",
        "autonomy decides_within_limits: 2 points",
        "population many: 1 point",
        "data_sensitivity special: 2 points, at least medium",
        "11 points by baseline@1: high",
    )
    assert [one.split()[0] for one in rating.questionnaires] == ["baseline@1"]


def test_every_tier_can_be_had() -> None:
    """The built-in questionnaire gives each of the tiers; a model that can do no harm is low."""
    assert BASELINE.tiering
    every = product(*({(name, word) for word in one.answers} for name, one in BASELINE.tiering.questions.items()))
    assert {tier(dict(answers), BASELINE) for answers in every} == set(RiskTier)
    assert tier(NOTHING_BAD, BASELINE) is RiskTier.LOW


@pytest.mark.parametrize(
    ("answer", "least"),
    [
        ({"impact": "serious"}, "high"),
        ({"impact": "grave"}, "critical"),
        ({"population": "vulnerable"}, "high"),
        ({"data_sensitivity": "special"}, "medium"),
    ],
)
def test_some_answers_suffice(answer: dict[str, str], least: str) -> None:
    """Whatever else is answered, these give a tier by themselves: harmless answers cannot outweigh them."""
    assert tier(NOTHING_BAD | answer, BASELINE) == least


@given(st.data())
def test_a_worse_answer_never_lowers_the_tier(data: st.DataObject) -> None:
    """Of any questionnaire: an answer with more points and no lower floor gives the same tier or a higher one."""
    floors, points = st.sampled_from(RANKS), st.integers(0, 9)
    low, high = (data.draw(points), data.draw(floors)), (data.draw(points), data.draw(floors))
    better = (min(low[0], high[0]), min(low[1], high[1], key=RANKS.index))
    worse = (max(low[0], high[0]), max(low[1], high[1], key=RANKS.index))
    other = (data.draw(points), data.draw(floors))
    scale = sorted(data.draw(st.sets(st.integers(1, 30), min_size=3, max_size=3)))
    words = {"better": better, "worse": worse, "other": other}
    answers = {w: {"means": w, "points": p, "at_least": least} for w, (p, least) in words.items()}
    tiering = Tiering.model_validate(
        {
            "scale": dict(zip(RANKS, (0, *scale), strict=True)),
            "questions": {name: {"asks": name, "reference": "none", "answers": answers} for name in ("one", "two")},
        }
    )
    asking = [Questionnaire("pack@1", "sha256:" + "0" * 64, tiering)]
    tiers = [rate(asking, Assessment(answers={"one": one, "two": "other"})).tier for one in ("better", "worse")]
    assert RANKS.index(tiers[0]) <= RANKS.index(tiers[1])
    assert RANKS.index(tiers[1]) >= max(RANKS.index(worse[1]), RANKS.index(other[1]))


def test_the_highest_of_several_counts() -> None:
    """Each pack that applies asks its own questions, and none lowers what another gives."""
    harmless, harmful = NOTHING_BAD | {"harm": "no"}, NOTHING_BAD | {"harm": "yes"}
    assert (tier(harmless, BASELINE, STRICT), tier(harmful, BASELINE, STRICT)) == ("low", "high")
    assert tier(harmless | {"impact": "grave"}, BASELINE, STRICT) == "critical"
    (missing,) = objections(questions(BASELINE, STRICT), LOAN, None)
    assert "'harm' is not answered: Can it do harm? One of: no, yes" in missing.message


def test_a_pack_that_does_not_apply_asks_nothing() -> None:
    """Only the questions of packs in force, whose scope the model is in, are asked."""
    elsewhere = STRICT.model_copy(update={"applies": STRICT.applies.model_copy(update={"jurisdictions": ("UK",)})})
    asking = Policy((BASELINE, elsewhere), LATER, LOAN).questionnaires()
    assert [one.pack for one in asking] == ["baseline@1"]
    assert Policy((BASELINE, STRICT), date(2030, 1, 1), LOAN).questionnaires() == tuple(questions(BASELINE))


def test_two_packs_that_ask_the_same() -> None:
    """One answer serves both, if both know it; if not, it is said whose question it does not answer."""
    other = Tiering.model_validate(
        {
            "scale": {"low": 0, "high": 1},
            "questions": {
                "impact": {
                    "asks": "Is it bad?",
                    "reference": "none",
                    "answers": {"slight": {"means": "No.", "points": 0}, "grave": {"means": "Yes.", "points": 1}},
                }
            },
        }
    )
    both = (BASELINE, STRICT.model_copy(update={"tiering": other}))
    assert (tier(NOTHING_BAD, *both), tier(NOTHING_BAD | {"impact": "grave"}, *both)) == ("low", "critical")
    (objection,) = objections(questions(*both), LOAN, None)
    assert objection.message == "'serious' is no answer to 'Is it bad?' (bank@7) One of: slight, grave"


def test_a_day_on_which_nobody_asks() -> None:
    """Where no pack holds that asks, nothing can be registered, whatever is answered: there is no tier by default."""
    before = Policy(built_in_packs(), date(2025, 12, 31), LOAN)
    for facts in (LOAN, LOAN.model_copy(update={"assessment": None})):
        (objection,) = objections(before.questionnaires(), facts, facts.risk_tier)
        assert "no policy pack that holds today asks" in objection.message


def test_an_override_is_told() -> None:
    """Somebody may put a model into another tier, with a reason that stays; its owner may only raise it."""
    for given_tier, person, objected in (
        (RiskTier.MEDIUM, "rosa", []),
        (RiskTier.MEDIUM, LOAN.owner, ["owns the model and may not lower its tier"]),
        (RiskTier.CRITICAL, LOAN.owner, []),
        (RiskTier.HIGH, "rosa", ["the answers give high already: there is nothing to override"]),
    ):
        override = Override(tier=given_tier, person=person, reason="It is a pilot.")
        assert LOAN.assessment
        assessment = LOAN.assessment.model_copy(update={"override": override})
        facts = LOAN.model_copy(update={"assessment": assessment, "risk_tier": given_tier})
        found = [one.message for one in objections(questions(BASELINE), facts, given_tier)]
        assert [message.partition("' ")[2] or message for message in found] == objected
        rating = Policy((BASELINE,), LATER, facts).rating()
        assert rating is not None
        assert (rating.tier, rating.answered) == (given_tier, "high")
        assert rating.reasons[-1] == f"overridden to {given_tier} by {person}: It is a pilot."
        said = tell_change(ModelRegistered(facts=facts, regulations=()))
        assert f"tier {given_tier} (overridden by {person}: It is a pilot.)" in said


def test_an_overridden_file(tmp_path: Path) -> None:
    """The tier of an override counts for what policy demands; a reason is not optional."""
    override = "  override: {tier: critical, person: rosa, reason: Two branches depend on it.}\n  answers:\n"
    file = tmp_path / "model.yaml"
    file.write_text(LOAN_FILE.read_text().replace("  answers:\n", override))
    assert read_facts(file, Policy(built_in_packs(), LATER)).risk_tier is RiskTier.CRITICAL
    file.write_text(LOAN_FILE.read_text().replace("  answers:\n", override.replace(", reason: Two", ", why: Two")))
    said = CliRunner().invoke(app, ["model", "assess", str(file)])
    assert said.exit_code == 4
    assert "assessment.override.reason: is missing" in said.output


def test_facts_that_are_registered_stay(tmp_path: Path) -> None:
    """The same file again changes nothing, also when more is asked by now; another file is held to what is asked."""
    asking = Policy((*built_in_packs(), STRICT), LATER)
    with pytest.raises(InvalidInputError, match="'harm' is not answered"):
        read_facts(LOAN_FILE, asking)
    older = LOAN.model_copy(update={"assessment": None})
    file = tmp_path / "model.yaml"
    file.write_text(older.model_dump_json())
    for path, known in ((LOAN_FILE, LOAN), (file, older)):
        assert read_facts(path, asking, {LOAN.id: known}.get) == known
    file.write_text(older.model_copy(update={"risk_tier": RiskTier.LOW}).model_dump_json())
    for path in (LOAN_FILE, file):
        with pytest.raises(InvalidInputError):
            read_facts(path, asking, {LOAN.id: older}.get)


def test_controls_are_in_proportion() -> None:
    """The command shows the tier, why, and the controls of that tier; a higher tier never asks for fewer."""
    said = CliRunner().invoke(app, ["model", "assess", str(LOAN_FILE)], env={"COLUMNS": "200"}).stdout
    assert "loan-approval: tier high" in said
    assert "impact serious: 6 points, at least high" in said
    assert "Built-in templates for this tier: credit-challenger, credit-high-risk." in said
    shown = json.loads(CliRunner().invoke(app, ["model", "assess", str(LOAN_FILE), "--json"]).stdout)
    counts = [shown["counts"][one] for one in RiskTier]
    assert counts == sorted(counts)
    assert counts[0] < counts[2] == len(shown["controls"])
    assert {"control": "separation-of-duties", "pack": "baseline@1"}.items() <= next(
        one.items() for one in shown["controls"] if one["control"] == "separation-of-duties"
    )


def test_the_questions_are_shown() -> None:
    """A pack that asks shows its questions, and what each answer means and is worth."""
    said = CliRunner().invoke(app, ["policy", "show", "baseline"], env={"COLUMNS": "200"}).stdout
    assert "Holds from 2026-01-01, about: every model" in said
    assert "tiers high, critical" in said
    assert "Points: low from 0, medium from 4, high from 8, critical from 12." in said
    assert "impact: What is the worst that a wrong answer does? (NIST AI RMF MAP 5.1)" in said
    assert "It costs time or patience, and is soon put right." in said
    assert "risk tier is found" not in CliRunner().invoke(app, ["policy", "show", "us-sr-26-2"]).stdout
