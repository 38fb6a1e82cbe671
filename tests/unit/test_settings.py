"""An existing cluster and database are configuration only."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from worker.connection import tls_of
from worker.settings import Settings


def test_the_defaults_are_the_embedded_ones(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without any variable but the home: a local server without TLS, SQLite and everything else under the home."""
    monkeypatch.setenv("MODELOPS_HOME", str(tmp_path))
    settings = Settings()
    assert settings.database == f"sqlite:///{tmp_path / 'inventory.db'}"
    assert tls_of(settings) is False
    assert settings.store.is_relative_to(tmp_path)


def test_certificates_and_keys_are_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Address, namespace, API key, certificates and database come from variables; secrets do not show."""
    for name in ("ca", "cert", "key"):
        (tmp_path / name).write_text(f"pem of {name}")
        monkeypatch.setenv(f"MODELOPS_TEMPORAL_TLS_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("MODELOPS_TEMPORAL_API_KEY", "hush-1")
    monkeypatch.setenv("MODELOPS_DATABASE_URL", "postgresql+psycopg://modelops:hush-2@db/modelops")
    settings = Settings()
    tls = tls_of(settings)
    assert not isinstance(tls, bool)
    assert (tls.server_root_ca_cert, tls.client_cert, tls.client_private_key) == (
        b"pem of ca",
        b"pem of cert",
        b"pem of key",
    )
    assert settings.database.endswith("hush-2@db/modelops")
    assert "hush" not in repr(settings)


def test_an_api_key_alone_means_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """An API key never travels in the clear."""
    monkeypatch.setenv("MODELOPS_TEMPORAL_API_KEY", "hush")
    assert tls_of(Settings()) is not False


def test_a_setting_of_the_wrong_kind_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be read is refused with its name."""
    monkeypatch.setenv("MODELOPS_LOG_LEVEL", "LOUD")
    with pytest.raises(ValidationError, match="log_level"):
        Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TEMPORAL_ADDRESS", "127.0.0.1:99999999"),
        ("TEMPORAL_ADDRESS", "foo:bar"),
        ("WORKER_METRICS_PORT", "99999"),
        ("INFERENCE", '{"PROD": "http://127.0.0.1:1"}'),
    ],
)
def test_what_cannot_work_is_refused_at_once(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """Ports that cannot be, addresses without one, environments without a server: named before anything starts."""
    monkeypatch.setenv(f"MODELOPS_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()
