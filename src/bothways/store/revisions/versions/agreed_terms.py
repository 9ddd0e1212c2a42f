"""Keep a digest of the terms that all control planes have to have."""

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"


def upgrade() -> None:
    """Make the column; whose terms they are, the hub's directory says."""
    op.add_column("hub", sa.Column("terms", sa.String(64)))
