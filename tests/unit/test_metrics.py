"""An administrator's file says what KPIs are read from; a template names a metric and no place."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.compiler import compile_template
from models.diagnostics import errors_of
from models.errors import InvalidInputError, TemplateError
from models.metrics import Metric, Metrics, Period, load_metrics, measured, period_before
from models.writing import write_template
from tests.unit.template_mistakes import CREDIT

GOOD = b"""
sources:
  warehouse: {kind: sql, url: {env: WAREHOUSE_URL}}
  watch: {kind: prometheus, url: "https://prometheus:9090", credentials: {file: /run/token}}
  drop: {kind: files, folder: /data/metrics}
  app: {kind: push, token: {env: APP_TOKEN}, keep: 90d}
metrics:
  margin: {source: warehouse, query: "SELECT 1 AS value, 1 AS count", unit: EUR}
  latency: {source: watch, query: "avg_over_time(latency[$seconds])", within: 5}
  complaints: {source: drop, query: sum}
  baskets: {source: app, query: mean}
  saved:
    {source: warehouse, query: "SELECT 1 AS value, 1 AS count WHERE 1 = :version", unit: EUR, worth: value, late: 2d}
  compute: {source: watch, query: "sum(cost{version='$version'})", unit: EUR, worth: cost}
  uplift: {source: warehouse, query: "SELECT ...", holdout: share}
"""
_KPIS = "kpis:\n"
_VALUE = "checks: [live_selection_rate]"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def test_a_good_file_is_read() -> None:
    """Every source and every metric by its name; a metric waits half a minute unless it says otherwise."""
    found = load_metrics(GOOD, "metrics.yaml")
    assert {name: one.kind for name, one in found.sources.items()} == {
        "warehouse": "sql",
        "watch": "prometheus",
        "drop": "files",
        "app": "push",
    }
    assert [found.metrics[name].within for name in ("margin", "latency")] == [30, 5]
    assert [found.metrics[name].late for name in ("saved", "compute")] == [2 * 86_400, 7 * 86_400]


def test_a_question_about_one_version_is_known_by_its_placeholder() -> None:
    """By that of its kind of source: files, and what is pushed, know no version."""
    found = load_metrics(GOOD, "metrics.yaml")
    named = {name for name in found.metrics if found.names_version(name)}
    assert named == {"saved", "compute"}
    for query, names in [("a::version", False), ("a = :versions", False), ("(:version)", True)]:
        metric = Metric(source="warehouse", query=query)
        assert Metrics(sources=found.sources, metrics={"m": metric}).names_version("m") is names


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ((b"source: drop", b"source: dorp"), "metric 'complaints' is of source 'dorp', which is not there"),
        ((b"kind: files", b"kind: ftp"), "sources.drop"),
        ((b"{env: WAREHOUSE_URL}", b"'postgresql://u:p@h/d'"), "sources.warehouse"),
        ((b"folder: /data/metrics", b"folder: data"), "sources.drop"),
        ((b"within: 5", b"within: 0"), "metrics.latency.within"),
        ((b"unit: EUR", b"currency: EUR"), "metrics.margin.currency"),
        ((b"https://prometheus", b"https://u:p@prometheus"), "sources.watch"),
        ((b"https://prometheus", b"http://prometheus"), "sources.watch.*in the clear"),
        ((b"metrics:", b"metrics: ["), "not plain YAML"),
        ((b"token: {env: APP_TOKEN}", b"token: secret"), "sources.app"),
        ((b"keep: 90d", b"keep: 5s"), "sources.app"),
        ((b"unit: EUR, worth: value", b"worth: value"), "metrics.saved.* say the currency in 'unit'"),
        ((b"worth: value", b"worth: fame"), "metrics.saved.worth"),
        ((b", holdout: share", b", holdout: share, unit: EUR, worth: value"), "metrics.uplift.* a difference"),
        ((b", holdout: share", b", late: 2d"), "metrics.uplift.* only what goes into the value ledger"),
        ((b"query: mean", b"query: mean, holdout: mean"), "a source of kind 'push' answers with one value"),
        ((b"holdout: share", b"holdout: median"), "metrics.uplift.holdout"),
        ((b"query: sum", b"query: sum, holdout: mean"), "a file answers with a row of two groups, the `last`"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_its_place(edit: tuple[bytes, bytes], said: str) -> None:
    """And nothing of the file counts."""
    with pytest.raises(InvalidInputError, match=said):
        load_metrics(GOOD.replace(*edit), "metrics.yaml")


@given(st.integers(0, 2**31), st.integers(60, 10**7))
def test_a_period_is_whole_and_over(second: int, every: int) -> None:
    """It ends before the moment, less than a period ago; the one before it ends where it begins."""
    at = datetime.fromtimestamp(second, UTC)
    found = period_before(every, at)
    assert found.until - found.since == timedelta(seconds=every)
    assert found.until <= at < found.until + timedelta(seconds=every)
    assert period_before(every, at - timedelta(seconds=every)).until == found.since


@given(st.floats(), st.integers(-5, 5))
def test_only_finite_numbers_and_counts_are_answers(value: float, count: int) -> None:
    """Everything else is an error, never a reading."""
    metric, period = Metric(source="warehouse", query="q"), Period(NOON, NOON + timedelta(hours=1))
    if value - value == 0 and count >= 0:
        found = measured("margin", metric, period, value, count)
        assert found.reading("booked").value == value
        assert found.reading("booked").count == count
    else:
        with pytest.raises(InvalidInputError, match="metric 'margin' of source 'warehouse'"):
            measured("margin", metric, period, value, count)


def with_metric(name: str = "booked_margin", metric: str = ", metric: margin") -> str:
    """The built-in template, whose value monitor reads a KPI from a metric."""
    kpi = f"  {name}: {{pass: '>= 100', fail: '< 50'{metric}}}\n"
    return CREDIT.replace(_KPIS, _KPIS + kpi, 1).replace(_VALUE, f"checks: [live_selection_rate, {name}]")


def test_a_template_may_name_a_metric() -> None:
    """The plan has it, a template written from the plan has it again; plans without one are what they were."""
    plan = compile_template(with_metric(), "mine.yaml")
    assert plan.kpi("booked_margin").metric == "margin"
    assert compile_template(write_template(plan), "again.yaml").kpi("booked_margin") == plan.kpi("booked_margin")
    assert "metric" not in compile_template(CREDIT, "credit").model_dump_json()


def test_a_kpi_that_nothing_measures_needs_a_metric() -> None:
    """The compiler says so, and how to say what it is read from."""
    with pytest.raises(TemplateError) as wrong:
        compile_template(with_metric(metric=""), "mine.yaml")
    (found,) = errors_of(wrong.value.diagnostics)
    assert found.code == "MO603"
    assert "metric: NAME" in str(found)
