"""What each operation of the API answers when it is done: one schema for each, for the OpenAPI document."""

from collections.abc import Mapping

from bothways.web.api.shapes import (
    DIGEST,
    NUMBER,
    SERIAL,
    TEXT,
    TRUTH,
    URL,
    Schema,
    all_of,
    list_of,
    named,
    or_null,
    page_of,
    said,
    shape,
)
from bothways.web.api.things import FINDINGS, PEM

_PROPOSAL = shape(proposed=or_null(named("Proposal")))
_REVIEWED = shape(proposed=or_null(named("Proposal")), findings=FINDINGS)
_REQUEST = all_of(named("Request"), _REVIEWED)
_CHAIN = all_of(named("Chain"), _REVIEWED, shape(tree=named("ChainCertificate"), pem=PEM))
_CONTACT_ADDED = all_of(
    named("Contact"),
    shape(
        {"secret": said(TEXT, "Of a webhook; shown once.")}, sending=said(TRUTH, "Whether the hub is set up to send.")
    ),
)
_ENDPOINT_SET = all_of(named("Endpoint"), shape(state={"const": "approved"}))
_REMOVED = shape(removed={"const": True})


def _applied(*schemas: Schema) -> Schema:
    return all_of(*schemas, named("Applied"))


_OF_CUSTOMERS = {
    ("GET", "/customers"): page_of(named("Customer")),
    ("POST", "/customers"): named("Customer"),
    ("GET", "/customers/{tsp_id}"): named("Customer"),
    ("DELETE", "/customers/{tsp_id}"): _applied(shape(customer=TEXT), _REMOVED),
    ("GET", "/customers/{tsp_id}/observations"): page_of(named("Observation")),
    ("POST", "/customers/{tsp_id}/suspend"): _applied(named("Customer")),
    ("POST", "/customers/{tsp_id}/resume"): _applied(named("Customer")),
    ("POST", "/customers/{tsp_id}/enrolment-password"): named("EnrolmentPassword"),
    ("GET", "/customers/{tsp_id}/openssl"): shape(commands=said(TEXT, "Ready to paste.")),
    ("GET", "/customers/{tsp_id}/contacts"): page_of(named("Contact")),
    ("POST", "/customers/{tsp_id}/contacts"): _CONTACT_ADDED,
    ("DELETE", "/customers/{tsp_id}/contacts/{number}"): all_of(named("Contact"), _REMOVED),
    ("POST", "/customers/{tsp_id}/bundle"): all_of(named("Bundle"), shape(bundle=said(TEXT, "The zip, in base64."))),
    ("POST", "/bundles"): _applied(named("ImportedBundle")),
    ("GET", "/observations"): page_of(named("Observation")),
}
_OF_INBOUND = {
    ("GET", "/requests"): page_of(named("Request")),
    ("POST", "/requests"): _REQUEST,
    ("POST", "/requests/check"): shape(
        customer=TEXT,
        acceptable=said(TRUTH, "Whether it could be submitted as it is: no finding is an error."),
        subject=or_null(TEXT),
        fingerprint=or_null(DIGEST),
        spki_pin=or_null(DIGEST),
        findings=FINDINGS,
    ),
    ("GET", "/requests/waiting"): page_of(NUMBER),
    ("POST", "/requests/approve"): _applied(
        shape(
            approved=list_of(all_of(named("Certificate"), shape(findings=FINDINGS))),
            proposed=list_of(named("Proposed")),
            not_approved=list_of(shape({"findings": FINDINGS}, request=NUMBER, error=TEXT, detail=TEXT)),
        )
    ),
    ("GET", "/requests/{number}"): _REQUEST,
    ("POST", "/requests/{number}/approve"): _applied(named("Certificate"), shape(chain=PEM)),
    ("POST", "/requests/{number}/refuse"): _REQUEST,
    ("POST", "/requests/{number}/withdraw"): _applied(_REQUEST, shape(certificate=named("Certificate"))),
    ("GET", "/certificates"): page_of(named("Certificate")),
    ("GET", "/certificates/{serial}"): all_of(named("Certificate"), shape(chain=or_null(PEM))),
    ("GET", "/certificates/{serial}/chain"): PEM,
    ("POST", "/certificates/{serial}/revoke"): _applied(named("Certificate")),
    ("GET", "/revocation-lists"): named("RevocationList"),
    ("GET", "/services"): page_of({"anyOf": [named("Service"), named("GrantedService")]}),
    ("POST", "/services"): _applied(named("Service"), shape(at=URL)),
    ("GET", "/services/{name}/grants"): page_of(shape(customer=TEXT, organization=TEXT)),
    ("PUT", "/services/{name}/grants/{tsp_id}"): _applied(named("Grant")),
    ("DELETE", "/services/{name}/grants/{tsp_id}"): _applied(named("Grant")),
    ("GET", "/keys/banned"): page_of(named("BannedKey")),
    ("POST", "/keys/banned"): _applied(
        shape(banned=list_of(DIGEST), new=list_of(DIGEST), revoked=said(list_of(SERIAL), "Certificates, by serial."))
    ),
    ("GET", "/keys/known"): page_of(DIGEST),
}
_OF_OUTBOUND = {
    ("GET", "/chains"): page_of(named("Chain")),
    ("POST", "/chains"): _CHAIN,
    ("GET", "/chains/{number}"): _CHAIN,
    ("POST", "/chains/{number}/endorse"): _applied(named("Chain")),
    ("POST", "/chains/{number}/refuse"): named("Chain"),
    ("POST", "/chains/{number}/withdraw"): _applied(named("Chain")),
    ("GET", "/customers/{tsp_id}/endpoint"): named("Endpoint"),
    ("PUT", "/customers/{tsp_id}/endpoint"): _applied(_ENDPOINT_SET, shape(findings=FINDINGS)),
    ("GET", "/endpoints"): page_of(named("SubmittedEndpoint")),
    # Where only the path is new, there is nothing to review.
    ("POST", "/endpoints"): _applied({"anyOf": [named("SubmittedEndpoint"), _ENDPOINT_SET]}, shape(findings=FINDINGS)),
    ("GET", "/endpoints/{number}"): all_of(named("SubmittedEndpoint"), _PROPOSAL),
    ("POST", "/endpoints/{number}/approve"): _applied(named("SubmittedEndpoint")),
    ("POST", "/endpoints/{number}/refuse"): named("SubmittedEndpoint"),
    ("GET", "/customers/{tsp_id}/probes"): page_of(named("Probe")),
    ("POST", "/customers/{tsp_id}/probes"): _applied(shape(customer=TEXT), named("Probe")),
    ("GET", "/customers/{tsp_id}/outbound-credentials"): page_of(named("OutboundCredential")),
    ("POST", "/customers/{tsp_id}/outbound-credentials"): named("OutboundCredential"),
    ("POST", "/customers/{tsp_id}/outbound-credentials/install"): _applied(
        named("OutboundCredential"), shape(findings=FINDINGS)
    ),
    ("POST", "/customers/{tsp_id}/outbound-credentials/remove"): _applied(shape(customer=TEXT), _REMOVED),
    ("GET", "/rotation"): shape(certificates=named("OwnCertificates"), held=list_of(TEXT)),
    ("POST", "/rotation"): _applied(named("Rotation")),
}
_OF_PEOPLE = {
    ("GET", "/people"): page_of(named("Person")),
    ("POST", "/people"): named("Person"),
    ("GET", "/people/{number}"): named("Person"),
    ("POST", "/people/{number}/invite"): all_of(named("Person"), named("Invitation")),
    ("POST", "/people/{number}/confirm"): all_of(named("Person"), named("SecondCode")),
    ("POST", "/people/{number}/refuse"): named("Person"),
    ("POST", "/people/{number}/disable"): named("Person"),
    ("GET", "/tokens"): page_of(named("Token")),
    ("POST", "/tokens"): all_of(named("Token"), shape(token=said(TEXT, "Shown once."))),
    ("GET", "/tokens/{number}"): named("Token"),
    ("POST", "/tokens/{number}/revoke"): named("Token"),
}
_OF_HUB = {
    ("GET", "/audit"): page_of(named("AuditLine")),
    ("GET", "/audit/verify"): named("AuditState"),
    ("GET", "/audit/head"): named("SignedHead"),
    ("POST", "/audit/compare"): shape(findings=FINDINGS),
    ("GET", "/hub/status"): named("Status"),
    ("GET", "/hub/metrics"): said(TEXT, "Prometheus's text format."),
    ("GET", "/hub/contract"): shape(contract=said(TEXT, "TOML."), fingerprint=DIGEST),
    ("POST", "/hub/reopen"): _applied(named("Closure")),
    ("POST", "/hub/retry"): _applied(shape(version=TEXT, node=TEXT, why=TEXT)),
    ("GET", "/hub/contacts"): page_of(named("Contact")),
    ("POST", "/hub/contacts"): _CONTACT_ADDED,
    ("DELETE", "/hub/contacts/{number}"): all_of(named("Contact"), _REMOVED),
    ("GET", "/authorities"): page_of(named("Authority")),
    ("POST", "/authorities"): _applied(shape(id=NUMBER, subject=TEXT, key=TEXT, linked=TRUTH)),
    ("POST", "/authorities/{number}/activate"): _applied(shape(id=NUMBER, state={"const": "signing"}, serial=SERIAL)),
    ("GET", "/authorities/{number}/behind"): page_of(shape(customer=TEXT, organization=TEXT)),
    ("POST", "/authorities/{number}/retire"): _applied(shape(id=NUMBER, state={"const": "retired"})),
    ("GET", "/nodes"): page_of(named("Node")),
    ("POST", "/nodes/{node}/withdraw"): _applied(shape(node=TEXT, state={"const": "withdrawn"})),
}
ANSWERS: Mapping[tuple[str, str], Schema] = {
    **_OF_CUSTOMERS,
    **_OF_INBOUND,
    **_OF_OUTBOUND,
    **_OF_PEOPLE,
    **_OF_HUB,
}
"""What is answered with success, by method and path under the prefix of the API."""
