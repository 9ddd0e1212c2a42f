"""The tables. Nothing but facts stands here; states are derived from them (`connectivity`).

Whoever changes them adds a revision to `revisions`, by which the hubs that are there come to the same.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from bothways.store.instant import Instant

metadata = MetaData()

hub = Table(
    "hub",
    metadata,
    Column("environment", String(3)),
    # How many transactions have changed anything; counted in PostgreSQL, where SQLite counts by itself.
    Column("changes", BigInteger, nullable=False, server_default="0"),
    # The version of the passphrase that the private keys are sealed with: how often it was changed, and one.
    Column("passphrase", Integer, nullable=False, server_default="1"),
    # The SHA-256 of the terms that all control planes have.
    Column("terms", String(64)),
    # What all nodes may have in common, and what is kept from all but one and why, in JSON (`store/rollout.py`).
    Column("given", Text),
    Column("held_back", Text),
)

customer = Table(
    "customer",
    metadata,
    Column("tsp_id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("organization", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("suspended", Boolean, nullable=False, default=False),
    Column("removed_at", Instant),
    # How often its server was let go by the nodes, since nobody called it: what is loaded again has another name.
    Column("let_go", Integer, nullable=False, server_default="0"),
)

authority = Table(
    "authority",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("role", String(16), nullable=False),
    Column("certificate", LargeBinary, nullable=False),
    Column("key_name", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("retired_at", Instant),
    Column("link", LargeBinary),  # name and key of a server CA, signed by the one before it if it could
)

credential = Table(
    "credential",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("purpose", String(16), nullable=False),
    Column("certificate", LargeBinary, nullable=False),
    Column("authority_id", ForeignKey(authority.c.id), nullable=False),
    Column("key_name", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    # None while it is only tried out: it was made, and nobody is shown it yet.
    Column("used_at", Instant),
)

request = Table(
    "request",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tsp_id", ForeignKey(customer.c.tsp_id), nullable=False),
    Column("der", LargeBinary, nullable=False),
    Column("fingerprint", String(64), nullable=False, unique=True),
    Column("spki_pin", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("submitted_at", Instant, nullable=False),
    Column("decided_at", Instant),
    Column("decided_by", String(254)),
    Column("reason", Text),
)
# A key is certified for one customer, once; a refused request leaves its key free for a corrected one.
_open = request.c.state != "refused"
Index("one_key_once", request.c.spki_pin, unique=True, sqlite_where=_open, postgresql_where=_open)
# Refused requests too: which keys were ever seen, and whose a key was.
Index("request_by_key", request.c.spki_pin)

# Keys that are never certified again. `shares_with` is the other key of two RSA keys with a prime in common.
banned_key = Table(
    "banned_key",
    metadata,
    Column("spki_pin", String(64), primary_key=True),
    Column("cause", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("shares_with", String(64)),
    Column("banned_at", Instant, nullable=False),
    Column("banned_by", String(254), nullable=False),
)

# The RSA moduli that were ever in a good request, and those of our CAs: for the search for shared primes.
modulus = Table(
    "modulus",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("spki_pin", String(64), nullable=False, unique=True),
    Column("number", LargeBinary, nullable=False),
)

enrolment = Table(
    "enrolment",
    metadata,
    Column("tsp_id", ForeignKey(customer.c.tsp_id), primary_key=True),
    Column("salt", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("expires_at", Instant, nullable=False),
    # The request that the password was used for; the same request may ask for its certificate with it again.
    Column("request_id", ForeignKey(request.c.id)),
)

certificate = Table(
    "certificate",
    metadata,
    Column("serial", String(40), primary_key=True),
    Column("request_id", ForeignKey(request.c.id), nullable=False, unique=True),
    Column("tsp_id", ForeignKey(customer.c.tsp_id), nullable=False),
    Column("authority_id", ForeignKey(authority.c.id), nullable=False),
    Column("uri_id", String(128), nullable=False, unique=True),
    Column("unsigned", LargeBinary, nullable=False),
    # None between the decision and the signature; a hub that was killed in between signs the same bytes when it starts.
    Column("der", LargeBinary),
    Column("fingerprint", String(64), unique=True),
    Column("not_before", Instant, nullable=False),
    Column("not_after", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("revoked_reason", String(32)),
    Column("first_seen_at", Instant),
    Column("seen_at", Instant),
)

# That a request renews a certificate: what comes of it supersedes that one. `over_at` is when it was seen that this one
# is revoked or has expired, so that nothing is left to supersede: renewals of years are not looked through again.
renewal = Table(
    "renewal",
    metadata,
    Column("request_id", ForeignKey(request.c.id), primary_key=True),
    Column("serial", ForeignKey(certificate.c.serial), nullable=False),
    Column("over_at", Instant),
)

# The certificate revocation lists (CRLs) of each issuing CA; `revocations` counts all that were known when it was made.
revocation_list = Table(
    "revocation_list",
    metadata,
    Column("authority_id", ForeignKey(authority.c.id), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("this_update", Instant, nullable=False),
    Column("next_update", Instant, nullable=False),
    Column("revocations", Integer, nullable=False),
    Column("der", LargeBinary, nullable=False),
)

endpoint = Table(
    "endpoint",
    metadata,
    Column("tsp_id", ForeignKey(customer.c.tsp_id), primary_key=True),
    Column("host", String(253), nullable=False, unique=True),
    Column("port", Integer, nullable=False),
    Column("path", String(1024), nullable=False),
    Column("set_at", Instant, nullable=False),
    Column("probe_at", Instant, index=True),  # None: it may be due at any time.
)

probe = Table(
    "probe",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tsp_id", ForeignKey(customer.c.tsp_id), nullable=False, index=True),
    Column("address", String(260), nullable=False),
    Column("at", Instant, nullable=False),
    Column("ok", Boolean, nullable=False),
    Column("seen", Text, nullable=False),
    Column("risk", Text, nullable=False, default=""),
    # What was found and what was seen, as JSON: for people, and derived from by nobody.
    Column("report", Text, nullable=False, default="{}"),
)

# Who is told of what ends: for a customer, or (without one) for the operator. A removed one is told nothing more.
contact = Table(
    "contact",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("tsp_id", ForeignKey(customer.c.tsp_id)),
    Column("kind", String(16), nullable=False),
    Column("address", String(2048), nullable=False),
    # What webhooks are signed with.
    Column("secret", String(64), nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("removed_at", Instant),
)

# One line per contact, thing that ends, and threshold: told once, across restarts.
notice = Table(
    "notice",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("contact_id", ForeignKey(contact.c.id), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("threshold_days", Integer, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("text", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("attempt_at", Instant, nullable=False),
    Column("error", Text),
    Column("delivered_at", Instant),
)
Index(
    "one_notice_once",
    *(notice.c[each] for each in ("contact_id", "kind", "subject", "threshold_days")),
    unique=True,
)

service = Table(
    "service",
    metadata,
    Column("name", String(63), primary_key=True),
    Column("prefix", String(255), nullable=False, unique=True),
    Column("upstream", String(255), nullable=False),
    Column("needs", String(32), nullable=False),
    Column("upstream_ca", Text, nullable=False),
    Column("http2", Boolean, nullable=False),
    Column("timeout", Integer, nullable=False),
    Column("streaming", Integer, nullable=False),
    Column("health_path", String(255), nullable=False),
    Column("strip_prefix", Boolean, nullable=False),
    Column("client_cert", Boolean, nullable=False),
)

granted = Table(
    "granted",
    metadata,
    Column("service", ForeignKey(service.c.name), primary_key=True),
    Column("tsp_id", ForeignKey(customer.c.tsp_id), primary_key=True, index=True),
    Column("granted_at", Instant, nullable=False),
)

# Tokens of the API; `digest` is the SHA-256 of the secret, which is stored nowhere.
token = Table(
    "token",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(48), nullable=False),
    Column("role", String(32), nullable=False),
    Column("tsp_id", ForeignKey(customer.c.tsp_id)),
    Column("scopes", Text),
    Column("digest", String(64), nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Column("revoked_at", Instant),
    # Who made it, as the audit names people: what two people have to do, a token does in the name of this one.
    Column("person", String(254), nullable=False),
)

# When the hub's own endpoint was shut because it let a stranger in, and when a person opened it again.
closure = Table(
    "closure",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("reason", Text, nullable=False),
    Column("opened_at", Instant),
)

audit = Table(
    "audit",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("actor", String(254), nullable=False),
    Column("action", String(64), nullable=False),
    Column("subject", String(128), nullable=False),
    # One call of the command line or the API, to find it in the logs; empty for what the clock asked.
    Column("request_id", String(64), nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
)
