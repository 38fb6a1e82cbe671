"""`modelops channels`: where messages go, what waits, and why; never a secret."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import Session, create_engine
from typer.testing import CliRunner

from activities.adapters.sql_migration import migrate
from client.cli import app
from models.records import ChannelRecord, DeliveryRecord
from tests.unit.test_channels_file import ALL

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with an empty record."""
    migrate(f"sqlite:///{tmp_path / 'inventory.db'}")
    monkeypatch.setenv("MODELOPS_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "250")
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
        session.add(ChannelRecord(name="ops", position=0))
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
    assert "canary" not in shown() + shown("--json")
    (found,) = [one for one in json.loads(shown("--json")) if one["channel"] == "ops"]
    assert (found["waiting"], found["failing"], found["delivered"]) == (2, 1, None)
    assert datetime.fromisoformat(found["since"]) == NOON
