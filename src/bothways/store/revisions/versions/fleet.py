"""Keep how the nodes of every control plane stand, and where each node is reached."""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    """Make the tables in PostgreSQL alone: beside SQLite they are in the file of observations, as those are."""
    op.add_column("node", sa.Column("reached_at", sa.String(261)))
    if op.get_bind().dialect.name != "postgresql":
        return
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "control_plane",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(300), nullable=False),
        sa.Column("started_at", moment, nullable=False),
        sa.Column("seen_at", moment, nullable=False),
        sa.Column("confirmed", sa.BigInteger, nullable=False),
        sa.Column("answered", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "node_status",
        sa.Column("control_plane", sa.String(32), sa.ForeignKey("control_plane.id"), primary_key=True),
        sa.Column("connection", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("document", sa.Text, nullable=False),
    )
