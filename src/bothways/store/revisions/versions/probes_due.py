"""Keep before when a customer's server is not probed, so that only those are looked at that may be due."""

import sqlalchemy as sa
from alembic import op

revision = "11"
down_revision = "10"


def upgrade() -> None:
    """Add the column; nobody's is known, so that all are looked at until their next probe."""
    op.add_column("endpoint", sa.Column("probe_at", sa.DateTime(timezone=True)))
    op.create_index("ix_endpoint_probe_at", "endpoint", ["probe_at"])
