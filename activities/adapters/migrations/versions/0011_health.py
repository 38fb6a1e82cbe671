"""The health of a model is told from readings about the model; what only reads the process counts where it fails.

It is no better for a look that could not measure: what was found before it stands.
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

PROCESS = (
    "days_in_service",
    "days_since_documentation",
    "days_since_evaluation",
    "days_since_training",
    "gate_hours_overdue",
    "gates_in_time",
    "obligations_overdue",
    "policy_changes",
    "rows_since_training",
    "void_approvals",
)
"""Readings about how a model is governed, and not about the model."""

_PORTFOLIO = """
CREATE VIEW portfolio AS
SELECT model.id AS model, model.title, model.kind, model.tier, model.owner, model.use_case, model.registered_at,
  lifecycle.template, lifecycle.stage, lifecycle.phase, lifecycle.candidate, lifecycle.champion, lifecycle.paused,
  lifecycle.failure, lifecycle.updated_at,
  CASE (
    SELECT max(CASE WHEN {failed} THEN 3 WHEN seen.verdict = 'inconclusive' THEN 2 ELSE 1 END)
    FROM current_measurement AS seen WHERE seen.model = model.id{about}
  ) WHEN 3 THEN 'fail' WHEN 2 THEN 'inconclusive' WHEN 1 THEN 'pass' END AS health,
  (SELECT max(at) FROM current_measurement AS seen WHERE seen.model = model.id) AS measured_at,
  (SELECT count(*) FROM finding WHERE finding.model = model.id AND finding.resolved_at IS NULL) AS contradictions,
  (
    SELECT value FROM current_reading AS seen WHERE seen.model = model.id AND seen.name = 'obligations_overdue'
  ) AS obligations_overdue,
  (
    SELECT CASE WHEN count(*) = 1 THEN max(net_value) END FROM model_value AS seen WHERE seen.model = model.id
  ) AS net_value,
  (SELECT CASE WHEN count(*) = 1 THEN max(unit) END FROM model_value AS seen WHERE seen.model = model.id) AS value_unit
FROM model LEFT JOIN lifecycle ON lifecycle.model = model.id
"""
_READ = """
      SELECT 1 FROM reading
      WHERE reading.model = seen.model AND reading.monitor = seen.monitor AND reading."window" = seen."window"
"""
_ABOUT = f"""
    AND (seen.verdict = 'fail' OR seen.unmeasured OR NOT EXISTS ({_READ}) OR EXISTS (
      {_READ} AND reading.name NOT IN ({", ".join(f"'{name}'" for name in PROCESS)})
    ))"""
_FAILED = """
seen.verdict = 'fail' OR seen.unmeasured AND (
      SELECT known.verdict FROM measurement AS known
      WHERE known.model = seen.model AND known.monitor = seen.monitor AND known.reign = lifecycle.crowned
        AND NOT (known.unmeasured AND known.verdict = 'inconclusive')
      ORDER BY known.moment DESC, known.id DESC LIMIT 1
    ) = 'fail'"""


def upgrade() -> None:
    """The columns of the view stay as they are."""
    op.create_index("readings_of_a_look", "reading", ["model", "monitor", "window"])
    _draw(_FAILED, _ABOUT)


def downgrade() -> None:
    """Every monitor counts again, by its newest look."""
    _draw("seen.verdict = 'fail'", "")
    op.drop_index("readings_of_a_look", "reading")


def _draw(failed: str, about: str) -> None:
    text = _PORTFOLIO.format(failed=failed, about=about)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(text.replace("CREATE VIEW", "CREATE OR REPLACE VIEW"))
    else:
        op.execute("DROP VIEW portfolio")
        op.execute(text)
