"""Outcomes that arrive after their windows: each window is measured again, counts once, and is no second breach."""

import dataclasses
import os
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from client.catalog import Catalog
from models.audit import AuditKind, EffectRecord
from models.inventory import Measured
from models.inventory_fold import fold_inventory
from models.maturity import last_looks
from models.metrics import Metrics, period_before
from models.verdict import Kpi, Verdict
from tests.watched_model import DAY, WatchedModel, as_csv, cases, serving
from worker.metrics import NamedMetrics

ACCURACY = (Kpi(name="live_accuracy", passes=">= 0.7", fails="< 0.7", at_least=20),)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., WatchedModel]]:
    """Has a model serve, of which the accuracy is watched."""
    with serving(tmp_path) as made:
        yield partial(made, kpis=ACCURACY)


def arrive(model: WatchedModel, seed: int, after: timedelta = timedelta()) -> str:
    """A window of cases, told by their units, without outcomes."""
    path = model.folder / f"{seed}.csv"
    path.write_text(as_csv(cases(100, seed)))
    moment = (model.began + after).timestamp()
    os.utime(path, (moment, moment))
    return path.name


def become_known(model: WatchedModel, name: str, seed: int, right: bool, rows: int = 100) -> Path:
    """What became of the first cases of a window: as the score said, or the contrary."""
    folder = model.root / "outcomes" / "loan"
    folder.mkdir(parents=True, exist_ok=True)
    lines = [
        f"{row['unit']},{int((row['score'] == 0.9) is right)},{'mf'[number % 2]}"
        for number, row in enumerate(cases(100, seed)[:rows])
    ]
    path = folder / name
    path.write_text("\n".join(["unit,approved,sex", *lines, ""]))
    return path


def measured(model: WatchedModel) -> list[Measured]:
    """Every look that is on record."""
    entries = [entry for entry in model.parts.inventory.trail("loan") if entry.kind == AuditKind.EFFECT]
    effects = [EffectRecord.model_validate_json(entry.body) for entry in entries]
    return [change for effect in effects for change in effect.changes if isinstance(change, Measured)]


def test_a_window_is_measured_again_as_its_outcomes_become_known(serve: Callable[..., WatchedModel]) -> None:
    """The newer look replaces the older one wherever the present is shown; the record keeps both."""
    model = serve()
    arrive(model, 1)
    assert model.look().result.verdict is Verdict.INCONCLUSIVE
    become_known(model, "a.csv", 1, right=True, rows=40)
    model.look()
    assert model.verdicts() == ["pass"]
    become_known(model, "b.csv", 1, right=True)
    model.look()
    model.look()
    looks = measured(model)
    assert [look.verdict for look in looks] == ["inconclusive", "pass", "pass"]
    assert len({look.outcomes for look in looks}) == 3
    with Catalog(f"sqlite:///{model.root / 'inventory.db'}") as catalog:
        (shown,) = catalog.looks("loan")
    read = {reading.name: reading for reading in shown.readings}
    assert (read["live_accuracy"].value, read["live_accuracy"].count) == (1.0, 100)
    assert (read["label_maturity"].value, read["label_maturity"].count) == (1.0, 100)
    assert "live_adverse_impact" in read


def test_the_report_of_a_window_states_how_mature_it_is(serve: Callable[..., WatchedModel]) -> None:
    """How many of its cases are known, the digest of what is known, and what it was taken from."""
    model = serve()
    name = arrive(model, 1)
    become_known(model, "a.csv", 1, right=True, rows=40)
    report = model.report(model.look())
    maturity = next(one for one in report.readings if one.name == "label_maturity")
    assert (maturity.value, maturity.count) == (0.4, 100)
    assert report.outcomes == measured(model)[0].outcomes
    assert report.source is not None
    assert (report.source.kind, report.source.place) == ("files", name)


def test_an_old_window_makes_a_breach_once(serve: Callable[..., WatchedModel]) -> None:
    """Newer windows of which nothing is known yet do not hide it; a day later nobody tells of it any more."""
    model = serve()
    arrive(model, 1)
    model.look()
    arrive(model, 2, after=DAY)
    assert model.look(after=DAY).breach is None
    become_known(model, "a.csv", 1, right=False)
    late = model.look(after=DAY)
    again = model.look(after=DAY)
    assert late.breach is not None
    assert late.breach == again.breach
    assert late.breach.window == measured(model)[0].window
    assert "live_accuracy fail" in late.breach.reasons[0]
    assert model.verdicts() == ["fail", "inconclusive"]
    assert model.look(after=2.5 * DAY).breach is None


