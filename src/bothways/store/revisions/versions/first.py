"""Make the tables, indexes and triggers of the first release."""

from pathlib import Path

from alembic import op

revision = "1"
down_revision = None


def upgrade() -> None:
    """Do it by the statements that made them at that time, one file for each kind of database."""
    connection = op.get_bind()
    place = Path(__file__).with_name(f"{Path(__file__).stem}.{connection.dialect.name}.sql")
    for statement in place.read_text().split("\n\n"):
        connection.exec_driver_sql(statement)
