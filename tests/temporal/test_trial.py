"""A challenger beside the champion, on a real Temporal server: elected, turned away, given up, never left behind."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from models.audit import EffectRecord
from models.compiler import compile_template
from models.evidence import StepKind
from models.inventory import Environment, VersionStatus
from models.messages import Action
from models.policy import NO_POLICY
from models.state import Phase
from models.status import Status
from models.traffic import Split
from tests.temporal.doubles import Division, PlainPredictor, ScriptedTraffic
from tests.temporal.house import TEMPLATES, House
from tests.temporal.test_stolen_keys import registry, revoked
from tests.unit import trying as text

TRYING = compile_template(text.TRYING, "trying.yaml")
ASKING = compile_template(text.TRYING.replace("longest: 1h", "longest: 4s"), "asking.yaml")


async def challenged(house: House, right: int = 4_000) -> None:
    """Version 1 serves, version 2 is tried beside it, and decides so many of 5,000 cases rightly."""
    await house.start(TRYING)
    await house.to_production()
    traffic(house).write(right)
    await house.submit()
    await house.approve("validation", "dmitri", "rosa")
    await house.approve("staging", "lena", "paul")
    await house.until(lambda s: s.stage == "challenge" and s.step == StepKind.TRIAL)


def traffic(house: House) -> ScriptedTraffic:
    """What the test says is seen."""
    assert isinstance(house.actuator_parts.traffic, ScriptedTraffic)
    return house.actuator_parts.traffic


def tried(house: House) -> list[Division]:
    """What the trial told the environment; promotions load a version beside as well."""
    return [one for one in house.deployer.divisions() if one.key.step.startswith("trial")]


def shares(house: House) -> list[int | None]:
    """What the challenger was given, one after the other; 0 for being loaded, -1 for copies, None for nothing."""
    given = [one.split for one in tried(house)]
    return [None if split is None else -1 if split.mirrored else split.share for split in given]


def is_champion(number: int) -> Callable[[Status], bool]:
    """Whether a version has become champion and serves."""

    def holds(status: Status) -> bool:
        return status.phase is Phase.STEADY and status.champion is not None and status.champion.number == number

    return holds


async def test_the_first_version_has_nobody_to_be_compared_with(house: House) -> None:
    await house.start(TRYING)
    status = await house.to_production()
    assert status.serving[Environment.PROD] == 1
    assert tried(house) == []


async def test_a_challenger_that_is_as_good_takes_over(house: House) -> None:
    await challenged(house)
    status = await house.until(is_champion(2))
    assert status.statuses[1] is VersionStatus.PREVIOUS
    assert shares(house) == [0, -1, 10, 50, None]
    first = tried(house)[0].split
    assert isinstance(first, Split)
    assert first.version == 2
    told = [entry.body for entry in house.parts.inventory.trail(house.model) if "divided" in entry.body]
    assert len(told) == 4


async def test_a_worse_one_is_turned_away_and_the_champion_answers_everything(house: House) -> None:
    await challenged(house, right=2_000)
    status = await house.until(lambda s: s.statuses.get(2) is VersionStatus.REJECTED)
    assert status.champion is not None
    assert status.champion.number == 1
    assert shares(house)[-1] is None
    assert status.serving[Environment.PROD] == 1


async def test_a_check_that_fails_ends_it_at_the_next_look(house: House) -> None:
    await challenged(house)
    traffic(house).write(5_000, errors=0.5)
    await house.until(lambda s: s.statuses.get(2) is VersionStatus.REJECTED)
    assert shares(house)[-1] is None


async def test_without_a_result_people_are_asked(house: House) -> None:
    await house.start(ASKING)
    await house.to_production()
    traffic(house).write(90, of=99)
    await house.submit()
    await house.approve("validation", "dmitri", "rosa")
    await house.approve("staging", "lena", "paul")
    await house.approve("election", "rosa")
    await house.until(is_champion(2))
    assert shares(house) == [0, -1, 10, 50, None]


@pytest.mark.parametrize("action", [Action.ABANDON, Action.SUSPEND, Action.RETIRE])
async def test_whoever_turns_back_ends_the_trial(house: House, action: Action) -> None:
    """What the environment is told next ends every split: to deploy the champion again, or to serve nothing."""
    await challenged(house, right=3_900)
    traffic(house).write(90, of=99)
    before = len(house.deployer.effects())
    await house.request(action)
    ends = {Action.ABANDON: Phase.STEADY, Action.SUSPEND: Phase.AWAITING_VERSION, Action.RETIRE: Phase.ENDED}
    await house.until_phase(ends[action])
    after = house.deployer.effects()[before:]
    told = next(one for one in after if one.environment is Environment.PROD)
    assert told.version == (1 if action is Action.ABANDON else None)


async def test_a_new_version_waits_until_the_trial_is_over(house: House) -> None:
    await challenged(house)
    await house.submit()
    await house.until(lambda s: s.champion is not None and s.champion.number == 2)
    await house.until(lambda s: s.version is not None and s.version.number == 3)


async def test_a_challenger_that_does_not_answer_is_turned_away(house: House) -> None:
    await house.start(TRYING)
    await house.to_production()
    await house.submit()
    await house.approve("validation", "dmitri", "rosa")
    await house.until_phase(Phase.DECIDING, "staging")
    house.deployer.refuses = True
    for person in ("lena", "paul"):
        await house.decide(person)
    await house.until(lambda s: s.statuses.get(2) is VersionStatus.REJECTED)
    assert shares(house) == [0, None]


async def test_a_challenger_that_falls_short_answers_nobody(house: House) -> None:
    """What production asks of every version it asks of a challenger before its first share; the report says why."""
    await house.start(TRYING)
    await house.to_production()
    await house.submit()
    await house.approve("validation", "dmitri", "rosa")
    await house.until_phase(Phase.DECIDING, "staging")
    assert isinstance(house.actuator_parts.predictor, PlainPredictor)
    house.actuator_parts.predictor.scores[2] = 7
    for person in ("lena", "paul"):
        await house.decide(person)
    await house.until(lambda s: s.statuses.get(2) is VersionStatus.REJECTED)
    assert shares(house) == [0, None]
    (ended,) = (entry.body for entry in house.parts.inventory.trail(house.model) if '"divided"' in entry.body)
    result = EffectRecord.model_validate_json(ended).result
    assert result.summary.startswith("version 2 is not tried: validation in PROD: a row is answered with the score 7")
    assert [found.kind for found in result.evidence] == ["validation"]


async def test_who_may_not_be_there_any_more_stops_answering(house: House) -> None:
    """A key turns out to have been stolen before it approved the version that customers are answered by."""
    stolen = datetime.now(UTC)
    await challenged(house, right=3_900)
    traffic(house).write(90, of=99)
    await house.until(lambda s: len(tried(house)) > 1)
    registry(house, revoked("lena", stolen, "it was stolen"))
    status = await house.until(lambda s: s.statuses.get(2) is VersionStatus.REJECTED)
    assert shares(house)[-1] is None
    assert status.champion is not None
    assert status.serving[Environment.PROD] == status.champion.number == 1


def test_the_built_in_template_compiles() -> None:
    child = (TEMPLATES / "credit-challenger.yaml").read_text()
    parent = (TEMPLATES / "credit-high-risk.yaml").read_text()
    plan = compile_template(child, "credit-challenger.yaml", NO_POLICY, {"credit-high-risk": parent})
    assert plan.environment_gates[Environment.PROD] == TRYING.environment_gates[Environment.PROD]