def test_a_newer_window_that_is_known_ends_it(serve: Callable[..., WatchedModel]) -> None:
    """What was wrong then and is right since is no breach now."""
    model = serve()
    for seed in (1, 2):
        arrive(model, seed, after=seed * DAY)
        model.look(after=seed * DAY)
    become_known(model, "b.csv", 2, right=True)
    become_known(model, "a.csv", 1, right=False)
    assert model.look(after=2 * DAY).breach is None
    assert model.verdicts() == ["fail", "pass"]


def test_whoever_reads_the_trail_has_windows_in_the_same_order(serve: Callable[..., WatchedModel]) -> None:
    """A file that is touched later stands for the moment at which it was looked at first, for the actuator, too."""
    model = serve()
    for day in range(2):
        arrive(model, day, after=day * DAY)
        model.look(after=day * DAY)
    arrive(model, 0, after=1.5 * DAY)
    become_known(model, "a.csv", 0, right=False)
    model.look(after=2 * DAY)
    looks = model.parts.inventory.looks("loan", "drift")
    assert [look.verdict for look in looks] == ["fail", "inconclusive"]
    assert [one.window for one in last_looks(measured(model))] == [look.window for look in looks]


def test_each_window_counts_once(serve: Callable[..., WatchedModel]) -> None:
    """Two looks at one failing window are not two failures."""
    model = serve(breaches=2)
    arrive(model, 1)
    become_known(model, "a.csv", 1, right=False, rows=40)
    assert model.look().breach is None
    become_known(model, "a.csv", 1, right=False)
    assert model.look().breach is None
    assert len(measured(model)) == 2
    arrive(model, 2, after=DAY)
    become_known(model, "b.csv", 2, right=False)
    assert model.look(after=DAY).breach is not None


def test_what_is_taken_back_no_longer_counts(serve: Callable[..., WatchedModel]) -> None:
    """Outcomes that were wrong and are withdrawn: the window is what it was before, and may change again."""
    model = serve()
    arrive(model, 1)
    good = become_known(model, "a.csv", 1, right=True)
    model.look()
    for _ in range(2):
        wrong = become_known(model, "b.csv", 1, right=False)
        assert model.look().breach is not None
        wrong.unlink()
        assert model.look().breach is None
        assert model.verdicts() == ["pass"]
    assert good.exists()
    assert [look.verdict for look in measured(model)] == ["pass", "fail", "pass", "fail", "pass"]


def test_outcomes_that_cannot_be_read_leave_what_was_measured(serve: Callable[..., WatchedModel]) -> None:
    """The look says which file; nothing that was measured before is lost by it, and it is over when that is mended."""
    model = serve()
    arrive(model, 1)
    become_known(model, "a.csv", 1, right=False)
    assert model.look().breach is not None
    spoilt = model.root / "outcomes" / "loan" / "b.csv"
    spoilt.write_text("unit,approved\n1-0,perhaps\n")
    blind = model.look()
    assert "b.csv is not all numbers: row 1 holds 'perhaps'" in blind.missed
    assert blind.breach is not None
    assert len(measured(model)) == 1
    spoilt.unlink()
    become_known(model, "a.csv", 1, right=True)
    assert (model.look().missed, model.verdicts()) == ("", ["pass"])


def test_windows_that_cannot_be_measured_again_are_no_second_time(serve: Callable[..., WatchedModel]) -> None:
    """Outcomes that are unreadable for a look touch every window that there is: that is one look, and no breach."""
    model = serve()
    for day in range(4):
        arrive(model, day, after=day * DAY)
        become_known(model, f"{day}.csv", day, right=True)
        model.look(after=day * DAY)
    arrive(model, 4, after=4 * DAY)
    spoilt = model.root / "outcomes" / "loan" / "x.csv"
    spoilt.write_text("unit,approved\n1-0,perhaps\n")
    for _ in range(3):
        assert model.look(after=4 * DAY).breach is None
    assert model.verdicts() == ["pass"] * 4 + ["inconclusive"]
    spoilt.unlink()
    become_known(model, "4.csv", 4, right=True)
    model.look(after=4 * DAY)
    looks = model.parts.inventory.looks("loan", "drift")
    assert [(look.verdict, look.unmeasured) for look in looks] == [("pass", False)] * 5


