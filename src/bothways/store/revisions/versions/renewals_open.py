"""Look through the renewals that are not over, and not through all there ever were."""

import sqlalchemy as sa
from alembic import op

revision = "16"
down_revision = "15"


def upgrade() -> None:
    """Make the column and its index; which renewals are over, the first round of upkeep finds out."""
    op.add_column("renewal", sa.Column("over_at", sa.DateTime(timezone=True)))
    still = sa.text("over_at IS NULL")
    op.create_index("renewals_open", "renewal", ["serial"], sqlite_where=still, postgresql_where=still)
