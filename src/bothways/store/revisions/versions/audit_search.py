"""Look through the audit by who acted, of which customer, by action and by time, without reading all of it."""

import sqlalchemy as sa
from alembic import op

revision = "17"
down_revision = "16"

_NAMED = {
    "sqlite": "json_extract(detail, '$.customer')",
    "postgresql": """substring(detail from '"customer": "([^"]*)"')""",
}


def upgrade() -> None:
    """Make the indexes, each with the number of the line behind: that is the order of lists."""
    named = _NAMED[op.get_bind().dialect.name]
    op.create_index("audit_by_actor", "audit", ["actor", "sequence"])
    op.create_index("audit_by_action", "audit", ["action", "sequence"])
    op.create_index("audit_by_actor_and_action", "audit", ["actor", "action", "sequence"])
    op.create_index("audit_by_customer", "audit", [sa.text(f"coalesce({named}, subject)"), "sequence"])
    op.create_index("audit_by_time", "audit", ["at"])
