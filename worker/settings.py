"""The one reader of the environment: every setting, its default, its meaning."""

import json
import os
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from models.canonical import Duration, Frozen
from models.environments import Credentials
from models.errors import InvalidInputError
from models.inventory import Environment
from models.registries import Governed, RegisteredName
from models.signing import PublicKey
from models.training_jobs import SageMakerTraining
from worker.ci import Ci, Url, Variable

Port = Annotated[int, Field(ge=1, le=65535)]
ADDRESS = r"^[^:/\s]+:(6553[0-5]|655[0-2]\d|65[0-4]\d{2}|6[0-4]\d{3}|[1-5]\d{4}|[1-9]\d{0,3})$"

GIT = "git:"
"""What the place of checkpoints begins with if it is a git repository."""
S3 = "s3://"
"""What it begins with if it is a bucket."""
DATABASE = "database"
"""The directory's place if it is the database; a file of that name is `./database`."""
ACTUATORS = ("modelops-actuator@",)
PERMISSIVE = (
    *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "ISC"),
    *("MIT", "MIT-0", "PSF-2.0", "Unlicense", "Zlib"),
)
"""Licences that ask for no more than to be named."""
_BUCKET = re.compile(r"s3://[A-Za-z0-9._-]{3,63}(/.*)?")
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]{32,}=*")

PROJECT = Path(__file__).resolve().parent.parent


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError(f"the home of {path.parts[0]} is not known") from None


def _file_or_database(value: object) -> object:
    return _expanded(Path(value)) if isinstance(value, str) and value != DATABASE else value


def _json_like(example: str) -> BeforeValidator:
    def decoded(value: object) -> object:
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError:
            raise ValueError(f"this is not JSON; write it like {example}") from None

    return BeforeValidator(decoded)


def _bearer(token: SecretStr | None) -> SecretStr | None:
    if token and not _TOKEN.fullmatch(token.get_secret_value()):
        raise ValueError("a token has at least 32 letters, digits and -._~+/ (RFC 6750)")
    return token


def _kept(place: str | None) -> str | None:
    if place and place.lower().startswith("s3:") and not _BUCKET.fullmatch(place):
        raise ValueError("write a bucket like s3://bucket/prefix")
    return place


Place = Annotated[Path, AfterValidator(_expanded)]
"""A path; `~` is somebody's home."""


class MlflowSettings(Frozen):
    """An MLflow server, the variable with its token if it wants one, and which model governs each registered name."""

    url: Url
    token: Variable | None = None
    models: dict[RegisteredName, Governed] = Field(min_length=1)
    every: Annotated[Duration, Field(ge=10)] = 60


class GithubSettings(Frozen):
    """A GitHub App that answers deployment protection rules: its id, its private key, the secret of its webhook.

    `environments` says which of ours each of theirs is.
    """

    api: Url = "https://api.github.com"
    app: Annotated[str, Field(min_length=1, max_length=100)]
    key: Place
    secret: Variable
    environments: dict[str, Environment] = Field(min_length=1)


FileOrDatabase = Annotated[Literal["database"] | Path, BeforeValidator(_file_or_database)]

Folders = Annotated[list[Place], NoDecode, _json_like('["/data/models", "/data/windows"]')]
Identities = Annotated[tuple[str, ...], NoDecode, _json_like('["modelops-actuator@"]')]
Administrators = Annotated[tuple[PublicKey, ...], NoDecode, _json_like('["<a key\'s 64 hexadecimal digits>"]')]
Clones = Annotated[dict[str, Place], NoDecode, _json_like('{"git@example.com:credit.git": "/clones/credit.git"}')]
Licences = Annotated[tuple[str, ...], NoDecode, _json_like('["Apache-2.0", "MIT"]')]
Mlflow = Annotated[
    MlflowSettings | None,
    NoDecode,
    _json_like(
        '{"url": "http://mlflow:5000", "models": {"loans": {"model": "loan-approval", "template": "credit-high-risk"}}}'
    ),
]
Pipelines = Annotated[
    dict[str, Ci],
    NoDecode,
    _json_like(
        '{"loan-ci": {"system": "github", "repository": "acme/loans", "workflow": "train.yml", "token": "CI_TOKEN"}}'
    ),
]
Github = Annotated[
    GithubSettings | None,
    NoDecode,
    _json_like(
        '{"app": "1234", "key": "/keys/app.pem", "secret": "GITHUB_SECRET", "environments": {"production": "PROD"}}'
    ),
]
Registries = Annotated[dict[str, Credentials], NoDecode, _json_like('{"registry.example": {"env": "REGISTRY_SECRET"}}')]
Trainers = Annotated[
    dict[str, SageMakerTraining | Place], NoDecode, _json_like('{"loan-approval": "/programs/train.py"}')
]


