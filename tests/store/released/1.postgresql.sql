SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET transaction_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
CREATE FUNCTION public.no_delete_of_audit() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'audit is append-only'; RETURN NULL; END$$;
CREATE FUNCTION public.no_update_of_audit() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN RAISE EXCEPTION 'audit is append-only'; RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_delete_of_certificate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (OLD.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_delete_of_chain() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (OLD.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_delete_of_customer() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (OLD.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_delete_of_customer_credential() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (OLD.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_delete_of_endpoint() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (OLD.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_delete_of_granted() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (OLD.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_delete_of_held() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (OLD.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_delete_of_probe() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (OLD.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_delete_of_request() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (OLD.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_delete_of_submitted_endpoint() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (OLD.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_insert_of_certificate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_insert_of_chain() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_insert_of_customer() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_insert_of_customer_credential() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_insert_of_endpoint() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_insert_of_granted() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_insert_of_held() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_insert_of_probe() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_insert_of_request() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_insert_of_submitted_endpoint() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_update_of_certificate() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_update_of_chain() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_update_of_customer() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_update_of_customer_credential() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_update_of_endpoint() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_update_of_granted() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_update_of_held() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_update_of_probe() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_update_of_request() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$;
CREATE FUNCTION public.touched_by_update_of_submitted_endpoint() RETURNS trigger
    LANGUAGE plpgsql
    AS $$BEGIN INSERT INTO touched (tsp_id) VALUES (NEW.tsp_id); RETURN NULL; END$$;
SET default_tablespace = '';
SET default_table_access_method = heap;
CREATE TABLE public.account (
    person_id integer NOT NULL,
    password character varying(256) NOT NULL,
    totp bytea NOT NULL,
    totp_step integer NOT NULL,
    failures integer NOT NULL,
    locked_until timestamp with time zone
);
CREATE TABLE public.answered (
    principal character varying(254) NOT NULL,
    key character varying(255) NOT NULL,
    digest character varying(64) NOT NULL,
    at timestamp with time zone NOT NULL,
    status integer,
    answer text
);
CREATE TABLE public.audit (
    sequence integer NOT NULL,
    at timestamp with time zone NOT NULL,
    actor character varying(254) NOT NULL,
    action character varying(64) NOT NULL,
    subject character varying(128) NOT NULL,
    request_id character varying(64) NOT NULL,
    detail text NOT NULL,
    previous character varying(64) NOT NULL,
    hash character varying(64) NOT NULL
);
CREATE SEQUENCE public.audit_sequence_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.audit_sequence_seq OWNED BY public.audit.sequence;
CREATE TABLE public.authority (
    id integer NOT NULL,
    role character varying(16) NOT NULL,
    certificate bytea NOT NULL,
    key_name character varying(64) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    retired_at timestamp with time zone
);
CREATE SEQUENCE public.authority_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.authority_id_seq OWNED BY public.authority.id;
CREATE TABLE public.banned_key (
    spki_pin character varying(64) NOT NULL,
    cause character varying(16) NOT NULL,
    reason text NOT NULL,
    shares_with character varying(64),
    banned_at timestamp with time zone NOT NULL,
    banned_by character varying(254) NOT NULL
);
CREATE TABLE public.bundle (
    id character varying(32) NOT NULL,
    tsp_id character varying(32) NOT NULL,
    fingerprint character varying(64) NOT NULL,
    made_at timestamp with time zone NOT NULL,
    made_by character varying(64) NOT NULL,
    answered_at timestamp with time zone,
    answer character varying(64)
);
CREATE TABLE public.certificate (
    serial character varying(40) NOT NULL,
    request_id integer NOT NULL,
    tsp_id character varying(32) NOT NULL,
    authority_id integer NOT NULL,
    uri_id character varying(128) NOT NULL,
    unsigned bytea NOT NULL,
    der bytea,
    fingerprint character varying(64),
    not_before timestamp with time zone NOT NULL,
    not_after timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone,
    revoked_reason character varying(32),
    first_seen_at timestamp with time zone,
    seen_at timestamp with time zone
);
CREATE TABLE public.chain (
    id integer NOT NULL,
    tsp_id character varying(32) NOT NULL,
    pem text NOT NULL,
    fingerprint character varying(64) NOT NULL,
    not_after timestamp with time zone NOT NULL,
    state character varying(16) NOT NULL,
    submitted_at timestamp with time zone NOT NULL,
    decided_at timestamp with time zone,
    decided_by character varying(64),
    reason text,
    spki_pins text NOT NULL
);
CREATE SEQUENCE public.chain_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.chain_id_seq OWNED BY public.chain.id;
CREATE TABLE public.closure (
    id integer NOT NULL,
    at timestamp with time zone NOT NULL,
    reason text NOT NULL,
    opened_at timestamp with time zone
);
CREATE SEQUENCE public.closure_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.closure_id_seq OWNED BY public.closure.id;
CREATE TABLE public.contact (
    id integer NOT NULL,
    tsp_id character varying(32),
    kind character varying(16) NOT NULL,
    address character varying(2048) NOT NULL,
    secret character varying(64) NOT NULL,
    added_at timestamp with time zone NOT NULL,
    removed_at timestamp with time zone
);
CREATE SEQUENCE public.contact_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.contact_id_seq OWNED BY public.contact.id;
CREATE TABLE public.credential (
    id integer NOT NULL,
    purpose character varying(16) NOT NULL,
    certificate bytea NOT NULL,
    authority_id integer NOT NULL,
    key_name character varying(64) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);
CREATE SEQUENCE public.credential_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.credential_id_seq OWNED BY public.credential.id;
CREATE TABLE public.customer (
    tsp_id character varying(32) NOT NULL,
    kind character varying(16) NOT NULL,
    organization character varying(64) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    suspended boolean NOT NULL,
    removed_at timestamp with time zone
);
CREATE TABLE public.customer_credential (
    id integer NOT NULL,
    tsp_id character varying(32) NOT NULL,
    key_name character varying(64) NOT NULL,
    request bytea NOT NULL,
    state character varying(16) NOT NULL,
    chain text,
    not_before timestamp with time zone,
    not_after timestamp with time zone,
    requested_at timestamp with time zone NOT NULL,
    requested_by character varying(64) NOT NULL,
    installed_at timestamp with time zone,
    installed_by character varying(64),
    ended_at timestamp with time zone,
    ended_by character varying(64),
    reason text
);
CREATE SEQUENCE public.customer_credential_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.customer_credential_id_seq OWNED BY public.customer_credential.id;
CREATE TABLE public.endpoint (
    tsp_id character varying(32) NOT NULL,
    host character varying(253) NOT NULL,
    port integer NOT NULL,
    path character varying(1024) NOT NULL,
    set_at timestamp with time zone NOT NULL
);
CREATE TABLE public.enrolment (
    tsp_id character varying(32) NOT NULL,
    salt bytea NOT NULL,
    digest bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    request_id integer
);
CREATE TABLE public.granted (
    service character varying(63) NOT NULL,
    tsp_id character varying(32) NOT NULL,
    granted_at timestamp with time zone NOT NULL
);
CREATE TABLE public.held (
    tsp_id character varying(32) NOT NULL,
    credential_id integer NOT NULL,
    since timestamp with time zone NOT NULL,
    reason text NOT NULL
);
CREATE TABLE public.hub (
    environment character varying(3),
    changes bigint DEFAULT '0'::bigint NOT NULL
);
CREATE TABLE public.invitation (
    person_id integer NOT NULL,
    digest character varying(64) NOT NULL,
    totp bytea NOT NULL,
    expires_at timestamp with time zone NOT NULL
);
CREATE TABLE public.modulus (
    id integer NOT NULL,
    spki_pin character varying(64) NOT NULL,
    number bytea NOT NULL
);
CREATE SEQUENCE public.modulus_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.modulus_id_seq OWNED BY public.modulus.id;
CREATE TABLE public.node (
    id integer NOT NULL,
    name character varying(63) NOT NULL,
    inbound_address character varying(45) NOT NULL,
    inbound_port integer NOT NULL,
    egress_address character varying(45) NOT NULL,
    egress_port integer NOT NULL,
    added_at timestamp with time zone NOT NULL,
    withdrawn_at timestamp with time zone
);
CREATE TABLE public.node_certificate (
    id integer NOT NULL,
    serial character varying(40) NOT NULL,
    node_id integer NOT NULL,
    authority_id integer NOT NULL,
    fingerprint character varying(64) NOT NULL,
    der bytea NOT NULL,
    made_at timestamp with time zone NOT NULL,
    not_after timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);
CREATE SEQUENCE public.node_certificate_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.node_certificate_id_seq OWNED BY public.node_certificate.id;
CREATE SEQUENCE public.node_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.node_id_seq OWNED BY public.node.id;
CREATE TABLE public.notice (
    id character varying(36) NOT NULL,
    contact_id integer NOT NULL,
    kind character varying(32) NOT NULL,
    subject character varying(64) NOT NULL,
    threshold_days integer NOT NULL,
    ends_at timestamp with time zone NOT NULL,
    text text NOT NULL,
    made_at timestamp with time zone NOT NULL,
    attempts integer NOT NULL,
    attempt_at timestamp with time zone NOT NULL,
    error text,
    delivered_at timestamp with time zone
);
CREATE TABLE public.observation (
    id integer NOT NULL,
    same character varying(64) NOT NULL,
    tsp_id character varying(32),
    proved boolean NOT NULL,
    matched_by character varying(16),
    finding character varying(32) NOT NULL,
    level character varying(16) NOT NULL,
    message text NOT NULL,
    hint text NOT NULL,
    citation text NOT NULL,
    source character varying(64) NOT NULL,
    fingerprint character varying(64) NOT NULL,
    first_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL,
    calls integer NOT NULL
);
CREATE SEQUENCE public.observation_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.observation_id_seq OWNED BY public.observation.id;
CREATE TABLE public.passkey (
    id integer NOT NULL,
    person_id integer NOT NULL,
    credential bytea NOT NULL,
    public_key bytea NOT NULL,
    uses integer NOT NULL,
    added_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);
CREATE SEQUENCE public.passkey_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.passkey_id_seq OWNED BY public.passkey.id;
CREATE TABLE public.person (
    id integer NOT NULL,
    email character varying(254) NOT NULL,
    name character varying(100) NOT NULL,
    role character varying(32) NOT NULL,
    tsp_id character varying(32),
    os_user character varying(64),
    added_at timestamp with time zone NOT NULL,
    disabled_at timestamp with time zone
);
CREATE SEQUENCE public.person_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.person_id_seq OWNED BY public.person.id;
CREATE TABLE public.probe (
    id integer NOT NULL,
    tsp_id character varying(32) NOT NULL,
    address character varying(260) NOT NULL,
    at timestamp with time zone NOT NULL,
    ok boolean NOT NULL,
    seen text NOT NULL,
    risk text NOT NULL,
    report text NOT NULL
);
CREATE SEQUENCE public.probe_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.probe_id_seq OWNED BY public.probe.id;
CREATE TABLE public.proposal (
    kind character varying(16) NOT NULL,
    number integer NOT NULL,
    person character varying(254) NOT NULL,
    at timestamp with time zone NOT NULL,
    terms text NOT NULL
);
CREATE TABLE public.renewal (
    request_id integer NOT NULL,
    serial character varying(40) NOT NULL
);
CREATE TABLE public.request (
    id integer NOT NULL,
    tsp_id character varying(32) NOT NULL,
    der bytea NOT NULL,
    fingerprint character varying(64) NOT NULL,
    spki_pin character varying(64) NOT NULL,
    state character varying(16) NOT NULL,
    submitted_at timestamp with time zone NOT NULL,
    decided_at timestamp with time zone,
    decided_by character varying(254),
    reason text
);
CREATE SEQUENCE public.request_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.request_id_seq OWNED BY public.request.id;
CREATE TABLE public.revocation_list (
    authority_id integer NOT NULL,
    number integer NOT NULL,
    this_update timestamp with time zone NOT NULL,
    next_update timestamp with time zone NOT NULL,
    revocations integer NOT NULL,
    der bytea NOT NULL
);
CREATE TABLE public.revocation_list_floor (
    authority_id integer NOT NULL,
    number integer NOT NULL
);
CREATE TABLE public.schema_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.service (
    name character varying(63) NOT NULL,
    prefix character varying(255) NOT NULL,
    upstream character varying(255) NOT NULL,
    needs character varying(32) NOT NULL,
    upstream_ca text NOT NULL,
    http2 boolean NOT NULL,
    timeout integer NOT NULL,
    streaming integer NOT NULL,
    health_path character varying(255) NOT NULL,
    strip_prefix boolean NOT NULL,
    client_cert boolean NOT NULL
);
CREATE TABLE public.session (
    id integer NOT NULL,
    digest character varying(64) NOT NULL,
    csrf character varying(64) NOT NULL,
    person_id integer NOT NULL,
    source character varying(64) NOT NULL,
    browser character varying(200) NOT NULL,
    began_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone NOT NULL
);
CREATE SEQUENCE public.session_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.session_id_seq OWNED BY public.session.id;
CREATE TABLE public.source (
    address character varying(64) NOT NULL,
    tsp_id character varying(32) NOT NULL,
    last_at timestamp with time zone NOT NULL
);
CREATE TABLE public.statement_key (
    purpose character varying(16) NOT NULL,
    key_name character varying(64) NOT NULL,
    public_key bytea NOT NULL,
    created_at timestamp with time zone NOT NULL
);
CREATE TABLE public.submitted_endpoint (
    id integer NOT NULL,
    tsp_id character varying(32) NOT NULL,
    host character varying(253) NOT NULL,
    port integer NOT NULL,
    path character varying(1024) NOT NULL,
    state character varying(16) NOT NULL,
    submitted_at timestamp with time zone NOT NULL,
    decided_at timestamp with time zone,
    decided_by character varying(64),
    reason text
);
CREATE SEQUENCE public.submitted_endpoint_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.submitted_endpoint_id_seq OWNED BY public.submitted_endpoint.id;
CREATE TABLE public.token (
    id integer NOT NULL,
    name character varying(48) NOT NULL,
    role character varying(32) NOT NULL,
    tsp_id character varying(32),
    scopes text,
    digest character varying(64) NOT NULL,
    created_at timestamp with time zone NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone,
    revoked_at timestamp with time zone,
    person character varying(254) NOT NULL
);
CREATE SEQUENCE public.token_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.token_id_seq OWNED BY public.token.id;
CREATE TABLE public.touched (
    id integer NOT NULL,
    tsp_id character varying(32) NOT NULL
);
CREATE SEQUENCE public.touched_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
ALTER SEQUENCE public.touched_id_seq OWNED BY public.touched.id;
ALTER TABLE ONLY public.audit ALTER COLUMN sequence SET DEFAULT nextval('public.audit_sequence_seq'::regclass);
ALTER TABLE ONLY public.authority ALTER COLUMN id SET DEFAULT nextval('public.authority_id_seq'::regclass);
ALTER TABLE ONLY public.chain ALTER COLUMN id SET DEFAULT nextval('public.chain_id_seq'::regclass);
ALTER TABLE ONLY public.closure ALTER COLUMN id SET DEFAULT nextval('public.closure_id_seq'::regclass);
ALTER TABLE ONLY public.contact ALTER COLUMN id SET DEFAULT nextval('public.contact_id_seq'::regclass);
ALTER TABLE ONLY public.credential ALTER COLUMN id SET DEFAULT nextval('public.credential_id_seq'::regclass);
ALTER TABLE ONLY public.customer_credential ALTER COLUMN id SET DEFAULT nextval('public.customer_credential_id_seq'::regclass);
ALTER TABLE ONLY public.modulus ALTER COLUMN id SET DEFAULT nextval('public.modulus_id_seq'::regclass);
ALTER TABLE ONLY public.node ALTER COLUMN id SET DEFAULT nextval('public.node_id_seq'::regclass);
ALTER TABLE ONLY public.node_certificate ALTER COLUMN id SET DEFAULT nextval('public.node_certificate_id_seq'::regclass);
ALTER TABLE ONLY public.observation ALTER COLUMN id SET DEFAULT nextval('public.observation_id_seq'::regclass);
ALTER TABLE ONLY public.passkey ALTER COLUMN id SET DEFAULT nextval('public.passkey_id_seq'::regclass);
ALTER TABLE ONLY public.person ALTER COLUMN id SET DEFAULT nextval('public.person_id_seq'::regclass);
ALTER TABLE ONLY public.probe ALTER COLUMN id SET DEFAULT nextval('public.probe_id_seq'::regclass);
ALTER TABLE ONLY public.request ALTER COLUMN id SET DEFAULT nextval('public.request_id_seq'::regclass);
ALTER TABLE ONLY public.session ALTER COLUMN id SET DEFAULT nextval('public.session_id_seq'::regclass);
ALTER TABLE ONLY public.submitted_endpoint ALTER COLUMN id SET DEFAULT nextval('public.submitted_endpoint_id_seq'::regclass);
ALTER TABLE ONLY public.token ALTER COLUMN id SET DEFAULT nextval('public.token_id_seq'::regclass);
ALTER TABLE ONLY public.touched ALTER COLUMN id SET DEFAULT nextval('public.touched_id_seq'::regclass);
INSERT INTO public.account VALUES (4, '0 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff00', 1000, 1000, '2026-11-23 23:59:59.999999+00');
INSERT INTO public.account VALUES (3, '1 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff01', 1001, 1001, NULL);
INSERT INTO public.account VALUES (2, '2 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff02', 1002, 1002, '2026-11-25 23:59:59.999997+00');
INSERT INTO public.account VALUES (1, '3 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff03', 1003, 1003, NULL);
INSERT INTO public.answered VALUES ('0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', 1000, '0 é😀''"\
	%s:name');
INSERT INTO public.answered VALUES ('1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '2026-11-24 23:59:59.999998+00', NULL, NULL);
INSERT INTO public.answered VALUES ('2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', 1002, '2 é😀''"\
	%s:name');
INSERT INTO public.answered VALUES ('3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '2026-11-26 23:59:59.999996+00', NULL, NULL);
INSERT INTO public.audit VALUES (1, '2026-11-23 23:59:59.999999+00', 'tester', 'test.fill', 'é😀 0', '', '{"number": 0, "text": "\u00e9\ud83d\ude00''\"\\\n\t%s:name"}', '0000000000000000000000000000000000000000000000000000000000000000', 'b14cb972da0170fb60eeb83e7d4b44ab8bfa2cfab1554fa94b1a4470be5805b1');
INSERT INTO public.audit VALUES (2, '2026-11-23 23:59:59.999999+00', 'tester', 'test.fill', 'é😀 1', '', '{"number": 1, "text": "\u00e9\ud83d\ude00''\"\\\n\t%s:name"}', 'b14cb972da0170fb60eeb83e7d4b44ab8bfa2cfab1554fa94b1a4470be5805b1', 'ab874c37cefc88512174698a9d0ea6f4581e03c9b25d10facf3452af6d6a25de');
INSERT INTO public.audit VALUES (3, '2026-11-23 23:59:59.999999+00', 'tester', 'test.fill', 'é😀 2', '', '{"number": 2, "text": "\u00e9\ud83d\ude00''\"\\\n\t%s:name"}', 'ab874c37cefc88512174698a9d0ea6f4581e03c9b25d10facf3452af6d6a25de', '03eff76a6a5f1e55f4a83a132f64f2efd014e4030caace7fe1238e88a66ab972');
INSERT INTO public.audit VALUES (4, '2026-11-23 23:59:59.999999+00', 'tester', 'test.fill', 'é😀 3', '', '{"number": 3, "text": "\u00e9\ud83d\ude00''\"\\\n\t%s:name"}', '03eff76a6a5f1e55f4a83a132f64f2efd014e4030caace7fe1238e88a66ab972', '30c9ef76c9396111bf9d102e4f1cb692bfc116bab426651a2bd04151c019e2a1');
INSERT INTO public.authority VALUES (1, '0 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff00', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', '2026-11-23 23:59:59.999999+00');
INSERT INTO public.authority VALUES (2, '1 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff01', '1 é😀''"\
	%s:name', '2026-11-24 23:59:59.999998+00', NULL);
INSERT INTO public.authority VALUES (3, '2 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff02', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', '2026-11-25 23:59:59.999997+00');
INSERT INTO public.authority VALUES (4, '3 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff03', '3 é😀''"\
	%s:name', '2026-11-26 23:59:59.999996+00', NULL);
INSERT INTO public.banned_key VALUES ('0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', '0 é😀''"\
	%s:name');
INSERT INTO public.banned_key VALUES ('1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', NULL, '2026-11-24 23:59:59.999998+00', '1 é😀''"\
	%s:name');
INSERT INTO public.banned_key VALUES ('2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', '2 é😀''"\
	%s:name');
INSERT INTO public.banned_key VALUES ('3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', NULL, '2026-11-26 23:59:59.999996+00', '3 é😀''"\
	%s:name');
INSERT INTO public.bundle VALUES ('0 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', '0 é😀''"\
	%s:name');
INSERT INTO public.bundle VALUES ('1 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '2026-11-24 23:59:59.999998+00', '1 é😀''"\
	%s:name', NULL, NULL);
INSERT INTO public.bundle VALUES ('2 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', '2 é😀''"\
	%s:name');
INSERT INTO public.bundle VALUES ('3 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '2026-11-26 23:59:59.999996+00', '3 é😀''"\
	%s:name', NULL, NULL);
INSERT INTO public.certificate VALUES ('0 é😀''"\
	%s:name', 4, '3 é😀''"\
	%s:name', 4, '0 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff00', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff00', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', '2026-11-23 23:59:59.999999+00', '2026-11-23 23:59:59.999999+00', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', '2026-11-23 23:59:59.999999+00');
INSERT INTO public.certificate VALUES ('1 é😀''"\
	%s:name', 3, '2 é😀''"\
	%s:name', 3, '1 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff01', NULL, NULL, '2026-11-24 23:59:59.999998+00', '2026-11-24 23:59:59.999998+00', NULL, NULL, NULL, NULL);
INSERT INTO public.certificate VALUES ('2 é😀''"\
	%s:name', 2, '1 é😀''"\
	%s:name', 2, '2 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff02', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff02', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', '2026-11-25 23:59:59.999997+00', '2026-11-25 23:59:59.999997+00', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', '2026-11-25 23:59:59.999997+00');
INSERT INTO public.certificate VALUES ('3 é😀''"\
	%s:name', 1, '0 é😀''"\
	%s:name', 1, '3 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff03', NULL, NULL, '2026-11-26 23:59:59.999996+00', '2026-11-26 23:59:59.999996+00', NULL, NULL, NULL, NULL);
INSERT INTO public.chain VALUES (1, '3 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', '2026-11-23 23:59:59.999999+00', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name');
INSERT INTO public.chain VALUES (2, '2 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '2026-11-24 23:59:59.999998+00', '1 é😀''"\
	%s:name', '2026-11-24 23:59:59.999998+00', NULL, NULL, NULL, '1 é😀''"\
	%s:name');
INSERT INTO public.chain VALUES (3, '1 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', '2026-11-25 23:59:59.999997+00', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name');
INSERT INTO public.chain VALUES (4, '0 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '2026-11-26 23:59:59.999996+00', '3 é😀''"\
	%s:name', '2026-11-26 23:59:59.999996+00', NULL, NULL, NULL, '3 é😀''"\
	%s:name');
INSERT INTO public.closure VALUES (1, '2026-11-23 23:59:59.999999+00', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00');
INSERT INTO public.closure VALUES (2, '2026-11-24 23:59:59.999998+00', '1 é😀''"\
	%s:name', NULL);
INSERT INTO public.closure VALUES (3, '2026-11-25 23:59:59.999997+00', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00');
INSERT INTO public.closure VALUES (4, '2026-11-26 23:59:59.999996+00', '3 é😀''"\
	%s:name', NULL);
INSERT INTO public.contact VALUES (1, '3 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', '2026-11-23 23:59:59.999999+00');
INSERT INTO public.contact VALUES (2, NULL, '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '2026-11-24 23:59:59.999998+00', NULL);
INSERT INTO public.contact VALUES (3, '1 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', '2026-11-25 23:59:59.999997+00');
INSERT INTO public.contact VALUES (4, NULL, '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '2026-11-26 23:59:59.999996+00', NULL);
INSERT INTO public.credential VALUES (1, '0 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff00', 4, '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', '2026-11-23 23:59:59.999999+00');
INSERT INTO public.credential VALUES (2, '1 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff01', 3, '1 é😀''"\
	%s:name', '2026-11-24 23:59:59.999998+00', NULL);
INSERT INTO public.credential VALUES (3, '2 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff02', 2, '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', '2026-11-25 23:59:59.999997+00');
INSERT INTO public.credential VALUES (4, '3 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff03', 1, '3 é😀''"\
	%s:name', '2026-11-26 23:59:59.999996+00', NULL);
INSERT INTO public.customer VALUES ('0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', false, '2026-11-23 23:59:59.999999+00');
INSERT INTO public.customer VALUES ('1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '2026-11-24 23:59:59.999998+00', true, NULL);
INSERT INTO public.customer VALUES ('2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', false, '2026-11-25 23:59:59.999997+00');
INSERT INTO public.customer VALUES ('3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '2026-11-26 23:59:59.999996+00', true, NULL);
INSERT INTO public.customer_credential VALUES (1, '3 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff00', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', '2026-11-23 23:59:59.999999+00', '2026-11-23 23:59:59.999999+00', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name');
INSERT INTO public.customer_credential VALUES (2, '2 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff01', '1 é😀''"\
	%s:name', NULL, NULL, NULL, '2026-11-24 23:59:59.999998+00', '1 é😀''"\
	%s:name', NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.customer_credential VALUES (3, '1 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff02', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', '2026-11-25 23:59:59.999997+00', '2026-11-25 23:59:59.999997+00', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name');
INSERT INTO public.customer_credential VALUES (4, '0 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff03', '3 é😀''"\
	%s:name', NULL, NULL, NULL, '2026-11-26 23:59:59.999996+00', '3 é😀''"\
	%s:name', NULL, NULL, NULL, NULL, NULL);
INSERT INTO public.endpoint VALUES ('3 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', 1000, '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00');
INSERT INTO public.endpoint VALUES ('2 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', 1001, '1 é😀''"\
	%s:name', '2026-11-24 23:59:59.999998+00');
INSERT INTO public.endpoint VALUES ('1 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', 1002, '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00');
INSERT INTO public.endpoint VALUES ('0 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', 1003, '3 é😀''"\
	%s:name', '2026-11-26 23:59:59.999996+00');
INSERT INTO public.enrolment VALUES ('3 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff00', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff00', '2026-11-23 23:59:59.999999+00', 4);
INSERT INTO public.enrolment VALUES ('2 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff01', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff01', '2026-11-24 23:59:59.999998+00', NULL);
INSERT INTO public.enrolment VALUES ('1 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff02', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff02', '2026-11-25 23:59:59.999997+00', 2);
INSERT INTO public.enrolment VALUES ('0 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff03', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff03', '2026-11-26 23:59:59.999996+00', NULL);
INSERT INTO public.granted VALUES ('3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00');
INSERT INTO public.granted VALUES ('2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2026-11-24 23:59:59.999998+00');
INSERT INTO public.granted VALUES ('1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00');
INSERT INTO public.granted VALUES ('0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '2026-11-26 23:59:59.999996+00');
INSERT INTO public.held VALUES ('3 é😀''"\
	%s:name', 4, '2026-11-23 23:59:59.999999+00', '0 é😀''"\
	%s:name');
INSERT INTO public.held VALUES ('2 é😀''"\
	%s:name', 3, '2026-11-24 23:59:59.999998+00', '1 é😀''"\
	%s:name');
INSERT INTO public.held VALUES ('1 é😀''"\
	%s:name', 2, '2026-11-25 23:59:59.999997+00', '2 é😀''"\
	%s:name');
INSERT INTO public.held VALUES ('0 é😀''"\
	%s:name', 1, '2026-11-26 23:59:59.999996+00', '3 é😀''"\
	%s:name');
INSERT INTO public.hub VALUES ('PPR', 3);
INSERT INTO public.invitation VALUES (4, '0 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff00', '2026-11-23 23:59:59.999999+00');
INSERT INTO public.invitation VALUES (3, '1 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff01', '2026-11-24 23:59:59.999998+00');
INSERT INTO public.invitation VALUES (2, '2 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff02', '2026-11-25 23:59:59.999997+00');
INSERT INTO public.invitation VALUES (1, '3 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff03', '2026-11-26 23:59:59.999996+00');
INSERT INTO public.modulus VALUES (1, '0 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff00');
INSERT INTO public.modulus VALUES (2, '1 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff01');
INSERT INTO public.modulus VALUES (3, '2 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff02');
INSERT INTO public.modulus VALUES (4, '3 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff03');
INSERT INTO public.node VALUES (1, '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', 1000, '0 é😀''"\
	%s:name', 1000, '2026-11-23 23:59:59.999999+00', '2026-11-23 23:59:59.999999+00');
INSERT INTO public.node VALUES (2, '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', 1001, '1 é😀''"\
	%s:name', 1001, '2026-11-24 23:59:59.999998+00', NULL);
INSERT INTO public.node VALUES (3, '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', 1002, '2 é😀''"\
	%s:name', 1002, '2026-11-25 23:59:59.999997+00', '2026-11-25 23:59:59.999997+00');
INSERT INTO public.node VALUES (4, '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', 1003, '3 é😀''"\
	%s:name', 1003, '2026-11-26 23:59:59.999996+00', NULL);
INSERT INTO public.node_certificate VALUES (1, '0 é😀''"\
	%s:name', 4, 4, '0 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff00', '2026-11-23 23:59:59.999999+00', '2026-11-23 23:59:59.999999+00', '2026-11-23 23:59:59.999999+00');
INSERT INTO public.node_certificate VALUES (2, '1 é😀''"\
	%s:name', 3, 3, '1 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff01', '2026-11-24 23:59:59.999998+00', '2026-11-24 23:59:59.999998+00', NULL);
INSERT INTO public.node_certificate VALUES (3, '2 é😀''"\
	%s:name', 2, 2, '2 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff02', '2026-11-25 23:59:59.999997+00', '2026-11-25 23:59:59.999997+00', '2026-11-25 23:59:59.999997+00');
INSERT INTO public.node_certificate VALUES (4, '3 é😀''"\
	%s:name', 1, 1, '3 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff03', '2026-11-26 23:59:59.999996+00', '2026-11-26 23:59:59.999996+00', NULL);
INSERT INTO public.notice VALUES ('0 é😀''"\
	%s:name', 4, '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', 1000, '2026-11-23 23:59:59.999999+00', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', 1000, '2026-11-23 23:59:59.999999+00', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00');
INSERT INTO public.notice VALUES ('1 é😀''"\
	%s:name', 3, '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', 1001, '2026-11-24 23:59:59.999998+00', '1 é😀''"\
	%s:name', '2026-11-24 23:59:59.999998+00', 1001, '2026-11-24 23:59:59.999998+00', NULL, NULL);
INSERT INTO public.notice VALUES ('2 é😀''"\
	%s:name', 2, '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', 1002, '2026-11-25 23:59:59.999997+00', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', 1002, '2026-11-25 23:59:59.999997+00', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00');
INSERT INTO public.notice VALUES ('3 é😀''"\
	%s:name', 1, '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', 1003, '2026-11-26 23:59:59.999996+00', '3 é😀''"\
	%s:name', '2026-11-26 23:59:59.999996+00', 1003, '2026-11-26 23:59:59.999996+00', NULL, NULL);
INSERT INTO public.observation VALUES (1, '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', false, '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', '2026-11-23 23:59:59.999999+00', 1000);
INSERT INTO public.observation VALUES (2, '1 é😀''"\
	%s:name', NULL, true, NULL, '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '2026-11-24 23:59:59.999998+00', '2026-11-24 23:59:59.999998+00', 1001);
INSERT INTO public.observation VALUES (3, '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', false, '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', '2026-11-25 23:59:59.999997+00', 1002);
INSERT INTO public.observation VALUES (4, '3 é😀''"\
	%s:name', NULL, true, NULL, '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '2026-11-26 23:59:59.999996+00', '2026-11-26 23:59:59.999996+00', 1003);
INSERT INTO public.passkey VALUES (1, 4, '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff00', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff00', 1000, '2026-11-23 23:59:59.999999+00', '2026-11-23 23:59:59.999999+00');
INSERT INTO public.passkey VALUES (2, 3, '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff01', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff01', 1001, '2026-11-24 23:59:59.999998+00', NULL);
INSERT INTO public.passkey VALUES (3, 2, '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff02', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff02', 1002, '2026-11-25 23:59:59.999997+00', '2026-11-25 23:59:59.999997+00');
INSERT INTO public.passkey VALUES (4, 1, '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff03', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff03', 1003, '2026-11-26 23:59:59.999996+00', NULL);
INSERT INTO public.person VALUES (1, '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', '2026-11-23 23:59:59.999999+00');
INSERT INTO public.person VALUES (2, '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', NULL, NULL, '2026-11-24 23:59:59.999998+00', NULL);
INSERT INTO public.person VALUES (3, '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', '2026-11-25 23:59:59.999997+00');
INSERT INTO public.person VALUES (4, '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', NULL, NULL, '2026-11-26 23:59:59.999996+00', NULL);
INSERT INTO public.probe VALUES (1, '3 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', false, '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name');
INSERT INTO public.probe VALUES (2, '2 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '2026-11-24 23:59:59.999998+00', true, '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name');
INSERT INTO public.probe VALUES (3, '1 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', false, '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name');
INSERT INTO public.probe VALUES (4, '0 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '2026-11-26 23:59:59.999996+00', true, '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name');
INSERT INTO public.proposal VALUES ('0 é😀''"\
	%s:name', 1000, '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', '0 é😀''"\
	%s:name');
INSERT INTO public.proposal VALUES ('1 é😀''"\
	%s:name', 1001, '1 é😀''"\
	%s:name', '2026-11-24 23:59:59.999998+00', '1 é😀''"\
	%s:name');
INSERT INTO public.proposal VALUES ('2 é😀''"\
	%s:name', 1002, '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', '2 é😀''"\
	%s:name');
INSERT INTO public.proposal VALUES ('3 é😀''"\
	%s:name', 1003, '3 é😀''"\
	%s:name', '2026-11-26 23:59:59.999996+00', '3 é😀''"\
	%s:name');
INSERT INTO public.renewal VALUES (4, '3 é😀''"\
	%s:name');
INSERT INTO public.renewal VALUES (3, '2 é😀''"\
	%s:name');
INSERT INTO public.renewal VALUES (2, '1 é😀''"\
	%s:name');
INSERT INTO public.renewal VALUES (1, '0 é😀''"\
	%s:name');
INSERT INTO public.request VALUES (1, '3 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff00', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', '2026-11-23 23:59:59.999999+00', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name');
INSERT INTO public.request VALUES (2, '2 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff01', '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '2026-11-24 23:59:59.999998+00', NULL, NULL, NULL);
INSERT INTO public.request VALUES (3, '1 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff02', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', '2026-11-25 23:59:59.999997+00', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name');
INSERT INTO public.request VALUES (4, '0 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff03', '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '2026-11-26 23:59:59.999996+00', NULL, NULL, NULL);
INSERT INTO public.revocation_list VALUES (4, 1000, '2026-11-23 23:59:59.999999+00', '2026-11-23 23:59:59.999999+00', 1000, '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff00');
INSERT INTO public.revocation_list VALUES (3, 1001, '2026-11-24 23:59:59.999998+00', '2026-11-24 23:59:59.999998+00', 1001, '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff01');
INSERT INTO public.revocation_list VALUES (2, 1002, '2026-11-25 23:59:59.999997+00', '2026-11-25 23:59:59.999997+00', 1002, '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff02');
INSERT INTO public.revocation_list VALUES (1, 1003, '2026-11-26 23:59:59.999996+00', '2026-11-26 23:59:59.999996+00', 1003, '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff03');
INSERT INTO public.revocation_list_floor VALUES (4, 1000);
INSERT INTO public.revocation_list_floor VALUES (3, 1001);
INSERT INTO public.revocation_list_floor VALUES (2, 1002);
INSERT INTO public.revocation_list_floor VALUES (1, 1003);
INSERT INTO public.schema_version VALUES ('1');
INSERT INTO public.service VALUES ('0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', false, 1000, 1000, '0 é😀''"\
	%s:name', false, false);
INSERT INTO public.service VALUES ('1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', true, 1001, 1001, '1 é😀''"\
	%s:name', true, true);
INSERT INTO public.service VALUES ('2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', false, 1002, 1002, '2 é😀''"\
	%s:name', false, false);
INSERT INTO public.service VALUES ('3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', true, 1003, 1003, '3 é😀''"\
	%s:name', true, true);
INSERT INTO public.session VALUES (1, '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', 4, '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', '2026-11-23 23:59:59.999999+00');
INSERT INTO public.session VALUES (2, '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', 3, '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '2026-11-24 23:59:59.999998+00', '2026-11-24 23:59:59.999998+00');
INSERT INTO public.session VALUES (3, '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', 2, '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', '2026-11-25 23:59:59.999997+00');
INSERT INTO public.session VALUES (4, '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', 1, '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '2026-11-26 23:59:59.999996+00', '2026-11-26 23:59:59.999996+00');
INSERT INTO public.source VALUES ('0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00');
INSERT INTO public.source VALUES ('1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '2026-11-24 23:59:59.999998+00');
INSERT INTO public.source VALUES ('2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00');
INSERT INTO public.source VALUES ('3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '2026-11-26 23:59:59.999996+00');
INSERT INTO public.statement_key VALUES ('0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff00', '2026-11-23 23:59:59.999999+00');
INSERT INTO public.statement_key VALUES ('1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff01', '2026-11-24 23:59:59.999998+00');
INSERT INTO public.statement_key VALUES ('2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff02', '2026-11-25 23:59:59.999997+00');
INSERT INTO public.statement_key VALUES ('3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '\x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff03', '2026-11-26 23:59:59.999996+00');
INSERT INTO public.submitted_endpoint VALUES (1, '3 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', 1000, '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', '2026-11-23 23:59:59.999999+00', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name');
INSERT INTO public.submitted_endpoint VALUES (2, '2 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', 1001, '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '2026-11-24 23:59:59.999998+00', NULL, NULL, NULL);
INSERT INTO public.submitted_endpoint VALUES (3, '1 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', 1002, '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', '2026-11-25 23:59:59.999997+00', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name');
INSERT INTO public.submitted_endpoint VALUES (4, '0 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', 1003, '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '2026-11-26 23:59:59.999996+00', NULL, NULL, NULL);
INSERT INTO public.token VALUES (1, '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '0 é😀''"\
	%s:name', '2026-11-23 23:59:59.999999+00', '2026-11-23 23:59:59.999999+00', '2026-11-23 23:59:59.999999+00', '2026-11-23 23:59:59.999999+00', '0 é😀''"\
	%s:name');
INSERT INTO public.token VALUES (2, '1 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', NULL, NULL, '1 é😀''"\
	%s:name', '2026-11-24 23:59:59.999998+00', '2026-11-24 23:59:59.999998+00', NULL, NULL, '1 é😀''"\
	%s:name');
INSERT INTO public.token VALUES (3, '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '1 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2 é😀''"\
	%s:name', '2026-11-25 23:59:59.999997+00', '2026-11-25 23:59:59.999997+00', '2026-11-25 23:59:59.999997+00', '2026-11-25 23:59:59.999997+00', '2 é😀''"\
	%s:name');
INSERT INTO public.token VALUES (4, '3 é😀''"\
	%s:name', '3 é😀''"\
	%s:name', NULL, NULL, '3 é😀''"\
	%s:name', '2026-11-26 23:59:59.999996+00', '2026-11-26 23:59:59.999996+00', NULL, NULL, '3 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (1, '0 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (2, '1 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (3, '2 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (4, '3 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (5, '3 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (6, '2 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (7, '1 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (8, '0 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (9, '3 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (10, '2 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (11, '1 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (12, '0 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (13, '3 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (14, '2 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (15, '1 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (16, '0 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (17, '3 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (18, '2 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (19, '1 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (20, '0 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (21, '3 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (22, '2 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (23, '1 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (24, '0 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (25, '3 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (26, '2 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (27, '1 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (28, '0 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (29, '3 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (30, '2 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (31, '1 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (32, '0 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (33, '3 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (34, '2 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (35, '1 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (36, '0 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (37, '3 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (38, '2 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (39, '1 é😀''"\
	%s:name');
INSERT INTO public.touched VALUES (40, '0 é😀''"\
	%s:name');
SELECT pg_catalog.setval('public.audit_sequence_seq', 1, false);
SELECT pg_catalog.setval('public.authority_id_seq', 4, true);
SELECT pg_catalog.setval('public.chain_id_seq', 4, true);
SELECT pg_catalog.setval('public.closure_id_seq', 4, true);
SELECT pg_catalog.setval('public.contact_id_seq', 4, true);
SELECT pg_catalog.setval('public.credential_id_seq', 4, true);
SELECT pg_catalog.setval('public.customer_credential_id_seq', 4, true);
SELECT pg_catalog.setval('public.modulus_id_seq', 4, true);
SELECT pg_catalog.setval('public.node_certificate_id_seq', 4, true);
SELECT pg_catalog.setval('public.node_id_seq', 4, true);
SELECT pg_catalog.setval('public.observation_id_seq', 4, true);
SELECT pg_catalog.setval('public.passkey_id_seq', 4, true);
SELECT pg_catalog.setval('public.person_id_seq', 4, true);
SELECT pg_catalog.setval('public.probe_id_seq', 4, true);
SELECT pg_catalog.setval('public.request_id_seq', 4, true);
SELECT pg_catalog.setval('public.session_id_seq', 4, true);
SELECT pg_catalog.setval('public.submitted_endpoint_id_seq', 4, true);
SELECT pg_catalog.setval('public.token_id_seq', 4, true);
SELECT pg_catalog.setval('public.touched_id_seq', 40, true);
ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (person_id);
ALTER TABLE ONLY public.answered
    ADD CONSTRAINT answered_pkey PRIMARY KEY (principal, key);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_hash_key UNIQUE (hash);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (sequence);
ALTER TABLE ONLY public.authority
    ADD CONSTRAINT authority_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.banned_key
    ADD CONSTRAINT banned_key_pkey PRIMARY KEY (spki_pin);
ALTER TABLE ONLY public.bundle
    ADD CONSTRAINT bundle_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.certificate
    ADD CONSTRAINT certificate_fingerprint_key UNIQUE (fingerprint);
ALTER TABLE ONLY public.certificate
    ADD CONSTRAINT certificate_pkey PRIMARY KEY (serial);
ALTER TABLE ONLY public.certificate
    ADD CONSTRAINT certificate_request_id_key UNIQUE (request_id);
ALTER TABLE ONLY public.certificate
    ADD CONSTRAINT certificate_uri_id_key UNIQUE (uri_id);
ALTER TABLE ONLY public.chain
    ADD CONSTRAINT chain_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.closure
    ADD CONSTRAINT closure_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.contact
    ADD CONSTRAINT contact_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.credential
    ADD CONSTRAINT credential_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.customer_credential
    ADD CONSTRAINT customer_credential_key_name_key UNIQUE (key_name);
ALTER TABLE ONLY public.customer_credential
    ADD CONSTRAINT customer_credential_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.customer
    ADD CONSTRAINT customer_pkey PRIMARY KEY (tsp_id);
ALTER TABLE ONLY public.endpoint
    ADD CONSTRAINT endpoint_host_key UNIQUE (host);
ALTER TABLE ONLY public.endpoint
    ADD CONSTRAINT endpoint_pkey PRIMARY KEY (tsp_id);
ALTER TABLE ONLY public.enrolment
    ADD CONSTRAINT enrolment_pkey PRIMARY KEY (tsp_id);
ALTER TABLE ONLY public.granted
    ADD CONSTRAINT granted_pkey PRIMARY KEY (service, tsp_id);
ALTER TABLE ONLY public.held
    ADD CONSTRAINT held_pkey PRIMARY KEY (tsp_id);
ALTER TABLE ONLY public.invitation
    ADD CONSTRAINT invitation_digest_key UNIQUE (digest);
ALTER TABLE ONLY public.invitation
    ADD CONSTRAINT invitation_pkey PRIMARY KEY (person_id);
ALTER TABLE ONLY public.modulus
    ADD CONSTRAINT modulus_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.modulus
    ADD CONSTRAINT modulus_spki_pin_key UNIQUE (spki_pin);
ALTER TABLE ONLY public.node_certificate
    ADD CONSTRAINT node_certificate_fingerprint_key UNIQUE (fingerprint);
ALTER TABLE ONLY public.node_certificate
    ADD CONSTRAINT node_certificate_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.node_certificate
    ADD CONSTRAINT node_certificate_serial_key UNIQUE (serial);
ALTER TABLE ONLY public.node
    ADD CONSTRAINT node_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.notice
    ADD CONSTRAINT notice_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.observation
    ADD CONSTRAINT observation_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.passkey
    ADD CONSTRAINT passkey_credential_key UNIQUE (credential);
ALTER TABLE ONLY public.passkey
    ADD CONSTRAINT passkey_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.probe
    ADD CONSTRAINT probe_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.proposal
    ADD CONSTRAINT proposal_pkey PRIMARY KEY (kind, number);
ALTER TABLE ONLY public.renewal
    ADD CONSTRAINT renewal_pkey PRIMARY KEY (request_id);
ALTER TABLE ONLY public.request
    ADD CONSTRAINT request_fingerprint_key UNIQUE (fingerprint);
ALTER TABLE ONLY public.request
    ADD CONSTRAINT request_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.revocation_list_floor
    ADD CONSTRAINT revocation_list_floor_pkey PRIMARY KEY (authority_id);
ALTER TABLE ONLY public.revocation_list
    ADD CONSTRAINT revocation_list_pkey PRIMARY KEY (authority_id, number);
ALTER TABLE ONLY public.schema_version
    ADD CONSTRAINT schema_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.service
    ADD CONSTRAINT service_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.service
    ADD CONSTRAINT service_prefix_key UNIQUE (prefix);
ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_digest_key UNIQUE (digest);
ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.source
    ADD CONSTRAINT source_pkey PRIMARY KEY (address, tsp_id);
ALTER TABLE ONLY public.statement_key
    ADD CONSTRAINT statement_key_pkey PRIMARY KEY (purpose);
ALTER TABLE ONLY public.submitted_endpoint
    ADD CONSTRAINT submitted_endpoint_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.token
    ADD CONSTRAINT token_digest_key UNIQUE (digest);
ALTER TABLE ONLY public.token
    ADD CONSTRAINT token_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.touched
    ADD CONSTRAINT touched_pkey PRIMARY KEY (id);
CREATE INDEX certificate_ends ON public.certificate USING btree (not_after);
CREATE INDEX certificates_of_customer ON public.certificate USING btree (tsp_id);
CREATE INDEX certificates_revoked ON public.certificate USING btree (authority_id) WHERE (revoked_at IS NOT NULL);
CREATE INDEX certificates_seen ON public.certificate USING btree (tsp_id) WHERE ((seen_at IS NOT NULL) AND (revoked_at IS NULL));
CREATE INDEX certificates_unsigned ON public.certificate USING btree (serial) WHERE (der IS NULL);
CREATE INDEX chains_by_root ON public.chain USING btree (fingerprint);
CREATE INDEX chains_by_state ON public.chain USING btree (state, id);
CREATE INDEX endpoints_by_state ON public.submitted_endpoint USING btree (state, id);
CREATE INDEX ix_answered_at ON public.answered USING btree (at);
CREATE INDEX ix_bundle_tsp_id ON public.bundle USING btree (tsp_id);
CREATE INDEX ix_chain_tsp_id ON public.chain USING btree (tsp_id);
CREATE INDEX ix_granted_tsp_id ON public.granted USING btree (tsp_id);
CREATE INDEX ix_observation_same ON public.observation USING btree (same);
CREATE INDEX ix_passkey_person_id ON public.passkey USING btree (person_id);
CREATE INDEX ix_person_tsp_id ON public.person USING btree (tsp_id);
CREATE INDEX ix_probe_tsp_id ON public.probe USING btree (tsp_id);
CREATE INDEX ix_session_person_id ON public.session USING btree (person_id);
CREATE INDEX ix_session_used_at ON public.session USING btree (used_at);
CREATE INDEX ix_source_last_at ON public.source USING btree (last_at);
CREATE INDEX ix_submitted_endpoint_tsp_id ON public.submitted_endpoint USING btree (tsp_id);
CREATE INDEX observation_last ON public.observation USING btree (last_at);
CREATE INDEX observation_of ON public.observation USING btree (tsp_id, proved, id);
CREATE UNIQUE INDEX one_active_person_by_email ON public.person USING btree (email) WHERE (disabled_at IS NULL);
CREATE UNIQUE INDEX one_active_person_by_os_user ON public.person USING btree (os_user) WHERE (disabled_at IS NULL);
CREATE UNIQUE INDEX one_customer_credential_of_a_state ON public.customer_credential USING btree (tsp_id, state) WHERE ((state)::text = ANY ((ARRAY['requested'::character varying, 'active'::character varying])::text[]));
CREATE UNIQUE INDEX one_host_waits_once ON public.submitted_endpoint USING btree (host) WHERE ((state)::text = 'submitted'::text);
CREATE UNIQUE INDEX one_key_once ON public.request USING btree (spki_pin) WHERE ((state)::text <> 'refused'::text);
CREATE UNIQUE INDEX one_node_once ON public.node USING btree (name) WHERE (withdrawn_at IS NULL);
CREATE UNIQUE INDEX one_notice_once ON public.notice USING btree (contact_id, kind, subject, threshold_days);
CREATE UNIQUE INDEX one_tsp_id_waits_once ON public.submitted_endpoint USING btree (tsp_id) WHERE ((state)::text = 'submitted'::text);
CREATE INDEX renewals_of_certificate ON public.renewal USING btree (serial);
CREATE INDEX request_by_key ON public.request USING btree (spki_pin);
CREATE INDEX requests_by_state ON public.request USING btree (state, id);
CREATE INDEX requests_of_customer ON public.request USING btree (tsp_id);
CREATE TRIGGER no_delete_of_audit BEFORE DELETE ON public.audit FOR EACH ROW EXECUTE FUNCTION public.no_delete_of_audit();
CREATE TRIGGER no_update_of_audit BEFORE UPDATE ON public.audit FOR EACH ROW EXECUTE FUNCTION public.no_update_of_audit();
CREATE TRIGGER touched_by_delete_of_certificate AFTER DELETE ON public.certificate FOR EACH ROW EXECUTE FUNCTION public.touched_by_delete_of_certificate();
CREATE TRIGGER touched_by_delete_of_chain AFTER DELETE ON public.chain FOR EACH ROW EXECUTE FUNCTION public.touched_by_delete_of_chain();
CREATE TRIGGER touched_by_delete_of_customer AFTER DELETE ON public.customer FOR EACH ROW EXECUTE FUNCTION public.touched_by_delete_of_customer();
CREATE TRIGGER touched_by_delete_of_customer_credential AFTER DELETE ON public.customer_credential FOR EACH ROW EXECUTE FUNCTION public.touched_by_delete_of_customer_credential();
CREATE TRIGGER touched_by_delete_of_endpoint AFTER DELETE ON public.endpoint FOR EACH ROW EXECUTE FUNCTION public.touched_by_delete_of_endpoint();
CREATE TRIGGER touched_by_delete_of_granted AFTER DELETE ON public.granted FOR EACH ROW EXECUTE FUNCTION public.touched_by_delete_of_granted();
CREATE TRIGGER touched_by_delete_of_held AFTER DELETE ON public.held FOR EACH ROW EXECUTE FUNCTION public.touched_by_delete_of_held();
CREATE TRIGGER touched_by_delete_of_probe AFTER DELETE ON public.probe FOR EACH ROW EXECUTE FUNCTION public.touched_by_delete_of_probe();
CREATE TRIGGER touched_by_delete_of_request AFTER DELETE ON public.request FOR EACH ROW EXECUTE FUNCTION public.touched_by_delete_of_request();
CREATE TRIGGER touched_by_delete_of_submitted_endpoint AFTER DELETE ON public.submitted_endpoint FOR EACH ROW EXECUTE FUNCTION public.touched_by_delete_of_submitted_endpoint();
CREATE TRIGGER touched_by_insert_of_certificate AFTER INSERT ON public.certificate FOR EACH ROW EXECUTE FUNCTION public.touched_by_insert_of_certificate();
CREATE TRIGGER touched_by_insert_of_chain AFTER INSERT ON public.chain FOR EACH ROW EXECUTE FUNCTION public.touched_by_insert_of_chain();
CREATE TRIGGER touched_by_insert_of_customer AFTER INSERT ON public.customer FOR EACH ROW EXECUTE FUNCTION public.touched_by_insert_of_customer();
CREATE TRIGGER touched_by_insert_of_customer_credential AFTER INSERT ON public.customer_credential FOR EACH ROW EXECUTE FUNCTION public.touched_by_insert_of_customer_credential();
CREATE TRIGGER touched_by_insert_of_endpoint AFTER INSERT ON public.endpoint FOR EACH ROW EXECUTE FUNCTION public.touched_by_insert_of_endpoint();
CREATE TRIGGER touched_by_insert_of_granted AFTER INSERT ON public.granted FOR EACH ROW EXECUTE FUNCTION public.touched_by_insert_of_granted();
CREATE TRIGGER touched_by_insert_of_held AFTER INSERT ON public.held FOR EACH ROW EXECUTE FUNCTION public.touched_by_insert_of_held();
CREATE TRIGGER touched_by_insert_of_probe AFTER INSERT ON public.probe FOR EACH ROW EXECUTE FUNCTION public.touched_by_insert_of_probe();
CREATE TRIGGER touched_by_insert_of_request AFTER INSERT ON public.request FOR EACH ROW EXECUTE FUNCTION public.touched_by_insert_of_request();
CREATE TRIGGER touched_by_insert_of_submitted_endpoint AFTER INSERT ON public.submitted_endpoint FOR EACH ROW EXECUTE FUNCTION public.touched_by_insert_of_submitted_endpoint();
CREATE TRIGGER touched_by_update_of_certificate AFTER UPDATE ON public.certificate FOR EACH ROW EXECUTE FUNCTION public.touched_by_update_of_certificate();
CREATE TRIGGER touched_by_update_of_chain AFTER UPDATE ON public.chain FOR EACH ROW EXECUTE FUNCTION public.touched_by_update_of_chain();
CREATE TRIGGER touched_by_update_of_customer AFTER UPDATE ON public.customer FOR EACH ROW EXECUTE FUNCTION public.touched_by_update_of_customer();
CREATE TRIGGER touched_by_update_of_customer_credential AFTER UPDATE ON public.customer_credential FOR EACH ROW EXECUTE FUNCTION public.touched_by_update_of_customer_credential();
CREATE TRIGGER touched_by_update_of_endpoint AFTER UPDATE ON public.endpoint FOR EACH ROW EXECUTE FUNCTION public.touched_by_update_of_endpoint();
CREATE TRIGGER touched_by_update_of_granted AFTER UPDATE ON public.granted FOR EACH ROW EXECUTE FUNCTION public.touched_by_update_of_granted();
CREATE TRIGGER touched_by_update_of_held AFTER UPDATE ON public.held FOR EACH ROW EXECUTE FUNCTION public.touched_by_update_of_held();
CREATE TRIGGER touched_by_update_of_probe AFTER UPDATE ON public.probe FOR EACH ROW EXECUTE FUNCTION public.touched_by_update_of_probe();
CREATE TRIGGER touched_by_update_of_request AFTER UPDATE ON public.request FOR EACH ROW EXECUTE FUNCTION public.touched_by_update_of_request();
CREATE TRIGGER touched_by_update_of_submitted_endpoint AFTER UPDATE ON public.submitted_endpoint FOR EACH ROW EXECUTE FUNCTION public.touched_by_update_of_submitted_endpoint();
ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(id);
ALTER TABLE ONLY public.bundle
    ADD CONSTRAINT bundle_tsp_id_fkey FOREIGN KEY (tsp_id) REFERENCES public.customer(tsp_id);
ALTER TABLE ONLY public.certificate
    ADD CONSTRAINT certificate_authority_id_fkey FOREIGN KEY (authority_id) REFERENCES public.authority(id);
ALTER TABLE ONLY public.certificate
    ADD CONSTRAINT certificate_request_id_fkey FOREIGN KEY (request_id) REFERENCES public.request(id);
ALTER TABLE ONLY public.certificate
    ADD CONSTRAINT certificate_tsp_id_fkey FOREIGN KEY (tsp_id) REFERENCES public.customer(tsp_id);
ALTER TABLE ONLY public.chain
    ADD CONSTRAINT chain_tsp_id_fkey FOREIGN KEY (tsp_id) REFERENCES public.customer(tsp_id);
ALTER TABLE ONLY public.contact
    ADD CONSTRAINT contact_tsp_id_fkey FOREIGN KEY (tsp_id) REFERENCES public.customer(tsp_id);
ALTER TABLE ONLY public.credential
    ADD CONSTRAINT credential_authority_id_fkey FOREIGN KEY (authority_id) REFERENCES public.authority(id);
ALTER TABLE ONLY public.customer_credential
    ADD CONSTRAINT customer_credential_tsp_id_fkey FOREIGN KEY (tsp_id) REFERENCES public.customer(tsp_id);
ALTER TABLE ONLY public.endpoint
    ADD CONSTRAINT endpoint_tsp_id_fkey FOREIGN KEY (tsp_id) REFERENCES public.customer(tsp_id);
ALTER TABLE ONLY public.enrolment
    ADD CONSTRAINT enrolment_request_id_fkey FOREIGN KEY (request_id) REFERENCES public.request(id);
ALTER TABLE ONLY public.enrolment
    ADD CONSTRAINT enrolment_tsp_id_fkey FOREIGN KEY (tsp_id) REFERENCES public.customer(tsp_id);
ALTER TABLE ONLY public.granted
    ADD CONSTRAINT granted_service_fkey FOREIGN KEY (service) REFERENCES public.service(name);
ALTER TABLE ONLY public.granted
    ADD CONSTRAINT granted_tsp_id_fkey FOREIGN KEY (tsp_id) REFERENCES public.customer(tsp_id);
ALTER TABLE ONLY public.held
    ADD CONSTRAINT held_credential_id_fkey FOREIGN KEY (credential_id) REFERENCES public.credential(id);
ALTER TABLE ONLY public.held
    ADD CONSTRAINT held_tsp_id_fkey FOREIGN KEY (tsp_id) REFERENCES public.customer(tsp_id);
ALTER TABLE ONLY public.invitation
    ADD CONSTRAINT invitation_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(id);
ALTER TABLE ONLY public.node_certificate
    ADD CONSTRAINT node_certificate_authority_id_fkey FOREIGN KEY (authority_id) REFERENCES public.authority(id);
ALTER TABLE ONLY public.node_certificate
    ADD CONSTRAINT node_certificate_node_id_fkey FOREIGN KEY (node_id) REFERENCES public.node(id);
ALTER TABLE ONLY public.notice
    ADD CONSTRAINT notice_contact_id_fkey FOREIGN KEY (contact_id) REFERENCES public.contact(id);
ALTER TABLE ONLY public.passkey
    ADD CONSTRAINT passkey_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(id);
ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_tsp_id_fkey FOREIGN KEY (tsp_id) REFERENCES public.customer(tsp_id);
ALTER TABLE ONLY public.probe
    ADD CONSTRAINT probe_tsp_id_fkey FOREIGN KEY (tsp_id) REFERENCES public.customer(tsp_id);
ALTER TABLE ONLY public.renewal
    ADD CONSTRAINT renewal_request_id_fkey FOREIGN KEY (request_id) REFERENCES public.request(id);
ALTER TABLE ONLY public.renewal
    ADD CONSTRAINT renewal_serial_fkey FOREIGN KEY (serial) REFERENCES public.certificate(serial);
ALTER TABLE ONLY public.request
    ADD CONSTRAINT request_tsp_id_fkey FOREIGN KEY (tsp_id) REFERENCES public.customer(tsp_id);
ALTER TABLE ONLY public.revocation_list
    ADD CONSTRAINT revocation_list_authority_id_fkey FOREIGN KEY (authority_id) REFERENCES public.authority(id);
ALTER TABLE ONLY public.revocation_list_floor
    ADD CONSTRAINT revocation_list_floor_authority_id_fkey FOREIGN KEY (authority_id) REFERENCES public.authority(id);
ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(id);
ALTER TABLE ONLY public.submitted_endpoint
    ADD CONSTRAINT submitted_endpoint_tsp_id_fkey FOREIGN KEY (tsp_id) REFERENCES public.customer(tsp_id);
ALTER TABLE ONLY public.token
    ADD CONSTRAINT token_tsp_id_fkey FOREIGN KEY (tsp_id) REFERENCES public.customer(tsp_id);
