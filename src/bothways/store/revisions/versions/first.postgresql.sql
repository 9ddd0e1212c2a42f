CREATE TABLE hub (
    environment VARCHAR(3),
    changes BIGINT DEFAULT '0' NOT NULL
)

CREATE TABLE customer (
    tsp_id VARCHAR(32) NOT NULL,
    kind VARCHAR(16) NOT NULL,
    organization VARCHAR(64) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    suspended BOOLEAN NOT NULL,
    removed_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (tsp_id)
)

CREATE TABLE authority (
    id SERIAL NOT NULL,
    role VARCHAR(16) NOT NULL,
    certificate BYTEA NOT NULL,
    key_name VARCHAR(64) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    retired_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id)
)

CREATE TABLE banned_key (
    spki_pin VARCHAR(64) NOT NULL,
    cause VARCHAR(16) NOT NULL,
    reason TEXT NOT NULL,
    shares_with VARCHAR(64),
    banned_at TIMESTAMP WITH TIME ZONE NOT NULL,
    banned_by VARCHAR(254) NOT NULL,
    PRIMARY KEY (spki_pin)
)

CREATE TABLE modulus (
    id SERIAL NOT NULL,
    spki_pin VARCHAR(64) NOT NULL,
    number BYTEA NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (spki_pin)
)

CREATE TABLE service (
    name VARCHAR(63) NOT NULL,
    prefix VARCHAR(255) NOT NULL,
    upstream VARCHAR(255) NOT NULL,
    needs VARCHAR(32) NOT NULL,
    upstream_ca TEXT NOT NULL,
    http2 BOOLEAN NOT NULL,
    timeout INTEGER NOT NULL,
    streaming INTEGER NOT NULL,
    health_path VARCHAR(255) NOT NULL,
    strip_prefix BOOLEAN NOT NULL,
    client_cert BOOLEAN NOT NULL,
    PRIMARY KEY (name),
    UNIQUE (prefix)
)

CREATE TABLE closure (
    id SERIAL NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    reason TEXT NOT NULL,
    opened_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id)
)

CREATE TABLE audit (
    sequence SERIAL NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    actor VARCHAR(254) NOT NULL,
    action VARCHAR(64) NOT NULL,
    subject VARCHAR(128) NOT NULL,
    request_id VARCHAR(64) NOT NULL,
    detail TEXT NOT NULL,
    previous VARCHAR(64) NOT NULL,
    hash VARCHAR(64) NOT NULL,
    PRIMARY KEY (sequence),
    UNIQUE (hash)
)

CREATE TABLE answered (
    principal VARCHAR(254) NOT NULL,
    key VARCHAR(255) NOT NULL,
    digest VARCHAR(64) NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    status INTEGER,
    answer TEXT,
    PRIMARY KEY (principal, key)
)

CREATE INDEX ix_answered_at ON answered (at)

CREATE TABLE node (
    id SERIAL NOT NULL,
    name VARCHAR(63) NOT NULL,
    inbound_address VARCHAR(45) NOT NULL,
    inbound_port INTEGER NOT NULL,
    egress_address VARCHAR(45) NOT NULL,
    egress_port INTEGER NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    withdrawn_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id)
)

CREATE UNIQUE INDEX one_node_once ON node (name) WHERE withdrawn_at IS NULL

CREATE TABLE proposal (
    kind VARCHAR(16) NOT NULL,
    number INTEGER NOT NULL,
    person VARCHAR(254) NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    terms TEXT NOT NULL,
    PRIMARY KEY (kind, number)
)

CREATE TABLE statement_key (
    purpose VARCHAR(16) NOT NULL,
    key_name VARCHAR(64) NOT NULL,
    public_key BYTEA NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (purpose)
)

CREATE TABLE touched (
    id SERIAL NOT NULL,
    tsp_id VARCHAR(32) NOT NULL,
    PRIMARY KEY (id)
)

CREATE TABLE credential (
    id SERIAL NOT NULL,
    purpose VARCHAR(16) NOT NULL,
    certificate BYTEA NOT NULL,
    authority_id INTEGER NOT NULL,
    key_name VARCHAR(64) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(authority_id) REFERENCES authority (id)
)

