"""Refuse also what replaces a line of the audit, and what empties the table, past the triggers of each line."""

from alembic import op

revision = "12"
down_revision = "11"

_REPLACE = "WHEN EXISTS (SELECT 1 FROM audit WHERE sequence = NEW.sequence)"
_REFUSED = "audit is append-only"


def upgrade() -> None:
    """Make the trigger: of a new line in SQLite, of the whole table in PostgreSQL."""
    if op.get_bind().dialect.name == "postgresql":
        body = f"BEGIN RAISE EXCEPTION '{_REFUSED}'; RETURN NULL; END"
        op.execute(f"CREATE FUNCTION no_truncate_of_audit() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
        when = "BEFORE TRUNCATE ON audit FOR EACH STATEMENT"
        op.execute(f"CREATE TRIGGER no_truncate_of_audit {when} EXECUTE FUNCTION no_truncate_of_audit()")
    else:
        refused = f"SELECT RAISE(ABORT, '{_REFUSED}')"
        op.execute(f"CREATE TRIGGER no_insert_of_audit BEFORE INSERT ON audit {_REPLACE} BEGIN {refused}; END")
