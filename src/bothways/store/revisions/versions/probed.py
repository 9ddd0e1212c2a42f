"""Keep whose servers each control plane probes, so that the nodes of all know the way to them."""

import sqlalchemy as sa
from alembic import op

revision = "14"
down_revision = "13"


def upgrade() -> None:
    """Make the table in PostgreSQL alone: beside SQLite it is in the file of observations, and there is no other."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.create_table(
        "probed",
        sa.Column("control_plane", sa.String(32), sa.ForeignKey("control_plane.id"), primary_key=True),
        sa.Column("tsp_id", sa.String(32), primary_key=True),
    )
