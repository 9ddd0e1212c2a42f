"""Find a person by e-mail address or user of the machine, disabled ones too, without reading all."""

from alembic import op

revision = "10"
down_revision = "9"


def upgrade() -> None:
    """Make the indexes; those that are there are of active people alone."""
    op.create_index("people_by_email", "person", ["email"])
    op.create_index("people_by_user", "person", ["os_user"])