CREATE TABLE request (
    id SERIAL NOT NULL,
    tsp_id VARCHAR(32) NOT NULL,
    der BYTEA NOT NULL,
    fingerprint VARCHAR(64) NOT NULL,
    spki_pin VARCHAR(64) NOT NULL,
    state VARCHAR(16) NOT NULL,
    submitted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    decided_by VARCHAR(254),
    reason TEXT,
    PRIMARY KEY (id),
    FOREIGN KEY(tsp_id) REFERENCES customer (tsp_id),
    UNIQUE (fingerprint)
)

CREATE INDEX request_by_key ON request (spki_pin)

CREATE INDEX requests_of_customer ON request (tsp_id)

CREATE INDEX requests_by_state ON request (state, id)

CREATE UNIQUE INDEX one_key_once ON request (spki_pin) WHERE state != 'refused'

CREATE TABLE revocation_list (
    authority_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    this_update TIMESTAMP WITH TIME ZONE NOT NULL,
    next_update TIMESTAMP WITH TIME ZONE NOT NULL,
    revocations INTEGER NOT NULL,
    der BYTEA NOT NULL,
    PRIMARY KEY (authority_id, number),
    FOREIGN KEY(authority_id) REFERENCES authority (id)
)

CREATE TABLE endpoint (
    tsp_id VARCHAR(32) NOT NULL,
    host VARCHAR(253) NOT NULL,
    port INTEGER NOT NULL,
    path VARCHAR(1024) NOT NULL,
    set_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (tsp_id),
    FOREIGN KEY(tsp_id) REFERENCES customer (tsp_id),
    UNIQUE (host)
)

CREATE TABLE probe (
    id SERIAL NOT NULL,
    tsp_id VARCHAR(32) NOT NULL,
    address VARCHAR(260) NOT NULL,
    at TIMESTAMP WITH TIME ZONE NOT NULL,
    ok BOOLEAN NOT NULL,
    seen TEXT NOT NULL,
    risk TEXT NOT NULL,
    report TEXT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(tsp_id) REFERENCES customer (tsp_id)
)

CREATE INDEX ix_probe_tsp_id ON probe (tsp_id)

CREATE TABLE contact (
    id SERIAL NOT NULL,
    tsp_id VARCHAR(32),
    kind VARCHAR(16) NOT NULL,
    address VARCHAR(2048) NOT NULL,
    secret VARCHAR(64) NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    removed_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(tsp_id) REFERENCES customer (tsp_id)
)

CREATE TABLE granted (
    service VARCHAR(63) NOT NULL,
    tsp_id VARCHAR(32) NOT NULL,
    granted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (service, tsp_id),
    FOREIGN KEY(service) REFERENCES service (name),
    FOREIGN KEY(tsp_id) REFERENCES customer (tsp_id)
)

CREATE INDEX ix_granted_tsp_id ON granted (tsp_id)

CREATE TABLE token (
    id SERIAL NOT NULL,
    name VARCHAR(48) NOT NULL,
    role VARCHAR(32) NOT NULL,
    tsp_id VARCHAR(32),
    scopes TEXT,
    digest VARCHAR(64) NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    revoked_at TIMESTAMP WITH TIME ZONE,
    person VARCHAR(254) NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(tsp_id) REFERENCES customer (tsp_id),
    UNIQUE (digest)
)

CREATE TABLE chain (
    id SERIAL NOT NULL,
    tsp_id VARCHAR(32) NOT NULL,
    pem TEXT NOT NULL,
    fingerprint VARCHAR(64) NOT NULL,
    not_after TIMESTAMP WITH TIME ZONE NOT NULL,
    state VARCHAR(16) NOT NULL,
    submitted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    decided_by VARCHAR(64),
    reason TEXT,
    spki_pins TEXT NOT NULL,
    PRIMARY KEY (id),
    FOREIGN KEY(tsp_id) REFERENCES customer (tsp_id)
)

CREATE INDEX chains_by_state ON chain (state, id)

CREATE INDEX chains_by_root ON chain (fingerprint)

CREATE INDEX ix_chain_tsp_id ON chain (tsp_id)

CREATE TABLE submitted_endpoint (
    id SERIAL NOT NULL,
    tsp_id VARCHAR(32) NOT NULL,
    host VARCHAR(253) NOT NULL,
    port INTEGER NOT NULL,
    path VARCHAR(1024) NOT NULL,
    state VARCHAR(16) NOT NULL,
    submitted_at TIMESTAMP WITH TIME ZONE NOT NULL,
    decided_at TIMESTAMP WITH TIME ZONE,
    decided_by VARCHAR(64),
    reason TEXT,
    PRIMARY KEY (id),
    FOREIGN KEY(tsp_id) REFERENCES customer (tsp_id)
)

