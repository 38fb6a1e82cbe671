"""Windows from a real PostgreSQL, as from SQLite: asked about one period, by a cursor, and measured from end to end."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from models.verdict import Verdict
from tests.watched_model import DAY, WatchedModel, cases, serving

QUERY = "SELECT unit, income, score FROM cases WHERE :model = 'loan' AND decided_at >= :since AND decided_at < :until"

ENDLESS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000) SELECT sum(i) AS all_of_them FROM n
"""
Watch = Callable[..., WatchedModel]


def decide(url: str, model: WatchedModel, days_ago: float, mean: float) -> None:
    """Cases come, so many days before the look."""
    engine = sa.create_engine(url)
    at = model.began + DAY - timedelta(days=days_ago)
    with engine.begin() as connection:
        connection.execute(
            sa.text("CREATE TABLE IF NOT EXISTS cases (unit text, income float, score float, decided_at timestamp)")
        )
        connection.execute(
            sa.text("INSERT INTO cases VALUES (:unit, :income, :score, :at)"),
            [{**one, "at": at.replace(tzinfo=None)} for one in cases(mean=mean)],
        )
    engine.dispose()


@pytest.fixture
def watch(tmp_path: Path, empty_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watch]:
    """Makes a model whose windows are answers of a query."""
    monkeypatch.setenv("WAREHOUSE", empty_url)
    with serving(tmp_path) as serve:

        def make(query: str, within: int = 60) -> WatchedModel:
            return serve(said={"kind": "sql", "url": {"env": "WAREHOUSE"}, "query": query, "within": within})

        yield make


def test_a_period_is_measured(watch: Watch, empty_url: str) -> None:
    """What was decided in the last whole day, and nothing else: other people came the day before."""
    watched = watch(QUERY)
    decide(empty_url, watched, 1, mean=10)
    decide(empty_url, watched, 2, mean=30)
    outcome = watched.look(after=DAY)
    report = watched.report(outcome)
    assert (report.rows, report.source and report.source.kind) == (200, "sql")
    assert "drift pass" in outcome.result.summary


@pytest.mark.parametrize(
    ("query", "said"),
    [
        (QUERY.replace("income,", "income AS earnings,"), "income"),
        (QUERY.replace("income,", "'much' AS income,"), "income"),
        (QUERY.replace("score ", "NULL AS score "), "no answer of the model"),
        (QUERY.replace("FROM cases", "FROM nowhere"), "nowhere"),
        (QUERY + " AND score > :much", "much"),
        (QUERY + " AND score > 2", "no rows"),
    ],
)
def test_what_cannot_be_measured_is_said(query: str, said: str, watch: Watch, empty_url: str) -> None:
    """On record, whatever the database; the second period in a row is a failed look."""
    watched = watch(query)
    decide(empty_url, watched, 1, mean=10)
    outcome = watched.look(after=DAY)
    assert (outcome.result.verdict, outcome.breach) == (Verdict.INCONCLUSIVE, None)
    assert said in outcome.result.summary, outcome.result.summary
    assert watched.look(after=2 * DAY).breach is not None
    assert watched.verdicts() == ["inconclusive", "fail"]


def test_a_query_that_takes_too_long_is_given_up(watch: Watch, empty_url: str) -> None:
    """By the database, after as long as the file says."""
    slow = QUERY.replace("FROM cases", f"FROM cases, ({ENDLESS}) AS endless")
    watched = watch(slow, within=1)
    decide(empty_url, watched, 1, mean=10)
    outcome = watched.look(after=DAY)
    assert outcome.result.verdict is Verdict.INCONCLUSIVE
    assert "within 1 s" in outcome.result.summary, outcome.result.summary
