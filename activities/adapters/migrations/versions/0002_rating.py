"""Why a model has the risk tier that it has."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Models that were registered before have no rating."""
    op.add_column("model", sa.Column("rating", AutoString(), nullable=True))


def downgrade() -> None:
    """What the ratings said stays in the audit trail."""
    op.drop_column("model", "rating")
