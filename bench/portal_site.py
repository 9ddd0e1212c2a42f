"""A portal that serves in this process, over TLS as it always does, with customers in every state to look at."""

import asyncio
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import CertificateSigningRequestBuilder, Name, NameAttribute
from cryptography.x509.oid import NameOID

from bothways.connectivity.facts import ProbeFact
from bothways.connectivity.observation import RefusedRequest
from bothways.contract.document import Environment
from bothways.dataplane.applied import Applied
from bothways.demo.customer_ca import make_server_files
from bothways.errors import NotAuthorized, Proposed
from bothways.findings import Finding
from bothways.operations import (
    bundles,
    certificates,
    chains,
    contacts,
    customers,
    endpoints,
    observations,
    requests,
    services,
    tokens,
)
from bothways.operations.accounts import accept_invitation, current_code, invite_person, invited_person
from bothways.operations.customer_credentials import request_credential
from bothways.operations.data_plane import DataPlane
from bothways.operations.fleet import merged
from bothways.operations.hub import Hub, initialise, new_terms, open_hub
from bothways.operations.nodes import default_binding
from bothways.operations.people import add_person
from bothways.operations.rollout import hold_back, read_rollout
from bothways.operations.sessions import begin_session
from bothways.operations.settings import Settings
from bothways.operations.standing import unknown
from bothways.operations.two_people import AtHost
from bothways.registry.access import Action, Role
from bothways.registry.contact import ContactKind
from bothways.registry.customer import CustomerKind
from bothways.registry.flow import Flow
from bothways.registry.service import Service
from bothways.store import nodes
from bothways.store.certificates import StoredCertificate
from bothways.web.portal import portal_app
from bothways.web.server import ServerCertificate, serve_over_tls
from bothways.xds.staging import HeldBack

PASSWORD = "correct horse battery staple"  # noqa: S105 - of people who are made here
BANK, SHOP = "12345678", "55500011"
ALONE = AtHost("people of pictures and tests")
"""Why nobody confirms who decides here, in production too."""


@contextmanager
def new_hub(environment: Environment = Environment.PPR) -> Iterator[Hub]:
    """Make a hub in a directory of its own, with a free port for its portal, and open it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = Settings(portal_port=port, danger_outbound_loopback=True, danger_outbound_any_port=True)
    terms = new_terms(environment, f"{environment.value.lower()}.hub.localhost", settings)
    with tempfile.TemporaryDirectory(prefix="hub-") as place:
        initialise(Path(place) / "hub", terms, settings, "setup")
        with open_hub(Path(place) / "hub", "setup") as hub:
            yield hub


@contextmanager
def serving(hub: Hub) -> Iterator[str]:
    """Serve the hub's portal at its port until the block ends; yield its address."""
    certificate = ServerCertificate(hub.run_directory, DataPlane(hub).state().server)
    app = portal_app(hub, applied, lambda: running(hub))

    async def serve() -> None:
        with suppress(asyncio.CancelledError):
            await serve_over_tls(app, "127.0.0.1", hub.settings.portal_port, certificate)
        # A browser says goodbye when it likes: nothing that waits for that may outlive the loop.
        for each in [*loop._transports.values()]:  # type: ignore[attr-defined]  # noqa: SLF001 - there is no other list
            each.abort()
        await asyncio.sleep(0)

    loop = asyncio.new_event_loop()
    task = loop.create_task(serve())
    thread = threading.Thread(target=loop.run_until_complete, args=(task,))
    thread.start()
    try:
        _wait(hub.settings.portal_port)
        yield hub.terms.portal
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        loop.close()


def account(hub: Hub, email: str, name: str, role: Role, tsp_id: str | None = None) -> str:
    """Put a person on record, with an account; return the cookie of a session."""
    person = add_person(hub, email, name, role, tsp_id, at_host=ALONE)
    _, token, _ = invite_person(hub, person.id, ALONE)
    _, secret = invited_person(hub, token)
    accept_invitation(hub, token, PASSWORD, current_code(secret, hub.now()))
    return begin_session(hub, person, "192.0.2.10", "Mozilla/5.0 (X11; Linux x86_64) Chromium", "invitation")


