"""Keep the link certificates of server CAs, and who has taken the contract."""

import sqlalchemy as sa
from alembic import op

revision = "8"
down_revision = "7"


def upgrade() -> None:
    """Make column and table: there was one server CA, and nobody had to be waited for."""
    op.add_column("authority", sa.Column("link", sa.LargeBinary()))
    op.create_table(
        "contract_taken",
        sa.Column("tsp_id", sa.String(32), sa.ForeignKey("customer.tsp_id"), primary_key=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("way", sa.String(16), nullable=False),
    )