CREATE UNIQUE INDEX one_tsp_id_waits_once ON submitted_endpoint (tsp_id) WHERE state = 'submitted'

CREATE INDEX endpoints_by_state ON submitted_endpoint (state, id)

CREATE INDEX ix_submitted_endpoint_tsp_id ON submitted_endpoint (tsp_id)

CREATE UNIQUE INDEX one_host_waits_once ON submitted_endpoint (host) WHERE state = 'submitted'

CREATE TABLE node_certificate (
    id SERIAL NOT NULL,
    serial VARCHAR(40) NOT NULL,
    node_id INTEGER NOT NULL,
    authority_id INTEGER NOT NULL,
    fingerprint VARCHAR(64) NOT NULL,
    der BYTEA NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    not_after TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    UNIQUE (serial),
    FOREIGN KEY(node_id) REFERENCES node (id),
    FOREIGN KEY(authority_id) REFERENCES authority (id),
    UNIQUE (fingerprint)
)

CREATE TABLE person (
    id SERIAL NOT NULL,
    email VARCHAR(254) NOT NULL,
    name VARCHAR(100) NOT NULL,
    role VARCHAR(32) NOT NULL,
    tsp_id VARCHAR(32),
    os_user VARCHAR(64),
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    disabled_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(tsp_id) REFERENCES customer (tsp_id)
)

CREATE INDEX ix_person_tsp_id ON person (tsp_id)

CREATE UNIQUE INDEX one_active_person_by_os_user ON person (os_user) WHERE disabled_at IS NULL

CREATE UNIQUE INDEX one_active_person_by_email ON person (email) WHERE disabled_at IS NULL

CREATE TABLE bundle (
    id VARCHAR(32) NOT NULL,
    tsp_id VARCHAR(32) NOT NULL,
    fingerprint VARCHAR(64) NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    made_by VARCHAR(64) NOT NULL,
    answered_at TIMESTAMP WITH TIME ZONE,
    answer VARCHAR(64),
    PRIMARY KEY (id),
    FOREIGN KEY(tsp_id) REFERENCES customer (tsp_id)
)

CREATE INDEX ix_bundle_tsp_id ON bundle (tsp_id)

CREATE TABLE revocation_list_floor (
    authority_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (authority_id),
    FOREIGN KEY(authority_id) REFERENCES authority (id)
)

CREATE TABLE customer_credential (
    id SERIAL NOT NULL,
    tsp_id VARCHAR(32) NOT NULL,
    key_name VARCHAR(64) NOT NULL,
    request BYTEA NOT NULL,
    state VARCHAR(16) NOT NULL,
    chain TEXT,
    not_before TIMESTAMP WITH TIME ZONE,
    not_after TIMESTAMP WITH TIME ZONE,
    requested_at TIMESTAMP WITH TIME ZONE NOT NULL,
    requested_by VARCHAR(64) NOT NULL,
    installed_at TIMESTAMP WITH TIME ZONE,
    installed_by VARCHAR(64),
    ended_at TIMESTAMP WITH TIME ZONE,
    ended_by VARCHAR(64),
    reason TEXT,
    PRIMARY KEY (id),
    FOREIGN KEY(tsp_id) REFERENCES customer (tsp_id),
    UNIQUE (key_name)
)

CREATE UNIQUE INDEX one_customer_credential_of_a_state ON customer_credential (tsp_id, state) WHERE state IN ('requested', 'active')

CREATE TABLE enrolment (
    tsp_id VARCHAR(32) NOT NULL,
    salt BYTEA NOT NULL,
    digest BYTEA NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    request_id INTEGER,
    PRIMARY KEY (tsp_id),
    FOREIGN KEY(tsp_id) REFERENCES customer (tsp_id),
    FOREIGN KEY(request_id) REFERENCES request (id)
)

