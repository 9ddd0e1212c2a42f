"""Find the chains that end soon without reading all."""

from alembic import op

revision = "13"
down_revision = "12"


def upgrade() -> None:
    """Make the index, with the state before: nobody is told of the end of a chain that is not endorsed."""
    op.create_index("chains_by_end", "chain", ["state", "not_after"])
