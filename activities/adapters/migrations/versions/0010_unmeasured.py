"""Which looks could not measure all that they were to."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_VIEW = """
CREATE VIEW current_measurement AS
SELECT seen.model, seen.monitor, seen.verdict, seen."window", seen.at{more}
FROM measurement AS seen JOIN lifecycle ON lifecycle.model = seen.model AND lifecycle.crowned = seen.reign
WHERE seen.id = (
  SELECT other.id FROM measurement AS other
  WHERE other.model = seen.model AND other.monitor = seen.monitor AND other.reign = seen.reign
  ORDER BY other.moment DESC, other.id DESC LIMIT 1
)
"""


def upgrade() -> None:
    """Of those that there were nobody knows: they were failures."""
    op.add_column("measurement", sa.Column("unmeasured", sa.Boolean(), nullable=False, server_default=sa.false()))
    view = _VIEW.format(more=", seen.unmeasured")
    if op.get_bind().dialect.name == "postgresql":
        op.execute(view.replace("CREATE VIEW", "CREATE OR REPLACE VIEW"))
    else:
        op.execute("DROP VIEW current_measurement")
        op.execute(view)


def downgrade() -> None:
    """They are what their verdicts say; the view that is made of this one stays as it was."""
    bind = op.get_bind()
    portfolio = sa.inspect(bind).get_view_definition("portfolio")
    for name in ("portfolio", "current_measurement"):
        op.execute(f"DROP VIEW {name}")
    op.execute(_VIEW.format(more=""))
    bind.exec_driver_sql(f"CREATE VIEW portfolio AS {portfolio.removeprefix('CREATE VIEW portfolio AS')}")
    op.drop_column("measurement", "unmeasured")
