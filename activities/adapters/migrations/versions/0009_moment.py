"""What a look stands for, whenever it was made, and what became known of a window since."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_MEASUREMENT = """
CREATE VIEW current_measurement AS
SELECT {columns}
FROM measurement AS seen JOIN lifecycle ON lifecycle.model = seen.model AND lifecycle.crowned = seen.reign
WHERE seen.id = (
  SELECT other.id FROM measurement AS other
  WHERE other.model = seen.model AND other.monitor = seen.monitor AND other.reign = seen.reign
  ORDER BY {order} LIMIT 1
)
"""
_READING = """
CREATE VIEW current_reading AS
SELECT {columns}
FROM reading AS seen
WHERE seen.id = (
  SELECT other.id FROM reading AS other
  WHERE other.model = seen.model AND other.name = seen.name AND other.monitor IS NOT NULL
  ORDER BY {order} LIMIT 1
)
"""
_VIEWS = {"current_measurement": _MEASUREMENT, "current_reading": _READING}
_INDEXES = {"measurement": ["model", "monitor", "reign"], "reading": ["model", "name"]}


def upgrade() -> None:
    """What was looked at before stands for when it was."""
    op.add_column("measurement", sa.Column("moment", UTCDateTime(), nullable=True))
    op.add_column("measurement", sa.Column("outcomes", AutoString(), nullable=True))
    op.add_column("measurement", sa.Column("looked", UTCDateTime(), nullable=True))
    op.add_column("measurement", sa.Column("looks", sa.Integer(), nullable=False, server_default="1"))
    op.add_column("reading", sa.Column("moment", UTCDateTime(), nullable=True))
    for name in _INDEXES:
        table = sa.table(name, sa.column("moment"), sa.column("at"))
        op.execute(sa.update(table).values(moment=table.c.at))
    measurement = sa.table("measurement", sa.column("looked"), sa.column("at"))
    op.execute(sa.update(measurement).values(looked=measurement.c.at))
    _order("moment", "id")


def downgrade() -> None:
    """The order is that of the looks again."""
    _order("id")
    op.drop_column("reading", "moment")
    for name in ("looks", "looked", "outcomes", "moment"):
        op.drop_column("measurement", name)


def _order(*by: str) -> None:
    """Have the newest be that by some columns; the views keep theirs."""
    bind = op.get_bind()
    replace = bind.dialect.name == "postgresql"
    for table, first in _INDEXES.items():
        op.drop_index(f"newest_{table}", table)
        op.create_index(f"newest_{table}", table, [*first, *by])
    for name, view in _VIEWS.items():
        columns = ", ".join(f'seen."{column["name"]}"' for column in sa.inspect(bind).get_columns(name))
        text = view.format(columns=columns, order=", ".join(f"other.{column} DESC" for column in by))
        if replace:
            op.execute(text.replace("CREATE VIEW", "CREATE OR REPLACE VIEW"))
        else:
            op.execute(f"DROP VIEW {name}")
            op.execute(text)
