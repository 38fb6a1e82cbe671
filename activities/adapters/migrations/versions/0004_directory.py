"""People, groups and keys as administrators publish them."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_PUBLISHED = sa.text("kind = 'directory'")


def upgrade() -> None:
    """Nothing is published yet."""
    op.create_table(
        "directory",
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("envelope", AutoString(), nullable=False),
        sa.Column("published_at", UTCDateTime(), nullable=False),
    )
    op.create_index("published_editions", "audit", ["position"], sqlite_where=_PUBLISHED, postgresql_where=_PUBLISHED)


def downgrade() -> None:
    """Who published what stays in the audit trail; what it was is gone."""
    op.drop_index("published_editions", "audit")
    op.drop_table("directory")
