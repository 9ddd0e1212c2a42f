"""Make room for the private keys, which were in files beside the database."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    """Make the table, and count the versions of the passphrase; which keys there are, only the hub's directory says."""
    op.create_table(
        "sealed_key",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("passphrase", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.add_column("hub", sa.Column("passphrase", sa.Integer(), nullable=False, server_default="1"))
