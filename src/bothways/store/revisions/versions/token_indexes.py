"""Find the tokens of a customer, and the one of a name, without reading those of all."""

from alembic import op

revision = "6"
down_revision = "5"


def upgrade() -> None:
    """Make the indexes, with the number behind: the newest one comes first."""
    op.create_index("tokens_of_customer", "token", ["tsp_id", "id"])
    op.create_index("tokens_by_name", "token", ["name", "id"])
