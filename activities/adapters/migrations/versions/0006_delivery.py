"""Channels, and what went through them; the newest measurement and reading are found at once."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_WAITING = sa.text("delivered_at IS NULL")


def upgrade() -> None:
    """Nothing was delivered before; what was told until now stays in the outbox."""
    op.create_table(
        "channel",
        sa.Column("name", AutoString(), primary_key=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("channel", AutoString(), nullable=False),
        sa.Column("key", AutoString(), nullable=False),
        sa.Column("thread", AutoString(), nullable=True),
        sa.Column("recipient", AutoString(), nullable=True),
        sa.Column("message", AutoString(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("problem", AutoString(), nullable=True),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("due", UTCDateTime(), nullable=False),
        sa.Column("delivered_at", UTCDateTime(), nullable=True),
        sa.UniqueConstraint("channel", "key"),
    )
    op.create_index(
        "waiting_delivery", "delivery", ["channel", "due"], sqlite_where=_WAITING, postgresql_where=_WAITING
    )
    op.create_index("newest_measurement", "measurement", ["model", "monitor", "reign", "id"])
    op.create_index("newest_reading", "reading", ["model", "name", "id"])
    op.create_index("thread_of_deliveries", "delivery", ["channel", "thread", "id"])


def downgrade() -> None:
    """What went through channels is forgotten; what was told is in the outbox and in the audit trail."""
    op.drop_index("newest_reading", "reading")
    op.drop_index("newest_measurement", "measurement")
    op.drop_table("delivery")
    op.drop_table("channel")
