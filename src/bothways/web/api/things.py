"""What the things of the API look like, for its OpenAPI document: schemas of the JSON objects that operations give.

A document may say more than its schema: what is new comes as a new property.
"""

from collections.abc import Mapping

from bothways.connectivity.assess import State
from bothways.connectivity.evidence import Caller, Outcome
from bothways.connectivity.observation import MatchedBy
from bothways.findings import Level
from bothways.registry.contact import ContactKind
from bothways.registry.customer import CustomerKind
from bothways.registry.flow import Flow
from bothways.store.certificates import CertificateState
from bothways.store.chains import ChainState
from bothways.store.customer_credentials import CredentialState
from bothways.store.keys import BanCause
from bothways.store.proposals import Kind
from bothways.store.requests import RequestState
from bothways.store.submitted_endpoints import EndpointState
from bothways.web.api.own_things import OWN_THINGS
from bothways.web.api.shapes import (
    COUNT,
    DIGEST,
    MOMENT,
    NUMBER,
    SERIAL,
    TEXT,
    TRUTH,
    URL,
    Schema,
    all_of,
    list_of,
    map_of,
    named,
    one_of,
    or_null,
    said,
    shape,
)

PEM = said(TEXT, "PEM (RFC 7468).")
FINDINGS = list_of(named("Finding"))
_DECIDED = {"submitted_at": MOMENT, "decided_by": or_null(TEXT), "reason": or_null(TEXT)}
_VALID = {"not_before": MOMENT, "not_after": MOMENT}

