"""Make room for what a second person adds to the invitation of somebody who decides."""

import sqlalchemy as sa
from alembic import op

revision = "5"
down_revision = "4"


def upgrade() -> None:
    """Add the column; invitations that are there were made by one person, and go on as they are."""
    op.add_column("invitation", sa.Column("code", sa.String(64)))
