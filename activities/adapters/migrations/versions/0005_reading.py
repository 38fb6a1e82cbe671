"""What was read of versions, by name, and the views for whoever draws charts of it."""

import json
from collections.abc import Iterator, Mapping

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_NEWEST_MEASUREMENT = """
CREATE VIEW current_measurement AS
SELECT seen.model, seen.monitor, seen.verdict, seen."window", seen.at
FROM measurement AS seen JOIN lifecycle ON lifecycle.model = seen.model AND lifecycle.crowned = seen.reign
WHERE seen.id = (
  SELECT max(other.id) FROM measurement AS other
  WHERE other.model = seen.model AND other.monitor = seen.monitor AND other.reign = seen.reign
)
"""
_NEWEST_READING = """
CREATE VIEW current_reading AS
SELECT seen.model, seen.name, seen.value, seen.count, seen.version, seen.monitor, seen."window", seen.at
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
  ) AS obligations_overdue
FROM model LEFT JOIN lifecycle ON lifecycle.model = model.id
"""


def upgrade() -> None:
    """What was read before is in the ledger."""
    op.create_table(
        "reading",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("model", AutoString(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("visit", sa.Integer(), nullable=False),
        sa.Column("step", AutoString(), nullable=False),
        sa.Column("monitor", AutoString(), nullable=True),
        sa.Column("window", AutoString(), nullable=True),
        sa.Column("name", AutoString(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.UniqueConstraint("model", "visit", "step", "name"),
    )
    _copy()
    for view in (_NEWEST_MEASUREMENT, _NEWEST_READING, _PORTFOLIO):
        op.execute(view)


def downgrade() -> None:
    """What was read stays in the ledger and in the audit trail."""
    for view in ("portfolio", "current_reading", "current_measurement"):
        op.execute(f"DROP VIEW {view}")
    op.drop_table("reading")


def _copy() -> None:
    connection = op.get_bind()
    reading = sa.table("reading", *map(sa.column, _COLUMNS))
    ledger = sa.table("ledger", *map(sa.column, ("model", "visit", "step", "result", "at")))
    evidence = sa.table("evidence", *map(sa.column, ("model", "visit", "step", "version")))
    versions = {
        (model, visit, step): version
        for model, visit, step, version in connection.execute(
            sa.select(evidence.c.model, evidence.c.visit, evidence.c.step, evidence.c.version)
        )
    }
    for model, visit, step, result, at in connection.execute(sa.select(*ledger.c)).all():
        version = versions.get((model, visit, step))
        if rows := list(_readings(json.loads(result))):
            place = {"model": model, "visit": visit, "step": step, "at": at, "version": version, **_looked(step)}
            connection.execute(reading.insert(), [place | row for row in rows])


_COLUMNS = ("model", "version", "visit", "step", "monitor", "window", "name", "value", "count", "at")


def _looked(step: str) -> dict[str, str | None]:
    """Which monitor looked at which window, by the name of its effect: `measure/MONITOR/WINDOW/vN`."""
    if not step.startswith("measure/"):
        return {"monitor": None, "window": None}
    monitor, _, rest = step.removeprefix("measure/").partition("/")
    return {"monitor": monitor, "window": rest.rpartition("/")[0]}


def _readings(result: Mapping[str, object]) -> Iterator[dict[str, object]]:
    """The last value of each name."""
    said = result.get("readings")
    found = {one["name"]: one for one in said} if isinstance(said, list) else {}
    yield from ({"name": one["name"], "value": one["value"], "count": int(one["count"])} for one in found.values())
