"""Keep what control planes have under way, so that any of them can say how far it is."""

import sqlalchemy as sa
from alembic import op

revision = "15"
down_revision = "14"


def upgrade() -> None:
    """Make the table in PostgreSQL alone: beside SQLite it is in the file of observations."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.create_table(
        "under_way",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(100), primary_key=True),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_index("ix_under_way_told_at", "under_way", ["told_at"])
