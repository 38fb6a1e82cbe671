"""Risk tiers: how much could go wrong, found from answers that anybody can check, and overridden with a reason only.

Each answer has points; the sum says the tier, and some answers do so by themselves, whatever the others are. Where
several packs ask, the highest tier counts. "Tier by materiality: exposure and purpose drive intensity" (US model risk
guidance SR 26-2); "processes are in place to determine the needed level of risk management" (NIST AI RMF GOVERN 1.3).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Annotated, NamedTuple

from pydantic import Field

from models.canonical import Digest, Frozen, Slug
from models.diagnostics import Diagnostic, did_you_mean, quote
from models.inventory import Assessment, ModelFacts, Override, Rating, RiskTier, Text
from models.scope import Scope
from models.source.yaml_source import Path, Source

Points = Annotated[int, Field(ge=0, le=1_000)]

_RANKS = list(RiskTier)


def _highest(tiers: Iterable[RiskTier]) -> RiskTier:
    return max(tiers, key=_RANKS.index)


class Answer(Frozen):
    """What somebody may answer. `at_least` is the tier that it gives by itself, `contradicts` what denies it."""

    means: Text
    points: Points
    at_least: RiskTier = RiskTier.LOW
    contradicts: Scope | None = None


class Question(Frozen):
    """Something to be known of a model before anybody can say how much could go wrong."""

    asks: Text
    reference: Text
    answers: dict[Slug, Answer] = Field(min_length=2, max_length=16)


class Tiering(Frozen):
    """A questionnaire, and for each tier the points from which it begins."""

    scale: dict[RiskTier, Points]
    questions: dict[Slug, Question] = Field(min_length=1, max_length=32)

    def of(self, points: int) -> RiskTier:
        """The tier of a sum of points."""
        return _highest(tier for tier, begins in self.scale.items() if points >= begins)


class Questionnaire(NamedTuple):
    """A pack's questions, and which pack it is."""

    pack: str
    digest: Digest
    tiering: Tiering


class Objection(NamedTuple):
    """Why an assessment cannot be taken: where in the model's facts, and what to do."""

    path: Path
    message: str
    suggestion: str = ""


def rate(questionnaires: Iterable[Questionnaire], assessment: Assessment) -> Rating:
    """The tier that counts, and why; every question must have one of its answers."""
    reasons, tiers, asked = dict[str, None](), [RiskTier.LOW], list[str]()
    for pack, digest, tiering in questionnaires:
        chosen = [
            (name, word := assessment.answers[name], one.answers[word]) for name, one in tiering.questions.items()
        ]
        points = sum(answer.points for _, _, answer in chosen)
        tiers.append(_highest((tiering.of(points), *(answer.at_least for _, _, answer in chosen))))
        for question, word, answer in chosen:
            alone = f", at least {answer.at_least}" if answer.at_least is not RiskTier.LOW else ""
            reasons[f"{question} {word}: {_spell(answer.points)}{alone}"] = None
        reasons[f"{_spell(points)} by {pack}: {tiers[-1]}"] = None
        asked.append(f"{pack} {digest}")
    answered, override = _highest(tiers), assessment.override
    if override:
        reasons[f"overridden to {override.tier} by {override.person}: {override.reason}"] = None
    return Rating(
        tier=override.tier if override else answered,
        answered=answered,
        reasons=tuple(reasons),
        questionnaires=tuple(asked),
    )


def _spell(points: int) -> str:
    return f"{points} point{'s' * (points != 1)}"


