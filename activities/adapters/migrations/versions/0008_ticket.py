"""Tickets that deliveries have made; what was delivered long ago, and the tickets of a model, are found at once."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_DELIVERED = sa.text("delivered_at IS NOT NULL")
_TICKETED = sa.text("ticket IS NOT NULL")


def upgrade() -> None:
    """Nothing made tickets before."""
    for name in ("model", "ticket", "page"):
        op.add_column("delivery", sa.Column(name, AutoString(), nullable=True))
    op.create_index("old_delivery", "delivery", ["delivered_at"], sqlite_where=_DELIVERED, postgresql_where=_DELIVERED)
    op.create_index("ticket_of_model", "delivery", ["model", "id"], sqlite_where=_TICKETED, postgresql_where=_TICKETED)


def downgrade() -> None:
    """Which tickets were made is forgotten; the tickets are found by their marks."""
    op.drop_index("ticket_of_model", "delivery")
    op.drop_index("old_delivery", "delivery")
    for name in ("page", "ticket", "model"):
        op.drop_column("delivery", name)
