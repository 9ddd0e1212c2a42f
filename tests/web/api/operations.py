"""Every operation of the API: what is sent so that the caller alone is why it is refused; and who may."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bothways.operations.certificates import show_certificate
from bothways.operations.chains import submit_chain
from bothways.operations.contacts import add_contact
from bothways.operations.customers import add_customer
from bothways.operations.endpoints import submit_endpoint
from bothways.operations.hub import Hub
from bothways.operations.people import add_person
from bothways.operations.requests import approve_request, submit_request
from bothways.operations.revocation import lists_due, publish_list
from bothways.operations.services import add_service, grant_service
from bothways.operations.tokens import create_token
from bothways.pki.chain import certificate_pem
from bothways.registry.access import Role
from bothways.registry.contact import ContactKind
from bothways.registry.customer import CustomerKind
from bothways.registry.service import Service

OWNER, OTHER = "12345678", "87654321"
OPERATOR, REVIEWER, AUDITOR = Role.OPERATOR, Role.REVIEWER, Role.AUDITOR
ADMINISTRATOR, MEMBER = Role.CUSTOMER_ADMINISTRATOR, Role.CUSTOMER_MEMBER

ALL, OF_HUB = set(Role), {OPERATOR, REVIEWER, AUDITOR}
ALONE, DECIDES = {OPERATOR}, {OPERATOR, REVIEWER}
SUBMITS, MANAGES = {OPERATOR, ADMINISTRATOR, MEMBER}, {OPERATOR, ADMINISTRATOR}

Operation = tuple[str, str]
_REASON = {"reason": "superseded"}

# What is sent, and who may; in bodies, {tsp_id} and the like stand for the owner's things, as in paths.
OPERATIONS: dict[Operation, tuple[Any, set[Role]]] = {
    ("GET", "/customers"): (None, ALL),
    ("POST", "/customers"): ({"customer": "99", "kind": "issuer", "organization": "Third Bank"}, ALONE),
    ("GET", "/customers/{tsp_id}"): (None, ALL),
    ("DELETE", "/customers/{tsp_id}"): (None, ALONE),
    ("GET", "/customers/{tsp_id}/observations"): (None, ALL),
    ("POST", "/customers/{tsp_id}/suspend"): (_REASON, ALONE),
    ("POST", "/customers/{tsp_id}/resume"): (None, ALONE),
    ("POST", "/customers/{tsp_id}/enrolment-password"): ({}, ALONE),
    ("GET", "/customers/{tsp_id}/openssl"): (None, ALL),
    ("GET", "/customers/{tsp_id}/contacts"): (None, ALL),
    ("POST", "/customers/{tsp_id}/contacts"): ({"kind": "email", "address": "a@b.example"}, ALONE),
    ("DELETE", "/customers/{tsp_id}/contacts/{number}"): (None, ALONE),
    ("POST", "/customers/{tsp_id}/bundle"): (None, ALONE),
    ("POST", "/bundles"): ({"bundle": "x"}, ALONE),
    ("GET", "/customers/{tsp_id}/endpoint"): (None, ALL),
    ("PUT", "/customers/{tsp_id}/endpoint"): ({"url": "https://bank.example"}, ALONE),
    ("GET", "/customers/{tsp_id}/probes"): (None, ALL),
    ("POST", "/customers/{tsp_id}/probes"): (None, SUBMITS),
    ("GET", "/customers/{tsp_id}/outbound-credentials"): (None, ALL),
    ("POST", "/customers/{tsp_id}/outbound-credentials"): ({}, ALONE),
    ("POST", "/customers/{tsp_id}/outbound-credentials/install"): ({"certificate": "x"}, ALONE),
    ("POST", "/customers/{tsp_id}/outbound-credentials/remove"): (_REASON, ALONE),
    ("GET", "/requests"): (None, ALL),
    ("POST", "/requests"): ({"customer": "{tsp_id}", "csr": "x"}, SUBMITS),
    ("POST", "/requests/check"): ({"customer": "{tsp_id}", "csr": "x"}, SUBMITS),
    ("GET", "/requests/waiting"): (None, ALL),
    ("POST", "/requests/approve"): ({"numbers": [1]}, DECIDES),
    ("GET", "/requests/{number}"): (None, ALL),
    ("POST", "/requests/{number}/approve"): (None, DECIDES),
    ("POST", "/requests/{number}/refuse"): (_REASON, DECIDES),
    ("POST", "/requests/{number}/withdraw"): (_REASON, DECIDES),
    ("GET", "/certificates"): (None, ALL),
    ("GET", "/certificates/{serial}"): (None, ALL),
    ("GET", "/certificates/{serial}/chain"): (None, ALL),
    ("POST", "/certificates/{serial}/revoke"): (_REASON, MANAGES),
    ("GET", "/revocation-lists"): (None, ALL),
    ("GET", "/chains"): (None, ALL),
    ("POST", "/chains"): ({"customer": "{tsp_id}", "chain": "x"}, MANAGES),
    ("GET", "/chains/{number}"): (None, ALL),
    ("POST", "/chains/{number}/endorse"): ({}, DECIDES),
    ("POST", "/chains/{number}/refuse"): (_REASON, DECIDES),
    ("POST", "/chains/{number}/withdraw"): (_REASON, DECIDES),
    ("GET", "/endpoints"): (None, ALL),
    ("POST", "/endpoints"): ({"customer": "{tsp_id}", "url": "https://new.bank.example"}, MANAGES),
    ("GET", "/endpoints/{number}"): (None, ALL),
    ("POST", "/endpoints/{number}/approve"): (None, DECIDES),
    ("POST", "/endpoints/{number}/refuse"): (_REASON, DECIDES),
    ("GET", "/services"): (None, ALL),
    ("POST", "/services"): ({"name": "s", "prefix": "/s", "upstream": "http://127.0.0.1:1"}, ALONE),
    ("GET", "/services/{name}/grants"): (None, OF_HUB),
    ("PUT", "/services/{name}/grants/{tsp_id}"): (None, ALONE),
    ("DELETE", "/services/{name}/grants/{tsp_id}"): (None, ALONE),
    ("GET", "/rotation"): (None, OF_HUB),
    ("POST", "/rotation"): ({}, ALONE),
    ("GET", "/observations"): (None, ALL),
    ("GET", "/keys/banned"): (None, OF_HUB),
    ("POST", "/keys/banned"): ({"key": "0" * 64, "reason": "it was lost"}, ALONE),
    ("GET", "/keys/known"): (None, OF_HUB),
    ("GET", "/people"): (None, ALL),
    ("POST", "/people"): (
        {"email": "c@bank.example", "name": "C", "role": "customer-member", "customer": "{tsp_id}"},
        MANAGES,
    ),
    ("GET", "/people/{number}"): (None, ALL),
    ("POST", "/people/{number}/invite"): (None, MANAGES),
    ("POST", "/people/{number}/confirm"): (None, DECIDES),
    ("POST", "/people/{number}/refuse"): (_REASON, DECIDES),
    ("POST", "/people/{number}/disable"): (_REASON, MANAGES),
    ("GET", "/tokens"): (None, MANAGES),
    ("POST", "/tokens"): ({"name": "t", "role": "customer-member", "customer": "{tsp_id}"}, MANAGES),
    ("GET", "/tokens/{number}"): (None, MANAGES),
    ("POST", "/tokens/{number}/revoke"): (_REASON, MANAGES),
    ("GET", "/audit"): (None, OF_HUB),
    ("GET", "/audit/verify"): (None, OF_HUB),
    ("GET", "/audit/head"): (None, OF_HUB),
    ("POST", "/audit/compare"): ({"export": "x"}, OF_HUB),
    ("GET", "/hub/status"): (None, OF_HUB),
    ("GET", "/hub/metrics"): (None, OF_HUB),
    ("GET", "/hub/contract"): (None, ALL),
    ("POST", "/hub/reopen"): (None, ALONE),
    ("POST", "/hub/retry"): (None, ALONE),
    ("GET", "/hub/contacts"): (None, OF_HUB),
    ("POST", "/hub/contacts"): ({"kind": "email", "address": "a@b.example"}, ALONE),
    ("DELETE", "/hub/contacts/{number}"): (None, ALONE),
    ("GET", "/authorities"): (None, OF_HUB),
    ("POST", "/authorities"): ({}, ALONE),
    ("POST", "/authorities/{number}/activate"): (_REASON, ALONE),
    ("GET", "/authorities/{number}/behind"): (None, OF_HUB),
    ("POST", "/authorities/{number}/retire"): (_REASON, ALONE),
    ("GET", "/nodes"): (None, OF_HUB),
    ("POST", "/nodes/{node}/withdraw"): (_REASON, ALONE),
}


@dataclass(frozen=True, slots=True)
class Things:
    """What paths and bodies name, by the names above; all of the customer `OWNER`, or of the hub."""

    values: dict[str, str]

    def path(self, template: str) -> str:
        """Return a path of the API with the names filled in."""
        # The same name stands for many things: whose number it is, the part of the path before it says.
        named = re.sub(r"(hub/contacts|[a-z]+)/{number}", lambda found: f"{found[1]}/{self.values[found[1]]}", template)
        return named.format(**self.values)

    def asked(self, operation: Operation) -> str:
        """Return a path with what its operation wants in the query: why something is removed."""
        method, template = operation
        return self.path(template) + ("?reason=tested" if method == "DELETE" else "")

    def body(self, body: Any) -> Any:
        """Return what is sent with the names filled in."""
        if not isinstance(body, dict):
            return body
        return {key: self.path(value) if isinstance(value, str) else value for key, value in body.items()}

    def absent(self) -> "Things":
        """Return the same with names of nothing."""
        nothing = {name: "9" * 9 if value.isdecimal() else "abc" for name, value in self.values.items()}
        return Things(nothing | {"tsp_id": "nobody"})


def of_customer(operation: Operation) -> bool:
    """Tell whether path or body name a thing of a customer."""
    body, _ = OPERATIONS[operation]
    named = operation[1] + " ".join(str(each) for each in (body or {}).values())
    nouns = ("requests", "chains", "endpoints", "people", "tokens")
    return "{tsp_id}" in named or "{serial}" in named or any(f"/{noun}/{{number}}" in named for noun in nouns)


def make_things(hub: Hub, make_csr: Callable[..., bytes], make_ca: Callable[..., tuple[Any, Any]]) -> Things:
    """Give the customer `OWNER` one of everything; another one, `OTHER`, is there as well."""
    add_customer(hub, OWNER, CustomerKind.ISSUER, "First Bank")
    add_customer(hub, OTHER, CustomerKind.ISSUER, "Second Bank")
    number = submit_request(hub, OWNER, make_csr()).id
    serial = show_certificate(hub, approve_request(hub, number).serial).serial
    chain = submit_chain(hub, OWNER, certificate_pem(make_ca("Bank Root")[1]).encode()).id
    endpoint = submit_endpoint(hub, OWNER, "https://bank.example")
    for authority, _ in lists_due(hub):
        publish_list(hub, authority)
    add_service(hub, Service("tokens", "/tokens", "http://127.0.0.1:9"))
    grant_service(hub, "tokens", OWNER)
    found = {
        "tsp_id": OWNER,
        "contacts": add_contact(hub, OWNER, ContactKind.EMAIL, "pki@bank.example").id,
        "hub/contacts": add_contact(hub, None, ContactKind.EMAIL, "pki@hub.example").id,
        "requests": number,
        "serial": serial,
        "chains": chain,
        "endpoints": getattr(endpoint, "id", None),
        "name": "tokens",
        "people": add_person(hub, "bob@bank.example", "Bob", MEMBER, OWNER).id,
        "tokens": create_token(hub, "bank", MEMBER, OWNER)[0].id,
        "authorities": 1,
        "node": "eu-1",
    }
    return Things({name: str(value) for name, value in found.items()})