def csr(tsp_id: str, organization: str, environment: Environment, *, weak: bool = False) -> bytes:
    """Return a new request in PEM, of a key that the rules refuse if it is to be weak."""
    key = ec.generate_private_key(ec.SECP384R1() if weak else ec.SECP256R1())
    values = {
        NameOID.COUNTRY_NAME: "FR",
        NameOID.STATE_OR_PROVINCE_NAME: "Ile-de-France",
        NameOID.LOCALITY_NAME: "Paris",
        NameOID.ORGANIZATION_NAME: organization,
        NameOID.ORGANIZATIONAL_UNIT_NAME: "Payments",
        NameOID.COMMON_NAME: f"TLSMA-ECDSA/{tsp_id}/{environment.value}",
    }
    subject = Name([NameAttribute(kind, value) for kind, value in values.items()])
    made = CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return made.public_bytes(Encoding.PEM)


def running(hub: Hub) -> dict[str, Any]:
    """Return what a running hub would say of itself that has nodes in every state."""
    now = hub.now()
    at = now.isoformat()
    strangers = {"outcome": "refused", "address": "", "said": "", "at": at}
    plain = {"connected": True, "since": at, "version": "5f1c0a", "answered_at": at, "settled": True}
    plain |= {"canary": strangers, "control_plane": "hub-1:8444"}
    behind = plain | {"version": "5f1b77", "settled": False, "behind_since": (now - timedelta(seconds=4)).isoformat()}
    refused = {"listener": "inbound: cannot bind 0.0.0.0:443, the address is in use"}
    unreached = strangers | {"outcome": "unreachable", "address": "192.0.2.9:443", "said": "nothing was heard in 5 s"}
    nodes = [
        unknown("hub") | plain,
        unknown("paris-1") | plain | {"peer": "192.0.2.7:50112"},
        unknown("paris-2") | behind | {"peer": "192.0.2.8:50210", "control_plane": "hub-2:8444"},
        unknown("rome-1") | plain | {"peer": "192.0.2.9:49876", "refused": refused, "canary": unreached},
        unknown("oslo-1"),
    ]
    told = {"control_planes": ["hub-1:8444", "hub-2:8444"], "nodes": merged(nodes, (), now)}
    problem = str(read_rollout(hub).held or "")
    return {"version": "5f1c0a", "problem": problem, "last_push_milliseconds": 18.4} | told


def _decided(hub: Hub, decide: Callable[[Hub], Any]) -> Any:
    """Decide as one person does, and as a second one where it takes two."""
    # Who handed it in is the first of the two already.
    with suppress(Proposed, NotAuthorized):
        return decide(hub)
    return decide(replace(hub, actor="rita@hub.example"))