CREATE TABLE certificate (
    serial VARCHAR(40) NOT NULL,
    request_id INTEGER NOT NULL,
    tsp_id VARCHAR(32) NOT NULL,
    authority_id INTEGER NOT NULL,
    uri_id VARCHAR(128) NOT NULL,
    unsigned BYTEA NOT NULL,
    der BYTEA,
    fingerprint VARCHAR(64),
    not_before TIMESTAMP WITH TIME ZONE NOT NULL,
    not_after TIMESTAMP WITH TIME ZONE NOT NULL,
    revoked_at TIMESTAMP WITH TIME ZONE,
    revoked_reason VARCHAR(32),
    first_seen_at TIMESTAMP WITH TIME ZONE,
    seen_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (serial),
    UNIQUE (request_id),
    FOREIGN KEY(request_id) REFERENCES request (id),
    FOREIGN KEY(tsp_id) REFERENCES customer (tsp_id),
    FOREIGN KEY(authority_id) REFERENCES authority (id),
    UNIQUE (uri_id),
    UNIQUE (fingerprint)
)

CREATE INDEX certificates_of_customer ON certificate (tsp_id)

CREATE INDEX certificates_seen ON certificate (tsp_id) WHERE seen_at IS NOT NULL AND revoked_at IS NULL

CREATE INDEX certificate_ends ON certificate (not_after)

CREATE INDEX certificates_unsigned ON certificate (serial) WHERE der IS NULL

CREATE INDEX certificates_revoked ON certificate (authority_id) WHERE revoked_at IS NOT NULL

CREATE TABLE notice (
    id VARCHAR(36) NOT NULL,
    contact_id INTEGER NOT NULL,
    kind VARCHAR(32) NOT NULL,
    subject VARCHAR(64) NOT NULL,
    threshold_days INTEGER NOT NULL,
    ends_at TIMESTAMP WITH TIME ZONE NOT NULL,
    text TEXT NOT NULL,
    made_at TIMESTAMP WITH TIME ZONE NOT NULL,
    attempts INTEGER NOT NULL,
    attempt_at TIMESTAMP WITH TIME ZONE NOT NULL,
    error TEXT,
    delivered_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(contact_id) REFERENCES contact (id)
)

CREATE UNIQUE INDEX one_notice_once ON notice (contact_id, kind, subject, threshold_days)

CREATE TABLE account (
    person_id INTEGER NOT NULL,
    password VARCHAR(256) NOT NULL,
    totp BYTEA NOT NULL,
    totp_step INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    locked_until TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (person_id),
    FOREIGN KEY(person_id) REFERENCES person (id)
)

CREATE TABLE invitation (
    person_id INTEGER NOT NULL,
    digest VARCHAR(64) NOT NULL,
    totp BYTEA NOT NULL,
    expires_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (person_id),
    FOREIGN KEY(person_id) REFERENCES person (id),
    UNIQUE (digest)
)

CREATE TABLE passkey (
    id SERIAL NOT NULL,
    person_id INTEGER NOT NULL,
    credential BYTEA NOT NULL,
    public_key BYTEA NOT NULL,
    uses INTEGER NOT NULL,
    added_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (id),
    FOREIGN KEY(person_id) REFERENCES person (id),
    UNIQUE (credential)
)

CREATE INDEX ix_passkey_person_id ON passkey (person_id)

CREATE TABLE session (
    id SERIAL NOT NULL,
    digest VARCHAR(64) NOT NULL,
    csrf VARCHAR(64) NOT NULL,
    person_id INTEGER NOT NULL,
    source VARCHAR(64) NOT NULL,
    browser VARCHAR(200) NOT NULL,
    began_at TIMESTAMP WITH TIME ZONE NOT NULL,
    used_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (id),
    UNIQUE (digest),
    FOREIGN KEY(person_id) REFERENCES person (id)
)

CREATE INDEX ix_session_used_at ON session (used_at)

CREATE INDEX ix_session_person_id ON session (person_id)

CREATE TABLE held (
    tsp_id VARCHAR(32) NOT NULL,
    credential_id INTEGER NOT NULL,
    since TIMESTAMP WITH TIME ZONE NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (tsp_id),
    FOREIGN KEY(tsp_id) REFERENCES customer (tsp_id),
    FOREIGN KEY(credential_id) REFERENCES credential (id)
)

CREATE TABLE renewal (
    request_id INTEGER NOT NULL,
    serial VARCHAR(40) NOT NULL,
    PRIMARY KEY (request_id),
    FOREIGN KEY(request_id) REFERENCES request (id),
    FOREIGN KEY(serial) REFERENCES certificate (serial)
)

CREATE INDEX renewals_of_certificate ON renewal (serial)