_COMMON = {
    "Problem": shape(
        {
            "errors": said(
                list_of(all_of(named("Finding"), shape(type=URL))), "Everything that the rules find, at once."
            )
        },
        type=said(URL, "What kind of problem it is; of a finding, its page."),
        title=TEXT,
        status={"type": "integer"},
        detail=said(TEXT, "What was found, what was wanted, and what to do next."),
    ),
    "Proposed": shape(
        state={"const": "proposed"},
        kind=one_of(Kind),
        number=said(NUMBER, "The number of what a second person has to confirm."),
        by=said(TEXT, "The first person."),
        at=MOMENT,
        detail=said(TEXT, "Who can confirm it, and how."),
    ),
    "Applied": shape(
        {"away": said(list_of(TEXT), "The nodes that are not connected, and go on with what they have.")},
        in_force=said(TRUTH, "Whether every connected Envoy serves it."),
    ),
    "Finding": shape(id=TEXT, level=one_of(Level), message=TEXT, hint=TEXT, citation=TEXT, subject=TEXT),
    "Proposal": shape(by=TEXT, at=MOMENT, terms=said(map_of({}), "How it is to be decided.")),
}
_CUSTOMERS = {
    "FlowAssessment": shape(
        flow=one_of(Flow), state=one_of(State), reason=TEXT, steps=list_of(shape(name=TEXT, done=TRUTH, said=TEXT))
    ),
    "Customer": shape(
        customer=TEXT,
        kind=one_of(CustomerKind),
        organization=TEXT,
        suspended=TRUTH,
        inbound=named("FlowAssessment"),
        outbound=named("FlowAssessment"),
    ),
    "Contact": shape(id=NUMBER, customer=or_null(TEXT), kind=one_of(ContactKind), address=TEXT),
    "Observation": shape(
        id=NUMBER,
        customer=or_null(TEXT),
        matched_by=or_null(one_of(MatchedBy)),
        finding=named("Finding"),
        source=TEXT,
        fingerprint=or_null(DIGEST),
        first_at=MOMENT,
        last_at=MOMENT,
        count=NUMBER,
    ),
    "EnrolmentPassword": shape(customer=TEXT, password=TEXT, days=NUMBER, est=URL),
}
_INBOUND = {
    "Request": shape(
        id=NUMBER,
        customer=TEXT,
        subject=TEXT,
        fingerprint=DIGEST,
        spki_pin=DIGEST,
        state=one_of(RequestState),
        **_DECIDED,
    ),
    "Certificate": shape(
        serial=SERIAL,
        customer=TEXT,
        request=NUMBER,
        uri_id=TEXT,
        fingerprint=or_null(DIGEST),
        state=one_of(CertificateState),
        **_VALID,
        revoked_at=or_null(MOMENT),
        revoked_reason=or_null(TEXT),
        first_seen_at=or_null(MOMENT),
        seen_at=or_null(MOMENT),
    ),
    "RevocationList": shape(authority=NUMBER, number=NUMBER, this_update=MOMENT, next_update=MOMENT, crl=PEM),
    "BannedKey": shape(spki_pin=DIGEST, cause=one_of(BanCause), reason=TEXT, banned_at=MOMENT, banned_by=TEXT),
    "Service": shape(
        name=TEXT,
        prefix=TEXT,
        needs=list_of(one_of(Flow)),
        upstream=URL,
        upstream_ca=list_of(DIGEST),
        http2=TRUTH,
        timeout=said(COUNT, "Seconds."),
        streaming=said(COUNT, "Seconds that a stream may live; 0: the service has none."),
        health_path=or_null(TEXT),
        strip_prefix=TRUTH,
        client_cert=TRUTH,
        customers=said(COUNT, "How many it was granted to."),
    ),
    "GrantedService": shape(name=TEXT, prefix=TEXT, needs=list_of(one_of(Flow))),
    "Grant": shape(service=TEXT, customer=TEXT, granted=TRUTH),
}
_OUTBOUND = {
    "Chain": shape(
        id=NUMBER,
        customer=TEXT,
        fingerprint=DIGEST,
        not_after=MOMENT,
        state=one_of(ChainState),
        **_DECIDED,
        spki_pins=list_of(DIGEST),
    ),
    "ChainCertificate": shape(
        subject=TEXT,
        issuer=TEXT,
        role={"enum": ["root", "intermediate", "no CA"]},
        serial=SERIAL,
        **_VALID,
        key=TEXT,
        digest=TEXT,
        path_length=or_null(COUNT),
        fingerprint=DIGEST,
        spki_pin=DIGEST,
        issued=list_of(named("ChainCertificate")),
    ),
    "Endpoint": shape(
        customer=TEXT, url=URL, host=TEXT, port={"type": "integer", "minimum": 1, "maximum": 65535}, path=TEXT
    ),
    "SubmittedEndpoint": shape(id=NUMBER, customer=TEXT, url=URL, state=one_of(EndpointState), **_DECIDED),
    "Probe": shape(
        address=TEXT,
        at=MOMENT,
        ok=TRUTH,
        seen=TEXT,
        risk=or_null(TEXT),
        findings=FINDINGS,
        evidence=or_null(named("Evidence")),
    ),
    "Evidence": shape(
        dns=shape(addresses=list_of(TEXT), ttl={"type": "number"}, aliases=list_of(TEXT), failure=TEXT),
        tcp=list_of(shape(address=TEXT, port=NUMBER, failure=TEXT)),
        tls=list_of(shape(version=TEXT, offered=TRUTH)),
        chain=list_of(shape(subject=TEXT, issuer=TEXT, not_after=MOMENT, fingerprint=DIGEST)),
        callers=list_of(shape(caller=one_of(Caller), outcome=one_of(Outcome), tls=TEXT, said=TEXT)),
        calls=list_of(shape(node=TEXT, outcome={"enum": ["answered", "failed", "not asked"]}, said=TEXT)),
    ),
    "OutboundCredential": shape(
        id=NUMBER,
        customer=TEXT,
        state=one_of(CredentialState),
        subject=TEXT,
        key=TEXT,
        spki_pin=DIGEST,
        requested_at=MOMENT,
        requested_by=TEXT,
        installed_at=or_null(MOMENT),
        installed_by=or_null(TEXT),
        ended_at=or_null(MOMENT),
        ended_by=or_null(TEXT),
        reason=or_null(TEXT),
        request=PEM,
        certificate=or_null(shape(subject=TEXT, issuer=TEXT, serial=SERIAL, fingerprint=DIGEST, **_VALID)),
        chain=or_null(PEM),
    ),
    "OwnCertificates": map_of(shape(serial=SERIAL, not_after=MOMENT, renewal_at=or_null(MOMENT))),
    "Rotation": shape(serial=SERIAL, asked=COUNT, held=list_of(shape(customer=TEXT, reason=TEXT))),
    "Bundle": shape(customer=TEXT, fingerprint=DIGEST, signer=DIGEST, members=list_of(TEXT)),
    "ImportedBundle": shape(
        customer=TEXT,
        fingerprint=DIGEST,
        signer=DIGEST,
        request=or_null(named("Request")),
        chain=or_null(NUMBER),
        endpoint=or_null(URL),
        endpoint_waits=TRUTH,
        endpoint_number=or_null(NUMBER),
        installed=or_null(TEXT),
    ),
}
SCHEMAS: Mapping[str, Schema] = {**_COMMON, **_CUSTOMERS, **_INBOUND, **_OUTBOUND, **OWN_THINGS}
"""All schemas that have a name in the document."""
