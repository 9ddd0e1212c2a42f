"""Count how often each customer's server was let go, and keep when each was called last."""

import sqlalchemy as sa
from alembic import op

revision = "7"
down_revision = "6"


def upgrade() -> None:
    """Add the column, and make the table in PostgreSQL alone: beside SQLite it is in the file of observations."""
    op.add_column("customer", sa.Column("let_go", sa.Integer(), nullable=False, server_default="0"))
    if op.get_bind().dialect.name != "postgresql":
        return
    op.create_table(
        "last_call",
        sa.Column("tsp_id", sa.String(32), primary_key=True),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_last_call_last_at", "last_call", ["last_at"])