CREATE TABLE observation (
    id SERIAL NOT NULL,
    same VARCHAR(64) NOT NULL,
    tsp_id VARCHAR(32),
    proved BOOLEAN NOT NULL,
    matched_by VARCHAR(16),
    finding VARCHAR(32) NOT NULL,
    level VARCHAR(16) NOT NULL,
    message TEXT NOT NULL,
    hint TEXT NOT NULL,
    citation TEXT NOT NULL,
    source VARCHAR(64) NOT NULL,
    fingerprint VARCHAR(64) NOT NULL,
    first_at TIMESTAMP WITH TIME ZONE NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    calls INTEGER NOT NULL,
    PRIMARY KEY (id)
)

CREATE INDEX observation_of ON observation (tsp_id, proved, id)

CREATE INDEX observation_last ON observation (last_at)

CREATE INDEX ix_observation_same ON observation (same)

CREATE TABLE source (
    address VARCHAR(64) NOT NULL,
    tsp_id VARCHAR(32) NOT NULL,
    last_at TIMESTAMP WITH TIME ZONE NOT NULL,
    PRIMARY KEY (address, tsp_id)
)

CREATE INDEX ix_source_last_at ON source (last_at)

CREATE OR REPLACE FUNCTION touched_by_insert_of_customer() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_insert_of_customer AFTER INSERT ON customer FOR EACH ROW EXECUTE FUNCTION touched_by_insert_of_customer()

CREATE OR REPLACE FUNCTION touched_by_update_of_customer() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_update_of_customer AFTER UPDATE ON customer FOR EACH ROW EXECUTE FUNCTION touched_by_update_of_customer()

