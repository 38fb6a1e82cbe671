"""The value ledger, values that applications send, and between what bounds estimated readings are."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_CURRENT_READING = """
CREATE VIEW current_reading AS
SELECT seen.model, seen.name, seen.value, seen.count, seen.version, seen.monitor, seen."window", seen.at{more}
FROM reading AS seen
WHERE seen.id = (
  SELECT max(other.id) FROM reading AS other
  WHERE other.model = seen.model AND other.name = seen.name AND other.monitor IS NOT NULL
)
"""
_PORTFOLIO = """
CREATE VIEW portfolio AS
SELECT model.id AS model, model.title, model.kind, model.tier, model.owner, model.use_case, model.registered_at,
  lifecycle.template, lifecycle.stage, lifecycle.phase, lifecycle.candidate, lifecycle.champion, lifecycle.paused,
  lifecycle.failure, lifecycle.updated_at,
  CASE (
    SELECT max(CASE verdict WHEN 'fail' THEN 3 WHEN 'inconclusive' THEN 2 ELSE 1 END)
    FROM current_measurement AS seen WHERE seen.model = model.id
  ) WHEN 3 THEN 'fail' WHEN 2 THEN 'inconclusive' WHEN 1 THEN 'pass' END AS health,
  (SELECT max(at) FROM current_measurement AS seen WHERE seen.model = model.id) AS measured_at,
  (SELECT count(*) FROM finding WHERE finding.model = model.id AND finding.resolved_at IS NULL) AS contradictions,
  (
    SELECT value FROM current_reading AS seen WHERE seen.model = model.id AND seen.name = 'obligations_overdue'
  ) AS obligations_overdue{more}
FROM model LEFT JOIN lifecycle ON lifecycle.model = model.id
"""
_NET_VALUE = """,
  (
    SELECT CASE WHEN count(*) = 1 THEN max(net_value) END FROM model_value AS seen WHERE seen.model = model.id
  ) AS net_value,
  (SELECT CASE WHEN count(*) = 1 THEN max(unit) END FROM model_value AS seen WHERE seen.model = model.id) AS value_unit
"""
_CURRENT_VALUE = """
CREATE VIEW current_value AS
SELECT entry.model, entry.metric, entry.worth, entry.version, entry.since, entry.until, entry.amount, entry.unit,
  CASE entry.worth WHEN 'cost' THEN -entry.amount ELSE entry.amount END AS net_value,
  entry.count, entry.revision, entry.at
FROM value_entry AS entry
WHERE entry.revision = (
  SELECT max(other.revision) FROM value_entry AS other
  WHERE other.model = entry.model AND other.metric = entry.metric AND other.version = entry.version
    AND other.since = entry.since AND other.until = entry.until
)
"""
_MODEL_VALUE = """
CREATE VIEW model_value AS
SELECT model, unit, sum(CASE worth WHEN 'value' THEN amount ELSE 0 END) AS value,
  sum(CASE worth WHEN 'cost' THEN amount ELSE 0 END) AS cost, sum(net_value) AS net_value,
  min(since) AS since, max(until) AS until
FROM current_value GROUP BY model, unit
"""


def upgrade() -> None:
    """Views get columns at their end alone."""
    op.create_table(
        "value_entry",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("model", AutoString(), nullable=False),
        sa.Column("metric", AutoString(), nullable=False),
        sa.Column("worth", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("unit", AutoString(), nullable=False),
        sa.Column("since", UTCDateTime(), nullable=False),
        sa.Column("until", UTCDateTime(), nullable=False),
        sa.Column("amount", sa.Float(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("answer", AutoString(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.UniqueConstraint("model", "metric", "version", "since", "until", "revision"),
    )
    op.create_table(
        "pushed_value",
        sa.Column("source", AutoString(), primary_key=True),
        sa.Column("metric", AutoString(), primary_key=True),
        sa.Column("model", AutoString(), primary_key=True),
        sa.Column("at", UTCDateTime(), primary_key=True),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("received_at", UTCDateTime(), nullable=False),
    )
    op.create_index("age_of_pushed_values", "pushed_value", ["source", "at"])
    for name in ("low", "high"):
        op.add_column("reading", sa.Column(name, sa.Float(), nullable=True))
    _draw(
        _CURRENT_READING.format(more=", seen.low, seen.high"),
        _CURRENT_VALUE,
        _MODEL_VALUE,
        _PORTFOLIO.format(more=_NET_VALUE),
    )


def downgrade() -> None:
    """What was booked stays in the audit trail; what was pushed is lost."""
    for view in ("portfolio", "model_value", "current_value", "current_reading"):
        op.execute(f"DROP VIEW {view}")
    for name in ("low", "high"):
        op.drop_column("reading", name)
    op.drop_table("pushed_value")
    op.drop_table("value_entry")
    for view in (_CURRENT_READING, _PORTFOLIO):
        op.execute(view.format(more=""))


def _draw(*views: str) -> None:
    for old in ("portfolio", "current_reading"):
        op.execute(f"DROP VIEW {old}")
    for view in views:
        op.execute(view)