def objections(
    questionnaires: Sequence[Questionnaire], facts: ModelFacts, declared: RiskTier | None
) -> Iterator[Objection]:
    """Everything that keeps an assessment, or the tier that somebody has declared, from being taken."""
    assessment = facts.assessment
    if not questionnaires:
        message = "no policy pack that holds today asks how much could go wrong"
        yield Objection(("assessment",), message, "have a pack that asks hold: `modelops policy list` shows their days")
        return
    if assessment is None:
        asked = ", ".join(f"{name}: ..." for one in questionnaires for name in one.tiering.questions)
        message = "is missing: nobody has said how much could go wrong"
        yield Objection(("assessment",), message, f"write 'assessment: {{answers: {{{asked}}}}}'")
        return
    unanswered = list(_unanswered(questionnaires, facts, assessment.answers))
    yield from unanswered
    if unanswered:
        return
    rating = rate(questionnaires, assessment)
    if assessment.override:
        yield from _overridden(rating, assessment.override, facts.owner)
    if declared and declared is not rating.tier:
        message = f"'{declared}' is not the tier that follows: {'; '.join(rating.reasons)}"
        yield Objection(("risk_tier",), message, "leave it out, or override it with a reason")


def _unanswered(
    questionnaires: Sequence[Questionnaire], facts: ModelFacts, answers: Mapping[Slug, Slug]
) -> Iterator[Objection]:
    asked = [(one.pack, name, question) for one in questionnaires for name, question in one.tiering.questions.items()]
    names = dict.fromkeys(name for _, name, _ in asked)
    path: Path = ("assessment", "answers")
    for name in answers:
        if name not in names:
            yield Objection((*path, name), "is not asked", did_you_mean(name, names))
    for pack, name, question in asked:
        word = answers.get(name)
        if word is None:
            yield Objection(path, f"'{name}' is not answered: {question.asks} One of: {', '.join(question.answers)}")
        elif word not in question.answers:
            choices = ", ".join(question.answers)
            message = f"{quote(word)} is no answer to '{question.asks}' ({pack}) One of: {choices}"
            yield Objection((*path, name), message)
        else:
            denied_by = question.answers[word].contradicts
            if denied_by and (fact := denied_by.reason(facts)):
                yield Objection((*path, name), f"'{word}' contradicts what is registered: {fact}")


def _overridden(rating: Rating, override: Override, owner: Slug) -> Iterator[Objection]:
    if override.tier is rating.answered:
        message = f"the answers give {rating.answered} already: there is nothing to override"
        yield Objection(("assessment", "override", "tier"), message, "drop the override")
    if override.person == owner and _RANKS.index(override.tier) < _RANKS.index(rating.answered):
        message = f"'{owner}' owns the model and may not lower its tier"
        yield Objection(("assessment", "override", "person"), message, "ask somebody who does not own it")


def defects(tiering: Tiering, applies: Scope, source: Source) -> Iterator[Diagnostic]:
    """MO757 to MO759."""
    begins = [tiering.scale.get(tier) for tier in _RANKS]
    known = [points for points in begins if points is not None]
    if begins[0] != 0 or any(later <= earlier for earlier, later in pairwise(known)):
        message = "the scale does not rise from 'low: 0'"
        yield source.report("MO757", ("tiering", "scale"), message, "write 'scale: {low: 0, medium: 3, high: 6}'")
    given = [answer for question in tiering.questions.values() for answer in question.answers.values()]
    most = sum(max(one.points for one in question.answers.values()) for question in tiering.questions.values())
    for tier, points in tiering.scale.items():
        if points > most and not any(answer.at_least is tier for answer in given):
            message = f"no answers give '{tier}': it begins at {points} points, and they come to {most} at most"
            yield source.report(
                "MO758", ("tiering", "scale", tier.value), message, "lower it, give more points, or leave the tier out"
            )
    for path, scope in ((("applies",), applies), *_contradictions(tiering)):
        if scope.tiers:
            message = "the pack finds a model's tier, and cannot depend on it"
            yield source.report("MO759", (*path, "tiers"), message, "drop 'tiers'", key=True)


def _contradictions(tiering: Tiering) -> Iterator[tuple[Path, Scope]]:
    for name, question in tiering.questions.items():
        for word, answer in question.answers.items():
            if answer.contradicts:
                yield ("tiering", "questions", name, "answers", word, "contradicts"), answer.contradicts