def furnish(hub: Hub) -> None:
    """Fill a hub with customers in every state."""
    now = hub.now()
    services.add_service(hub, Service("tokens", "/tokens", "http://127.0.0.1:9000"))
    services.add_service(hub, Service("events", "/events", "http://127.0.0.1:9001", frozenset(Flow)))
    services.add_service(hub, Service("reports", "/reports", "http://127.0.0.1:9002"))
    customers.add_customer(hub, BANK, CustomerKind.ISSUER, "First Bank")
    add_person(hub, "rita@hub.example", "Rita Reviewer", Role.REVIEWER, at_host=ALONE)
    # A certificate of last year that ends soon, and the next one.
    earlier = replace(hub, now=lambda: now - timedelta(days=376))
    for clock in (earlier, hub):
        stored = requests.submit_request(clock, BANK, csr(BANK, "First Bank", hub.environment))
        record = _approved(clock, stored.id)
        certificates.certificate_seen(clock, record.fingerprint or "")
    requests.submit_request(hub, BANK, csr(BANK, "First Bank", hub.environment))
    for name in ("tokens", "events"):
        services.grant_service(hub, name, BANK)
    _server(hub, BANK, "First Bank")
    refused = RefusedRequest(now, "192.0.2.77", record.fingerprint or "", "", 404, "direct_response", path="/x")
    observations.observe(hub, {refused: observations.Times(3, now)})
    for number in range(1, 40):
        tsp_id, name = f"{10_000_000 + 37 * number}", f"{_NAMES[number % len(_NAMES)]} {number}"
        customers.add_customer(hub, tsp_id, list(CustomerKind)[number % 2], name)
        if number % 3:
            stored = requests.submit_request(hub, tsp_id, csr(tsp_id, name, hub.environment))
            if number % 2:
                record = _approved(hub, stored.id)
                certificates.certificate_seen(hub, record.fingerprint or "")
    customers.suspend_customer(hub, "10000037", "tested")
    customers.add_customer(hub, SHOP, CustomerKind.MERCHANT, "Corner Shop")
    with tempfile.TemporaryDirectory() as place:
        made = make_server_files(Path(place), "Corner Shop", "hub.shop.example")
        chains.submit_chain(hub, SHOP, made.chain.read_bytes())
    endpoints.submit_endpoint(hub, SHOP, "https://hub.shop.example:8443/tsh")
    bundles.export_bundle(hub, BANK, {})
    request_credential(hub, BANK, {"CN": "hub for First Bank", "O": "First Bank"})
    for whose in (None, BANK):
        contacts.add_contact(hub, whose, ContactKind.EMAIL, "pki@bank.example")
        contacts.add_contact(hub, whose, ContactKind.WEBHOOK, "https://bank.example/bothways")
        role = Role.CUSTOMER_MEMBER if whose else Role.OPERATOR
        scopes = [Action.CUSTOMER_READ, Action.REQUEST_SUBMIT]
        tokens.create_token(hub, f"ci-{whose or 'hub'}", role, whose, scopes if whose else None)
    with hub.write() as transaction:
        nodes.add(transaction, "paris-1", default_binding(hub))
    hold_back(hub, HeldBack("5f1c0b", "rome-1", "and refused it: cannot bind 0.0.0.0:443", "f3a9"))


def _approved(hub: Hub, number: int) -> StoredCertificate:
    record: StoredCertificate = _decided(hub, lambda by: requests.approve_request(by, number))
    return record


def _server(hub: Hub, tsp_id: str, organization: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        made = make_server_files(Path(place), organization, "callbacks.bank.example")
        chain = chains.submit_chain(hub, tsp_id, made.chain.read_bytes())
    _decided(hub, lambda by: chains.endorse_chain(by, chain.id))
    endpoints.submit_endpoint(hub, tsp_id, "https://callbacks.bank.example/hub")
    _decided(hub, lambda by: endpoints.approve_endpoint(by, endpoints.waiting_endpoints(hub, tsp_id)[0].id))
    address = endpoints.show_endpoint(hub, tsp_id).address
    seen = "TLSv1.3 with CN=callbacks.bank.example, answered 200"
    endpoints.record_probe(hub, tsp_id, ProbeFact(address, hub.now(), ok=True, seen=seen))
    message = "the certificate is for callbacks.bank.test, and callbacks.bank.example was called"
    hint = "Request a certificate with the subjectAltName DNS:callbacks.bank.example, or correct the endpoint."
    finding = Finding("PROBE-NAME-04", message, hint, "RFC 9525 section 6.3", address)
    seen = "the request through the hub's Envoy failed: CERTIFICATE_VERIFY_FAILED"
    endpoints.record_probe(hub, tsp_id, ProbeFact(address, hub.now(), ok=False, seen=seen), [finding])


_NAMES = ("Harbour Bank", "Northern Credit", "Corner Shop", "Alpine Savings", "Metro Market", "Riverside Bank")


async def applied() -> Applied:
    """Stand for a publisher whose nodes serve everything at once."""
    return Applied("1", in_force=True, milliseconds=0.1)


def _wait(port: int) -> None:
    for _ in range(200):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        threading.Event().wait(0.05)
    raise RuntimeError("the portal does not listen")
