"""What somebody who may start workflows, or write outcomes, tries against monitors."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from activities.adapters.window_parts import query_parts
from models.errors import UnmeasuredError
from tests.watched_model import DAY, KPIS, WatchedModel, as_csv, cases


@pytest.fixture
def model(tmp_path: Path) -> Iterator[WatchedModel]:
    """A model of which the drift of incomes is watched: two failures in a row are a breach."""
    made = WatchedModel(tmp_path, kpis=KPIS[:1], breaches=2)
    yield made
    made.close()


def test_a_look_ordered_for_long_ago_hides_no_breach(model: WatchedModel) -> None:
    """A window stands for when it arrived: whoever orders a look at it first can not file it under the past."""
    (model.folder / "1.csv").write_text(as_csv(cases(200, 1)))
    assert model.look().breach is None
    (model.folder / "2.csv").write_text(as_csv(cases(200, 2, mean=20)))
    assert model.look().breach is None
    (model.folder / "3.csv").write_text(as_csv(cases(200, 3, mean=20)))
    model.look(at=model.began - 300 * DAY)
    assert model.look().breach is not None


def test_one_silence_is_not_made_many(model: WatchedModel) -> None:
    """Silence fails once in a period of the monitor, however many looks are ordered within it."""
    later = 5 * DAY
    begun = (model.began + later).replace(hour=0, minute=0, second=0, microsecond=0)
    for minute in (1, 2, 3):
        assert model.look(later, at=begun.replace(minute=minute)).breach is None


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://127.0.0.1:1/w?user=canary-1&password=canary-2&connect_timeout=1",
        "postgresql+psycopg://canary-1:canary-2@127.0.0.1:1/w?connect_timeout=1&sslpassword=canary-3",
    ],
)
def test_no_error_of_a_window_tells_a_secret(url: str) -> None:
    """Drivers take passwords and tokens in a URL's query, too: what a failure says is on record."""
    with pytest.raises(UnmeasuredError) as raised:
        list(query_parts(sa.create_engine(url), "SELECT 1", {}))
    assert "127.0.0.1" in str(raised.value)
    assert "canary" not in str(raised.value)
