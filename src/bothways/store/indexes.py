"""Indexes that only make looking faster: for what is looked for all the time, and is little of all there is.

Those that keep a rule (unique ones) stand with their tables in `schema`.
"""

from sqlalchemy import ColumnElement, Index

from bothways.store.audit_customer import customer_or_subject
from bothways.store.schema import audit, certificate, metadata, renewal, request, token
from bothways.store.schema_outbound import chain, submitted_endpoint
from bothways.store.schema_people import person

__all__ = ["metadata"]

Index("requests_of_customer", request.c.tsp_id)
Index("certificates_of_customer", certificate.c.tsp_id)
Index("certificate_ends", certificate.c.not_after)
Index("renewals_of_certificate", renewal.c.serial)
# What waits for review is looked for by its state: a partial index would not serve a state that is a parameter.
Index("requests_by_state", request.c.state, request.c.id)
Index("chains_by_state", chain.c.state, chain.c.id)
# What ends soon, in each round of upkeep: among 10,000 chains that took a third of a second.
Index("chains_by_end", chain.c.state, chain.c.not_after)
Index("endpoints_by_state", submitted_endpoint.c.state, submitted_endpoint.c.id)
# Of 200,000 tokens, those of a customer took 110 ms, and the newest of a name 90: now 0.2, in both databases.
Index("tokens_of_customer", token.c.tsp_id, token.c.id)
Index("tokens_by_name", token.c.name, token.c.id)
# Who is behind a token, in each request of the API: among 200,000 people that took 100 ms, and a page of tokens six
# seconds. The unique indexes are of active people, and this asks for disabled ones too.
Index("people_by_email", person.c.email)
Index("people_by_user", person.c.os_user)
# Whoever looks through the audit: a million lines took seconds. With the number of the line behind, which is the order
# of lists. Who acts most, the hub, has half of all lines: hence the one of both.
Index("audit_by_actor", audit.c.actor, audit.c.sequence)
Index("audit_by_action", audit.c.action, audit.c.sequence)
Index("audit_by_actor_and_action", audit.c.actor, audit.c.action, audit.c.sequence)
Index("audit_by_customer", customer_or_subject(audit.c.detail, audit.c.subject), audit.c.sequence)
Index("audit_by_time", audit.c.at)


def _partial(name: str, column: ColumnElement[str], where: ColumnElement[bool]) -> None:
    Index(name, column, sqlite_where=where, postgresql_where=where)


# In each round of upkeep: among 100,000 renewals, nearly all of which are over, that took half a second.
_partial("renewals_open", renewal.c.serial, renewal.c.over_at.is_(None))
_partial("certificates_unsigned", certificate.c.serial, certificate.c.der.is_(None))
_partial("certificates_revoked", certificate.c.authority_id, certificate.c.revoked_at.is_not(None))
# Who never called is looked for among all customers: without reading certificates, that takes a fifth of the time.
_partial(
    "certificates_seen",
    certificate.c.tsp_id,
    certificate.c.seen_at.is_not(None) & certificate.c.revoked_at.is_(None),
)
