"""The inventory, the ledger and the audit trail."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_GENESIS = "sha256:" + "0" * 64
_TABLES = (
    "audit_head",
    "audit",
    "notification",
    "measurement",
    "evidence",
    "ledger",
    "deployment",
    "lifecycle",
    "plan",
    "version",
    "model_regulation",
    "model",
)


def upgrade() -> None:
    """Make every table, and the head of an empty trail."""
    _create_models()
    _create_lifecycles()
    _create_deployments()
    _create_findings()
    _create_audit()


def downgrade() -> None:
    """Drop everything, the audit trail included."""
    for table in _TABLES:
        op.drop_table(table)


def _text(name: str, *, key: bool = False, optional: bool = False) -> sa.Column[str]:
    return sa.Column(name, AutoString(), primary_key=key, nullable=optional)


def _word(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(32), nullable=False)


def _number(name: str, *, key: bool = False, optional: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), primary_key=key, autoincrement=False, nullable=optional)


def _time(name: str, *, optional: bool = False) -> sa.Column[object]:
    return sa.Column(name, UTCDateTime(), nullable=optional)


def _row_id() -> sa.Column[int]:
    return sa.Column("id", sa.Integer(), primary_key=True)


def _create_models() -> None:
    op.create_table(
        "model",
        _text("id", key=True),
        _text("title"),
        _word("kind"),
        _word("tier"),
        _text("owner"),
        _text("use_case"),
        _text("facts"),
        _time("registered_at"),
    )
    op.create_index("ix_model_owner", "model", ["owner"])
    op.create_index("ix_model_use_case", "model", ["use_case"])
    op.create_table(
        "model_regulation",
        _text("model", key=True),
        _text("regulation", key=True),
        sa.ForeignKeyConstraint(["model"], ["model.id"]),
    )
    op.create_index("ix_model_regulation_regulation", "model_regulation", ["regulation"])
    op.create_table(
        "version",
        _text("model", key=True),
        _number("number", key=True),
        _word("status"),
        _text("artifact", optional=True),
        _text("bundle", optional=True),
        _text("facts", optional=True),
        sa.Column("gates", sa.JSON(), nullable=False),
    )
    op.create_index("ix_version_artifact", "version", ["artifact"])


def _create_lifecycles() -> None:
    op.create_table("plan", _text("digest", key=True), _text("template"), _text("version"), _text("content"))
    op.create_table(
        "lifecycle",
        _text("model", key=True),
        _text("template"),
        _text("plan"),
        _text("stage"),
        _word("phase"),
        _number("visit"),
        _number("seq"),
        _number("candidate", optional=True),
        _number("champion", optional=True),
        _number("previous", optional=True),
        _number("crowned"),
        sa.Column("paused", sa.Boolean(), nullable=False),
        _text("failure"),
        _time("updated_at"),
        sa.ForeignKeyConstraint(["plan"], ["plan.digest"]),
    )
    op.create_index("ix_lifecycle_stage", "lifecycle", ["stage"])
    op.create_table(
        "ledger",
        _text("model", key=True),
        _number("visit", key=True),
        _text("step", key=True),
        _text("result"),
        _time("at"),
    )


def _create_deployments() -> None:
    op.create_table(
        "deployment",
        _row_id(),
        _text("model"),
        _word("environment"),
        _number("version"),
        _text("bundle"),
        _text("endpoint"),
        _time("since"),
        _time("until", optional=True),
        sa.ForeignKeyConstraint(["model", "version"], ["version.model", "version.number"]),
    )
    current = sa.text("until IS NULL")
    op.create_index(
        "one_current_deployment",
        "deployment",
        ["model", "environment"],
        unique=True,
        sqlite_where=current,
        postgresql_where=current,
    )


def _create_findings() -> None:
    op.create_table(
        "evidence",
        _row_id(),
        _text("model"),
        _number("version", optional=True),
        _number("visit"),
        _text("step"),
        _text("kind"),
        _text("digest"),
        _text("summary"),
    )
    op.create_index("ix_evidence_model", "evidence", ["model"])
    op.create_table(
        "measurement",
        _row_id(),
        _text("model"),
        _text("monitor"),
        _text("window"),
        _number("reign"),
        _word("verdict"),
        sa.Column("reasons", sa.JSON(), nullable=False),
        _time("at"),
        sa.UniqueConstraint("model", "monitor", "window", "reign"),
    )
    op.create_table(
        "notification",
        _row_id(),
        sa.Column("key", AutoString(), nullable=False, unique=True),
        _text("model"),
        _text("recipient"),
        _text("subject"),
        _text("body"),
        _time("at"),
    )
    op.create_index("ix_notification_model", "notification", ["model"])


def _create_audit() -> None:
    op.create_table(
        "audit",
        _number("position", key=True),
        _text("model", optional=True),
        _number("seq", optional=True),
        _text("kind"),
        _time("at"),
        _text("body"),
        _text("previous"),
        sa.Column("hash", AutoString(), nullable=False, unique=True),
        sa.UniqueConstraint("model", "seq"),
    )
    head = op.create_table("audit_head", _number("id", key=True), _number("position"), _text("hash"))
    op.bulk_insert(head, [{"id": 1, "position": 0, "hash": _GENESIS}])
