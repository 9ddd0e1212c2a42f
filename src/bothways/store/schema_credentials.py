"""The tables of what single customers are shown as the hub's client certificate; part of the one schema."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from bothways.store.instant import Instant
from bothways.store.schema import credential, customer, metadata

# A key of the hub for one customer alone, the request for it, and what the customer's own CA made of that (R13).
customer_credential = Table(
    "customer_credential",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tsp_id", ForeignKey(customer.c.tsp_id), nullable=False),
    Column("key_name", String(64), nullable=False, unique=True),
    Column("request", LargeBinary, nullable=False),
    Column("state", String(16), nullable=False),
    # PEM, the end entity first; None until it was installed.
    Column("chain", Text),
    Column("not_before", Instant),
    Column("not_after", Instant),
    Column("requested_at", Instant, nullable=False),
    Column("requested_by", String(64), nullable=False),
    Column("installed_at", Instant),
    Column("installed_by", String(64)),
    Column("ended_at", Instant),
    Column("ended_by", String(64)),
    Column("reason", Text),
)
# At most one that waits for its certificate, and one that is shown.
Index(
    "one_customer_credential_of_a_state",
    customer_credential.c.tsp_id,
    customer_credential.c.state,
    unique=True,
    sqlite_where=customer_credential.c.state.in_(("requested", "active")),
    postgresql_where=customer_credential.c.state.in_(("requested", "active")),
)

# The customers that refused a newer certificate of the hub, and are shown an earlier one until they take it.
held = Table(
    "held",
    metadata,
    Column("tsp_id", ForeignKey(customer.c.tsp_id), primary_key=True),
    Column("credential_id", ForeignKey(credential.c.id), nullable=False),
    Column("since", Instant, nullable=False),
    Column("reason", Text, nullable=False),
)
