"""The second demo's claims, on all flights that left New York in 2013: what falls, and what stays quiet."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from client.documents import read_facts
from client.library import find_template, policy_of
from examples.flight_delay import data
from examples.flight_delay.figures import Watch, retrained, table
from examples.flight_delay.train import LABEL, fit
from models.inventory import RiskTier
from models.plan import Plan
from models.verdict import Reading, Verdict, judge
from worker.settings import Settings

FOLDER = Path(__file__).parents[2] / "examples" / "flight_delay"
YEARS = 100


@pytest.fixture(scope="module")
def parts() -> dict[str, pd.DataFrame]:
    return data.split(data.load(), data.SEED)


@pytest.fixture(scope="module")
def watch(parts: dict[str, pd.DataFrame]) -> Watch:
    return Watch(fit(parts["training"]), parts["training"], parts["holdout"])


@pytest.fixture(scope="module")
def year(watch: Watch, parts: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """The readings of each month under the first version."""
    return table(watch, parts, data.MONTHS)


@pytest.fixture(scope="module")
def plan() -> Plan:
    facts = read_facts(FOLDER / "model.yaml", policy_of(Settings()))
    assert facts.risk_tier is RiskTier.LOW
    return find_template(str(FOLDER / "lifecycle.yaml")).compiled(policy_of(Settings(), facts)).plan


def verdicts(plan: Plan, months: pd.DataFrame, name: str) -> list[Verdict]:
    """Of each month, by the bounds of the lifecycle."""
    return [judge(plan.kpi(name), (Reading(name=name, value=value, count=27_000),)).verdict for value in months[name]]


def test_every_flight_of_the_year_is_there_once(parts: dict[str, pd.DataFrame]) -> None:
    """336,776 of them, but for those of the first months that never arrived: nothing is to be learned of these."""
    cases = pd.concat(parts.values())["case"]
    assert cases.is_unique
    raw = data.load()
    unknown = raw["month"].isin(data.TRAINING_MONTHS) & raw[LABEL].isna()
    assert len(cases) == 336_776 - unknown.sum()
    assert parts["07"][LABEL].isna().sum() > 1_000


def test_performance_falls_and_the_index_does_not_see_it(plan: Plan, year: pd.DataFrame) -> None:
    """Until July every month passes; August fails, as do three of the four after it. No index leaves its green band."""
    found = dict(zip(year.index, verdicts(plan, year, "live_auc"), strict=True))
    assert {month: found[month] for month in (4, 5, 6, 7)} == dict.fromkeys((4, 5, 6, 7), Verdict.PASS)
    assert [month for month, verdict in found.items() if verdict is Verdict.FAIL] == [8, 9, 11, 12]
    for name in ("drift", "drift_score"):
        assert set(verdicts(plan, year, name)) == {Verdict.PASS}
    assert year["drift_score"].max() < 0.01
    assert year["drift"].max() < 0.05


def test_retraining_on_the_month_of_the_breach_helps(
    plan: Plan, year: pd.DataFrame, parts: dict[str, pd.DataFrame]
) -> None:
    """September passes again and is ranked better by .02 or more; November is better too, and still fails."""
    both = retrained(parts["training"], parts["08"])
    after = table(Watch(fit(both), both, parts["holdout"]), parts, (9, 10, 11))
    assert verdicts(plan, after, "live_auc") == [Verdict.PASS, Verdict.PASS, Verdict.FAIL]
    gained = after["live_auc"] - year["live_auc"]
    assert gained[9] > 0.02
    assert gained[11] > 0.01


def test_a_hundred_years_without_drift_are_quiet(plan: Plan, watch: Watch, parts: dict[str, pd.DataFrame]) -> None:
    """Of 1,200 months none fails by any monitor. With none seen, the rate is below 3 in 1,200, with 95 % confidence."""
    quiet = pd.DataFrame(watch.quiet(parts["holdout"], YEARS * 12, data.SEED))
    for name in ("live_auc", "drift", "drift_score"):
        assert verdicts(plan, quiet, name).count(Verdict.FAIL) == 0
    apart = (quiet["live_auc"].mean() - 0.63) / quiet["live_auc"].std()
    assert math.erfc(apart / math.sqrt(2)) / 2 < 1e-6


def test_a_drawn_month_has_the_readings_of_its_rows(watch: Watch, parts: dict[str, pd.DataFrame]) -> None:
    """Counting what was put into bins once gives what scoring the rows anew gives."""
    (counted,) = watch.quiet(parts["holdout"], 1, 7)
    drawn = data.draw(len(parts["holdout"]), 27_000, np.random.default_rng(7))
    assert counted == pytest.approx(watch.month(parts["holdout"].iloc[drawn]))