class Settings(BaseSettings):
    """Set by variables `MODELOPS_<NAME>`. The defaults are the embedded default of `modelops up`."""

    model_config = SettingsConfigDict(env_prefix="MODELOPS_", extra="forbid", env_ignore_empty=True)

    home: Place = Field(
        default=Path("~/.local/share/modelops"), description="where the embedded default keeps its data"
    )

    embedded_temporal: bool = Field(default=True, description="whether `modelops up` starts the Temporal dev server")
    temporal_address: str = Field(
        default="127.0.0.1:7233", pattern=ADDRESS, description="host:port of the Temporal frontend"
    )
    temporal_namespace: str = "default"
    temporal_api_key: SecretStr | None = Field(default=None, description="for Temporal Cloud; implies TLS")
    temporal_tls: bool = False
    temporal_tls_ca: Place | None = Field(default=None, description="PEM of the server's authority; implies TLS")
    temporal_tls_cert: Place | None = Field(default=None, description="PEM of the client's certificate; implies TLS")
    temporal_tls_key: Place | None = Field(default=None, description="PEM of the client's key; implies TLS")
    temporal_ui: str = Field(default="http://127.0.0.1:8233", description="address of the Web UI, for links")
    temporal_http_port: Port = Field(default=7243, description="port of the embedded server's HTTP API")

    database_url: SecretStr | None = Field(default=None, description="SQLAlchemy URL; default: SQLite under home")
    actuator_database_url: SecretStr | None = Field(
        default=None, description="the same database under the actuator's own account; default: database_url"
    )
    deploy_token: Annotated[SecretStr | None, AfterValidator(_bearer)] = Field(
        default=None, description="who has it may change what environments serve: actuator and inference servers alone"
    )

    environments: Place | None = Field(
        default=None,
        description="YAML file of what DEV, TEST and PROD are and ask; default: environments.yaml under home, if it is "
        "there, or else three inference servers on this machine",
    )
    metrics: Place | None = Field(
        default=None,
        description="YAML file of what business KPIs are read from; default: metrics.yaml under home, if it is there",
    )
    windows_file: Place | None = Field(
        default=None,
        description="YAML file of where windows of production data come from; default: windows.yaml under home, if it "
        "is there; a model that it does not name has a folder of its own",
    )
    channels: Place | None = Field(
        default=None,
        description="YAML file of where messages and alerts go; default: channels.yaml under home, if it is there",
    )
    sources: Folders = Field(default=[], description="folders that artifacts and data may be read from, beside home")
    trainers: Trainers = Field(
        default={}, description="training programs, and jobs of SageMaker, by the name that versions give"
    )
    advisories: Place | None = Field(
        default=None, description="mirror of OSV advisories: a folder of JSON or ZIP files"
    )
    advisories_at_most: Annotated[Duration, Field(ge=3600)] = Field(
        default=604_800, description="how old the newest advisory may be for the mirror to count, as in 7d"
    )
    licences: Licences = Field(default=PERMISSIVE, description="licences that dependencies may have (SPDX identifiers)")
    repositories: Clones = Field(default={}, description="local clones by the repository that versions name")
    ci: Pipelines = Field(default={}, description="pipelines of CI systems that train, by the name that versions give")
    policies: Place | None = Field(default=None, description="folder of policy packs of one's own (*.yaml)")
    directory: FileOrDatabase | None = Field(
        default=None, description="YAML file of people and groups, or `database`; default: under home"
    )

    keys: Place | None = Field(default=None, description="registry of keys; default: keys.json under home")
    administrators: Administrators = Field(
        default=(), description="public keys whose signature the directory in the database needs"
    )
    audience: str = Field(
        default="modelops", min_length=1, max_length=120, description="the installation that signatures are for"
    )
    wallet: Place = Field(
        default=Path("~/.config/modelops/keys"), description="where a person's own private keys are, encrypted"
    )
    passphrase: SecretStr | None = Field(default=None, description="of the private key; asked for if it is not set")

    checkpoints: Annotated[str | None, AfterValidator(_kept)] = Field(
        default=None,
        min_length=1,
        description="where checkpoints are kept: a folder, git:/path/of/a/repository, or s3://bucket/prefix; "
        "default: under home",
    )
    notary_key: Place | None = Field(
        default=None, description="the notary's private key, made if it is missing; default: notary.key under home"
    )
    bundle_key: Place | None = Field(
        default=None, description="the packager's private key, made if it is missing; default: bundle.key under home"
    )
    registries: Registries = Field(
        default={},
        description="where the `user:password` for a registry of bundles is, by its host: a variable or file",
    )
    clearance: Url = Field(
        default="http://127.0.0.1:8510", description="where pipelines ask whether a digest may enter an environment"
    )
    mlflow: Mlflow = Field(default=None, description="the MLflow registry whose versions enter our lifecycles")
    github: Github = Field(default=None, description="the GitHub App whose deployment protection rule is our gate")

    actuator_identities: Identities = Field(
        default=ACTUATORS, description="how the identities begin that may poll the actuator's task queue"
    )
    reconcile_every: Annotated[Duration, Field(ge=60)] = Field(
        default=900, description="how often record, executions, environments and workers are compared, as in 15m"
    )

    actuator_metrics_port: Port = Field(default=9466, description="the actuator's metrics, and /healthz")
    worker_metrics_port: Port = Field(default=9464, description="our own metrics, and /healthz")
    sdk_metrics_port: Port = Field(default=9465, description="the Temporal SDK's metrics")
    log_format: str = Field(default="console", pattern="^(console|json)$")
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")

    @property
    def root(self) -> Path:
        """The data folder, absolute."""
        return self.home.resolve()

    @property
    def database(self) -> str:
        """The database's URL."""
        if self.database_url:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.root / 'inventory.db'}"

    @property
    def actuator_database(self) -> str:
        """The database's URL for the actuator."""
        return self.actuator_database_url.get_secret_value() if self.actuator_database_url else self.database

    @property
    def token(self) -> str:
        """The deploy token; InvalidInputError without one."""
        if self.deploy_token is None:
            raise InvalidInputError(
                "MODELOPS_DEPLOY_TOKEN: without it nothing could change what an environment serves",
                "set it for the actuator and the inference servers alone; `modelops up` makes one by itself",
            )
        return self.deploy_token.get_secret_value()

    @property
    def store(self) -> Path:
        """The artifact store's folder."""
        return self.root / "artifacts"

    @property
    def windows(self) -> Path:
        """Where windows of production data arrive: one folder per model."""
        return self.root / "windows"

    @property
    def outcomes(self) -> Path:
        """Where it becomes known what became of the cases that were decided: one folder per model."""
        return self.root / "outcomes"

    @property
    def people(self) -> Path:
        """The directory file; of an administrator who publishes it, the working copy."""
        file = self.directory if isinstance(self.directory, Path) else None
        return (file or self.root / "directory.yaml").resolve()

    @property
    def registry(self) -> Path:
        """The registry of keys, or the working copy of it."""
        return (self.keys or self.root / "keys.json").resolve()

    @property
    def notary(self) -> Path:
        """The notary's private key; the public one is beside it, with the suffix `.pub`."""
        return (self.notary_key or self.root / "notary.key").resolve()

    @property
    def packager(self) -> Path:
        """The private key that signs bundles; the public keys that count are beside it, with the suffix `.pub`."""
        return (self.bundle_key or self.root / "bundle.key").resolve()

    @property
    def wants_tls(self) -> bool:
        """Whether the connection to Temporal is encrypted."""
        files = (self.temporal_tls_ca, self.temporal_tls_cert, self.temporal_tls_key)
        return self.temporal_tls or bool(self.temporal_api_key or any(files))


def read_secret(credentials: Credentials) -> str:
    """The secret that is referred to, as it is now; InvalidInputError, in which it never is."""
    try:
        found = os.environ[credentials.env] if credentials.env else _expanded(Path(str(credentials.file))).read_text()
    except (KeyError, OSError, ValueError) as error:
        raise InvalidInputError(
            f"the credentials in {credentials} cannot be read ({type(error).__name__})",
            "put the secret there, for that process alone, or correct the setting that refers to it",
        ) from None
    if not found.strip():
        raise InvalidInputError(f"the credentials in {credentials} are empty", "put the secret there")
    return found.strip()


def read_settings() -> Settings:
    """The settings; InvalidInputError names every variable that does not fit."""
    try:
        return Settings()
    except ValidationError as error:
        wrong = [_complaint(*one["loc"], reason=one["msg"]) for one in error.errors()]
        raise InvalidInputError("; ".join(wrong), "correct the environment variable") from error


def _complaint(name: int | str, *place: int | str, reason: str) -> str:
    where = ": ".join([f"MODELOPS_{name}".upper(), *map(str, place)])
    return f"{where}: {reason.removeprefix('Value error, ')}"
