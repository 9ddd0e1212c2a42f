"""Keep what all nodes were given in common, and what is held back."""

import sqlalchemy as sa
from alembic import op

revision = "9"
down_revision = "8"


def upgrade() -> None:
    """Add the columns; what nodes have at that time, nobody knows, so that the next control plane gives all to all."""
    op.add_column("hub", sa.Column("given", sa.Text()))
    op.add_column("hub", sa.Column("held_back", sa.Text()))
