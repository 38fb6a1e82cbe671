"""`modelops channels`: where messages go, what waits, and why; never a secret."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import Session, create_engine
from typer.testing import CliRunner

from activities.adapters.sql_migration import migrate
from client.catalog import Catalog
from client.cli import app
from models.records import ChannelRecord, DeliveryRecord
from tests.unit.test_channels_file import ALL

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with an empty record."""
    migrate(f"sqlite:///{tmp_path / 'inventory.db'}")
    monkeypatch.setenv("MODELOPS_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "320")
    monkeypatch.setenv("OPS_CHAT_URL", "https://hooks.example.com/canary")
    return tmp_path


def shown(*words: str) -> str:
    """What the command says."""
    ran = CliRunner().invoke(app, ["channels", *words])
    assert ran.exit_code == 0, ran.output
    return ran.stdout


def test_without_any(home: Path) -> None:
    """It says that messages stay where they are, and what to do."""
    assert "MODELOPS_CHANNELS" in shown()
    assert json.loads(shown("--json")) == []


def test_what_waits_and_why(home: Path) -> None:
    """Each channel with its kind, place, topics, counts and the last problem."""
    (home / "channels.yaml").write_text(ALL)
    engine = create_engine(f"sqlite:///{home / 'inventory.db'}")
    with Session(engine) as session:
        session.add_all(ChannelRecord(name=name, position=0) for name in ("ops", "tickets"))
        made: Any = {
            "delivered_at": NOON,
            "ticket": "ML-17",
            "page": "https://acme.atlassian.net/browse/ML-17",
            "model": "loan",
        }
        session.add(DeliveryRecord(channel="tickets", key="1.0", message="{}", made_at=NOON, due=NOON, **made))
        for number, failures in enumerate((0, 7)):
            session.add(
                DeliveryRecord(
                    channel="ops",
                    key=str(number),
                    message="{}",
                    failures=failures,
                    problem="channel 'ops' answers 503" if failures else None,
                    made_at=NOON,
                    due=NOON,
                )
            )
        session.commit()
    engine.dispose()
    lines = shown("--utc").splitlines()
    ops = next(line for line in lines if "chat" in line)
    assert all(part in ops for part in ("variable OPS_CHAT_URL", "stuck", "2", "1", "channel 'ops' answers 503"))
    assert any("smtp.example.com:587" in line for line in lines)
    (tickets,) = [line for line in lines if "jira" in line]
    assert all(part in tickets for part in ("https://acme.atlassian.net ML", "ML-17 https://acme.atlassian.net/browse"))
    with Catalog(f"sqlite:///{home / 'inventory.db'}") as catalog:
        assert [one.id for one in catalog.tickets("loan")] == ["ML-17"]
        assert list(catalog.tickets("other")) == []
    assert "canary" not in shown() + shown("--json")
    (found,) = [one for one in json.loads(shown("--json")) if one["channel"] == "ops"]
    assert (found["waiting"], found["failing"], found["delivered"]) == (2, 1, None)
    assert datetime.fromisoformat(found["since"]) == NOON