CREATE OR REPLACE FUNCTION touched_by_delete_of_customer() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (OLD.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_delete_of_customer AFTER DELETE ON customer FOR EACH ROW EXECUTE FUNCTION touched_by_delete_of_customer()

CREATE OR REPLACE FUNCTION touched_by_insert_of_request() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_insert_of_request AFTER INSERT ON request FOR EACH ROW EXECUTE FUNCTION touched_by_insert_of_request()

CREATE OR REPLACE FUNCTION touched_by_update_of_request() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_update_of_request AFTER UPDATE ON request FOR EACH ROW EXECUTE FUNCTION touched_by_update_of_request()

CREATE OR REPLACE FUNCTION touched_by_delete_of_request() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (OLD.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_delete_of_request AFTER DELETE ON request FOR EACH ROW EXECUTE FUNCTION touched_by_delete_of_request()

CREATE OR REPLACE FUNCTION touched_by_insert_of_certificate() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_insert_of_certificate AFTER INSERT ON certificate FOR EACH ROW EXECUTE FUNCTION touched_by_insert_of_certificate()

CREATE OR REPLACE FUNCTION touched_by_update_of_certificate() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_update_of_certificate AFTER UPDATE ON certificate FOR EACH ROW EXECUTE FUNCTION touched_by_update_of_certificate()

CREATE OR REPLACE FUNCTION touched_by_delete_of_certificate() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (OLD.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_delete_of_certificate AFTER DELETE ON certificate FOR EACH ROW EXECUTE FUNCTION touched_by_delete_of_certificate()

CREATE OR REPLACE FUNCTION touched_by_insert_of_endpoint() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_insert_of_endpoint AFTER INSERT ON endpoint FOR EACH ROW EXECUTE FUNCTION touched_by_insert_of_endpoint()

CREATE OR REPLACE FUNCTION touched_by_update_of_endpoint() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_update_of_endpoint AFTER UPDATE ON endpoint FOR EACH ROW EXECUTE FUNCTION touched_by_update_of_endpoint()

CREATE OR REPLACE FUNCTION touched_by_delete_of_endpoint() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (OLD.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_delete_of_endpoint AFTER DELETE ON endpoint FOR EACH ROW EXECUTE FUNCTION touched_by_delete_of_endpoint()

CREATE OR REPLACE FUNCTION touched_by_insert_of_submitted_endpoint() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_insert_of_submitted_endpoint AFTER INSERT ON submitted_endpoint FOR EACH ROW EXECUTE FUNCTION touched_by_insert_of_submitted_endpoint()

CREATE OR REPLACE FUNCTION touched_by_update_of_submitted_endpoint() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_update_of_submitted_endpoint AFTER UPDATE ON submitted_endpoint FOR EACH ROW EXECUTE FUNCTION touched_by_update_of_submitted_endpoint()

CREATE OR REPLACE FUNCTION touched_by_delete_of_submitted_endpoint() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (OLD.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_delete_of_submitted_endpoint AFTER DELETE ON submitted_endpoint FOR EACH ROW EXECUTE FUNCTION touched_by_delete_of_submitted_endpoint()

CREATE OR REPLACE FUNCTION touched_by_insert_of_chain() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_insert_of_chain AFTER INSERT ON chain FOR EACH ROW EXECUTE FUNCTION touched_by_insert_of_chain()

CREATE OR REPLACE FUNCTION touched_by_update_of_chain() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_update_of_chain AFTER UPDATE ON chain FOR EACH ROW EXECUTE FUNCTION touched_by_update_of_chain()

CREATE OR REPLACE FUNCTION touched_by_delete_of_chain() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (OLD.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_delete_of_chain AFTER DELETE ON chain FOR EACH ROW EXECUTE FUNCTION touched_by_delete_of_chain()

CREATE OR REPLACE FUNCTION touched_by_insert_of_probe() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_insert_of_probe AFTER INSERT ON probe FOR EACH ROW EXECUTE FUNCTION touched_by_insert_of_probe()

CREATE OR REPLACE FUNCTION touched_by_update_of_probe() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_update_of_probe AFTER UPDATE ON probe FOR EACH ROW EXECUTE FUNCTION touched_by_update_of_probe()

CREATE OR REPLACE FUNCTION touched_by_delete_of_probe() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (OLD.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_delete_of_probe AFTER DELETE ON probe FOR EACH ROW EXECUTE FUNCTION touched_by_delete_of_probe()

CREATE OR REPLACE FUNCTION touched_by_insert_of_granted() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_insert_of_granted AFTER INSERT ON granted FOR EACH ROW EXECUTE FUNCTION touched_by_insert_of_granted()

CREATE OR REPLACE FUNCTION touched_by_update_of_granted() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_update_of_granted AFTER UPDATE ON granted FOR EACH ROW EXECUTE FUNCTION touched_by_update_of_granted()

CREATE OR REPLACE FUNCTION touched_by_delete_of_granted() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (OLD.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_delete_of_granted AFTER DELETE ON granted FOR EACH ROW EXECUTE FUNCTION touched_by_delete_of_granted()

CREATE OR REPLACE FUNCTION touched_by_insert_of_customer_credential() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_insert_of_customer_credential AFTER INSERT ON customer_credential FOR EACH ROW EXECUTE FUNCTION touched_by_insert_of_customer_credential()

CREATE OR REPLACE FUNCTION touched_by_update_of_customer_credential() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_update_of_customer_credential AFTER UPDATE ON customer_credential FOR EACH ROW EXECUTE FUNCTION touched_by_update_of_customer_credential()

CREATE OR REPLACE FUNCTION touched_by_delete_of_customer_credential() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (OLD.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_delete_of_customer_credential AFTER DELETE ON customer_credential FOR EACH ROW EXECUTE FUNCTION touched_by_delete_of_customer_credential()

CREATE OR REPLACE FUNCTION touched_by_insert_of_held() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_insert_of_held AFTER INSERT ON held FOR EACH ROW EXECUTE FUNCTION touched_by_insert_of_held()

CREATE OR REPLACE FUNCTION touched_by_update_of_held() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_update_of_held AFTER UPDATE ON held FOR EACH ROW EXECUTE FUNCTION touched_by_update_of_held()

CREATE OR REPLACE FUNCTION touched_by_delete_of_held() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (OLD.tsp_id); RETURN NULL; END$$

CREATE TRIGGER touched_by_delete_of_held AFTER DELETE ON held FOR EACH ROW EXECUTE FUNCTION touched_by_delete_of_held()

CREATE OR REPLACE FUNCTION no_update_of_audit() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'audit is append-only'; RETURN NULL; END$$

CREATE TRIGGER no_update_of_audit BEFORE UPDATE ON audit FOR EACH ROW EXECUTE FUNCTION no_update_of_audit()

CREATE OR REPLACE FUNCTION no_delete_of_audit() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'audit is append-only'; RETURN NULL; END$$

CREATE TRIGGER no_delete_of_audit BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION no_delete_of_audit()
