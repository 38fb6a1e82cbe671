"""An existing cluster and database are configuration only."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from activities.adapters.sql_directory import SqlDirectory
from activities.adapters.yaml_directory import YamlDirectory
from models.errors import InvalidInputError
from worker.connection import tls_of
from worker.directories import directory_of
from worker.settings import Settings, read_settings


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
    ],
)
def test_what_cannot_work_is_refused_at_once(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """Ports that cannot be, addresses without one, environments without a server: named before anything starts."""
    monkeypatch.setenv(f"MODELOPS_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("LICENCES", "MIT", 'not JSON; write it like ["Apache-2.0"'),
        ("REPOSITORIES", "/clones", 'not JSON; write it like {"git@example.com'),
        ("ADVISORIES_AT_MOST", "5m", "MODELOPS_ADVISORIES_AT_MOST: "),
        ("TRAINERS", "foo", 'not JSON; write it like {"loan-approval"'),
        ("SOURCES", "/data", 'not JSON; write it like ["/data'),
        ("SOURCES", "[1]", "MODELOPS_SOURCES: 0: "),
        ("DEPLOY_TOKEN", "short", "at least 32"),
        ("CHECKPOINTS", "s3://", "write a bucket like s3://bucket/prefix"),
        ("CHECKPOINTS", "S3:kept/audit", "write a bucket like s3://bucket/prefix"),
        ("DEPLOY_TOKEN", "a token with spaces in it, however long it is", "RFC 6750"),
        ("DIRECTORY", "~nobody-of-this-name/x", "MODELOPS_DIRECTORY: the home of ~nobody-of-this-name is not known"),
        ("ADMINISTRATORS", "3fa9c1", 'not JSON; write it like ["'),
        ("ADMINISTRATORS", '["3fa9c1"]', "MODELOPS_ADMINISTRATORS: 0: "),
        ("HOME", "~nobody-of-this-name/x", "the home of ~nobody-of-this-name is not known"),
    ],
)
def test_a_mistake_is_explained(monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str) -> None:
    """A variable that cannot be read is named, with an example of how to write it."""
    monkeypatch.setenv(f"MODELOPS_{name}", value)
    with pytest.raises(InvalidInputError) as refused:
        read_settings()
    assert f"MODELOPS_{name}: " in str(refused.value)
    assert reason in str(refused.value)


def test_the_actuator_has_its_own_account_and_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its database is that of all others unless it has an account of its own; the token never shows."""
    monkeypatch.setenv("MODELOPS_DATABASE_URL", "postgresql+psycopg://worker:hush@db/modelops")
    assert Settings().actuator_database == Settings().database
    with pytest.raises(InvalidInputError, match="MODELOPS_DEPLOY_TOKEN"):
        _ = Settings().token
    monkeypatch.setenv("MODELOPS_ACTUATOR_DATABASE_URL", "postgresql+psycopg://actuator:hush@db/modelops")
    monkeypatch.setenv("MODELOPS_DEPLOY_TOKEN", token := "hush" * 8)
    settings = Settings()
    assert "actuator:hush@db" in settings.actuator_database
    assert settings.token == token
    assert "hush" not in repr(settings)


def test_a_tilde_is_a_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`~` means the home in every path, also where no shell has replaced it."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "ca.pem").write_text("pem of ca")
    monkeypatch.setenv("MODELOPS_TRAINERS", '{"loans": "~/train.py"}')
    monkeypatch.setenv("MODELOPS_SOURCES", '["~/data"]')
    monkeypatch.setenv("MODELOPS_TEMPORAL_TLS_CA", "~/ca.pem")
    settings = Settings()
    assert settings.trainers == {"loans": tmp_path / "train.py"}
    assert settings.sources == [tmp_path / "data"]
    tls = tls_of(settings)
    assert not isinstance(tls, bool)
    assert tls.server_root_ca_cert == b"pem of ca"


def test_where_the_directory_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In files, also in one called `database`; or in the database, which takes somebody whose signature counts."""
    monkeypatch.setenv("MODELOPS_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for value, file in {"": "directory.yaml", "./database": "database", "x.yaml": "x.yaml"}.items():
        monkeypatch.setenv("MODELOPS_DIRECTORY", value)
        settings = Settings()
        assert settings.people == tmp_path / file
        assert isinstance(directory_of(settings, settings.database), YamlDirectory)
    monkeypatch.setenv("MODELOPS_DIRECTORY", "database")
    assert Settings().people == tmp_path / "directory.yaml"
    with pytest.raises(InvalidInputError, match="MODELOPS_ADMINISTRATORS: without it"):
        directory_of(Settings(), Settings().database)
    monkeypatch.setenv("MODELOPS_ADMINISTRATORS", f'["{"0f" * 32}"]')
    assert isinstance(directory_of(Settings(), Settings().database), SqlDirectory)


@pytest.mark.parametrize("name", ["CERT", "KEY"])
def test_half_of_a_clients_identity_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    """A certificate without its key, or a key alone, never leads to a connection in the clear."""
    (tmp_path / "half.pem").write_text("pem")
    monkeypatch.setenv(f"MODELOPS_TEMPORAL_TLS_{name}", str(tmp_path / "half.pem"))
    with pytest.raises(InvalidInputError, match="belong together"):
        tls_of(Settings())


def test_a_certificate_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable and the file are named."""
    monkeypatch.setenv("MODELOPS_TEMPORAL_TLS_CA", "/nope")
    with pytest.raises(InvalidInputError, match="MODELOPS_TEMPORAL_TLS_CA: /nope cannot be read"):
        tls_of(Settings())