def test_what_outcomes_make_known_to_fail_is_not_hidden_by_what_cannot_be_measured_again(
    serve: Callable[..., WatchedModel],
) -> None:
    """What a metric said when a window was measured stands: it may no longer tell of so long ago."""
    model = serve(kpis=(*ACCURACY, Kpi(name="margin", passes=">= 1", fails="< 0", metric="margin")))
    kept = model.root / "metrics" / "margin" / "loan.csv"
    kept.parent.mkdir(parents=True)
    kept.write_text(f"at,value,count\n{period_before(86_400, model.began + DAY).since.isoformat()},7,1\n")
    said = {"sources": {"drop": {"kind": "files", "folder": str(model.root / "metrics")}}}
    told = said | {"metrics": {"margin": {"source": "drop", "query": "sum"}}}
    model.parts = dataclasses.replace(model.parts, metrics=NamedMetrics(Metrics.model_validate(told)))
    for seed in (1, 2):
        arrive(model, seed, after=DAY)
        assert model.look(after=DAY).result.summary.endswith("margin pass: 7 >= 1")
    kept.unlink()
    become_known(model, "a.csv", 1, right=True)
    become_known(model, "b.csv", 2, right=False)
    late = model.look(after=DAY)
    assert (late.missed, model.verdicts()) == ("", ["pass", "fail"])
    assert late.breach is not None
    assert late.breach.reasons[0].startswith("live_accuracy fail: 0 < 0.7")
    assert late.breach.reasons[0].endswith("margin pass: 7 >= 1")


def test_a_window_that_was_not_measured_is_once_what_it_holds_is_known(serve: Callable[..., WatchedModel]) -> None:
    """Only what stands counts for the next look: the one after it is the first again that cannot measure."""
    model = serve()
    arrive(model, 1)
    spoilt = become_known(model, "a.csv", 1, right=True)
    spoilt.write_text(spoilt.read_text().replace(",1,", ",yes,"))
    assert model.look().result.summary.startswith("not measured: ")
    become_known(model, "a.csv", 1, right=True)
    model.look()
    assert model.verdicts() == ["pass"]
    arrive(model, 2, after=DAY)
    (model.root / "outcomes" / "loan" / "b.csv").write_text("unit,approved\n2-0,perhaps\n")
    assert model.look(after=DAY).breach is None
    assert model.verdicts() == ["pass", "inconclusive"]
    told = fold_inventory("loan", model.parts.inventory.trail("loan"))
    rows = [row.values for row in told.rows if row.table == "measurement"]
    assert [(str(one["verdict"]), one["unmeasured"]) for one in rows] == [("pass", False), ("inconclusive", True)]


def test_what_is_current_is_of_the_newest_window(serve: Callable[..., WatchedModel]) -> None:
    """Whichever window was looked at last; and the record tells the same rows as the database has."""
    model = serve()
    for seed in (1, 2):
        arrive(model, seed, after=seed * DAY)
        become_known(model, f"{seed}.csv", seed, right=True)
        model.look(after=seed * DAY)
    become_known(model, "x.csv", 1, right=False)
    model.look(after=2 * DAY)
    assert model.verdicts() == ["fail", "pass"]
    with sqlite3.connect(model.root / "inventory.db") as connection:
        found = connection.execute("SELECT value FROM current_reading WHERE name = 'live_accuracy'").fetchall()
        newest = connection.execute("SELECT verdict FROM current_measurement").fetchall()
        rows = connection.execute('SELECT "window", verdict, looks, outcomes FROM measurement').fetchall()
    connection.close()
    assert (found, newest) == ([(1.0,)], [("pass",)])
    told = fold_inventory("loan", model.parts.inventory.trail("loan"))
    assert not told.problems
    folded = [row.values for row in told.rows if row.table == "measurement"]
    assert {(one["window"], str(one["verdict"]), one["looks"], one["outcomes"]) for one in folded} == set(rows)
