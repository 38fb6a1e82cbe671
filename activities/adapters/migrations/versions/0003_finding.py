"""Where record, executions, environments and workers contradict one another."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing has been looked at yet."""
    op.create_table(
        "finding",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("model", AutoString(), nullable=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("about", AutoString(), nullable=False),
        sa.Column("text", AutoString(), nullable=False),
        sa.Column("first_seen", UTCDateTime(), nullable=False),
        sa.Column("last_seen", UTCDateTime(), nullable=False),
        sa.Column("resolved_at", UTCDateTime(), nullable=True),
    )
    op.create_index("ix_finding_model", "finding", ["model"])


def downgrade() -> None:
    """What was found stays in the audit trail."""
    op.drop_table("finding")
